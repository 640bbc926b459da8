package photo

import (
	"bytes"
	"compress/lzw"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/color"
	"io"
)

var (
	errGIFHeader = errors.New("the GIF header is cut off")
	errGIFFrame  = errors.New("the GIF has no first frame, or one of no pixels")
	errGIFColors = errors.New("the GIF's first frame has no colour table")
)

// inspectGIF reads a GIF up to the end of its first frame, the only one that is
// decoded. It changes data.
func inspectGIF(data []byte) (file, error) {
	g := gifFrame{transparent: -1}
	if err := g.read(data); err != nil {
		return file{}, broken("GIF", err)
	}
	return file{
		kind: "GIF", orientation: upright, size: g.screen,
		load: func(target, bool) load { return load{memory: g.place.Dx() * g.place.Dy()} },
		draw: decoded(g.decode),
	}, nil
}

// gifFrame is the first frame of a GIF (GIF89a, sections 17 to 23).
type gifFrame struct {
	screen      image.Point // the logical screen, enlarged to hold the frame, as in browsers
	place       image.Rectangle
	interlaced  bool
	colors      []byte // red, green, blue
	transparent int    // an index, or -1
	codeSize    int
	packed      []byte
}

// read reads the blocks up to the first frame. It skips bytes that can't begin a
// block, as some programs write one byte too many between blocks.
func (g *gifFrame) read(data []byte) error {
	const screenEnd = 13
	if len(data) < screenEnd {
		return errGIFHeader
	}
	g.screen = point16(data[6:])
	rest := g.colorTable(data[10], data[screenEnd:])
	for len(rest) > 1 {
		introducer := rest[0]
		rest = rest[1:]
		switch introducer {
		case '!':
			label := rest[0]
			var content []byte
			if content, rest = joinBlocks(rest[1:]); label == 0xF9 {
				g.control(content)
			}
		case ',':
			return g.frame(rest)
		case ';':
			return errGIFFrame
		}
	}
	return errGIFFrame
}

// frame reads an image descriptor and what follows it.
func (g *gifFrame) frame(rest []byte) error {
	const descriptor = 9
	if len(rest) < descriptor {
		return errGIFHeader
	}
	at, size, flags := point16(rest), point16(rest[4:]), rest[8]
	g.place = image.Rectangle{Min: at, Max: at.Add(size)}
	g.interlaced = flags&0x40 != 0
	g.screen = image.Pt(max(g.screen.X, g.place.Max.X), max(g.screen.Y, g.place.Max.Y))
	rest = g.colorTable(flags, rest[descriptor:])
	switch {
	case g.place.Empty() || len(rest) == 0:
		return errGIFFrame
	case len(g.colors) == 0:
		return errGIFColors
	}
	g.codeSize = int(rest[0])
	g.packed, _ = joinBlocks(rest[1:])
	return nil
}

func point16(b []byte) image.Point {
	return image.Pt(int(binary.LittleEndian.Uint16(b)), int(binary.LittleEndian.Uint16(b[2:])))
}

// colorTable reads a colour table if the flags announce one.
func (g *gifFrame) colorTable(flags byte, data []byte) (rest []byte) {
	if flags&0x80 == 0 {
		return data
	}
	length := min(3<<(flags&7+1), len(data))
	g.colors = data[:length]
	return data[length:]
}

// control reads a graphic control extension. The last one before the frame counts.
func (g *gifFrame) control(content []byte) {
	g.transparent = -1
	if len(content) >= 4 && content[0]&1 != 0 {
		g.transparent = int(content[3])
	}
}

// joinBlocks joins the contents of sub-blocks in place, up to the empty block
// that ends them or to the end of data.
func joinBlocks(data []byte) (content, rest []byte) {
	content, rest = data[:0], data
	for len(rest) > 0 {
		length := int(rest[0])
		block := rest[1:min(1+length, len(rest))]
		rest = rest[1+len(block):]
		if length == 0 {
			break
		}
		content = append(content, block...)
	}
	return content, rest
}

// decode decodes the frame. It reads nothing after the last pixel.
func (g *gifFrame) decode(ctx context.Context) (image.Image, error) {
	img := image.NewPaletted(g.place, g.palette())
	pixels := lzw.NewReader(until(ctx, bytes.NewReader(g.packed)), lzw.LSB, g.codeSize)
	passes := [][2]int{{0, 1}} // the first row, and the step to the next
	if g.interlaced {
		passes = [][2]int{{0, 8}, {4, 8}, {2, 4}, {1, 2}}
	}
	for _, pass := range passes {
		for y := pass[0]; y < g.place.Dy(); y += pass[1] {
			if _, err := io.ReadFull(pixels, img.Pix[y*img.Stride:][:img.Stride]); err != nil {
				return nil, err
			}
		}
	}
	return img, nil
}

// palette returns 256 colours, black where the colour table has none.
func (g *gifFrame) palette() color.Palette {
	palette := make(color.Palette, 256)
	for i := range palette {
		c := color.RGBA{A: 255}
		if rgb := g.colors[min(3*i, len(g.colors)):]; len(rgb) >= 3 {
			c.R, c.G, c.B = rgb[0], rgb[1], rgb[2]
		}
		palette[i] = c
	}
	if g.transparent >= 0 {
		palette[g.transparent] = color.RGBA{}
	}
	return palette
}
