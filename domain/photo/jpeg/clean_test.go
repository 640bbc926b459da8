package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	stdjpeg "image/jpeg"
	"slices"
	"testing"
)

// plainJPEG is a grey ramp in three components, encoded by the standard library.
func plainJPEG(t testing.TB, width, height int) []byte {
	t.Helper()
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	for i := range m.Y {
		m.Y[i] = byte(7 * i)
	}
	var out bytes.Buffer
	if err := stdjpeg.Encode(&out, m, nil); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// marked is a segment of a JPEG.
func marked(marker byte, content string) string {
	return string(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(2+len(content)))) + content
}

// TestCleanKeeps wants Clean to keep what a decoder needs byte for byte, to drop
// everything else, and to report the dropped application segments.
func TestCleanKeeps(t *testing.T) {
	t.Parallel()
	plain := plainJPEG(t, 40, 30)
	const (
		jfif  = "\xFF\xE0\x00\x10JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"
		adobe = "\xFF\xEE\x00\x0EAdobe\x00\x64\x00\x00\x00\x00\x01"
	)
	icc := marked(markerAPP2, iccTag+"\x01\x01"+"a profile")
	dropped := []string{"JFXX\x00\x10", "Exif\x00\x00MM", "http://ns.adobe.com/xap/1.0/\x00", "MPF\x00II*\x00", "Ducky", "Photoshop 3.0\x00"}
	data := slices.Concat(plain[:2], []byte(
		marked(markerAPP0, "JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x01\x01RGB")+
			marked(markerAPP0, dropped[0])+marked(markerAPP1, dropped[1])+
			"\xFF\xFF\xFF"+marked(markerAPP1, dropped[2])+marked(markerAPP2, dropped[3])+icc+
			marked(0xEC, dropped[4])+marked(0xED, dropped[5])+adobe+
			marked(markerCOM, "a comment with \xFF\xD9 in it")+"junk"),
		plain[2:], []byte("<html><script>alert(1)</script>PK\x03\x04"))
	var told []string
	f, err := Clean(data, func(_ byte, content []byte) { told = append(told, string(content)) })
	if err != nil {
		t.Fatal(err)
	}
	if want := slices.Concat(plain[:2], []byte(jfif+icc+adobe), plain[2:]); !bytes.Equal(f.Bytes(), want) {
		t.Errorf("got\n%.300q, want\n%.300q", f.Bytes(), want)
	}
	if !slices.Equal(told, dropped) {
		t.Errorf("got the dropped segments %q, want %q", told, dropped)
	}
	if !f.Whole() || f.Width != 40 || f.Height != 30 || f.Model != YCbCr || string(f.Profile(9)) != "a profile" || f.Profile(8) != nil {
		t.Errorf("got %+v, a profile %q", f, f.Profile(9))
	}
}

// TestCleanUnsupported wants unsupported features to be named.
func TestCleanUnsupported(t *testing.T) {
	t.Parallel()
	plain := plainJPEG(t, 24, 16)
	frame := bytes.Index(plain, []byte{0xFF, markerSOF0})
	for want, change := range map[UnsupportedError]struct {
		at    int // after the start of the frame header
		value byte
	}{
		"lossless":                          {1, 0xC3},
		"hierarchical":                      {1, 0xC5},
		"arithmetic-coded":                  {1, 0xC9},
		"hierarchical and arithmetic-coded": {1, 0xCD},
		"a JPEG-LS":                         {1, 0xF7},
		"of 12 bits per sample":             {4, 12},
		"of 2 components":                   {9, 2},
	} {
		data := bytes.Clone(plain)
		data[frame+change.at] = change.value
		if _, err := Clean(data, nil); !errors.Is(err, want) {
			t.Errorf("got %v, want %v", err, want)
		}
	}
}

// TestEntropyEnd wants restart markers and stuffed zeros to belong to a scan.
func TestEntropyEnd(t *testing.T) {
	t.Parallel()
	for data, want := range map[string]int{
		"ab\xff\xd9": 2,
		"\xff\x00\xff\xd0a\xff\xd7\xff\xff\xd3\xff\xff\x00\xff\xda": 13,
		"a\xff\xff\xff\xd9": 1,
		"a\xff":             2,
		"a\xff\x00":         3,
		"":                  0,
	} {
		if got := entropyEnd([]byte(data), 0); got != want {
			t.Errorf("%q: got %d, want %d", data, got, want)
		}
	}
}
