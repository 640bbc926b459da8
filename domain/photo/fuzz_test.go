package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	"image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// fuzzLimits are small, so that much is tried in little time.
func fuzzLimits(dimension int, verify Verify) Limits {
	return Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 16, MaxDimension: dimension, Verify: verify}
}

// seeds are small files of every kind.
func seeds(f *testing.F) [][]byte {
	names := must(filepath.Glob("testdata/corners.*"))
	var out [][]byte
	for _, name := range names {
		out = append(out, must(os.ReadFile(name)))
	}
	var gifFile bytes.Buffer
	check(f, gif.Encode(&gifFile, corners(), nil))
	plain := encodeJPEG(corners(), 75)
	return append(out,
		plain, encodePNG(corners()), gifFile.Bytes(), manyScans(3),
		encodeJPEG(image.NewGray(image.Rect(0, 0, 9, 9)), 75),
		insert(plain, segment(markerAPP1, exif(binary.BigEndian, 6)), segment(markerCOM, "x"), segment(0xED, "x")),
		insert(plain, segment(markerAPP14, "Adobe\x00\x64\x00\x00\x00\x00\x00")),
		insert(plain, segment(markerAPP0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01RGB"), segment(markerAPP2, iccTag+"\x01\x01"+string(profileOf("RGB ", 200)))),
		animate(must(os.ReadFile("testdata/corners.lossless.webp")), image.Pt(40, 40), image.Pt(4, 2)),
		withProfile(encodePNG(corners()), profileOf("RGB ", 200)),
	)
}

// FuzzRead holds that whatever goes in is refused with a kind and a sentence,
// or comes out as a JPEG that decodes, is within the limits and has no metadata,
// and that is kept as it is when it comes again.
func FuzzRead(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed, uint8(20))
		f.Add(seed, uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, dimension uint8) {
		limits := fuzzLimits(int(dimension), VerifyDecode)
		photo, _, err := NewReader(limits, 1).Read(context.Background(), bytes.Clone(data))
		if err != nil {
			if !errors.Is(err, domain.TypeError) && !errors.Is(err, domain.PhotoTooLarge) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		checkStorable(t, photo, limits)
		again, _, err := NewReader(limits, 1).Read(context.Background(), bytes.Clone(photo.JPEG()))
		if err != nil || !bytes.Equal(again.JPEG(), photo.JPEG()) {
			t.Fatalf("what was made is not kept: %v", err)
		}
	})
}

// FuzzStructure holds the same without decoding, of structure alone.
func FuzzStructure(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		s := segments{orientation: upright}
		if err := s.filter(append([]byte{0xFF, markerSOI}, data[min(2, len(data)):]...)); err != nil {
			return
		}
		clean := bytes.Clone(s.clean)
		checkMarkers(t, clean)
		again := segments{orientation: upright}
		if err := again.filter(s.clean); err != nil || !bytes.Equal(again.clean, clean) {
			t.Fatalf("a second filter changes it: %v", err)
		}
		if again.orientation != upright {
			t.Fatal("an orientation is left")
		}
	})
}

// FuzzExif holds that no metadata makes the parser fail.
func FuzzExif(f *testing.F) {
	f.Add([]byte(exif(binary.LittleEndian, 6)))
	f.Add([]byte(exif(binary.BigEndian, 8)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := exifOrientation(data); got < upright || got > turnedLeft {
			t.Fatalf("got %d", got)
		}
	})
}

func checkStorable(t *testing.T, photo domain.Photo, limits Limits) {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(photo.JPEG()))
	if err != nil {
		t.Fatalf("what came out doesn't decode: %v", err)
	}
	size, info := img.Bounds().Size(), photo.Info()
	if size.X != info.Width || size.Y != info.Height || info != Describe(photo.JPEG()) {
		t.Fatalf("got %v, want %+v", size, info)
	}
	if limits.MaxDimension > 0 && max(size.X, size.Y) > limits.MaxDimension {
		t.Fatalf("got %v, want at most %d", size, limits.MaxDimension)
	}
	checkMarkers(t, photo.JPEG())
}

// checkMarkers walks the segments before the first scan by itself.
func checkMarkers(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasPrefix(data, []byte{0xFF, markerSOI}) || !bytes.HasSuffix(data, []byte{0xFF, markerEOI}) {
		t.Fatal("it doesn't begin or end as a JPEG does")
	}
	for at := 2; data[at+1] != markerSOS; {
		marker := data[at+1]
		application := marker >= markerAPP0 && marker <= markerAPP15
		if data[at] != 0xFF || marker == markerCOM || application && marker != markerAPP0 && marker != markerAPP2 && marker != markerAPP14 {
			t.Fatalf("found %02X %02X", data[at], marker)
		}
		at += 2 + int(binary.BigEndian.Uint16(data[at+2:]))
	}
}
