package photo_test

import (
	"bytes"
	"encoding/binary"
	"hash/crc32"
	"image"
	"image/color"
	"image/gif"
	"image/png"
	"slices"
	"testing"
)

// pngWithChunk is a small PNG with a chunk after its header.
func pngWithChunk(t testing.TB, kind string, payload []byte) []byte {
	t.Helper()
	const header = 8 + 12 + 13
	data := encodedPNG(t, quadrants())
	return slices.Concat(data[:header], pngChunk(kind, payload), data[header:])
}

func encodedPNG(t testing.TB, picture image.Image) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := png.Encode(&out, picture); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func pngChunk(kind string, payload []byte) []byte {
	chunk := binary.BigEndian.AppendUint32(nil, uint32(len(payload)))
	chunk = append(append(chunk, kind...), payload...)
	return binary.BigEndian.AppendUint32(chunk, crc32.ChecksumIEEE(chunk[4:]))
}

func webpFile(chunks ...[]byte) []byte {
	return riffChunk("RIFF", append([]byte("WEBP"), slices.Concat(chunks...)...))
}

// webpHeader is a VP8X chunk: flags and the canvas.
func webpHeader(flags byte, width, height int) []byte {
	return riffChunk("VP8X", slices.Concat([]byte{flags, 0, 0, 0}, little24(width-1), little24(height-1)))
}

func little24(value int) []byte { return []byte{byte(value), byte(value >> 8), byte(value >> 16)} }

func riffChunk(kind string, payload []byte) []byte {
	chunk := append(binary.LittleEndian.AppendUint32([]byte(kind), uint32(len(payload))), payload...)
	if len(payload)%2 == 1 {
		chunk = append(chunk, 0)
	}
	return chunk
}

// TestAlphaOnWhite blends transparent pixels over white, before scaling mixes them.
func TestAlphaOnWhite(t *testing.T) {
	t.Parallel()
	glass := color.NRGBA{200, 0, 0, 0}
	half := color.NRGBA{200, 0, 0, 128}
	deep := func(c color.NRGBA) image.Image {
		picture := image.NewNRGBA64(image.Rect(0, 0, 200, 100))
		fill(picture, func(int, int) color.Color { return c })
		return picture
	}
	flat := func(at func(x, y int) color.Color) image.Image {
		picture := image.NewNRGBA(image.Rect(0, 0, 200, 100))
		fill(picture, at)
		return picture
	}
	chequered := func(x, y int) color.Color {
		if (x+y)%2 == 0 {
			return color.NRGBA{0, 0, 0, 0}
		}
		return color.White
	}
	palette := image.NewPaletted(image.Rect(0, 0, 200, 100), color.Palette{glass, half})
	var animated bytes.Buffer
	if err := gif.Encode(&animated, image.NewPaletted(palette.Rect, color.Palette{color.NRGBA{}, color.Black}), nil); err != nil {
		t.Fatal(err)
	}
	white, pink := color.RGBA{255, 255, 255, 255}, color.RGBA{227, 127, 127, 255}
	cases := map[string]struct {
		data []byte
		want color.RGBA
	}{
		"glass":             {encodedPNG(t, flat(func(int, int) color.Color { return glass })), white},
		"half":              {encodedPNG(t, flat(func(int, int) color.Color { return half })), pink},
		"glass, 16 bits":    {encodedPNG(t, deep(glass)), white},
		"half, 16 bits":     {encodedPNG(t, deep(half)), pink},
		"a palette":         {encodedPNG(t, palette), white},
		"a GIF":             {animated.Bytes(), white},
		"glass among white": {encodedPNG(t, flat(chequered)), white},
	}
	for name, c := range cases {
		for _, side := range []int{0, 40} {
			t.Run(name, func(t *testing.T) {
				_, picture := mustRead(t, withSide(side), c.data)
				size := picture.Bounds().Size()
				if apart := distanceBetween(onWhite(picture), blank(size.X, size.Y, c.want)); apart.mean > 2 {
					t.Errorf("at most %d: got the colour %v, want %v", side, picture.At(size.X/2, size.Y/2), c.want)
				}
			})
		}
	}
}

func fill(picture interface {
	image.Image
	Set(x, y int, c color.Color)
}, at func(x, y int) color.Color) {
	for y := range picture.Bounds().Dy() {
		for x := range picture.Bounds().Dx() {
			picture.Set(x, y, at(x, y))
		}
	}
}
