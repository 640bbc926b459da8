package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"image/png"
)

var (
	errPNGHeader = errors.New("the PNG header is wrong")
	errPNGChunk  = errors.New("a PNG chunk is longer than the file")
	errPNGPacked = errors.New("the PNG has more data than pixels")
)

// inspectPNG reads the chunks of a PNG up to its end.
func inspectPNG(data []byte) (file, error) {
	h, err := readPNG(data)
	if err != nil {
		return file{}, broken("PNG", err)
	}
	return file{
		kind: h.kind(), size: image.Pt(h.width, h.height), orientation: h.orientation,
		load: func(target, bool) load { return h.load() },
		draw: decoded(func(ctx context.Context) (image.Image, error) {
			return png.Decode(until(ctx, bytes.NewReader(data)))
		}),
		profile: func() []byte { return inflateProfile(h.profile) },
	}, nil
}

// pngHeader is what the chunks of a PNG say (W3C PNG, third edition, 11).
type pngHeader struct {
	width, height int
	depth, color  byte
	interlaced    bool
	transparency  bool // tRNS
	orientation   orientation
	profile       []byte     // of iCCP, compressed
	packed        int        // bytes of IDAT
	counts        [256]int64 // of each value in IDAT
}

// The colour types.
const (
	pngGrey       = 0
	pngTrueColor  = 2
	pngPalette    = 3
	pngGreyAlpha  = 4
	pngColorAlpha = 6
)

func readPNG(data []byte) (pngHeader, error) {
	h := pngHeader{orientation: upright}
	rest := data[8:]
	for first := true; len(rest) >= 12; first = false {
		length := uint64(binary.BigEndian.Uint32(rest))
		if length+12 > uint64(len(rest)) {
			return h, errPNGChunk
		}
		name, content := string(rest[4:8]), rest[8:8+length]
		rest = rest[12+length:]
		if first != (name == "IHDR") {
			return h, errPNGHeader
		}
		switch name {
		case "IHDR":
			if err := h.readHeader(content); err != nil {
				return h, err
			}
		case "tRNS":
			h.transparency = true
		case "iCCP":
			h.profile = pngProfile(content)
		case "eXIf":
			h.orientation = exifOrientation(content)
		case "IDAT":
			h.packed += len(content)
			for _, value := range content {
				h.counts[value]++
			}
		case "IEND":
			return h, h.checkPacked()
		}
	}
	return h, errPNGChunk
}

func (h *pngHeader) readHeader(content []byte) error {
	if len(content) != 13 {
		return errPNGHeader
	}
	width, height := binary.BigEndian.Uint32(content), binary.BigEndian.Uint32(content[4:])
	if width > 1<<31-1 || height > 1<<31-1 {
		return errPNGHeader
	}
	h.width, h.height = int(width), int(height)
	h.depth, h.color, h.interlaced = content[8], content[9], content[12] != 0
	return nil
}

// pngProfile returns the compressed profile of an iCCP chunk: it follows a
// name, its zero and the compression method.
func pngProfile(content []byte) []byte {
	name := bytes.IndexByte(content, 0)
	if name < 0 || len(content) < name+2 || content[name+1] != 0 {
		return nil
	}
	return content[name+2:]
}

func (h *pngHeader) kind() string {
	kind := "PNG"
	if h.depth == 16 {
		kind = "16-bit PNG"
	}
	if h.interlaced {
		return "interlaced " + kind
	}
	return kind
}

// pixelBytes returns what the decoder's image has for a pixel.
func (h *pngHeader) pixelBytes() int {
	wide := int(h.depth) / 16 // 1 for 16 bits a sample
	switch {
	case h.color == pngPalette:
		return 1
	case h.color == pngGrey && !h.transparency:
		return 1 + wide
	}
	return 4 + 4*wide
}

// rowBytes returns the bytes of a row before it is decoded.
func (h *pngHeader) rowBytes() int {
	samples := map[byte]int{pngTrueColor: 3, pngGreyAlpha: 2, pngColorAlpha: 4}[h.color]
	return (h.width*max(samples, 1)*int(h.depth) + 7) / 8
}

// checkPacked refuses data that pixels can't be packed into, even badly: it is
// there to keep the decompressor busy.
func (h *pngHeader) checkPacked() error {
	if raw := (h.rowBytes() + 8) * h.height; h.packed > raw+raw/8+64<<10 {
		return errPNGPacked
	}
	return nil
}

// sparse says that the packed bytes are of few values, as those of millions of
// deflate blocks that hold nothing are, which take longest. Those of packed
// pixels are nearly even: two bytes are the same once in 250 times.
func (h *pngHeader) sparse() bool {
	same := int64(0)
	for _, count := range h.counts {
		same += count * count
	}
	return same > int64(h.packed)*int64(h.packed)/64
}

// load estimates what decoding takes. The decoder holds the picture and two
// rows, and scaling another of three planes and their weights, four bytes for
// each column and row; of an interlaced picture there are its passes too, which
// together have each pixel once more.
func (h *pngHeader) load() load {
	pixels := h.width * h.height
	l := load{caps: pngCaps, packed: h.packed}
	l.memory = pixels*h.pixelBytes() + 2*h.rowBytes() + 3*h.width + 3*4*(h.width+h.height)
	l.pixels = pixels + h.height*(h.rowBytes()/4+3) // a row, however short, takes as long as three
	if h.interlaced {
		l.memory += pixels * h.pixelBytes()
		l.pixels += pixels/3 + 6*h.height
	}
	if h.sparse() {
		l.packed += h.packed / 2
	}
	return l
}
