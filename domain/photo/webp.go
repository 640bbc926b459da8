package photo

import (
	"encoding/binary"
	"errors"
	"image"
	"time"
)

var (
	errWebPChunk = errors.New("a WebP chunk is longer than what holds it")
	errWebPFrame = errors.New("the WebP has no picture, or one of another size than it says")
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
	f := file{
		kind: w.kind(), width: w.canvas.X, height: w.canvas.Y, orientation: w.orientation,
		cost: w.cost(), decode: w.decode,
	}
	if w.profile != nil {
		f.profile = func() []byte { return w.profile }
	}
	return f, nil
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
