package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"math"
	"time"

	"golang.org/x/image/webp"
)

var (
	errWebPChunk = errors.New("a WebP chunk is longer than what holds it")
	errWebPFrame = errors.New("the WebP has no picture, or one of another size than it says")
)

// What decoding a WebP takes at most: lossy, VP8, or lossless, VP8L.
const (
	vp8Byte        = 100 * time.Nanosecond
	vp8Pixel       = 20 * time.Nanosecond
	vp8lByte       = 15 * time.Nanosecond
	vp8lPixel      = 45 * time.Nanosecond
	vp8lGroup      = 70 * time.Microsecond // a group of Huffman trees
	vp8lGroups     = 2600                  // most groups that the decoder takes
	vp8lGroupBytes = 54 << 10              // of a group in memory
	vp8lGroupFile  = 200                   // bytes of a file that make a group, at least
)

// webpFile is what the chunks of a WebP say (RFC 9649, 2).
type webpFile struct {
	extended    bool // VP8X came
	canvas      image.Point
	at          image.Point // of the frame on the canvas
	size        image.Point // of the frame
	animated    bool
	lossless    bool
	alpha       []byte // content of ALPH
	bitstream   []byte // content of VP8 or VP8L
	profile     []byte
	orientation orientation
}

// inspectWebP reads the chunks of a WebP up to the first frame of an animated
// one, or to the end.
func inspectWebP(data []byte) (file, error) {
	w := webpFile{orientation: upright}
	length := uint64(binary.LittleEndian.Uint32(data[4:]))
	if length < 4 || length+8 > uint64(len(data)) {
		return file{}, broken("WebP", errWebPChunk)
	}
	err := w.read(data[12 : length+8])
	if err == nil {
		err = w.place()
	}
	if err != nil {
		return file{}, broken("WebP", err)
	}
	return file{
		kind: w.kind(), width: w.canvas.X, height: w.canvas.Y, orientation: w.orientation,
		cost: w.cost(), decode: w.decode, profile: func() []byte { return w.profile },
	}, nil
}

// read understands chunks: a name, a length and the content, padded to an even length.
func (w *webpFile) read(chunks []byte) error {
	for len(chunks) >= 8 {
		length := uint64(binary.LittleEndian.Uint32(chunks[4:]))
		if length+8 > uint64(len(chunks)) {
			return errWebPChunk
		}
		name, content := string(chunks[:4]), chunks[8:8+length]
		chunks = chunks[min(8+length+length%2, uint64(len(chunks))):]
		if err := w.chunk(name, content); err != nil {
			return err
		}
	}
	return nil
}

func (w *webpFile) chunk(name string, content []byte) error {
	switch name {
	case "VP8X":
		if len(content) < 10 {
			return errWebPChunk
		}
		w.extended = true
		w.canvas = image.Pt(1+uint24(content[4:]), 1+uint24(content[7:]))
	case "ICCP":
		w.profile = content
	case "EXIF":
		w.orientation = exifOrientation(content)
	case "ANMF": // an offset in units of two pixels, a size, a duration and flags; then chunks
		if len(content) < 16 {
			return errWebPChunk
		}
		if w.animated {
			return nil // the first frame counts, and none is in another
		}
		w.animated = true
		w.at = image.Pt(2*uint24(content), 2*uint24(content[3:]))
		return w.read(content[16:])
	case "ALPH":
		if w.bitstream == nil {
			w.alpha = content
		}
	case "VP8 ", "VP8L":
		if w.bitstream == nil {
			w.bitstream, w.lossless = content, name == "VP8L"
		}
	}
	return nil
}

func uint24(b []byte) int { return int(b[0]) | int(b[1])<<8 | int(b[2])<<16 }

// place finds the frame's size, which must lie on the canvas.
func (w *webpFile) place() error {
	size, ok := w.frameSize()
	if !ok {
		return errWebPFrame
	}
	w.size = size
	if !w.extended {
		w.canvas = size
	}
	frame := image.Rectangle{Min: w.at, Max: w.at.Add(size)}
	if frame.Empty() || !frame.In(image.Rectangle{Max: w.canvas}) || !w.animated && size != w.canvas {
		return errWebPFrame
	}
	return nil
}

// frameSize reads it from the bitstream: RFC 6386, 9.1, or RFC 9649, 3.4.
func (w *webpFile) frameSize() (image.Point, bool) {
	b := w.bitstream
	if w.lossless {
		if len(b) < 5 || b[0] != 0x2F {
			return image.Point{}, false
		}
		bits := binary.LittleEndian.Uint32(b[1:])
		return image.Pt(1+int(bits&0x3FFF), 1+int(bits>>14&0x3FFF)), true
	}
	if len(b) < 10 || b[0]&1 != 0 || string(b[3:6]) != "\x9d\x01\x2a" {
		return image.Point{}, false
	}
	return image.Pt(int(binary.LittleEndian.Uint16(b[6:])&0x3FFF), int(binary.LittleEndian.Uint16(b[8:])&0x3FFF)), true
}

