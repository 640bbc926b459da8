package photo_test

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"
)

// pngOf makes a PNG of chunks.
func pngOf(chunks ...[]byte) []byte { return slices.Concat([]byte(pngMagic), slices.Concat(chunks...)) }

// unsound makes the checksum of a chunk wrong.
func unsound(chunk []byte) []byte {
	out := bytes.Clone(chunk)
	out[len(out)-1] ^= 0xFF
	return out
}

func pngHeader(width, height int, depth, color byte) []byte {
	size := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(width)), uint32(height))
	return pngChunk("IHDR", append(size, depth, color, 0, 0, 0))
}

// rgbRows are the rows of a picture, unfiltered.
func rgbRows(picture *image.RGBA) []byte {
	var rows []byte
	for y := range picture.Rect.Dy() {
		rows = append(rows, 0)
		for x := range picture.Rect.Dx() {
			c := picture.RGBAAt(x, y)
			rows = append(rows, c.R, c.G, c.B)
		}
	}
	return rows
}

// deflated compresses rows with zlib.
func deflated(t testing.TB, rows []byte) []byte {
	t.Helper()
	var out bytes.Buffer
	w := zlib.NewWriter(&out)
	if _, err := w.Write(rows); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// TestPNGDamage damages a PNG at each place. It is shown if all pixels are there
// and nothing that they need is in doubt.
func TestPNGDamage(t *testing.T) {
	t.Parallel()
	rows := rgbRows(quadrants())
	packed := deflated(t, rows)
	header, pixels, end := pngHeader(96, 64, 8, pngRGB), pngChunk("IDAT", packed), pngChunk("IEND", nil)
	text, pal := pngChunk("tEXt", []byte("Comment\x00x")), pngChunk("PLTE", []byte{1, 2, 3})
	idat := func(packed []byte) []byte { return pngOf(header, pngChunk("IDAT", packed), end) }
	wrongSum := append(bytes.Clone(packed[:len(packed)-1]), packed[len(packed)-1]^1)
	cases := []odd{
		{name: "whole", data: pngOf(header, pixels, end)},
		{name: "text behind the pixels, unsound", data: pngOf(header, pixels, unsound(text), end)},
		{name: "text between the pixels", data: pngOf(header, pngChunk("IDAT", packed[:40]), unsound(text), pngChunk("IDAT", packed[40:]), end)},
		{name: "IDAT in single bytes", data: pngOf(header, singly(packed), end)},
		{name: "an empty IDAT first", data: pngOf(header, pngChunk("IDAT", nil), pixels, end)},
		{name: "IEND, unsound", data: pngOf(header, pixels, unsound(end))},
		{name: "IEND cut off", data: pngOf(header, pixels, end[:5])},
		{name: "junk behind IEND", data: append(pngOf(header, pixels, end), "junk junk junk"...)},
		{name: "zeros for IEND", data: pngOf(header, pixels, make([]byte, 99))},
		{name: "another PNG for IEND", data: pngOf(header, pixels, pngOf(header, pixels, end))},
		{name: "no checksum of IDAT", data: pngOf(header, pixels[:len(pixels)-4])},
		{name: "no Adler-32", data: idat(packed[:len(packed)-4])},
		{name: "cut in the Adler-32", data: pngOf(header, pixels[:len(pixels)-6])},
		{name: "wrong Adler-32", data: idat(wrongSum)},
		{name: "more rows than the picture", data: idat(deflated(t, slices.Concat(rows, rows)))},
		{name: "junk behind the Adler-32", data: idat(append(bytes.Clone(packed), "junk"...))},
		{name: "a palette for three colours", data: pngOf(header, pal, pixels, end)},
		{name: "tRNS of another length", data: pngOf(header, pngChunk("tRNS", []byte{1, 2, 3}), pixels, end)},
		{name: "a chunk cut off behind the pixels", data: pngOf(header, pixels, text[:10])},

		{name: "a row missing", data: idat(deflated(t, rows[:len(rows)-289])), refusal: brokenPNG},
		{name: "a byte missing", data: idat(deflated(t, rows[:len(rows)-1])), refusal: brokenPNG},
		{name: "cut off in the pixels", data: pngOf(header, pixels[:len(pixels)-30]), refusal: brokenPNG},
		{name: "no IDAT", data: pngOf(header, end), refusal: brokenPNG},
		{name: "an empty IDAT", data: idat(nil), refusal: brokenPNG},
		{name: "IHDR, unsound", data: pngOf(unsound(header), pixels, end), refusal: brokenPNG},
		{name: "IDAT, unsound", data: pngOf(header, unsound(pixels), end), refusal: brokenPNG},
		{name: "tRNS, unsound", data: pngOf(header, unsound(pngChunk("tRNS", make([]byte, 6))), pixels, end)},
		{name: "two IHDR", data: pngOf(header, header, pixels, end), refusal: brokenPNG},
		{name: "text before IHDR", data: pngOf(text, header, pixels, end), refusal: brokenPNG},
		{name: "a palette of a depth that there isn't", data: pngOf(pngHeader(96, 64, 62, pngPalette), pal, pixels, end), refusal: brokenPNG},
		{name: "CgBI", data: pngOf(pngChunk("CgBI", []byte{0x50, 0, 0x20, 2}), header, pixels, end), refusal: "Apple-optimised PNG (CgBI)"},
	}
	for _, name := range []string{"tEXt", "zTXt", "iTXt", "iCCP", "gAMA", "cHRM", "sRGB", "cICP", "pHYs", "tIME", "bKGD", "sBIT", "hIST", "sPLT", "eXIf", "acTL", "prIv"} {
		cases = append(cases, odd{name: name + ", unsound", data: pngOf(header, unsound(pngChunk(name, gamaOf(100_000)[8:12])), pixels, end)})
	}
	for i := range cases {
		cases[i].size, cases[i].want = image.Pt(96, 64), asPainted()
	}
	checkOdd(t, cases)
}

// singly puts each byte into its own IDAT.
func singly(packed []byte) []byte {
	var out []byte
	for i := range packed {
		out = append(out, pngChunk("IDAT", packed[i:i+1])...)
	}
	return out
}

// TestPNGPalette reads palettes with and without transparency.
func TestPNGPalette(t *testing.T) {
	t.Parallel()
	var colours, rows []byte
	for _, c := range asPainted() {
		colours = append(colours, c.R, c.G, c.B)
	}
	for y := range 64 {
		rows = append(rows, 0)
		for x := range 96 {
			rows = append(rows, byte(x/48+y/32*2))
		}
	}
	palette := pngChunk("PLTE", colours)
	glass := pngChunk("tRNS", []byte{0})
	whole := func(chunks ...[]byte) []byte {
		return pngOf(pngHeader(96, 64, 8, pngPalette), slices.Concat(chunks...), pngChunk("IDAT", deflated(t, rows)), pngChunk("IEND", nil))
	}
	q := asPainted()
	clear, black := q, q
	clear[0], black[3] = color.RGBA{255, 255, 255, 255}, color.RGBA{0, 0, 0, 255}
	size := image.Pt(96, 64)
	checkOdd(t, []odd{
		{"opaque", whole(palette), size, q, ""},
		{"transparent", whole(palette, glass), size, clear, ""},
		{"tRNS before PLTE", whole(glass, palette), size, q, ""},
		{"tRNS longer than a palette", whole(palette, pngChunk("tRNS", make([]byte, 257))), size, q, ""},
		{"a colour missing", whole(pngChunk("PLTE", colours[:9])), size, black, ""},
		{"no PLTE", whole(), size, q, brokenPNG},
		{"two PLTE", whole(palette, palette), size, q, brokenPNG},
		{"PLTE, unsound", whole(unsound(palette)), size, q, brokenPNG},
	})
}
