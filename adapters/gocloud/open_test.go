package gocloud

import (
	"strings"
	"testing"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, says string }{
		{"", "scheme"},
		{"photos", "scheme"},
		{"s4://bucket", `the scheme "s4"`},
		{"mem://x", "mem:// and nothing more"},
		{"mem:///x", "mem:// and nothing more"},
		{"mem:x", "mem:// and nothing more"},
		{"mem://?nomd5=s3cret", `["nomd5"]`},
	} {
		store, err := Open(c.url)
		switch {
		case err == nil:
			t.Errorf("Open(%q) = %v, want an error", c.url, store)
		case !strings.Contains(err.Error(), c.says):
			t.Errorf("Open(%q): %q doesn't say %q", c.url, err, c.says)
		case strings.Contains(err.Error(), "s3cret"):
			t.Errorf("Open(%q): %q repeats a value", c.url, err)
		}
	}
}

func TestOpenMemory(t *testing.T) {
	t.Parallel()
	store, err := Open("mem://")
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Start(t.Context()); err != nil {
		t.Error(err)
	}
	if err := store.Close(); err != nil {
		t.Error(err)
	}
}
