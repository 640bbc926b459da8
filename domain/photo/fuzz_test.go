package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/gif"
	stdjpeg "image/jpeg"
	"os"
	"path/filepath"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

// fuzzLimits are small, so that much is tried in little time.
func fuzzLimits(dimension int, verify Verify) Limits {
	return Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 16, MaxDimension: dimension, Verify: verify}
}

// seeds are small files of every kind.
func seeds(f *testing.F) [][]byte {
	names := append(must(filepath.Glob("testdata/corners.*")), must(filepath.Glob("testdata/cases/*"))...)
	var out [][]byte
	for _, name := range names {
		out = append(out, must(os.ReadFile(name)))
	}
	var gifFile bytes.Buffer
	check(f, gif.Encode(&gifFile, corners(), nil))
	plain := encodeJPEG(corners(), 75)
	wide := ownedProfile("Adobe RGB", "Jane").bytes()
	return append(out,
		plain, encodePNG(corners()), gifFile.Bytes(),
		insert(encodeJPEG(image.NewGray(image.Rect(0, 0, 9, 9)), 75), segment(markerAPP2, iccTag+"\x01\x01"+string(ownedProfile("grey", "").bytes()))),
		insert(plain, segment(markerAPP1, exif(binary.BigEndian, 6)), segment(markerCOM, "x"), segment(0xED, "x")),
		insert(plain, segment(markerAPP14, "Adobe\x00\x64\x00\x00\x00\x00\x00")),
		insert(plain, segment(markerAPP0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01RGB"), segment(markerAPP2, iccTag+"\x01\x01"+string(wide))),
		animate(must(os.ReadFile("testdata/corners.lossless.webp")), image.Pt(40, 40), image.Pt(4, 2)),
		withProfile(encodePNG(corners()), wide),
	)
}

// FuzzRead checks that a file is refused with a kind and a message, or becomes a
// JPEG that decodes, is within the limits, has no metadata, and is kept
// unchanged when read again.
func FuzzRead(f *testing.F) {
	for _, seed := range seeds(f) {
		f.Add(seed, uint8(20))
		f.Add(seed, uint8(0))
	}
	f.Fuzz(func(t *testing.T, data []byte, dimension uint8) {
		limits := fuzzLimits(int(dimension), VerifyDecode)
		photo, _, err := NewReader(limits, 1).Read(context.Background(), 689, bytes.Clone(data))
		if err != nil {
			if !errors.Is(err, domain.TypeError) && !errors.Is(err, domain.PhotoTooLarge) {
				t.Fatalf("refused with %v", err)
			}
			return
		}
		checkStorable(t, photo, limits)
		again, _, err := NewReader(limits, 1).Read(context.Background(), 689, bytes.Clone(photo.JPEG()))
		if err != nil || !bytes.Equal(again.JPEG(), photo.JPEG()) {
			t.Fatalf("the photo is not kept when read again: %v", err)
		}
	})
}

// FuzzExif checks that the parser handles any metadata.
func FuzzExif(f *testing.F) {
	f.Add([]byte(exif(binary.LittleEndian, 6)))
	f.Add([]byte(exif(binary.BigEndian, 8)))
	f.Fuzz(func(t *testing.T, data []byte) {
		if got := exifOrientation(data); got < upright || got > turnedLeft {
			t.Fatalf("got %d", got)
		}
	})
}

// checkStorable decodes a photo with package jpeg, and with the standard library
// if that supports the sampling.
func checkStorable(t *testing.T, photo domain.Photo, limits Limits) {
	t.Helper()
	info := photo.Info()
	if info != Describe(photo.JPEG()) {
		t.Fatalf("got %+v, want %+v", Describe(photo.JPEG()), info)
	}
	if limits.MaxDimension > 0 && max(info.Width, info.Height) > limits.MaxDimension {
		t.Fatalf("got %d × %d, want at most %d", info.Width, info.Height, limits.MaxDimension)
	}
	checkMarkers(t, photo.JPEG())
	f, err := jpeg.Clean(bytes.Clone(photo.JPEG()), nil)
	check(t, err)
	rows := 0
	check(t, f.Decode(t.Context(), 8, func(_, _ int, strip jpeg.Plane) error {
		rows += strip.Height
		return nil
	}))
	want := 0
	for c := range f.Components {
		_, height := f.PlaneSize(c, 8)
		want += height
	}
	if rows != want {
		t.Fatalf("%d rows were decoded, want %d", rows, want)
	}
	img, err := stdjpeg.Decode(bytes.NewReader(photo.JPEG()))
	if _, sampling := errors.AsType[stdjpeg.UnsupportedError](err); sampling {
		return
	}
	check(t, err)
	if size := img.Bounds().Size(); size != image.Pt(info.Width, info.Height) {
		t.Fatalf("got %v, want %+v", size, info)
	}
}

// checkMarkers reads the segments before the first scan on its own.
func checkMarkers(t *testing.T, data []byte) {
	t.Helper()
	if !bytes.HasPrefix(data, []byte{0xFF, markerSOI}) || !bytes.HasSuffix(data, []byte{0xFF, markerEOI}) {
		t.Fatal("it has no SOI or no EOI")
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
