package photo

import (
	"bytes"
	"compress/zlib"
	"context"
	"encoding/binary"
	"hash"
	"hash/adler32"
	"hash/crc32"
	"image"
	"image/png"
	"io"
)

// decode decodes the pixels. It gives the decoder a new PNG with nothing but
// what the pixels need: the decoder refuses files that browsers show, such as
// those with a wrong checksum in another chunk or after the pixels, with extra
// data, or without an end.
func (h *pngHeader) decode(ctx context.Context) (image.Image, error) {
	inflated, err := zlib.NewReader(until(ctx, bytes.NewReader(h.packed)))
	if err != nil {
		return nil, err
	}
	start := appendChunk([]byte("\x89PNG\r\n\x1a\n"), "IHDR", h.header)
	if h.palette != nil {
		start = appendChunk(start, "PLTE", h.palette)
	}
	if h.transparency != nil {
		start = appendChunk(start, "tRNS", h.transparency)
	}
	pixels := &pngPixels{inflated: inflated, left: h.rawBytes(), sum: adler32.New(), ready: start}
	img, err := png.Decode(pixels)
	if err != nil {
		return nil, err
	}
	h.correct(img)
	return img, nil
}

func appendChunk(out []byte, name string, content []byte) []byte {
	out = binary.BigEndian.AppendUint32(out, uint32(len(content)))
	start := len(out)
	out = append(append(out, name...), content...)
	return binary.BigEndian.AppendUint32(out, crc32.ChecksumIEEE(out[start:]))
}

// pngPixels yields the new PNG. Its IDAT hold exactly the pixels that the header
// promises, in uncompressed blocks.
type pngPixels struct {
	inflated io.Reader
	left     int // bytes of pixels that haven't been inflated yet
	sum      hash.Hash32
	ready    []byte // bytes to be read next
	chunks   []byte // the buffer of ready
	block    [2 + 5 + pngBlock + 4]byte
}

const pngBlock = 32 << 10

// Read yields the next bytes, or fails where pixels are missing.
func (p *pngPixels) Read(b []byte) (int, error) {
	if len(p.ready) == 0 {
		if err := p.next(); err != nil {
			return 0, err
		}
	}
	n := copy(b, p.ready)
	p.ready = p.ready[n:]
	return n, nil
}

// next makes an IDAT of one block (RFC 1950, 2.2, and RFC 1951, 3.2.4) and,
// after the last one, IEND.
func (p *pngPixels) next() error {
	if p.left == 0 {
		return io.EOF
	}
	block := p.block[:0]
	if p.chunks == nil {
		block = append(block, 0x78, 0x01)
	}
	size := min(p.left, pngBlock)
	p.left -= size
	last := byte(0)
	if p.left == 0 {
		last = 1
	}
	block = append(block, last, byte(size), byte(size>>8), ^byte(size), ^byte(size>>8))
	start := len(block)
	block = block[:start+size]
	if _, err := io.ReadFull(p.inflated, block[start:]); err != nil {
		return err
	}
	_, _ = p.sum.Write(block[start:])
	if last == 0 {
		p.chunks = appendChunk(p.chunks[:0], "IDAT", block)
	} else {
		p.chunks = appendChunk(p.chunks[:0], "IDAT", p.sum.Sum(block))
		p.chunks = appendChunk(p.chunks, "IEND", nil)
	}
	p.ready = p.chunks
	return nil
}

// adam7 has each pass's first column and row, and the steps between them (W3C
// PNG, third edition, 8.1).
var adam7 = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// rawBytes returns the length of the inflated pixels: all rows, each with its
// filter byte.
func (h *pngHeader) rawBytes() int {
	if !h.interlaced {
		return h.height * (1 + h.rowBytes(h.width))
	}
	total := 0
	for _, pass := range adam7 {
		width, height := (h.width-pass[0]+pass[2]-1)/pass[2], (h.height-pass[1]+pass[3]-1)/pass[3]
		if width > 0 {
			total += height * (1 + h.rowBytes(width))
		}
	}
	return total
}

// rowBytes returns the length of width inflated pixels.
func (h *pngHeader) rowBytes(width int) int {
	samples := map[byte]int{pngTrueColor: 3, pngGreyAlpha: 2, pngColorAlpha: 4}[h.color]
	return (width*max(samples, 1)*int(h.depth) + 7) / 8
}

// pixelBytes returns the bytes per pixel of the decoded image.
func (h *pngHeader) pixelBytes() int {
	wide := int(h.depth) / 16 // 1 for 16 bits a sample
	switch {
	case h.color == pngPalette:
		return 1
	case h.color == pngGrey && h.transparency == nil:
		return 1 + wide
	}
	return 4 + 4*wide
}

// sparse reports whether the compressed data has few different values, as
// millions of empty deflate blocks have, which take longest. Compressed pixels
// are nearly uniform: two bytes are equal once in 250 times.
func (h *pngHeader) sparse() bool {
	same, packed := int64(0), int64(len(h.packed))
	for _, count := range h.counts {
		same += count * count
	}
	return same > packed*packed/64
}

// load estimates what decoding takes. The decoder holds the picture and two
// rows. Scaling holds a row of three planes and their weights, four bytes per
// column and row. The passes of an interlaced picture hold each pixel once more.
// Correcting colours counts each pixel once more.
func (h *pngHeader) load() load {
	pixels, row := h.width*h.height, h.rowBytes(h.width)
	l := load{caps: pngCaps, packed: len(h.packed)}
	l.memory = pixels*h.pixelBytes() + 2*row + 3*h.width + 3*4*(h.width+h.height)
	l.pixels = pixels + h.height*(row/4+3) // a row takes as long as three more pixels, however short it is
	if h.interlaced {
		l.memory += pixels * h.pixelBytes()
		l.pixels += 2*pixels + 6*h.height
	}
	if h.space.differs() {
		l.pixels += pixels
	}
	if h.sparse() {
		l.packed += len(h.packed) / 2
	}
	return l
}
