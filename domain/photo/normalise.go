package photo

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"slices"

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
	across := spans(width, float64(f.width)/float64(width), 0, f.width)
	down := spans(height, float64(f.height)/float64(height), 0, f.height)
	if img.Bounds() == image.Rect(0, 0, f.width, f.height) {
		switch m := img.(type) {
		case *image.YCbCr:
			return f.scaleYCbCr(m, across, down), nil
		case *image.Gray:
			grey := plane{m.Pix, m.Stride, f.width, f.height}
			return picture{planes: []plane{grey.shrink(across, down)}}, nil
		}
	}
	s, err := newSource(img)
	if err != nil {
		return picture{}, err
	}
	planes := shrink(s.planes, across, down, s.rows(img.Bounds(), f.width))
	if s.rgb {
		toYCbCr(planes)
	}
	return picture{planes: planes}, nil
}

// scaleYCbCr scales the planes as they are, chroma to half the size of luma.
//
// A chroma sample is for two columns and two rows, counted from the left and
// the top of the picture once it is upright: where an odd number of them is
// reversed, the first sample that is stored has one of them alone.
func (f file) scaleYCbCr(m *image.YCbCr, across, down []span) picture {
	width, height := len(across), len(down)
	h, v := subsampling(m.SubsampleRatio)
	luma := plane{m.Y, m.YStride, f.width, f.height}
	blue := plane{m.Cb, m.CStride, (f.width + h - 1) / h, (f.height + v - 1) / v}
	red := blue
	red.pix = m.Cr
	stepX, stepY := 2*float64(f.width)/float64(h*width), 2*float64(f.height)/float64(v*height)
	leadX, leadY := 0.0, 0.0
	columns, rows := f.orientation.reverses()
	if columns && width%2 == 1 {
		leadX = stepX / 2
	}
	if rows && height%2 == 1 {
		leadY = stepY / 2
	}
	halfAcross := spans((width+1)/2, stepX, leadX, blue.width)
	halfDown := spans((height+1)/2, stepY, leadY, blue.height)
	return picture{halved: true, planes: []plane{
		luma.shrink(across, down), blue.shrink(halfAcross, halfDown), red.shrink(halfAcross, halfDown),
	}}
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
	if err := jpeg.Encode(&out, img, &jpeg.Options{Quality: encodeQuality}); err != nil {
		return nil, fmt.Errorf("encode a JPEG: %w", err)
	}
	const start = 2 // the length of SOI
	return slices.Insert(out.Bytes(), start, segments...), nil
}
