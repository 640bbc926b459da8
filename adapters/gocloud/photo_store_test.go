package gocloud

import (
	"bytes"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
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

// started opens and starts the store in dir and returns its backend too.
func started(t testing.TB, dir string) (*PhotoStore, *directory) {
	t.Helper()
	store, err := Open(fileURL(dir))
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = store.Close() })
	return store, store.backend.(*directory)
}

func mustPut(t testing.TB, store *PhotoStore, photo domain.Photo) {
	t.Helper()
	if err := store.Put(t.Context(), key, photo); err != nil {
		t.Fatal(err)
	}
}

// stored returns what is under key, nil where there is nothing.
func stored(t testing.TB, store *PhotoStore) []byte {
	t.Helper()
	content, err := store.Open(t.Context(), key)
	if errors.Is(err, domain.NotFound) {
		return nil
	}
	if err != nil {
		t.Fatal(err)
	}
	read, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		t.Fatal(err)
	}
	return read
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
	for _, c := range []struct{ name, url string }{{"file", fileURL(t.TempDir())}, {"mem", "mem://"}} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			store, err := Open(c.url)
			if err != nil {
				t.Fatal(err)
			}
			if err := store.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			defer func() { _ = store.Close() }()
			readUnderOverwrite(t, store)
		})
	}
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
				if err := store.Put(t.Context(), key, versions[i%len(versions)]); err != nil {
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
	content, err := store.Open(t.Context(), key)
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

func TestReadAllIsBounded(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		length    int
		announced int64
		want      error
	}{
		{9, 9, nil}, {10, 10, nil}, {10, -1, nil}, {11, 11, errTooLarge}, {11, -1, errTooLarge}, {11, 3, errTooLarge},
	} {
		sent := bytes.Repeat([]byte{1}, c.length)
		read, err := readAll(bytes.NewReader(sent), c.announced, 10)
		if !errors.Is(err, c.want) || err == nil && !bytes.Equal(read, sent) {
			t.Errorf("readAll of %d bytes, announced %d, limit 10: %d bytes, %v; want %v", c.length, c.announced, len(read), err, c.want)
		}
	}
	if err := translate("open photo", errTooLarge); !errors.Is(err, domain.Internal) {
		t.Errorf("an object that is too large is %v, want Internal", err)
	}
}

func TestPublicTextsNameNoPath(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	store, _ := started(t, root)
	if err := os.WriteFile(filepath.Join(root, "fleet-7"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	err := store.Put(t.Context(), key, newPhoto(t, 16, 1))
	known := domain.AsError(err)
	if known.Kind != domain.Unavailable || strings.Contains(known.Public, "fleet-7") || strings.Contains(known.Public, root) {
		t.Errorf("Put where a file stands in the way: %v, public %q", err, known.Public)
	}
}
