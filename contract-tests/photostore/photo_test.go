package photostore

import (
	"bytes"
	"image/jpeg"
	"testing"
)

// The photos of the suite are real: a store that looks at them must take them.
func TestPhotosDecode(t *testing.T) {
	t.Parallel()
	for _, size := range []int{2000, 16 << 10, 2 + 0xFFFF + 1000, 10 << 20} {
		for n := range 3 {
			photo := photoSized(n, size)
			picture, err := jpeg.Decode(bytes.NewReader(photo.JPEG()))
			if err != nil {
				t.Fatalf("photo %d of %d bytes: %v", n, size, err)
			}
			if got := picture.Bounds(); len(photo.JPEG()) != size || got.Dx() != photoWidth || got.Dy() != photoHeight {
				t.Errorf("photo %d: got %d bytes and %v, want %d bytes and %d×%d", n, len(photo.JPEG()), got, size, photoWidth, photoHeight)
			}
		}
	}
}
