package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"hash/crc32"
	"image"
	"os"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

// A photo of wide gamut that is decoded keeps its profile; CMYK doesn't.
func TestProfile(t *testing.T) {
	t.Parallel()
	rgb, cmyk, grey := profileOf("RGB ", 200_000), profileOf("CMYK", 500), profileOf("GRAY", 500)
	big := insert(encodeJPEG(corners(), 90), profileSegments(rgb)...)
	limits := generous()
	limits.MaxDimension = 8
	if got := profileIn(t, mustRead(t, limits, big).JPEG()); !bytes.Equal(got, rgb) {
		t.Errorf("got a profile of %d bytes, want %d", len(got), len(rgb))
	}
	limits.MaxDimension = 0
	if got := mustRead(t, limits, big).JPEG(); !bytes.Equal(got, big) {
		t.Error("a JPEG with a profile is not kept")
	}
	print := insert(must(os.ReadFile("testdata/corners.cmyk.jpeg")), segment(markerAPP2, iccTag+"\x01\x01"+string(cmyk)))
	if got := profileIn(t, mustRead(t, limits, print).JPEG()); got != nil {
		t.Error("a CMYK profile is put on RGB")
	}
	if got := profileIn(t, mustRead(t, limits, withProfile(encodePNG(corners()), rgb)).JPEG()); !bytes.Equal(got, rgb) {
		t.Error("a PNG's profile is lost")
	}
	if got := profileIn(t, mustRead(t, limits, withProfile(encodePNG(corners()), grey)).JPEG()); got != nil {
		t.Error("a grey profile is put on colours")
	}
	if got := profileIn(t, mustRead(t, limits, withProfile(encodePNG(image.NewGray(image.Rect(0, 0, 9, 9))), grey)).JPEG()); !bytes.Equal(got, grey) {
		t.Error("a grey profile is lost")
	}
}

// pngFile makes a PNG of one header and one IDAT.
func pngFile(width, height uint32, depth, colors, interlaced byte, data []byte) []byte {
	header := binary.BigEndian.AppendUint32(nil, width)
	header = append(binary.BigEndian.AppendUint32(header, height), depth, colors, 0, 0, interlaced)
	return slices.Concat([]byte("\x89PNG\r\n\x1a\n"), pngChunk("IHDR", header), pngChunk("IDAT", data), pngChunk("IEND", nil))
}

func pngChunk(name string, content []byte) []byte {
	out := append(binary.BigEndian.AppendUint32(nil, uint32(len(content))), name...)
	out = append(out, content...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[4:]))
}

// withProfile puts an iCCP chunk behind the header of a PNG.
func withProfile(png, profile []byte) []byte {
	var packed bytes.Buffer
	packed.WriteString("a name\x00\x00")
	w := zlib.NewWriter(&packed)
	must(w.Write(profile))
	if err := w.Close(); err != nil {
		panic(err)
	}
	return slices.Concat(png[:33], pngChunk("iCCP", packed.Bytes()), png[33:])
}

func profileOf(space string, length int) []byte {
	profile := make([]byte, length)
	for i := range profile {
		profile[i] = byte(i)
	}
	copy(profile[16:], space)
	copy(profile[36:], "acsp")
	return profile
}

// profileSegments cuts a profile into APP2 segments.
func profileSegments(profile []byte) [][]byte {
	const most = 0xFFFF - 2 - len(iccTag) - 2
	var out [][]byte
	count := (len(profile) + most - 1) / most
	for part := range slices.Chunk(profile, most) {
		out = append(out, segment(markerAPP2, iccTag+string([]byte{byte(len(out) + 1), byte(count)})+string(part)))
	}
	return out
}

// profileIn joins the profile of a JPEG.
func profileIn(t *testing.T, data []byte) []byte {
	t.Helper()
	f, err := jpeg.Clean(bytes.Clone(data), nil)
	check(t, err)
	return f.Profile(1 << 20)
}
