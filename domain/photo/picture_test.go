package photo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"image"
	"image/color"
	"image/gif"
	"image/jpeg"
	"os"
	"slices"
	"testing"
)

// checkCorners checks the middle of each quarter.
func checkCorners(t *testing.T, data []byte, want [4]color.RGBA) {
	t.Helper()
	img, err := jpeg.Decode(bytes.NewReader(data))
	if err != nil {
		t.Fatal(err)
	}
	size := img.Bounds().Size()
	for i, w := range want {
		x, y := (2*(i%2)+1)*size.X/4, (2*(i/2)+1)*size.Y/4
		r, g, b, _ := img.At(x, y).RGBA()
		if !near(r, w.R) || !near(g, w.G) || !near(b, w.B) {
			t.Errorf("quarter %d: got %d %d %d, want %v", i, r>>8, g>>8, b>>8, w)
		}
	}
}

func near(got uint32, want uint8) bool {
	difference := int(got>>8) - int(want)
	return difference > -48 && difference < 48
}

// asIs are the quarters of corners.
func asIs() [4]color.RGBA {
	return [4]color.RGBA{quarter(false, false), quarter(true, false), quarter(false, true), quarter(true, true)}
}

func TestOrientation(t *testing.T) {
	t.Parallel()
	// By orientation: the quarters of the stored picture that belong at the top
	// left, top right, bottom left and bottom right (Exif 2.32, figure 8).
	seen := [][4]int{{0, 1, 2, 3}, {1, 0, 3, 2}, {3, 2, 1, 0}, {2, 3, 0, 1}, {0, 2, 1, 3}, {2, 0, 3, 1}, {3, 1, 2, 0}, {1, 3, 0, 2}}
	stored := asIs()
	for i, quarters := range seen {
		value := uint16(i + 1)
		var want [4]color.RGBA
		for at, from := range quarters {
			want[at] = stored[from]
		}
		for _, order := range []binary.AppendByteOrder{binary.LittleEndian, binary.BigEndian} {
			for _, limit := range []int{0, 16, 15} {
				t.Run(fmt.Sprintf("%d %v within %d", value, order, limit), func(t *testing.T) {
					limits := generous()
					limits.MaxDimension = limit
					data := insert(encodeJPEG(corners(), 95), segment(markerAPP1, exif(order, value)))
					checkCorners(t, mustRead(t, limits, data).JPEG(), want)
				})
			}
		}
	}
}

func TestOtherFormats(t *testing.T) {
	t.Parallel()
	paletted := image.NewPaletted(image.Rect(0, 0, 32, 16), color.Palette{quarter(false, false), quarter(true, false), quarter(false, true), quarter(true, true)})
	for i := range paletted.Pix {
		paletted.Pix[i] = byte(i%32/16 + i/32/8*2)
	}
	var gifFile bytes.Buffer
	if err := gif.Encode(&gifFile, paletted, nil); err != nil {
		t.Fatal(err)
	}
	clear := image.NewNRGBA(image.Rect(0, 0, 32, 16))
	wide := image.NewNRGBA64(clear.Rect)
	for y := range 16 {
		for x := range 32 {
			c := quarter(x >= 16, y >= 8)
			if x >= 16 && y >= 8 {
				c = color.RGBA{}
			}
			clear.Set(x, y, c)
			wide.Set(x, y, c)
		}
	}
	still := must(os.ReadFile("testdata/corners.lossless.webp"))
	files := map[string][]byte{
		"png":           encodePNG(corners()),
		"png paletted":  encodePNG(paletted),
		"png alpha":     encodePNG(clear),
		"png 16 bits":   encodePNG(wide),
		"gif":           gifFile.Bytes(),
		"webp animated": animate(still, image.Pt(32, 32), image.Pt(0, 0)),
	}
	for _, name := range []string{"cmyk.jpeg", "progressive.jpeg", "lossy.webp", "alpha.webp", "lossless.webp"} {
		files[name] = must(os.ReadFile("testdata/corners." + name))
	}
	for name, data := range files {
		for _, limit := range []int{0, 8} {
			t.Run(fmt.Sprint(name, limit), func(t *testing.T) {
				limits := generous()
				limits.MaxDimension = limit
				checkCorners(t, mustRead(t, limits, data).JPEG(), asIs())
			})
		}
	}
}

// animate makes an animated WebP whose only frame is a simple still WebP.
func animate(still []byte, canvas, at image.Point) []byte {
	put24 := func(value int) []byte { return []byte{byte(value), byte(value >> 8), byte(value >> 16)} }
	part := func(name string, content []byte) []byte {
		out := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(content)))
		return append(append(out, content...), make([]byte, len(content)%2)...)
	}
	frame := slices.Concat(put24(at.X/2), put24(at.Y/2), put24(31), put24(31), put24(100), []byte{0}, still[12:])
	body := slices.Concat([]byte("WEBP"), part("VP8X", slices.Concat([]byte{2, 0, 0, 0}, put24(canvas.X-1), put24(canvas.Y-1))),
		part("ANIM", make([]byte, 6)), part("ANMF", frame), part("ANMF", []byte("the rest may be garbage")))
	return part("RIFF", body)
}

// A frame that is smaller than its canvas is drawn at its place, on white.
func TestFrameOnCanvas(t *testing.T) {
	t.Parallel()
	frame := image.NewPaletted(image.Rect(16, 8, 32, 16), color.Palette{color.RGBA{255, 0, 0, 255}})
	var gifFile bytes.Buffer
	check(t, gif.EncodeAll(&gifFile, &gif.GIF{Image: []*image.Paletted{frame}, Delay: []int{0}, Config: image.Config{Width: 32, Height: 16}}))
	white := color.RGBA{255, 255, 255, 255}
	checkCorners(t, mustRead(t, generous(), gifFile.Bytes()).JPEG(), [4]color.RGBA{white, white, white, {255, 0, 0, 255}})

	for _, name := range []string{"lossy", "lossless"} {
		still := must(os.ReadFile("testdata/corners." + name + ".webp"))
		photo := mustRead(t, generous(), animate(still, image.Pt(64, 64), image.Pt(32, 0)))
		if info := photo.Info(); info.Width != 64 || info.Height != 64 {
			t.Errorf("%s: got %d × %d", name, info.Width, info.Height)
		}
		img := must(jpeg.Decode(bytes.NewReader(photo.JPEG())))
		for _, test := range []struct {
			at   image.Point
			want color.RGBA
		}{{image.Pt(8, 8), white}, {image.Pt(40, 8), quarter(false, false)}, {image.Pt(56, 8), quarter(true, false)}, {image.Pt(40, 24), quarter(false, true)}, {image.Pt(40, 50), white}} {
			r, g, b, _ := img.At(test.at.X, test.at.Y).RGBA()
			if !near(r, test.want.R) || !near(g, test.want.G) || !near(b, test.want.B) {
				t.Errorf("%s at %v: got %d %d %d, want %v", name, test.at, r>>8, g>>8, b>>8, test.want)
			}
		}
	}
}
