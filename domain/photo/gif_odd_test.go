package photo_test

import (
	"bytes"
	"compress/lzw"
	"encoding/binary"
	"image"
	"image/color"
	"slices"
	"testing"
)

// oddGIF is a GIF of quadrants, 96 × 64, in four colours. Tests change its parts.
type oddGIF struct {
	screen, at     image.Point
	global, local  []byte // colour tables, of 4 colours
	before, behind []byte // before and after the frame
	flags          byte   // of the frame
	codeSize       byte
	packed         []byte // as sub-blocks
	end            []byte
}

func newOddGIF(t testing.TB) oddGIF {
	t.Helper()
	var colours []byte
	for _, c := range asPainted() {
		colours = append(colours, c.R, c.G, c.B)
	}
	return oddGIF{screen: image.Pt(96, 64), global: colours, codeSize: 2, packed: subBlocks(packedGIF(t, 2, gifRows())), end: []byte{0}, behind: []byte{';'}}
}

// gifRows are the indices of quadrants.
func gifRows() []byte {
	var indices []byte
	for y := range 64 {
		for x := range 96 {
			indices = append(indices, byte(x/48+y/32*2))
		}
	}
	return indices
}

func packedGIF(t testing.TB, codeSize int, indices []byte) []byte {
	t.Helper()
	var packed bytes.Buffer
	w := lzw.NewWriter(&packed, lzw.LSB, codeSize)
	if _, err := w.Write(indices); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return packed.Bytes()
}

func subBlocks(packed []byte) []byte {
	var out []byte
	for part := range slices.Chunk(packed, 100) {
		out = append(append(out, byte(len(part))), part...)
	}
	return out
}

func little16(values ...int) []byte {
	var out []byte
	for _, value := range values {
		out = binary.LittleEndian.AppendUint16(out, uint16(value))
	}
	return out
}

func (g oddGIF) bytes() []byte {
	out := append([]byte("GIF89a"), little16(g.screen.X, g.screen.Y)...)
	tableFlag := func(table []byte) byte {
		if table == nil {
			return 0
		}
		return 0x81
	}
	out = append(append(out, tableFlag(g.global), 0, 0), g.global...)
	out = append(append(append(out, g.before...), ','), little16(g.at.X, g.at.Y, 96, 64)...)
	out = append(append(out, g.flags|tableFlag(g.local)), g.local...)
	return append(out, slices.Concat([]byte{g.codeSize}, g.packed, g.end, g.behind)...)
}

// glass is a graphic control extension that makes an index transparent.
func glass(index byte) []byte { return []byte{'!', 0xF9, 4, 1, 0, 0, index, 0} }