func (w *webpFile) kind() string {
	kind := "WebP"
	if w.lossless {
		kind = "lossless WebP"
	}
	if w.animated {
		return "animated " + kind
	}
	return kind
}

// cost estimates what decoding takes.
func (w *webpFile) cost() cost {
	pixels := int64(w.size.X) * int64(w.size.Y)
	if w.lossless {
		return losslessCost(pixels, len(w.bitstream))
	}
	c := cost{
		fixedBytes: int64(len(w.bitstream)),
		pixelBytes: 2 * pixels,
		fixedTime:  time.Duration(len(w.bitstream)) * vp8Byte,
		pixelTime:  time.Duration(pixels) * vp8Pixel,
	}
	if w.alpha != nil {
		alpha := losslessCost(pixels, len(w.alpha))
		c.fixedBytes += alpha.fixedBytes
		c.pixelBytes += alpha.pixelBytes + pixels
		c.fixedTime += alpha.fixedTime
		c.pixelTime += alpha.pixelTime
	}
	return c
}

// losslessCost estimates what the VP8L decoder takes for a picture or its
// alpha: four bytes a pixel, twice while a palette is applied, and one for the
// transforms; and groups of Huffman trees, of which a short file can have many.
func losslessCost(pixels int64, length int) cost {
	groups := min(vp8lGroups, int64(length)/vp8lGroupFile)
	return cost{
		fixedBytes: groups * vp8lGroupBytes,
		pixelBytes: 9 * pixels,
		fixedTime:  time.Duration(length)*vp8lByte + time.Duration(groups)*vp8lGroup,
		pixelTime:  time.Duration(pixels) * vp8lPixel,
	}
}

// decode decodes the frame as a still WebP of its own.
func (w *webpFile) decode() (image.Image, error) {
	img, err := webp.Decode(w.still())
	if err != nil {
		return nil, err
	}
	switch m := img.(type) {
	case *image.YCbCr:
		fullRange(m)
		m.Rect = m.Rect.Add(w.at)
	case *image.NYCbCrA:
		fullRange(&m.YCbCr)
		m.Rect = m.Rect.Add(w.at)
	case *image.NRGBA:
		m.Rect = m.Rect.Add(w.at)
	}
	return img, nil
}

// still writes a WebP around the frame.
func (w *webpFile) still() io.Reader {
	const alphaFlag = 0x10
	var parts []io.Reader
	length := 4
	add := func(name string, content []byte) {
		header := binary.LittleEndian.AppendUint32([]byte(name), uint32(len(content)))
		padding := make([]byte, len(content)%2)
		parts = append(parts, bytes.NewReader(header), bytes.NewReader(content), bytes.NewReader(padding))
		length += len(header) + len(content) + len(padding)
	}
	if w.alpha != nil && !w.lossless {
		x, y := w.size.X-1, w.size.Y-1
		add("VP8X", []byte{alphaFlag, 0, 0, 0, byte(x), byte(x >> 8), byte(x >> 16), byte(y), byte(y >> 8), byte(y >> 16)})
		add("ALPH", w.alpha)
	}
	if w.lossless {
		add("VP8L", w.bitstream)
	} else {
		add("VP8 ", w.bitstream)
	}
	header := binary.LittleEndian.AppendUint32([]byte("RIFF"), uint32(length))
	return io.MultiReader(append([]io.Reader{bytes.NewReader(header), bytes.NewReader([]byte("WEBP"))}, parts...)...)
}

// fullRange stretches the samples of VP8, 16 to 235 and 240 as ITU-R BT.601
// has them (RFC 6386, 9.2), to the 0 to 255 of JPEG, which is also what the
// image package takes them for.
func fullRange(m *image.YCbCr) {
	var luma, chroma [256]byte
	for i := range luma {
		luma[i] = clamp(math.Round(255 * float64(i-16) / 219))
		chroma[i] = clamp(128 + math.Round(255*float64(i-128)/224))
	}
	stretch(m.Y, &luma)
	stretch(m.Cb, &chroma)
	stretch(m.Cr, &chroma)
}

func clamp(value float64) byte { return byte(min(max(value, 0), 255)) }

func stretch(samples []byte, table *[256]byte) {
	for i, sample := range samples {
		samples[i] = table[sample]
	}
}
