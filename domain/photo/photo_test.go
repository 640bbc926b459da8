package photo_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"image"
	"image/color"
	"image/draw"
	"image/jpeg"
	"runtime"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

func TestReadRealImages(t *testing.T) {
	t.Parallel()
	for name, data := range realImages(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			before := bytes.Clone(data)
			got, err := photo.Read(data, generous)
			if !bytes.Equal(before, data) {
				t.Fatal("Read changed its input")
			}
			if err != nil {
				t.Fatal(err)
			}
			checkWhole(t, got)
			config, format, err := image.DecodeConfig(bytes.NewReader(data))
			if err != nil || config.Width != got.Info().Width || config.Height != got.Info().Height {
				t.Errorf("got %d × %d, want %d × %d (%v)", got.Info().Width, got.Info().Height, config.Width, config.Height, err)
			}
			if format == "jpeg" && (len(got.JPEG()) != len(data) || &got.JPEG()[0] != &data[0]) {
				t.Error("a JPEG was copied or changed")
			}
		})
	}
}

func TestReadRefusesEveryCut(t *testing.T) {
	t.Parallel()
	images := realImages(t)
	for _, name := range []string{"video-005.gray.q50.2x2.jpeg", "video-001.q50.420.progressive.jpeg", "video-001.png"} {
		whole := images[name]
		for _, length := range []int{8, 20, 40, len(whole) / 8, len(whole) / 4, len(whole) / 2, 3 * len(whole) / 4, len(whole) - 12, len(whole) - 2, len(whole) - 1} {
			got, err := photo.Read(whole[:length], generous)
			checkRefused(t, got, err, domain.TypeError, "broken or cut off", map[bool]string{true: "PNG", false: "JPEG"}[name == "video-001.png"])
		}
	}
	whole := images["triangle-001.gif"]
	for _, length := range []int{4, 6, 12, 13, 100, 400} {
		got, err := photo.Read(whole[:length], generous)
		checkRefused(t, got, err, domain.TypeError, "broken or cut off", "GIF")
	}
}

func TestReadLimits(t *testing.T) {
	t.Parallel()
	small := jpegOf(t, 40, 30)
	size := int64(len(small))
	drawing := pngOf(t, image.NewGray(image.Rect(0, 0, 40, 30)))
	animation := gifOf(t, image.Pt(40, 30), image.Rect(0, 0, 40, 30))
	for _, test := range []struct {
		name   string
		data   []byte
		limits photo.Limits
		want   string // the sentence for the caller; empty: accepted
	}{
		{"a byte below the limit", small, photo.Limits{MaxBytes: size + 1, MaxPixels: 1200}, ""},
		{"at the limit of bytes", small, photo.Limits{MaxBytes: size, MaxPixels: 1200}, ""},
		{"a byte over the limit", small, photo.Limits{MaxBytes: size - 1, MaxPixels: 1200}, fmt.Sprintf("photo_base64: want an image of at most %d bytes, got %d", size-1, size)},
		{"a pixel below the limit", small, photo.Limits{MaxBytes: size, MaxPixels: 1201}, ""},
		{"a pixel over the limit", small, photo.Limits{MaxBytes: size, MaxPixels: 1199}, "photo_base64: want an image of at most 1199 pixels, got 40 × 30"},
		{"a PNG at the limit of pixels", drawing, photo.Limits{MaxBytes: 1 << 20, MaxPixels: 1200}, ""},
		{"a PNG over it", drawing, photo.Limits{MaxBytes: 1 << 20, MaxPixels: 1199}, "photo_base64: want an image of at most 1199 pixels, got 40 × 30"},
		{"a GIF at the limit of pixels", animation, photo.Limits{MaxBytes: 1 << 20, MaxPixels: 1200}, ""},
		{"a GIF over it", animation, photo.Limits{MaxBytes: 1 << 20, MaxPixels: 1199}, "photo_base64: want an image of at most 1199 pixels, got 40 × 30"},
		{"HTML over the limit of bytes", []byte("<html>"), photo.Limits{MaxBytes: 5, MaxPixels: 1}, "photo_base64: want an image of at most 5 bytes, got 6"},
	} {
		got, err := photo.Read(test.data, test.limits)
		switch {
		case test.want != "":
			checkRefused(t, got, err, domain.PhotoTooLarge, test.want)
		case err != nil:
			t.Errorf("%s: %v", test.name, err)
		default:
			checkWhole(t, got)
		}
	}
}

