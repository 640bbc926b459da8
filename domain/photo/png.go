package photo

import (
	"cmp"
	"encoding/binary"
	"errors"
	"hash/crc32"
	"image"
)

var (
	errPNGHeader = errors.New("the PNG header is wrong")
	errPNGSum    = errors.New("a PNG chunk that the pixels need has a wrong checksum")
	errPNGPacked = errors.New("the PNG has more data than pixels")
)

// inspectPNG reads the chunks of a PNG. It changes data.
func inspectPNG(data []byte) (file, error) {
	if appleOptimised(data) {
		return file{}, refuse(data)
	}
	h, err := readPNG(data)
	if err != nil {
		return file{}, broken("PNG", err)
	}
	return file{
		kind: h.kind(), size: image.Pt(h.width, h.height), orientation: cmp.Or(h.exif, h.rawEXIF, upright),
		load:    func(target, bool) load { return h.load() },
		draw:    decoded(h.decode),
		profile: h.iccProfile,
	}, nil
}

// pngHeader is what the chunks of a PNG contain (W3C PNG, third edition, 11).
type pngHeader struct {
	header        []byte // content of IHDR
	width, height int
	depth, color  byte
	interlaced    bool
	palette       []byte      // content of PLTE, if the pixels are indexes
	transparency  []byte      // content of tRNS, if it fits the colour type
	exif, rawEXIF orientation // from eXIf and from text; 0: none
	rawProfiles   int         // number of text profiles read
	profile       []byte      // from iCCP, compressed
	space         pngSpace
	packed        []byte     // contents of all IDAT
	counts        [256]int64 // how often packed has each byte value
}

// The colour types.
const (
	pngGrey       = 0
	pngTrueColor  = 2
	pngPalette    = 3
	pngGreyAlpha  = 4
	pngColorAlpha = 6
)

// readPNG reads chunks up to IEND or, where that is missing, to the end of data.
func readPNG(data []byte) (pngHeader, error) {
	h := pngHeader{}
	rest := data[8:]
	for len(rest) >= 8 {
		var c chunk
		c, rest = nextChunk(rest)
		if string(c.name) == "IEND" {
			break
		}
		if err := h.take(c); err != nil {
			return h, err
		}
	}
	if h.header == nil {
		return h, errPNGHeader
	}
	return h, h.checkPacked()
}

// chunk is a chunk of a PNG. It is sound if its checksum is right.
type chunk struct {
	name, content []byte
	sound         bool
}

// nextChunk splits off the first chunk. A chunk that exceeds data counts as
// sound: if it lost more than its checksum, the pixels will tell.
func nextChunk(data []byte) (c chunk, rest []byte) {
	end := 8 + uint64(binary.BigEndian.Uint32(data))
	if end+4 > uint64(len(data)) {
		return chunk{data[4:8], data[8:min(end, uint64(len(data)))], true}, nil
	}
	sum := binary.BigEndian.Uint32(data[end:])
	return chunk{data[4:8], data[8:end], crc32.ChecksumIEEE(data[4:end]) == sum}, data[end+4:]
}

// take reads a chunk, the first of which must be IHDR. If the checksum is wrong,
// a chunk that the pixels need is an error and any other is skipped.
func (h *pngHeader) take(c chunk) error {
	name := string(c.name)
	if (h.header == nil) != (name == "IHDR") && h.packed == nil {
		return errPNGHeader
	}
	if !c.sound {
		switch name {
		case "IHDR", "PLTE", "IDAT":
			return errPNGSum
		}
		return nil
	}
	if h.packed == nil {
		return h.takeFirst(name, c.content)
	}
	h.takeAnywhere(name, c.content)
	return nil
}

// takeFirst reads a chunk before the pixels, or the first of these.
func (h *pngHeader) takeFirst(name string, content []byte) error {
	switch name {
	case "IHDR":
		return h.readHeader(content)
	case "PLTE":
		if h.palette != nil {
			return errPNGHeader
		}
		if h.color == pngPalette {
			h.palette = content[:min(len(content), 3<<min(h.depth, 8))]
		}
	case "tRNS":
		if h.fits(content) {
			h.transparency = content
		}
	case "iCCP":
		h.profile = pngProfile(content)
	case "IDAT":
		h.packed = content[:0]
		h.takeAnywhere(name, content)
	default:
		h.space.take(name, content)
		h.takeAnywhere(name, content)
	}
	return nil
}

// takeAnywhere reads a chunk that may also come between or after the pixels. It
// joins the contents of all IDAT in place.
func (h *pngHeader) takeAnywhere(name string, content []byte) {
	switch name {
	case "IDAT":
		h.packed = append(h.packed, content...)
		for _, value := range content {
			h.counts[value]++
		}
	case "eXIf":
		h.exif = exifOrientation(content)
	case "tEXt", "zTXt", "iTXt":
		h.takeText(name, content)
	}
}

func (h *pngHeader) readHeader(content []byte) error {
	if len(content) != 13 {
		return errPNGHeader
	}
	width, height := binary.BigEndian.Uint32(content), binary.BigEndian.Uint32(content[4:])
	if width > 1<<31-1 || height > 1<<31-1 {
		return errPNGHeader
	}
	h.header = content
	h.width, h.height = int(width), int(height)
	h.depth, h.color, h.interlaced = content[8], content[9], content[12] != 0
	return nil
}

// fits reports whether the content of tRNS fits the colour type. If it doesn't,
// browsers ignore it.
func (h *pngHeader) fits(content []byte) bool {
	switch h.color {
	case pngGrey:
		return len(content) == 2
	case pngTrueColor:
		return len(content) == 6
	case pngPalette:
		return h.palette != nil && len(content) <= 256
	}
	return false
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

// checkPacked refuses more data than even badly compressed pixels have: it would
// only keep the decompressor busy.
func (h *pngHeader) checkPacked() error {
	raw := float64(h.rowBytes(h.width)+8) * float64(h.height) // an int may overflow
	if float64(len(h.packed)) > raw*9/8+64<<10 {
		return errPNGPacked
	}
	return nil
}