// TestGIFDamage reads GIFs that violate the standard. It wants what Chromium
// shows of them, or more if there are stray bytes.
func TestGIFDamage(t *testing.T) {
	t.Parallel()
	size, q, white := image.Pt(96, 64), asPainted(), color.RGBA{255, 255, 255, 255}
	clear, black := q, quarters{{0, 0, 0, 255}, {0, 0, 0, 255}, {0, 0, 0, 255}, {0, 0, 0, 255}}
	clear[0] = white
	packed := packedGIF(t, 2, gifRows())
	reversed := slices.Clone(newOddGIF(t).global)
	slices.Reverse(reversed)
	const broken = "the GIF image is broken"
	cases := []struct {
		name    string
		change  func(g *oddGIF)
		size    image.Point
		want    quarters
		refusal string
	}{
		{"whole", func(*oddGIF) {}, size, q, ""},
		{"a screen of 0 × 0", func(g *oddGIF) { g.screen = image.Point{} }, size, q, ""},
		{"a smaller screen", func(g *oddGIF) { g.screen = image.Pt(90, 60) }, size, q, ""},
		{"a narrower screen", func(g *oddGIF) { g.screen = image.Pt(9, 64) }, size, q, ""},
		{"a frame that overhangs", func(g *oddGIF) { g.at = image.Pt(96, 64) }, image.Pt(192, 128), quarters{white, white, white, q[3]}, ""},
		{"a frame that overhangs a higher screen", func(g *oddGIF) { g.screen, g.at = image.Pt(96, 128), image.Pt(96, 0) }, image.Pt(192, 128), quarters{white, q[3], white, white}, ""},
		{"zeros before the frame", func(g *oddGIF) { g.before = make([]byte, 5) }, size, q, ""},
		{"other stray bytes", func(g *oddGIF) { g.before = []byte("\xff\x01Z") }, size, q, ""},
		{"stray bytes behind an extension", func(g *oddGIF) { g.before = append(glass(0), 0, 0, 'x') }, size, clear, ""},
		{"stray bytes behind the frame", func(g *oddGIF) { g.behind = []byte("\x00\x00;") }, size, q, ""},
		{"an unknown extension", func(g *oddGIF) { g.before = []byte("!\x77\x02ab\x01c\x00") }, size, q, ""},
		{"no trailer", func(g *oddGIF) { g.behind = nil }, size, q, ""},
		{"no end of the sub-blocks", func(g *oddGIF) { g.end, g.behind = nil, nil }, size, q, ""},
		{"a sub-block cut off behind the pixels", func(g *oddGIF) {
			g.packed, g.end, g.behind = append(subBlocks(packed), 200, 1, 2), nil, nil
		}, size, q, ""},
		{"no end code", func(g *oddGIF) { g.packed = subBlocks(packed[:len(packed)-1]) }, size, q, ""},
		{"more pixels than the frame", func(g *oddGIF) { g.packed = subBlocks(packedGIF(t, 2, slices.Concat(gifRows(), gifRows()))) }, size, q, ""},
		{"junk behind the pixels", func(g *oddGIF) { g.packed = subBlocks(append(slices.Clone(packed), make([]byte, 900)...)) }, size, q, ""},
		{"a second frame cut off", func(g *oddGIF) { g.behind = []byte(",\x00\x00\x00") }, size, q, ""},
		{"transparent", func(g *oddGIF) { g.before = glass(0) }, size, clear, ""},
		{"transparent, of two the last", func(g *oddGIF) { g.before = append(glass(3), glass(0)...) }, size, clear, ""},
		{"transparent, with a comment between", func(g *oddGIF) { g.before = append(glass(0), "!\xfe\x02hi\x00"...) }, size, clear, ""},
		{"transparent, an index beyond the table", func(g *oddGIF) { g.before = glass(200) }, size, q, ""},
		{"colours of its own", func(g *oddGIF) { g.global, g.local = reversed, g.global }, size, q, ""},
		{"indices beyond the table", func(g *oddGIF) {
			g.codeSize = 3
			g.packed = subBlocks(packedGIF(t, 3, bytes.Repeat([]byte{4, 5, 6, 7}, 96*64/4)))
		}, size, black, ""},
		{"interlaced", func(g *oddGIF) {
			g.flags = 0x40
			g.packed = subBlocks(packedGIF(t, 2, interlacedRows()))
		}, size, q, ""},

		{"pixels missing", func(g *oddGIF) { g.packed = subBlocks(packedGIF(t, 2, gifRows()[:96*64-1])) }, size, q, broken},
		{"cut off in the pixels", func(g *oddGIF) { g.packed, g.end, g.behind = g.packed[:len(g.packed)-9], nil, nil }, size, q, broken},
		{"a trailer before the frame", func(g *oddGIF) { g.before = []byte{';'} }, size, q, broken},
		{"no colours", func(g *oddGIF) { g.global = nil }, size, q, broken},
		{"a code size of 1", func(g *oddGIF) { g.codeSize = 1 }, size, q, broken},
	}
	var odds []odd
	for _, c := range cases {
		g := newOddGIF(t)
		c.change(&g)
		odds = append(odds, odd{c.name, g.bytes(), c.size, c.want, c.refusal})
	}
	checkOdd(t, odds)
}

// interlacedRows are those of gifRows in the order of GIF89a, appendix E.
func interlacedRows() []byte {
	rows, out := slices.Collect(slices.Chunk(gifRows(), 96)), []byte(nil)
	for _, pass := range [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}} {
		for y := pass[0]; y < 64; y += pass[1] {
			out = append(out, rows[y]...)
		}
	}
	return out
}