func TestReadKeepsToTheSidesOfAJPEG(t *testing.T) {
	t.Parallel()
	longest := pngOf(t, image.NewGray(image.Rect(0, 0, 1, 65535)))
	got, err := photo.Read(longest, generous)
	if err != nil {
		t.Fatal(err)
	}
	checkWhole(t, got)
	tooLong := pngOf(t, image.NewGray(image.Rect(0, 0, 65536, 1)))
	got, err = photo.Read(tooLong, generous)
	checkRefused(t, got, err, domain.PhotoTooLarge, "65535", "65536 × 1")
}

// Not parallel, so that nothing else allocates.
func TestReadRefusesABombFromItsHeader(t *testing.T) {
	jpegBomb := jpegOf(t, 8, 8)
	frame := bytes.Index(jpegBomb, []byte{0xFF, 0xC0})
	copy(jpegBomb[frame+5:], []byte{0xFF, 0xDC, 0xFF, 0xDC}) // 65,500 × 65,500
	gifBomb := gifOf(t, image.Pt(65535, 65535), image.Rect(0, 0, 1, 1))
	for name, data := range map[string][]byte{
		"PNG of 30,000 × 30,000":             pngHeader(30000, 30000),
		"PNG of more pixels than an int32":   pngHeader(1<<29, 1<<29),
		"PNG of one line over the limit":     pngHeader(50_000_001, 1),
		"JPEG of 65,500 × 65,500":            jpegBomb,
		"GIF of a screen of 65,535 × 65,535": gifBomb,
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		got, err := photo.Read(data, generous)
		runtime.ReadMemStats(&after)
		checkRefused(t, got, err, domain.PhotoTooLarge, "at most 50000000 pixels")
		if allocated := after.TotalAlloc - before.TotalAlloc; allocated > 1<<20 {
			t.Errorf("%s: %d bytes were allocated", name, allocated)
		}
	}
}

func TestReadMakesTransparencyWhite(t *testing.T) {
	t.Parallel()
	veil := image.NewNRGBA(image.Rect(0, 0, 32, 32))
	draw.Draw(veil, veil.Bounds(), image.NewUniform(color.NRGBA{A: 128}), image.Point{}, draw.Src)
	shape := image.NewNRGBA(image.Rect(0, 0, 32, 32)) // transparent, but for red on the left
	draw.Draw(shape, image.Rect(0, 0, 16, 32), image.NewUniform(color.NRGBA{R: 255, A: 255}), image.Point{}, draw.Src)
	red, black := color.RGBA{255, 0, 0, 255}, color.RGBA{0, 0, 0, 255}
	grey, white := color.RGBA{127, 127, 127, 255}, color.RGBA{255, 255, 255, 255}
	for name, test := range map[string]struct {
		data        []byte
		left, right color.RGBA
	}{
		"PNG":            {pngOf(t, shape), red, white},
		"half seen PNG":  {pngOf(t, veil), grey, grey},
		"GIF":            {gifOf(t, image.Pt(32, 32), image.Rect(0, 0, 32, 32)), black, white},
		"GIF off centre": {gifOf(t, image.Pt(99, 99), image.Rect(40, 50, 72, 82)), black, white},
	} {
		got, err := photo.Read(test.data, generous)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		checkWhole(t, got)
		decoded, err := jpeg.Decode(bytes.NewReader(got.JPEG()))
		if err != nil || decoded.Bounds() != image.Rect(0, 0, 32, 32) {
			t.Fatalf("%s: got %v, %v", name, decoded.Bounds(), err)
		}
		checkColour(t, name+", left", decoded.At(4, 16), test.left)
		checkColour(t, name+", right", decoded.At(28, 16), test.right)
	}
}

// checkColour allows for what a JPEG loses.
func checkColour(t *testing.T, where string, got color.Color, want color.RGBA) {
	t.Helper()
	is := color.RGBAModel.Convert(got).(color.RGBA)
	for _, channel := range [][2]uint8{{is.R, want.R}, {is.G, want.G}, {is.B, want.B}} {
		if max(channel[0], channel[1])-min(channel[0], channel[1]) > 12 {
			t.Errorf("%s: got %v, want %v", where, is, want)
			return
		}
	}
}

