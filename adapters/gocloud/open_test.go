package gocloud

import (
	"context"
	"strings"
	"testing"
)

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, says string }{
		{"", "scheme"},
		{"photos", "scheme"},
		{"s4://bucket", `the scheme "s4"`},
		{"file://photos", `the scheme "file"`},
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

func TestMemory(t *testing.T) {
	t.Parallel()
	store := started(t, "mem://")
	if store.HasAddresses() || store.URL(key) != "" {
		t.Errorf("HasAddresses is %v, the address %q", store.HasAddresses(), store.URL(key))
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	checkUnavailable(t, "Put with a ctx that ended", store.Put(ctx, key, newPhoto(t, 16, 1)))
	if err := store.Delete(t.Context(), key); err != nil || stored(t, store) != nil {
		t.Errorf("Delete of nothing: %v", err)
	}
}
