package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	encodeQuality = 85
	maxSide       = 0xFFFF // of a JPEG (ITU-T T.81, B.2.2)
)

// normalise decodes a file, scales its picture down to width × height, turns
// it upright and encodes it.
func normalise(f file, width, height int) (output, error) {
	img, err := f.decode()
	if err != nil {
		return output{}, broken(f.kind, err)
	}
	picture, err := f.scale(img, width, height)
	if err != nil {
		return output{}, err
	}
	for i := range picture.planes {
		picture.planes[i] = picture.planes[i].turn(f.orientation)
	}
	var profile []byte
	if f.profile != nil {
		profile = profileSegments(f.profile(), len(picture.planes) == 1)
	}
	encoded, err := picture.encode(profile)
	size := picture.planes[0]
	return output{encoded, size.width, size.height, domain.Normalised}, err
}

// picture is a scaled picture: grey, or Y, Cb and Cr.
type picture struct {
	planes []plane
	halved bool // the chroma planes have half the columns and rows
}

// scale averages a decoded picture into width × height samples. It scales
// before the picture is turned, as there is less to turn then.
func (f file) scale(img image.Image, width, height int) (picture, error) {
	whole := img.Bounds() == image.Rect(0, 0, f.width, f.height)
	if m, planar := img.(*image.YCbCr); planar && whole {
		return f.scaleYCbCr(m, width, height), nil
	}
	if m, grey := img.(*image.Gray); grey && whole {
		p := plane{m.Pix, m.Stride, f.width, f.height}
		return picture{planes: []plane{p.shrink(newGrid(p, width, height))}}, nil
	}
	s, err := newSource(img)
	if err != nil {
		return picture{}, err
	}
	across := spans(width, float64(f.width)/float64(width), 0, f.width)
	down := spans(height, float64(f.height)/float64(height), 0, f.height)
	planes := shrink(s.planes, across, down, s.rows(img.Bounds(), f.width))
	if s.rgb {
		toYCbCr(planes)
	}
	return picture{planes: planes}, nil
}

// scaleYCbCr scales the planes as they are, chroma to half the size of luma.
func (f file) scaleYCbCr(m *image.YCbCr, width, height int) picture {
	h, v := subsampling(m.SubsampleRatio)
	luma := plane{m.Y, m.YStride, f.width, f.height}
	chroma := plane{m.Cb, m.CStride, (f.width + h - 1) / h, (f.height + v - 1) / v}
	// A chroma sample is for two columns and two rows, counted from the left and
	// the top of the picture once it is upright: where an odd number of them is
	// reversed, the first sample that is stored has one of them alone.
	g := grid{width: (width + 1) / 2, height: (height + 1) / 2}
	g.stepX = 2 * float64(f.width) / float64(h*width)
	g.stepY = 2 * float64(f.height) / float64(v*height)
	columns, rows := f.orientation.reverses()
	if columns && width%2 == 1 {
		g.leadX = g.stepX / 2
	}
	if rows && height%2 == 1 {
		g.leadY = g.stepY / 2
	}
	red := chroma
	red.pix = m.Cr
	return picture{halved: true, planes: []plane{luma.shrink(newGrid(luma, width, height)), chroma.shrink(g), red.shrink(g)}}
}

// grid says which samples of a plane a scaled plane averages.
type grid struct {
	width, height              int
	stepX, stepY, leadX, leadY float64
}

func newGrid(p plane, width, height int) grid {
	return grid{width: width, height: height, stepX: float64(p.width) / float64(width), stepY: float64(p.height) / float64(height)}
}

// shrink averages a plane, or returns it where nothing changes.
func (p plane) shrink(g grid) plane {
	if p.width == g.width && p.height == g.height && g.stepX == 1 && g.stepY == 1 && g.leadX == 0 && g.leadY == 0 {
		return p
	}
	across := spans(g.width, g.stepX, g.leadX, p.width)
	down := spans(g.height, g.stepY, g.leadY, p.height)
	one := make([][]byte, 1)
	return shrink(1, across, down, func(y int) [][]byte {
		one[0] = p.row(y)
		return one
	})[0]
}

// toYCbCr converts red, green and blue in place.
func toYCbCr(planes []plane) {
	r := planes[0].pix
	g, b := planes[1].pix[:len(r)], planes[2].pix[:len(r)]
	for i := range r {
		r[i], g[i], b[i] = color.RGBToYCbCr(r[i], g[i], b[i])
	}
}

// encode makes a JPEG that has the segments right behind its start.
func (p picture) encode(segments []byte) ([]byte, error) {
	size := p.planes[0]
	bounds := image.Rect(0, 0, size.width, size.height)
	var img image.Image = &image.Gray{Pix: size.pix, Stride: size.stride, Rect: bounds}
	if len(p.planes) == 3 {
		ratio := image.YCbCrSubsampleRatio444
		if p.halved {
			ratio = image.YCbCrSubsampleRatio420
		}
		img = &image.YCbCr{
			Y: size.pix, Cb: p.planes[1].pix, Cr: p.planes[2].pix, YStride: size.stride, CStride: p.planes[1].stride,
			SubsampleRatio: ratio, Rect: bounds,
		}
	}
	var out bytes.Buffer
	out.Write([]byte{0xFF, markerSOI})
	out.Write(segments)
	if err := jpeg.Encode(&withoutStart{&out, 2}, img, &jpeg.Options{Quality: encodeQuality}); err != nil {
		return nil, fmt.Errorf("encode a JPEG: %w", err)
	}
	return out.Bytes(), nil
}

// withoutStart drops the first bytes that are written.
type withoutStart struct {
	io.Writer
	left int
}

func (w *withoutStart) Write(p []byte) (int, error) {
	drop := min(w.left, len(p))
	w.left -= drop
	n, err := w.Writer.Write(p[drop:])
	return drop + n, err
}
