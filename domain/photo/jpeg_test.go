package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"image/jpeg"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// What is kept of a JPEG, and what is dropped.
func TestKept(t *testing.T) {
	t.Parallel()
	plain := encodeJPEG(landscape(40, 30), 90)
	jfif := segment(markerAPP0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00")
	icc := segment(markerAPP2, iccTag+"\x01\x01"+string(profileOf("RGB ", 300)))
	adobe := segment(markerAPP14, "Adobe\x00\x64\x00\x00\x00\x00\x01")
	data := insert(plain,
		segment(markerAPP0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01RGB"),
		segment(markerAPP0, "JFXX\x00\x10"+string(plain)),
		segment(markerAPP1, exif(binary.BigEndian, 1)+"GPS"),
		[]byte{0xFF, 0xFF, 0xFF},
		segment(markerAPP1, "http://ns.adobe.com/xap/1.0/\x00<x:xmpmeta/>"),
		segment(markerAPP2, "MPF\x00II*\x00"),
		icc,
		segment(0xEC, "Ducky"), segment(0xED, "Photoshop 3.0\x008BIM"),
		adobe,
		segment(markerCOM, "a comment with \xff\xd9 in it"),
		[]byte("junk"),
	)
	data = append(data, "<html><script>alert(1)</script>PK\x03\x04"...)
	want := insert(plain, jfif, icc, adobe)
	for _, verify := range []Verify{VerifyDecode, VerifyStructure, ""} {
		limits := generous()
		limits.Verify = verify
		photo := mustRead(t, limits, data)
		if !bytes.Equal(photo.JPEG(), want) {
			t.Errorf("%s: got\n%q, want\n%q", verify, photo.JPEG()[:400], want[:400])
		}
		if info := photo.Info(); info != Describe(want) || info.Width != 40 || info.Height != 30 {
			t.Errorf("%s: got %+v", verify, info)
		}
	}
}

// A JPEG that ends anywhere before its end is refused.
func TestCutOff(t *testing.T) {
	t.Parallel()
	plain := encodeJPEG(landscape(24, 16), 90)
	for _, verify := range []Verify{VerifyDecode, VerifyStructure} {
		limits := generous()
		limits.Verify = verify
		for length := 3; length < len(plain); length++ {
			if _, err := read(t, limits, plain[:length]); err == nil {
				t.Fatalf("%s: %d of %d bytes are taken", verify, length, len(plain))
			}
		}
	}
	// The scan's data is cut off but the end marker is there: only decoding tells.
	_, err := read(t, generous(), append(bytes.Clone(plain[:len(plain)-20]), 0xFF, markerEOI))
	refused(t, err, domain.TypeError, "broken or cut off")
}

func TestProcesses(t *testing.T) {
	t.Parallel()
	plain := encodeJPEG(landscape(24, 16), 90)
	frame := bytes.Index(plain, []byte{0xFF, markerSOF0})
	change := func(at int, value byte) []byte {
		data := bytes.Clone(plain)
		data[frame+at] = value
		return data
	}
	for _, test := range []struct {
		name string
		data []byte
		part string
	}{
		{"lossless", change(1, 0xC3), "one that is lossless"},
		{"hierarchical", change(1, 0xC5), "one that is hierarchical"},
		{"arithmetic", change(1, 0xC9), "one that is arithmetic-coded"},
		{"12 bits", change(4, 12), "of 12 bits per sample"},
		{"subsampling", change(11, 0x31), "of unusual chroma subsampling"},
		{"no height", change(6, 0), "of a height that only its end tells"},
		{"two components", change(9, 2), "of 2 components"},
		{"many scans", manyScans(65), "at most 64 scans, got 65"},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := read(t, generous(), test.data)
			refused(t, err, domain.TypeError, test.part)
		})
	}
	mustRead(t, generous(), manyScans(64))
}

// manyScans makes a progressive JPEG of one grey block: a scan for the mean,
// the others for nothing.
func manyScans(count int) []byte {
	table := func(class byte) []byte {
		return segment(markerDHT, string([]byte{class, 1})+strings.Repeat("\x00", 16))
	}
	out := slices.Concat([]byte{0xFF, markerSOI}, segment(markerDQT, strings.Repeat("\x00", 1)+strings.Repeat("\x01", 64)),
		segment(markerSOF2, "\x08\x00\x08\x00\x08\x01\x01\x11\x00"), table(0x00), table(0x10),
		segment(markerSOS, "\x01\x01\x00\x00\x00\x00"), []byte{0})
	for range count - 1 {
		out = append(out, segment(markerSOS, "\x01\x01\x00\x01\x3f\x00")...)
		out = append(out, 0)
	}
	return append(out, 0xFF, markerEOI)
}

// Restart markers and stuffed zeros belong to a scan.
func TestEntropyEnd(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		data string
		end  int
	}{
		{"ab\xff\xd9", 2},
		{"\xff\x00\xff\xd0a\xff\xd7\xff\xff\xd3\xff\xff\x00\xff\xda", 13},
		{"a\xff\xff\xff\xd9", 1},
		{"a\xff", -1},
		{"a\xff\x00", -1},
		{"", -1},
	} {
		end, err := entropyEnd([]byte(test.data), 0)
		if err == nil && end != test.end || err != nil && test.end >= 0 {
			t.Errorf("%q: got %d, %v, want %d", test.data, end, err, test.end)
		}
	}
}

// The orientation is read from whatever a camera wrote, and from nothing worse.
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
	// Adobe RGB is converted, so that what is stored is what every program shows.
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
