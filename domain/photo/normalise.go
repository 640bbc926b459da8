package photo

import (
	"context"
	"fmt"
	"image"
	"image/color"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

const (
	encodeQuality = 85
	maxSide       = 0xFFFF // longest side of a JPEG, in pixels (ITU-T T.81, B.2.2)
)

// normalise decodes a file, scales its picture down, turns it upright and
// encodes it.
func normalise(ctx context.Context, f file, t target) (output, error) {
	picture, err := f.draw(ctx, t)
	if err != nil {
		return output{}, broken(f.kind, err)
	}
	options := jpeg.Options{Quality: encodeQuality}
	if f.profile != nil {
		options.Profile = neutralProfile(f.profile(), componentsOf(picture))
	}
	size := picture.Y
	encoded, err := jpeg.Encode(ctx, make([]byte, 0, size.Width*size.Height/4), picture, options)
	if err != nil {
		return output{}, fmt.Errorf("encode a JPEG: %w", err)
	}
	return output{encoded, size.Width, size.Height, domain.Normalised}, nil
}

// componentsOf returns the number of components of p: 1 for grey, 3 for colour.
func componentsOf(p jpeg.Picture) int {
	if p.Cb.Pix == nil {
		return 1
	}
	return 3
}

// decoded returns a draw function for a format whose decoder returns an image.Image.
func decoded(decode func(ctx context.Context) (image.Image, error)) func(context.Context, target) (jpeg.Picture, error) {
	return func(ctx context.Context, t target) (jpeg.Picture, error) {
		img, err := decode(ctx)
		if err != nil {
			return jpeg.Picture{}, err
		}
		if m, planar := img.(*image.YCbCr); planar && m.Rect == (image.Rectangle{Max: t.from}) {
			return drawHalved(m, t), nil
		}
		return drawRows(img, t)
	}
}

// drawRows scales an image row by row, with all components at full resolution.
func drawRows(img image.Image, t target) (jpeg.Picture, error) {
	s, err := newSource(img)
	if err != nil {
		return jpeg.Picture{}, err
	}
	planes := make([]*scaler, s.planes)
	for i := range planes {
		planes[i] = t.scaler(area(), grid{t.from, ratio{1, 1}, ratio{1, 1}}, 1)
	}
	row := s.rows(img.Bounds(), t.from.X)
	for y := range t.from.Y {
		for i, samples := range row(y) {
			planes[i].push(samples)
		}
	}
	if s.rgb {
		rgbToYCbCr(planes)
	}
	return pictureOf(planes), nil
}

// drawHalved scales the planes of a 4:2:0 image. The result is 4:2:0 too.
func drawHalved(m *image.YCbCr, t target) jpeg.Picture {
	half := ratio{1, 2}
	chroma := grid{image.Pt((t.from.X+1)/2, (t.from.Y+1)/2), half, half}
	push := func(g grid, per int, pix []byte, stride int) *scaler {
		a := t.scaler(area(), g, per)
		for y := range g.samples.Y {
			a.push(pix[y*stride:][:g.samples.X])
		}
		return a
	}
	return pictureOf([]*scaler{
		push(grid{t.from, ratio{1, 1}, ratio{1, 1}}, 1, m.Y, m.YStride),
		push(chroma, 2, m.Cb, m.CStride),
		push(chroma, 2, m.Cr, m.CStride),
	})
}

// pictureOf returns the picture that the scalers have made.
func pictureOf(planes []*scaler) jpeg.Picture {
	p := jpeg.Picture{Y: planes[0].out}
	if len(planes) > 1 {
		p.Cb, p.Cr = planes[1].out, planes[2].out
	}
	return p
}

// rgbToYCbCr converts red, green and blue in place.
func rgbToYCbCr(planes []*scaler) {
	r := planes[0].out.Pix
	g, b := planes[1].out.Pix[:len(r)], planes[2].out.Pix[:len(r)]
	for i := range r {
		r[i], g[i], b[i] = color.RGBToYCbCr(r[i], g[i], b[i])
	}
}
