package gocloud

import (
	"bytes"
	"errors"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	key      = domain.PhotoKey("fleet-7/customer_photos/42_photo.jpg")
	otherKey = domain.PhotoKey("fleet-7/customer_photos/43_photo.jpg")
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

// mustPut puts a photo over whatever is under key.
func mustPut(t testing.TB, store *PhotoStore, photo domain.Photo) domain.PhotoVersion {
	t.Helper()
	version, err := store.Put(t.Context(), key, photo, held(t, store))
	if err != nil {
		t.Fatal(err)
	}
	return version
}

// mustDelete deletes whatever is under key.
func mustDelete(t testing.TB, store *PhotoStore) {
	t.Helper()
	if err := store.Delete(t.Context(), key, held(t, store)); err != nil {
		t.Error(err)
	}
}

// held returns the version of what is under key.
func held(t testing.TB, store *PhotoStore) domain.PhotoVersion {
	t.Helper()
	_, version := opens(t, store)
	return version
}

// holds returns what is under key, nil where there is nothing.
func holds(t testing.TB, store *PhotoStore) []byte {
	t.Helper()
	jpeg, _ := opens(t, store)
	return jpeg
}

// opens returns what is under key, and its version.
func opens(t testing.TB, store *PhotoStore) ([]byte, domain.PhotoVersion) {
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

// calls runs every method that touches the photos. over is what is under key.
func calls(t *testing.T, store *PhotoStore, over domain.PhotoVersion) map[string]error {
	_, _, open := store.Open(t.Context(), key)
	version, put := store.Put(t.Context(), key, newPhoto(t, 16, 1), over)
	if put != nil {
		version = over
	}
	return map[string]error{"Open": open, "Put": put, "Delete": store.Delete(t.Context(), key, version)}
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
