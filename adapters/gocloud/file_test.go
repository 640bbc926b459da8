package gocloud

import (
	"bytes"
	"context"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"syscall"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestFailedPutKeepsTheOldPhoto(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store, files := started(t, root)
	older := newPhoto(t, 16, 1)
	mustPut(t, store, older)
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	for _, c := range []struct {
		name string
		sync func(*os.File) error
	}{
		{"no space", func(*os.File) error { return syscall.ENOSPC }},
		{"closed behind its back", func(file *os.File) error { return file.Close() }},
		{"cancelled after the write", func(*os.File) error { cancel(); return nil }},
		{"cancelled before", nil},
	} {
		files.sync = c.sync
		if err := store.Put(ctx, key, newPhoto(t, 90, 2)); !errors.Is(err, domain.Unavailable) {
			t.Errorf("%s: %v, want Unavailable", c.name, err)
		}
		if !bytes.Equal(stored(t, store), older.JPEG()) {
			t.Errorf("%s: the old photo is gone", c.name)
		}
		if left := temporaries(t, root); left != nil {
			t.Errorf("%s: left %q", c.name, left)
		}
	}
}

// calls runs every method that touches the photos.
func calls(t *testing.T, store *PhotoStore) map[string]error {
	_, open := store.Open(t.Context(), key)
	return map[string]error{
		"Open":   open,
		"Put":    store.Put(t.Context(), key, newPhoto(t, 16, 1)),
		"Delete": store.Delete(t.Context(), key),
	}
}

func TestNothingWorksWithoutTheDirectory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows doesn't rename a directory that is open")
	}
	root := filepath.Join(t.TempDir(), "photos")
	store, _ := started(t, root)
	photo := newPhoto(t, 16, 1)
	mustPut(t, store, photo)
	if err := os.Rename(root, root+"-elsewhere"); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"gone", "another one"} {
		for name, err := range calls(t, store) {
			if !errors.Is(err, domain.Unavailable) {
				t.Errorf("%s while the directory is %s: %v, want Unavailable", name, state, err)
			}
		}
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
		if err := os.Mkdir(root, 0o700); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(os.Remove(root), os.Rename(root+"-elsewhere", root)); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(stored(t, store), photo.JPEG()) {
		t.Error("the photo isn't there when the directory is back")
	}
}

func TestNothingWorksBeforeStartAndAfterClose(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	unstarted, err := Open(fileURL(root))
	if err != nil {
		t.Fatal(err)
	}
	closed, _ := started(t, root)
	if err := closed.Close(); err != nil {
		t.Fatal(err)
	}
	for state, store := range map[string]*PhotoStore{"not started": unstarted, "closed": closed} {
		for name, err := range calls(t, store) {
			if !errors.Is(err, domain.Unavailable) {
				t.Errorf("%s of a store that is %s: %v, want Unavailable", name, state, err)
			}
		}
	}
	if err := unstarted.Close(); err != nil {
		t.Errorf("Close of a store that is not started: %v", err)
	}
}

func TestOpenPhotosOutliveClose(t *testing.T) {
	t.Parallel()
	store, _ := started(t, t.TempDir())
	photo := newPhoto(t, 16, 1)
	mustPut(t, store, photo)
	content, err := store.Open(t.Context(), key)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	var read bytes.Buffer
	if _, err := read.ReadFrom(content); err != nil || !bytes.Equal(read.Bytes(), photo.JPEG()) {
		t.Errorf("read %d bytes after Close, %v", read.Len(), err)
	}
	if err := content.Close(); err != nil {
		t.Error(err)
	}
}

func TestPutsInNewDirectoriesAtOnce(t *testing.T) {
	t.Parallel()
	store, _ := started(t, t.TempDir())
	photo := newPhoto(t, 16, 1)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			ref := domain.CustomerRef{Fleet: domain.FleetID(i%3 + 1), Customer: domain.CustomerID(i%5 + 1)}
			if err := store.Put(t.Context(), ref.PhotoKey(), photo); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
