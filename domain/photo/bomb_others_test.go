package photo_test

import (
	"bytes"
	"compress/flate"
	"compress/lzw"
	"encoding/binary"
	"image"
	"math/rand/v2"
	"slices"
	"testing"
)

// repeated is a row and the number of its copies.
type repeated struct {
	row   []byte
	count int
}

// zlibOf compresses rows that repeat. It compresses each kind once, so that
// gigabytes cost nothing to make.
func zlibOf(t testing.TB, rows ...repeated) []byte {
	t.Helper()
	out := []byte{0x78, 0x01}
	sum := adler{a: 1}
	for _, r := range rows {
		first, again := deflatedTwice(t, r.row)
		out = append(append(out, first...), bytes.Repeat(again, r.count-1)...)
		sum.add(r)
	}
	out = append(out, 1, 0, 0, 0xFF, 0xFF) // the last block, empty
	return binary.BigEndian.AppendUint32(out, uint32(sum.b<<16|sum.a))
}

// deflatedTwice returns the block of a row, and the block of the same row when
// it follows.
func deflatedTwice(t testing.TB, row []byte) (first, again []byte) {
	t.Helper()
	var out bytes.Buffer
	w, err := flate.NewWriter(&out, flate.DefaultCompression)
	if err != nil {
		t.Fatal(err)
	}
	var blocks [2][]byte
	for i := range blocks {
		start := out.Len()
		if _, err := w.Write(row); err != nil {
			t.Fatal(err)
		}
		if err := w.Flush(); err != nil {
			t.Fatal(err)
		}
		blocks[i] = bytes.Clone(out.Bytes()[start:])
	}
	return blocks[0], blocks[1]
}

// adler is the checksum of zlib, computed by rows.
type adler struct{ a, b uint64 }

func (s *adler) add(r repeated) {
	const modulus = 65521
	var sum, weighted uint64
	for i, value := range r.row {
		sum += uint64(value)
		weighted = (weighted + uint64(len(r.row)-i)*uint64(value)) % modulus
	}
	for range r.count {
		s.b = (s.b + uint64(len(r.row))*s.a + weighted) % modulus
		s.a = (s.a + sum) % modulus
	}
}

// The colour types of a PNG.
const (
	pngGrey    = 0
	pngRGB     = 2
	pngPalette = 3
	pngRGBA    = 6
)

// pngBomb describes a PNG.
type pngBomb struct {
	width, height int
	depth, colour byte
	interlaced    byte
	padding       []byte // deflate blocks before the picture's
}

const pngMagic = "\x89PNG\r\n\x1a\n"

func (b pngBomb) file(t testing.TB, chunks ...[]byte) []byte {
	t.Helper()
	header := binary.BigEndian.AppendUint32(binary.BigEndian.AppendUint32(nil, uint32(b.width)), uint32(b.height))
	header = append(header, b.depth, b.colour, 0, 0, b.interlaced)
	packed := zlibOf(t, b.rows()...)
	packed = slices.Concat(packed[:2], b.padding, packed[2:])
	return slices.Concat([]byte(pngMagic), pngChunk("IHDR", header), slices.Concat(chunks...),
		pngChunk("IDAT", packed), pngChunk("IEND", nil))
}

// adam7 gives each pass's first column and row, and the steps between them.
var adam7 = [][4]int{{0, 0, 8, 8}, {4, 0, 8, 8}, {0, 4, 4, 8}, {2, 0, 4, 4}, {0, 2, 2, 4}, {1, 0, 2, 2}, {0, 1, 1, 2}}

// rows returns the rows of the picture. They use the filter that costs most, and
// values that give it something to add.
func (b pngBomb) rows() []repeated {
	passes := adam7
	if b.interlaced == 0 {
		passes = [][4]int{{0, 0, 1, 1}}
	}
	var all []repeated
	for _, p := range passes {
		wide, high := (b.width-p[0]+p[2]-1)/p[2], (b.height-p[1]+p[3]-1)/p[3]
		if wide == 0 || high == 0 {
			continue
		}
		all = append(all, inBlocks(b.row(wide), high)...)
	}
	return all
}

// inBlocks joins short rows, so that the ends of blocks don't outweigh them.
func inBlocks(row []byte, count int) []repeated {
	const block = 64 << 10
	together := min(count, max(1, block/len(row)))
	all := []repeated{{bytes.Repeat(row, together), count / together}}
	if rest := count % together; rest > 0 {
		all = append(all, repeated{bytes.Repeat(row, rest), 1})
	}
	return all
}

