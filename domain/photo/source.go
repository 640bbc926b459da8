package photo

import (
	"fmt"
	"image"
	"image/color"
)

// source yields the rows of a decoded image, blended over white, as one grey
// plane or three colour planes.
type source struct {
	planes int
	rgb    bool                        // the planes are red, green and blue; otherwise Y, Cb and Cr
	fill   func(y int, line [3][]byte) // writes row y of the picture
}

// newSource supports the image types that the decoders return.
func newSource(img image.Image) (source, error) {
	switch m := img.(type) {
	case *image.Gray:
		return source{1, false, func(y int, line [3][]byte) { copy(line[0], m.Pix[y*m.Stride:]) }}, nil
	case *image.Gray16:
		return source{1, false, func(y int, line [3][]byte) { fillGray16(line[0], m.Pix[y*m.Stride:]) }}, nil
	case *image.RGBA:
		return source{3, true, func(y int, line [3][]byte) { fillRGBA(line, m.Pix[y*m.Stride:]) }}, nil
	case *image.NRGBA:
		return source{3, true, func(y int, line [3][]byte) { fillNRGBA(line, m.Pix[y*m.Stride:], 1) }}, nil
	case *image.RGBA64: // the decoders return it for opaque pictures only
		return source{3, true, func(y int, line [3][]byte) { fillNRGBA(line, m.Pix[y*m.Stride:], 2) }}, nil
	case *image.NRGBA64:
		return source{3, true, func(y int, line [3][]byte) { fillNRGBA(line, m.Pix[y*m.Stride:], 2) }}, nil
	case *image.Paletted:
		colors := opaqueColors(m.Palette)
		return source{3, true, func(y int, line [3][]byte) { fillPaletted(line, m.Pix[y*m.Stride:], colors) }}, nil
	case *image.YCbCr:
		return source{3, false, func(y int, line [3][]byte) { fillYCbCr(line, m, y) }}, nil
	case *image.NYCbCrA:
		return source{3, false, func(y int, line [3][]byte) {
			fillYCbCr(line, &m.YCbCr, y)
			blend(line, m.A[y*m.AStride:])
		}}, nil
	}
	return source{}, fmt.Errorf("a decoder returned %T", img)
}

func (s source) white() [3]byte {
	if s.planes == 3 && !s.rgb {
		return [3]byte{255, 128, 128}
	}
	return [3]byte{255, 255, 255}
}

// rows returns a function that yields the rows of a canvas of the given width.
// The canvas is white outside the picture.
func (s source) rows(picture image.Rectangle, width int) func(y int) [][]byte {
	canvas := make([][]byte, s.planes)
	var line [3][]byte
	for i := range canvas {
		canvas[i] = make([]byte, width)
		line[i] = canvas[i][picture.Min.X:picture.Max.X]
	}
	white := s.white()
	paint := func() {
		for i, row := range canvas {
			for x := range row {
				row[x] = white[i]
			}
		}
	}
	paint()
	return func(y int) [][]byte {
		switch {
		case y >= picture.Min.Y && y < picture.Max.Y:
			s.fill(y-picture.Min.Y, line)
		case y == picture.Max.Y:
			paint()
		}
		return canvas
	}
}

// over blends a sample over white. An alpha of 255 is opaque.
func over(sample, alpha byte) byte { return on(sample, 255, alpha) }

// on blends a sample over a background.
func on(sample, background, alpha byte) byte {
	return byte((uint32(sample)*uint32(alpha) + uint32(background)*uint32(255-alpha) + 127) / 255)
}

func fillGray16(row, pix []byte) {
	for i := range row {
		row[i] = pix[2*i]
	}
}

// fillRGBA reads colours that are premultiplied by their alpha.
func fillRGBA(line [3][]byte, pix []byte) {
	r := line[0]
	g, b := line[1][:len(r)], line[2][:len(r)]
	for i := range r {
		p := pix[4*i : 4*i+4 : 4*i+4]
		rest := 255 - p[3]
		r[i], g[i], b[i] = p[0]+rest, p[1]+rest, p[2]+rest
	}
}

// fillNRGBA reads samples of width bytes and uses the first byte of each.
func fillNRGBA(line [3][]byte, pix []byte, width int) {
	r := line[0]
	g, b := line[1][:len(r)], line[2][:len(r)]
	for i := range r {
		p := pix[4*width*i : 4*width*(i+1)]
		alpha := p[3*width]
		if alpha == 255 {
			r[i], g[i], b[i] = p[0], p[width], p[2*width]
			continue
		}
		r[i], g[i], b[i] = over(p[0], alpha), over(p[width], alpha), over(p[2*width], alpha)
	}
}

// opaqueColors blends the colours of a palette over white. Indexes beyond the
// palette are black.
func opaqueColors(palette color.Palette) *[256][3]byte {
	var colors [256][3]byte
	for i, c := range palette[:min(len(palette), 256)] {
		n := color.NRGBAModel.Convert(c).(color.NRGBA)
		colors[i] = [3]byte{over(n.R, n.A), over(n.G, n.A), over(n.B, n.A)}
	}
	return &colors
}

func fillPaletted(line [3][]byte, pix []byte, colors *[256][3]byte) {
	r := line[0]
	g, b := line[1][:len(r)], line[2][:len(r)]
	for i := range r {
		c := &colors[pix[i]]
		r[i], g[i], b[i] = c[0], c[1], c[2]
	}
}

// fillYCbCr reads 4:2:0, the only subsampling of WebP.
func fillYCbCr(line [3][]byte, m *image.YCbCr, y int) {
	copy(line[0], m.Y[y*m.YStride:])
	cb, cr := m.Cb[y/2*m.CStride:], m.Cr[y/2*m.CStride:]
	for i := range line[0] {
		line[1][i], line[2][i] = cb[i/2], cr[i/2]
	}
}

// blend blends Y, Cb and Cr over white. As the conversion to RGB is linear, the
// result is that of blending red, green and blue.
func blend(line [3][]byte, alpha []byte) {
	for i := range line[0] {
		if a := alpha[i]; a != 255 {
			line[0][i] = over(line[0][i], a)
			line[1][i] = on(line[1][i], 128, a)
			line[2][i] = on(line[2][i], 128, a)
		}
	}
}
