package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// A JPEG that is cut off anywhere is refused. If it lacks only the end marker, that
// is added.
func TestCutOff(t *testing.T) {
	t.Parallel()
	plain := encodeJPEG(landscape(24, 16), 90)
	for _, verify := range []Verify{VerifyDecode, VerifyStructure} {
		limits := generous()
		limits.Verify = verify
		for length := 3; length < len(plain); length++ {
			photo, err := read(t, limits, plain[:length])
			if length < len(plain)-2 {
				refused(t, err, domain.TypeError, "broken or cut off")
			} else if !bytes.Equal(photo.JPEG(), plain) {
				t.Errorf("%s: without its end, got %d bytes and %v", verify, len(photo.JPEG()), err)
			}
		}
	}
	// The scan's data is cut off but the end marker is there: only decoding tells.
	_, err := read(t, generous(), append(bytes.Clone(plain[:len(plain)-20]), 0xFF, markerEOI))
	refused(t, err, domain.TypeError, "broken or cut off")
}

// The message for an unsupported JPEG names its process.
func TestProcesses(t *testing.T) {
	t.Parallel()
	lossless := encodeJPEG(landscape(24, 16), 90)
	lossless[bytes.Index(lossless, []byte{0xFF, markerSOF0})+1] = 0xC3
	_, err := read(t, generous(), lossless)
	refused(t, err, domain.TypeError, "want a baseline or progressive JPEG of 8 bits per sample, got one that is lossless; save it again")
}

// The orientation is read in every valid form, and broken EXIF means upright.
func TestExifOrientation(t *testing.T) {
	t.Parallel()
	little := exif(binary.LittleEndian, 6)
	for _, test := range []struct {
		name, data string
		want       orientation
	}{
		{"little endian", little, turnedRight},
		{"big endian", exif(binary.BigEndian, 8), turnedLeft},
		{"without Exif", little[6:], turnedRight},
		{"value of 0", exif(binary.BigEndian, 0), upright},
		{"value of 9", exif(binary.BigEndian, 9), upright},
		{"cut off", little[:20], upright},
		{"directory beyond the end", little[:10] + "\xff\xff\xff\xff" + little[14:], upright},
		{"more entries than there are", little[:14] + "\xff\xff" + little[16:], turnedRight},
		{"nothing", "", upright},
		{"garbage", "Exif\x00\x00garbage garbage", upright},
	} {
		if got := exifOrientation([]byte(test.data)); got != test.want {
			t.Errorf("%s: got %d, want %d", test.name, got, test.want)
		}
	}
}

func TestRGBAndGrey(t *testing.T) {
	t.Parallel()
	// RGB is converted to YCbCr, which every program shows correctly.
	rgb := insert(encodeJPEG(landscape(40, 30), 90), segment(markerAPP14, "Adobe\x00\x64\x00\x00\x00\x00\x00"))
	photo := mustRead(t, generous(), rgb)
	if bytes.Equal(photo.JPEG(), rgb) {
		t.Error("an RGB JPEG is kept")
	}
	if img := must(jpeg.Decode(bytes.NewReader(photo.JPEG()))); img.ColorModel() != must(jpeg.Decode(bytes.NewReader(encodeJPEG(landscape(8, 8), 90)))).ColorModel() {
		t.Errorf("got %T", img)
	}
	grey := encodeJPEG(&image.Gray{Pix: landscape(64, 48).Y, Stride: 64, Rect: image.Rect(0, 0, 64, 48)}, 90)
	if photo = mustRead(t, generous(), grey); !bytes.Equal(photo.JPEG(), grey) {
		t.Error("a grey JPEG is not kept")
	}
	limits := generous()
	limits.MaxDimension = 20
	if _, ok := must(jpeg.Decode(bytes.NewReader(mustRead(t, limits, grey).JPEG()))).(*image.Gray); !ok {
		t.Error("a grey JPEG is not scaled as grey")
	}
}
