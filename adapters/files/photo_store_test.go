package files

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	key    = domain.PhotoKey("fleet-7/customer_photos/42_photo.jpg")
	photos = "fleet-7/customer_photos"
)

// newPhoto makes a photo whose size grows with size and whose content depends on shade.
func newPhoto(t testing.TB, size int, shade uint8) domain.Photo {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, size, size))
	for i := range picture.Pix {
		picture.Pix[i] = shade ^ uint8(i*i>>3)
	}
	picture.SetGray(0, 0, color.Gray{Y: shade})
	var encoded bytes.Buffer
	if err := jpeg.Encode(&encoded, picture, nil); err != nil {
		t.Fatal(err)
	}
	photo, err := domain.NewPhoto(encoded.Bytes(), size, size)
	if err != nil {
		t.Fatal(err)
	}
	return photo
}

func fileURL(dir string) string {
	path := filepath.ToSlash(dir)
	if !strings.HasPrefix(path, "/") {
		path = "/" + path
	}
	return (&url.URL{Scheme: "file", Path: path}).String()
}

// started opens and starts the store in dir.
func started(t testing.TB, dir string) *PhotoStore {
	t.Helper()
	store, err := Open(fileURL(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store
}

// mustPut puts photo over what is there and returns its version.
func mustPut(t testing.TB, store *PhotoStore, photo domain.Photo) domain.PhotoVersion {
	t.Helper()
	_, over := opened(t, store)
	version, err := store.Put(t.Context(), key, photo, over)
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// opened returns what is under key, nil where there is nothing, and its version.
func opened(t testing.TB, store *PhotoStore) ([]byte, domain.PhotoVersion) {
	t.Helper()
	content, version, err := store.Open(t.Context(), key)
	if errors.Is(err, domain.NotFound) {
		return nil, domain.NoPhoto
	}
	if err != nil {
		t.Fatal(err)
	}
	read, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		t.Fatal(err)
	}
	return read, version
}

func stored(t testing.TB, store *PhotoStore) []byte {
	t.Helper()
	read, _ := opened(t, store)
	return read
}

// How a change may end, as outcome says it.
const (
	changed    = "changed"
	conflicted = "Conflict, unchanged"
	harmless   = "Service Unavailable, unchanged"
	unknown    = "Service Unavailable"
)

func outcome(err error) string {
	if err == nil {
		return changed
	}
	known := domain.AsError(err)
	if known.Unchanged {
		return string(known.Kind) + ", unchanged"
	}
	return string(known.Kind)
}

// temporaries returns the names of the temporary files beside the photos.
func temporaries(t testing.TB, root string) []string {
	t.Helper()
	found, err := filepath.Glob(filepath.Join(root, "*", "*", "*.tmp"))
	if err != nil {
		t.Fatal(err)
	}
	return found
}

func TestReadsUnderOverwriteAreWhole(t *testing.T) {
	t.Parallel()
	readUnderOverwrite(t, started(t, t.TempDir()))
}

func readUnderOverwrite(t *testing.T, store *PhotoStore) {
	versions := []domain.Photo{newPhoto(t, 16, 1), newPhoto(t, 200, 2), newPhoto(t, 90, 3)}
	mustPut(t, store, versions[0])
	var writers, readers sync.WaitGroup
	done := make(chan struct{})
	for w := range 2 {
		writers.Go(func() {
			for i := w; ; i++ {
				select {
				case <-done:
					return
				default:
				}
				_, over := opened(t, store)
				if _, err := store.Put(t.Context(), key, versions[i%len(versions)], over); err != nil && !errors.Is(err, domain.Conflict) {
					t.Errorf("Put: %v", err)
					return
				}
			}
		})
	}
	for range 20 {
		readers.Go(func() {
			for range 100 {
				if err := readTwice(t, store, versions); err != nil {
					t.Error(err)
				}
			}
		})
	}
	readers.Wait()
	close(done)
	writers.Wait()
}

// readTwice opens the photo, reads it, goes back and reads it again.
func readTwice(t *testing.T, store *PhotoStore, versions []domain.Photo) error {
	content, _, err := store.Open(t.Context(), key)
	if err != nil {
		return err
	}
	defer func() { _ = content.Close() }()
	first, err := io.ReadAll(content)
	if err != nil {
		return err
	}
	if !isOneOf(first, versions) {
		return fmt.Errorf("read %d bytes that were never put", len(first))
	}
	if _, err := content.Seek(0, io.SeekStart); err != nil {
		return err
	}
	second, err := io.ReadAll(content)
	if err == nil && !bytes.Equal(first, second) {
		err = fmt.Errorf("read %d bytes, and %d others after seeking back", len(first), len(second))
	}
	return err
}

func isOneOf(read []byte, versions []domain.Photo) bool {
	for _, version := range versions {
		if bytes.Equal(read, version.JPEG()) {
			return true
		}
	}
	return false
}

func TestPublicTextsNameNoPath(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store := started(t, root)
	if err := os.WriteFile(filepath.Join(root, "fleet-7"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := store.Put(t.Context(), key, newPhoto(t, 16, 1), domain.NoPhoto)
	known := domain.AsError(err)
	if known.Kind != domain.Unavailable || strings.Contains(known.Public, "fleet-7") || strings.Contains(known.Public, root) {
		t.Errorf("Put where a file stands in the way: %v, public %q", err, known.Public)
	}
}

func TestFailedPutKeepsTheOldPhoto(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store := started(t, root)
	older := newPhoto(t, 16, 1)
	over := mustPut(t, store, older)
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
		store.sync = c.sync
		if _, err := store.Put(ctx, key, newPhoto(t, 90, 2), over); outcome(err) != harmless {
			t.Errorf("%s: %v, want it %s", c.name, err, harmless)
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
	_, _, open := store.Open(t.Context(), key)
	_, put := store.Put(t.Context(), key, newPhoto(t, 16, 1), domain.NoPhoto)
	return map[string]error{"Open": open, "Put": put, "Delete": store.Delete(t.Context(), key, domain.NoPhoto)}
}

func TestNothingWorksWithoutTheDirectory(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows doesn't rename a directory that is open")
	}
	root := filepath.Join(t.TempDir(), "photos")
	store := started(t, root)
	photo := newPhoto(t, 16, 1)
	mustPut(t, store, photo)
	if err := os.Rename(root, root+"-elsewhere"); err != nil {
		t.Fatal(err)
	}
	for _, state := range []string{"gone", "another one"} {
		for name, err := range calls(t, store) {
			if got := outcome(err); got != harmless && (name != "Open" || got != unknown) {
				t.Errorf("%s while the directory is %s: %v, want Unavailable, and unchanged", name, state, err)
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

// A volume may go away while a Delete runs, which then finds nothing.
func TestDeleteOnAVolumeThatGoesAway(t *testing.T) {
	t.Parallel()
	skipWithoutDirectorySync(t)
	root := filepath.Join(t.TempDir(), "photos")
	store := started(t, root)
	version := mustPut(t, store, newPhoto(t, 16, 1))
	if err := store.Delete(t.Context(), key, version); err != nil {
		t.Fatal(err)
	}
	store.sync = func(*os.File) error { return os.Rename(root, root+"-elsewhere") }
	checkUnavailable(t, "Delete", store.Delete(t.Context(), key, domain.NoPhoto))
}

// A key that leaves the directory is a bug elsewhere: it reaches no file.
func TestKeysStayBelowTheDirectory(t *testing.T) {
	t.Parallel()
	above := t.TempDir()
	store := started(t, filepath.Join(above, "photos"))
	outside := filepath.Join(above, "outside")
	if err := os.WriteFile(outside, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	const leaving = domain.PhotoKey("../outside")
	_, over, err := store.Open(t.Context(), leaving)
	checkUnavailable(t, "Open", err)
	_, err = store.Put(t.Context(), leaving, newPhoto(t, 16, 1), over)
	checkUnavailable(t, "Put", err)
	checkUnavailable(t, "Delete", store.Delete(t.Context(), leaving, over))
	if read, err := os.ReadFile(outside); err != nil || string(read) != "x" {
		t.Errorf("the file outside holds %q, %v", read, err)
	}
}

func TestNothingWorksBeforeStartAndAfterClose(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	unstarted, err := Open(fileURL(root))
	if err != nil {
		t.Fatal(err)
	}
	closed := started(t, root)
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
	store := started(t, t.TempDir())
	photo := newPhoto(t, 16, 1)
	mustPut(t, store, photo)
	content, _, err := store.Open(t.Context(), key)
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
	store := started(t, t.TempDir())
	photo := newPhoto(t, 16, 1)
	var group sync.WaitGroup
	for i := range 50 {
		group.Go(func() {
			ref := domain.CustomerRef{Fleet: domain.FleetID(i%3 + 1), Customer: domain.CustomerID(i + 1)}
			if _, err := store.Put(t.Context(), ref.PhotoKey(), photo, domain.NoPhoto); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
}