func TestReadRefusesWhatIsNoImage(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"nothing":             "",
		"text":                "hello",
		"HTML":                "<!DOCTYPE html><html><img src=x></html>",
		"SVG":                 `<svg xmlns="http://www.w3.org/2000/svg"/>`,
		"PDF":                 "%PDF-1.7",
		"ZIP":                 "PK\x03\x04",
		"WebP":                "RIFF\x00\x00\x00\x00WEBPVP8 ",
		"HEIC":                "\x00\x00\x00\x18ftypheic",
		"BMP":                 "BM",
		"half a JPEG's magic": "\xff\xd8",
		"HTML with a JPEG":    "<html>\xff\xd8\xff",
		"Base64 of a JPEG":    "/9j/4AAQSkZJRg==",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := photo.Read([]byte(data), generous)
			checkRefused(t, got, err, domain.TypeError, "want an image in JPEG, PNG or GIF format", fmt.Sprintf("got %d bytes", len(data)))
			if len(data) > 4 && strings.Contains(err.Error(), data) {
				t.Errorf("%v repeats what came", err)
			}
		})
	}
}

func TestReadRefusesBrokenImages(t *testing.T) {
	t.Parallel()
	for name, data := range map[string]string{
		"a JPEG's magic alone":       "\xff\xd8\xff",
		"a JPEG of zeros":            "\xff\xd8\xff" + strings.Repeat("\x00", 1000),
		"a PNG's magic alone":        "\x89PNG\r\n\x1a\n",
		"a PNG's header alone":       string(pngHeader(4, 4)),
		"a PNG without width":        string(pngHeader(0, 4)),
		"a GIF's magic alone":        "GIF89a",
		"a GIF of no pixels":         "GIF89a\x00\x00\x00\x00\x00\x00\x00;",
		"a GIF's frame of no pixels": "GIF89a\x00\x00\x00\x00\x80\x00\x00\x00\x00\x00\xff\xff\xff,\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x02\x44\x01\x00;",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := photo.Read([]byte(data), generous)
			checkRefused(t, got, err, domain.TypeError, "broken or cut off", "the "+strings.TrimSuffix(strings.Fields(name)[1], "'s"))
			if domain.AsError(err).Cause == nil {
				t.Error("the cause is lost")
			}
		})
	}
}

func TestDescribe(t *testing.T) {
	t.Parallel()
	small := jpegOf(t, 40, 30)
	for name, test := range map[string]struct {
		data          []byte
		width, height int
	}{
		"a JPEG":           {small, 40, 30},
		"a JPEG's head":    {small[:len(small)-10], 40, 30},
		"a PNG is no JPEG": {pngOf(t, image.NewGray(image.Rect(0, 0, 4, 3))), 0, 0},
		"text":             {[]byte("hello"), 0, 0},
		"nothing":          {nil, 0, 0},
	} {
		want := domain.PhotoInfo{SHA256: sha256.Sum256(test.data), Size: int64(len(test.data)), Width: test.width, Height: test.height}
		if got := photo.Describe(test.data); got != want {
			t.Errorf("%s: got %+v, want %+v", name, got, want)
		}
	}
}

func ExampleRead() {
	_, err := photo.Read([]byte("<html>"), photo.Limits{MaxBytes: 10 << 20, MaxPixels: 50_000_000})
	fmt.Println(err)
	fmt.Println(photo.Accepted())
	// Output:
	// Type Error: photo_base64: want an image in JPEG, PNG or GIF format, got 6 bytes of something else
	// JPEG, PNG or GIF
}

func FuzzRead(f *testing.F) {
	for _, data := range realImages(f) {
		if len(data) < 7000 {
			f.Add(data)
		}
	}
	f.Add(pngHeader(30000, 30000))
	f.Add(gifOf(f, image.Pt(9, 9), image.Rect(3, 3, 5, 5)))
	f.Add([]byte("<html>"))
	limits := photo.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 18}
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := photo.Read(data, limits)
		if err == nil {
			checkWhole(t, got)
			return
		}
		if kind := domain.AsError(err).Kind; kind != domain.TypeError && kind != domain.PhotoTooLarge || got.JPEG() != nil {
			t.Fatalf("got a photo %+v and %v", got.Info(), err)
		}
	})
}