func (b pngBomb) row(wide int) []byte {
	const paeth = 4
	channels := map[byte]int{pngGrey: 1, pngRGB: 3, pngPalette: 1, pngRGBA: 4}[b.colour]
	row := make([]byte, 1+(wide*channels*int(b.depth)+7)/8)
	row[0] = paeth
	if b.colour != pngPalette {
		for i := 1; i < len(row); i += 97 {
			row[i] = 1
		}
	}
	return row
}

// emptyBlocks is a PNG with mostly empty deflate blocks, each with Huffman codes to
// read: four blocks of 90 bits in 45 bytes. Its pixels would allow as many bytes.
func emptyBlocks(t testing.TB) []byte {
	const side = 3400
	four := []byte{
		0x04, 0xC0, 0x81, 0x00, 0x00, 0x00, 0x00, 0x00, 0x90, 0xFF, 0x6B, 0x10, 0x00, 0x07, 0x02,
		0x00, 0x00, 0x00, 0x00, 0x40, 0xFE, 0xAF, 0x41, 0x00, 0x1C, 0x08, 0x00, 0x00, 0x00, 0x00,
		0x00, 0xF9, 0xBF, 0x06, 0x01, 0x70, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00, 0xE4, 0xFF, 0x1A,
	}
	padding := bytes.Repeat(four, (nearlyAll-64<<10)/len(four))
	return pngBomb{side, side, 8, pngGrey, 0, padding}.file(t)
}

// squarePNG is a PNG of side² pixels.
func squarePNG(t testing.TB, side int, depth, colour, interlaced byte) []byte {
	b := pngBomb{side, side, depth, colour, interlaced, nil}
	if colour == pngPalette {
		return b.file(t, pngChunk("PLTE", []byte{255, 0, 0}), pngChunk("tRNS", []byte{100}))
	}
	return b.file(t)
}

// profileBomb is a small PNG whose profile inflates to ten gigabytes.
func profileBomb(t testing.TB) []byte {
	zeros := repeated{make([]byte, 1<<20), 9000}
	return pngWithChunk(t, "iCCP", append([]byte("bomb\x00\x00"), zlibOf(t, zeros)...))
}

// rawProfileBomb is a small PNG with as many texts as an upload holds. They
// claim to be EXIF and inflate to gigabytes.
func rawProfileBomb(t testing.TB) []byte {
	zeros := zlibOf(t, repeated{make([]byte, 1<<20), 100})
	text := pngChunk("zTXt", append([]byte("Raw profile type exif\x00\x00"), zeros...))
	return pngOf(pngHeader(96, 64, 8, pngRGB), bytes.Repeat(text, nearlyAll/len(text)),
		pngChunk("IDAT", deflated(t, rgbRows(quadrants()))), pngChunk("IEND", nil))
}

// rawProfileFlood is a small PNG with hundreds of thousands of such texts that
// inflate to little.
func rawProfileFlood(t testing.TB) []byte {
	text := pngChunk("zTXt", append([]byte("Raw profile type exif\x00\x00"), deflated(t, []byte("x"))...))
	return pngOf(pngHeader(96, 64, 8, pngRGB), bytes.Repeat(text, nearlyAll/len(text)),
		pngChunk("IDAT", deflated(t, rgbRows(quadrants()))), pngChunk("IEND", nil))
}

// idatFlood is a PNG of noise with a chunk for each compressed byte.
func idatFlood(t testing.TB) []byte {
	picture := image.NewRGBA(image.Rect(0, 0, 500, 500))
	random := rand.New(rand.NewPCG(1, 2))
	for i := range picture.Pix {
		picture.Pix[i] = byte(random.Uint32())
	}
	return pngOf(pngHeader(500, 500, 8, pngRGB), singly(deflated(t, rgbRows(picture))), pngChunk("IEND", nil))
}

// subBlockFlood is a GIF whose frame is junk in sub-blocks of one byte.
func subBlockFlood() []byte {
	junk := bytes.Repeat([]byte{1, 0x55}, nearlyAll/2)
	return gifFile(2000, 2000, slices.Concat([]byte{','}, little16(0, 0, 2000, 2000), []byte{0, 2}, junk, []byte{0}))
}

// chunkFlood is a small PNG with hundreds of thousands of empty chunks.
func chunkFlood(t testing.TB, kind string) []byte {
	empty := pngChunk(kind, nil)
	data := encodedPNG(t, quadrants())
	header := 8 + 25
	return slices.Concat(data[:header], bytes.Repeat(empty, nearlyAll/len(empty)), data[header:])
}

