package jpeg

import "context"

// Plane is a rectangle of samples, row by row, Stride bytes from one to the next.
type Plane struct {
	Pix                   []byte
	Stride, Width, Height int
}

// Row returns row y.
func (p Plane) Row(y int) []byte { return p.Pix[y*p.Stride:][:p.Width] }

// Scale is how large Decode makes a picture, in eighths: 8, 4, 2 or 1.
type Scale int

// PlaneSize returns the size of a component's plane at a scale. Without
// subsampling, and at a scale of 8, it is the size of the picture.
func (f *File) PlaneSize(component int, scale Scale) (width, height int) {
	width, height = f.frame.samples(component)
	return ceilDiv(width*int(scale), 8), ceilDiv(height*int(scale), 8)
}

// Sampling returns a component's horizontal and vertical sampling factors, and
// the largest ones of the frame: a row of hMax pixels has h of its samples.
func (f *File) Sampling(component int) (h, hMax, v, vMax int) {
	c := f.frame.components[component]
	return c.h, f.frame.hMax, c.v, f.frame.vMax
}

// Decode makes the picture's components, at a scale, and hands them over in
// strips: band is called with the first row and the rows of a component, from
// the top to the bottom of each component, whatever order these take turns in.
// rows is valid during the call. Below a scale of 8 the samples are those that
// the lowest frequencies of each block of 8 × 8 make in 4 × 4, 2 × 2 or 1, which
// costs less than averaging and does nearly the same.
//
// Memory doesn't grow with the picture, except for a progressive one's
// coefficients: at a scale of 8, 136 bytes a block of 64 samples; of 4, 40; of 2,
// 16; of 1, 10.
//
// Decode fails as Check does, and with what band returns. It returns ctx's
// cause soon after ctx ends.
func (f *File) Decode(ctx context.Context, scale Scale, band func(component, y int, rows Plane) error) error {
	w := f.newWalk()
	defer w.end()
	if f.Progressive {
		p := newProgressive(w, int(scale))
		if err := w.segments(ctx, p.begin); err != nil {
			return err
		}
		return p.samples(ctx, band)
	}
	s := strips{w: w, scale: int(scale), coming: band}
	return w.segments(ctx, s.begin)
}

// inverse makes the samples of a block whose last coefficient, in the order of a
// scan, is given. Its steps are those of the block's quantizer.
func inverse(to []byte, stride, scale int, block *[65]int16, steps *[65]uint16, last int) {
	switch {
	case last == 0 || scale == 1:
		flat(to, stride, scale, inverse1(block[0], steps[0]))
	case scale == 8 && last <= lastLow:
		inverse8low(to, stride, (*[64]int16)(block[:]), (*[64]uint16)(steps[:]))
	case scale == 8:
		inverse8(to, stride, (*[64]int16)(block[:]), (*[64]uint16)(steps[:]))
	case scale == 4:
		inverse4(to, stride, (*[16]int16)(block[:]), (*[16]uint16)(steps[:]))
	default:
		inverse2(to, stride, (*[4]int16)(block[:]), (*[4]uint16)(steps[:]))
	}
}

// lastLow is the last of the coefficients, in the order of a scan, before one
// that isn't among the 4×4 lowest frequencies.
const lastLow = 9
