package photo

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/jpeg"
	"image/png"
	"math"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Markers of a JPEG, and the name of the segments of a profile.
const (
	markerSOF0  = 0xC0
	markerSOI   = 0xD8
	markerEOI   = 0xD9
	markerSOS   = 0xDA
	markerAPP0  = 0xE0
	markerAPP1  = 0xE1
	markerAPP2  = 0xE2
	markerAPP14 = 0xEE
	markerAPP15 = 0xEF
	markerCOM   = 0xFE

	iccTag = "ICC_PROFILE\x00"
)

// generous are the default limits.
func generous() Limits {
	return Limits{MaxBytes: 10 << 20, MaxPixels: 50e6, MaxDimension: 1024, Verify: VerifyDecode}
}

// read reads a copy of data.
func read(t testing.TB, limits Limits, data []byte) (domain.Photo, error) {
	t.Helper()
	got, _, err := NewReader(limits, 1).Read(context.Background(), 689, bytes.Clone(data))
	return got, err
}

// mustRead fails the test if data is refused.
func mustRead(t testing.TB, limits Limits, data []byte) domain.Photo {
	t.Helper()
	photo, err := read(t, limits, data)
	if err != nil {
		t.Fatal(err)
	}
	return photo
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// landscape is a picture like a photo: light that changes slowly, edges, texture
// and a little noise.
func landscape(width, height int) *image.YCbCr {
	m := image.NewYCbCr(image.Rect(0, 0, width, height), image.YCbCrSubsampleRatio420)
	random := rand.New(rand.NewPCG(1, 2))
	waves := make([]float64, width+height)
	for i := range waves {
		f := float64(i)
		waves[i] = 30*math.Sin(f/97) + 14*math.Sin(f/11) + 8*math.Sin(f/3.1)
	}
	for y := range height {
		row := m.Y[y*m.YStride:]
		for x := range width {
			v := 120 + waves[x] + waves[y] + waves[x+y]/3
			if (x/173+y/131)%3 == 0 {
				v += 45
			}
			row[x] = clamp(v + float64(random.Uint32()>>29) - 4)
		}
	}
	for y := range (height + 1) / 2 {
		for x := range (width + 1) / 2 {
			m.Cb[y*m.CStride+x] = clamp(128 + waves[x] + float64((x/87+y/66)%3*9))
			m.Cr[y*m.CStride+x] = clamp(128 - waves[y] + float64((x/66+y/87)%2*9))
		}
	}
	return m
}

func encodeJPEG(img image.Image, quality int) []byte {
	var out bytes.Buffer
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: quality}); err != nil {
		panic(err)
	}
	return out.Bytes()
}

func encodePNG(img image.Image) []byte {
	var out bytes.Buffer
	if err := png.Encode(&out, img); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// segment makes a JPEG segment.
func segment(marker byte, content string) []byte {
	out := binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(2+len(content)))
	return append(out, content...)
}

// insert puts segments after the SOI of a JPEG.
func insert(jpeg []byte, segments ...[]byte) []byte {
	out := bytes.Clone(jpeg[:2])
	for _, s := range segments {
		out = append(out, s...)
	}
	return append(out, jpeg[2:]...)
}

// exif makes the content of an APP1 segment with an orientation.
func exif(order binary.AppendByteOrder, value uint16) string {
	head := "II*\x00"
	if order == binary.AppendByteOrder(binary.BigEndian) {
		head = "MM\x00*"
	}
	out := order.AppendUint32([]byte("Exif\x00\x00"+head), 8)
	out = order.AppendUint16(out, 1)
	out = order.AppendUint16(out, 0x0112)
	out = order.AppendUint16(out, 3)
	out = order.AppendUint32(out, 1)
	out = order.AppendUint16(out, value)
	return string(append(out, make([]byte, 6)...))
}

// corners is 32 × 16 with a colour in each quarter: red, green, blue, white.
func corners() *image.RGBA {
	m := image.NewRGBA(image.Rect(0, 0, 32, 16))
	for y := range 16 {
		for x := range 32 {
			m.Set(x, y, quarter(x >= 16, y >= 8))
		}
	}
	return m
}

func quarter(right, bottom bool) color.RGBA {
	switch {
	case right && bottom:
		return color.RGBA{255, 255, 255, 255}
	case bottom:
		return color.RGBA{0, 0, 255, 255}
	case right:
		return color.RGBA{0, 255, 0, 255}
	}
	return color.RGBA{255, 0, 0, 255}
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

// withProfile inserts an iCCP chunk after the header of a PNG.
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