// gifFile is a GIF of a canvas and any frames.
func gifFile(width, height int, frames ...[]byte) []byte {
	screen := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16([]byte("GIF89a"), uint16(width)), uint16(height))
	screen = append(screen, 0x80, 0, 0, 10, 20, 30, 200, 210, 220) // a palette of two
	return append(append(screen, slices.Concat(frames...)...), 0x3B)
}

// gifFrame is a frame of one colour in the canvas's corner.
func gifFrame(t testing.TB, width, height int, interlaced bool) []byte {
	t.Helper()
	frame := binary.LittleEndian.AppendUint16(binary.LittleEndian.AppendUint16([]byte{0x2C, 0, 0, 0, 0}, uint16(width)), uint16(height))
	flags := byte(0)
	if interlaced {
		flags = 0x40
	}
	var packed bytes.Buffer
	w := lzw.NewWriter(&packed, lzw.LSB, 2)
	row := make([]byte, width)
	for range height {
		if _, err := w.Write(row); err != nil {
			t.Fatal(err)
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	frame = append(frame, flags, 2)
	for part := range slices.Chunk(packed.Bytes(), 255) {
		frame = append(append(frame, byte(len(part))), part...)
	}
	return append(frame, 0)
}

// manyFrames fills an upload with copies of a frame.
func manyFrames(frame []byte) []byte { return bytes.Repeat(frame, nearlyAll/len(frame)) }

// lowBits packs bits, the lowest first, as in a lossless WebP.
type lowBits struct {
	out []byte
	n   int
}

func (w *lowBits) put(value, n int) {
	for i := range n {
		if w.n%8 == 0 {
			w.out = append(w.out, 0)
		}
		w.out[len(w.out)-1] |= byte(value>>i&1) << (w.n % 8)
		w.n++
	}
}

// image writes a picture of one value everywhere, with no bits per pixel: the
// codes of each channel and of distances have a single symbol.
func (w *lowBits) image(green int) {
	for _, symbol := range []int{green, 3, 5, 255, 0} {
		w.put(0b001, 2) // a simple code of one symbol
		w.put(0b1, 1)   // of eight bits
		w.put(symbol, 8)
	}
}

// losslessFrame is a VP8L chunk of a few bytes, of any size. Its transforms make
// each pixel expensive: a predictor that compares the most, correlated colours,
// subtracted green.
func losslessFrame(width, height int) []byte {
	const selectMode, blockBits = 11, 2
	var w lowBits
	w.put(width-1, 14)
	w.put(height-1, 14)
	w.put(1, 1) // alpha
	w.put(0, 3) // version
	for _, transform := range []int{0, 1} {
		w.put(1, 1)
		w.put(transform, 2)
		w.put(blockBits-2, 3)
		w.put(0, 1) // no colour cache
		w.image(selectMode)
	}
	w.put(1, 1)
	w.put(2, 2) // subtract green
	w.put(0, 1) // no more transforms
	w.put(0, 1) // no colour cache
	w.put(0, 1) // one group of codes
	w.image(7)
	return riffChunk("VP8L", append([]byte{0x2F}, w.out...))
}

// lossyFrame is a VP8 chunk of golang.org/x/image with another size in its header.
func lossyFrame(t testing.TB, width, height int) []byte {
	t.Helper()
	const size = 8 + 6 // after the header of the chunk and the tag and start code of the frame
	frame := bytes.Clone(corpusFile(t, "ximage", "video-001.lossy.webp")[12:])
	binary.LittleEndian.PutUint16(frame[size:], uint16(width))
	binary.LittleEndian.PutUint16(frame[size+2:], uint16(height))
	return frame
}

const (
	webpAnimated = 0x02
	webpAlpha    = 0x10
)

// animated is a WebP of frames on a canvas.
func animated(width, height int, frames ...[]byte) []byte {
	return webpFile(webpHeader(webpAnimated, width, height), riffChunk("ANIM", make([]byte, 6)), slices.Concat(frames...))
}

// animatedFrame puts an image's chunk into a frame with a size.
func animatedFrame(width, height int, chunk []byte) []byte {
	head := slices.Concat(make([]byte, 6), little24(width-1), little24(height-1), little24(100), []byte{0})
	return riffChunk("ANMF", append(head, chunk...))
}
