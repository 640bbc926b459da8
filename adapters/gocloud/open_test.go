package gocloud

import (
	"context"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
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
	_, err := store.Put(ctx, key, newPhoto(t, 16, 1), domain.NoPhoto)
	checkUnavailable(t, "Put with a ctx that ended", err)
	if !domain.AsError(err).Unchanged {
		t.Errorf("Put with a ctx that ended: %v, want it Unchanged", err)
	}
	for _, over := range []domain.PhotoVersion{domain.NoPhoto, domain.NoPhoto, "another", domain.UnknownVersion} {
		if version, err := store.Put(t.Context(), key, newPhoto(t, 16, 1), over); version != domain.Unversioned || err != nil || held(t, store) != version {
			t.Errorf("Put over %q: %q, %v, want it Unversioned", over, version, err)
		}
	}
	for _, over := range []domain.PhotoVersion{"another", domain.Unversioned} {
		if err := store.Delete(t.Context(), key, over); err != nil || holds(t, store) != nil {
			t.Errorf("Delete over %q: %v", over, err)
		}
	}
}
