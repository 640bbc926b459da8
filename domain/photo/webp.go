package photo

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"image"
	"io"
	"math"

	"golang.org/x/image/webp"
)

var (
	errWebPChunk = errors.New("a WebP chunk is longer than what holds it")
	errWebPFrame = errors.New("the WebP has no picture, or one of another size than it says")
)

// Groups of Huffman trees in a lossless picture. A short file can have many.
const (
	maxGroups  = 2600     // that the decoder accepts
	groupBytes = 54 << 10 // bytes of memory per group
	groupFile  = 200      // bytes of the file per group, at least
)

// Flags that the picture has alpha.
const (
	alphaFlag = 0x10 // of VP8X
	alphaUsed = 0x10 // of VP8L, in the last byte of its header
)

// webpFile is what the chunks of a WebP contain (RFC 9649, 2).
type webpFile struct {
	extended    bool // VP8X came
	opaque      bool // the alpha of the pixels is ignored
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

// inspectWebP reads the chunks of a WebP. Of an animated one only the first
// frame counts.
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
		kind: w.kind(), size: w.canvas, orientation: w.orientation,
		load: func(target, bool) load { return w.load() }, draw: decoded(w.decode), profile: func() []byte { return w.profile },
	}, nil
}

// read reads chunks: a name, a length and the content, padded to an even length.
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
		w.extended, w.opaque = true, content[0]&alphaFlag == 0
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
			return nil // only the first frame counts, and frames don't nest
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

// place finds the size of the frame, which must lie on the canvas. Like
// browsers, it uses alpha only if a flag announces it: that of VP8X or, without
// one, that of VP8L.
func (w *webpFile) place() error {
	size, ok := w.frameSize()
	if !ok {
		return errWebPFrame
	}
	w.size = size
	if !w.extended {
		w.canvas = size
		w.opaque = w.lossless && w.bitstream[4]&alphaUsed == 0
	}
	if w.opaque {
		w.alpha = nil
	}
	frame := image.Rectangle{Min: w.at, Max: w.at.Add(size)}
	if frame.Empty() || !frame.In(image.Rectangle{Max: w.canvas}) || !w.animated && size != w.canvas {
		return errWebPFrame
	}
	return nil
}

// frameSize reads the size of the frame from the bitstream (RFC 6386, 9.1, or
// RFC 9649, 3.4).
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

// load estimates what decoding takes. The VP8L decoder, which also decodes the
// alpha of a lossy picture, holds four bytes per pixel, twice while it applies a
// palette, and one for the transforms. The VP8 decoder holds the file and 1.5
// bytes per pixel.
func (w *webpFile) load() load {
	pixels := w.size.X * w.size.Y
	l := load{caps: lossyCaps, fixed: len(w.bitstream), memory: 2 * pixels, packed: len(w.bitstream)}
	unpacked := w.alpha
	if w.lossless {
		l, unpacked = load{caps: losslessCaps, packed: len(w.bitstream)}, w.bitstream
	} else if w.alpha != nil {
		l.caps.pixels = 1 / (1/lossyCaps.pixels + 1/losslessCaps.pixels) // one after the other
		l.memory += pixels
		l.packed += len(w.alpha)
	}
	if unpacked != nil {
		l.memory += 9 * pixels
		l.fixed += min(maxGroups, len(unpacked)/groupFile) * groupBytes
	}
	return l
}

// decode decodes the frame as a still WebP.
func (w *webpFile) decode(ctx context.Context) (image.Image, error) {
	img, err := webp.Decode(until(ctx, w.still()))
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
		if w.opaque {
			for i := 3; i < len(m.Pix); i += 4 {
				m.Pix[i] = 255
			}
		}
		m.Rect = m.Rect.Add(w.at)
	}
	return img, nil
}

// still returns the frame as a still WebP.
func (w *webpFile) still() io.Reader {
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

// fullRange stretches the samples of VP8 to 0 to 255, as in JPEG and in package
// image. VP8 has the ranges of ITU-R BT.601 (RFC 6386, 9.2): 16 to 235 for luma,
// 16 to 240 for chroma.
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
