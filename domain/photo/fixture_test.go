package photo_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
	"image/color"
	"image/draw"
	"image/gif"
	"image/jpeg"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

var generous = photo.Limits{MaxBytes: 10 << 20, MaxPixels: 50_000_000}

// realImages are the pictures that the Go distribution tests its decoders
// with, by file name. The one called truncated lacks its last scans, but ends
// as a JPEG should: it is whole.
func realImages(t testing.TB) map[string][]byte {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	if err != nil {
		t.Fatal(err)
	}
	names, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src/image/testdata/*.*"))
	if err != nil || len(names) < 30 {
		t.Fatalf("found %d pictures: %v", len(names), err)
	}
	images := map[string][]byte{}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		images[filepath.Base(name)] = data
	}
	return images
}

func encoded(t testing.TB, encode func(*bytes.Buffer) error) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := encode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngOf(t testing.TB, picture image.Image) []byte {
	t.Helper()
	return encoded(t, func(out *bytes.Buffer) error { return png.Encode(out, picture) })
}

func jpegOf(t testing.TB, width, height int) []byte {
	t.Helper()
	picture := image.NewGray(image.Rect(0, 0, width, height))
	return encoded(t, func(out *bytes.Buffer) error { return jpeg.Encode(out, picture, nil) })
}

// gifOf makes a GIF of one frame, which is black on the left and transparent on the right.
func gifOf(t testing.TB, screen image.Point, frame image.Rectangle) []byte {
	t.Helper()
	picture := image.NewPaletted(frame, color.Palette{color.Transparent, color.Black})
	left := image.Rectangle{Min: frame.Min, Max: image.Pt((frame.Min.X+frame.Max.X)/2, frame.Max.Y)}
	draw.Draw(picture, left, image.Black, image.Point{}, draw.Src)
	return encoded(t, func(out *bytes.Buffer) error {
		return gif.EncodeAll(out, &gif.GIF{
			Image: []*image.Paletted{picture}, Delay: []int{0}, Disposal: []byte{gif.DisposalNone},
			Config: image.Config{ColorModel: picture.Palette, Width: screen.X, Height: screen.Y},
		})
	})
}

// pngHeader is the beginning of a PNG of any size: 33 bytes.
func pngHeader(width, height uint32) []byte {
	header := append([]byte("IHDR"), binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, width), height)...)
	header = append(header, 8, 2, 0, 0, 0) // eight bits of red, green and blue
	data := append([]byte("\x89PNG\r\n\x1a\n\x00\x00\x00\x0d"), header...)
	return binary.BigEndian.AppendUint32(data, crc32.ChecksumIEEE(header))
}

// checkWhole checks that the photo is what it says, by decoding it.
func checkWhole(t testing.TB, got domain.Photo) {
	t.Helper()
	decoded, err := jpeg.Decode(bytes.NewReader(got.JPEG()))
	if err != nil {
		t.Fatalf("the photo doesn't decode: %v", err)
	}
	size := decoded.Bounds().Size()
	want := domain.PhotoInfo{SHA256: sha256.Sum256(got.JPEG()), Size: int64(len(got.JPEG())), Width: size.X, Height: size.Y}
	if got.Info() != want {
		t.Fatalf("the photo says it is %+v, and is %+v", got.Info(), want)
	}
	if described := photo.Describe(got.JPEG()); described != want {
		t.Fatalf("Describe says %+v, want %+v", described, want)
	}
}

// checkRefused checks the Kind and that the sentence for the caller has these words.
func checkRefused(t testing.TB, got domain.Photo, err error, kind domain.Kind, words ...string) {
	t.Helper()
	var known *domain.Error
	if !errors.As(err, &known) || known.Kind != kind || got.JPEG() != nil {
		t.Fatalf("got a photo %+v and %v, want none and %q", got.Info(), err, string(kind))
	}
	for _, word := range append(words, "photo_base64: ") {
		if !strings.Contains(known.Public, word) {
			t.Errorf("the caller is told %q, without %q", known.Public, word)
		}
	}
}
