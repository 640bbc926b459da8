package photo

import (
	"bytes"
	"encoding/binary"
	"image"
	"io"

	"golang.org/x/image/webp"
)

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
		luma[i] = clamp((2*255*(i-16) + 219) / (2 * 219))
		chroma[i] = clamp(128 + (2*255*(i-128)+rounding(i-128, 224))/(2*224))
	}
	stretch(m.Y, &luma)
	stretch(m.Cb, &chroma)
	stretch(m.Cr, &chroma)
}

// rounding returns half of divisor with the sign of value, as division truncates.
func rounding(value, divisor int) int {
	if value < 0 {
		return -divisor
	}
	return divisor
}

func clamp(value int) byte { return byte(min(max(value, 0), 255)) }

func stretch(samples []byte, table *[256]byte) {
	for i, sample := range samples {
		samples[i] = table[sample]
	}
}
