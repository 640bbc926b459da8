package jpeg

import "context"

// Plane is a rectangle of samples. Its rows are Stride bytes apart.
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

// Sampling returns a component's horizontal and vertical sampling factors, and the
// largest ones of the frame: hMax pixels of a row have h samples of the component.
func (f *File) Sampling(component int) (h, hMax, v, vMax int) {
	c := f.frame.components[component]
	return c.h, f.frame.hMax, c.v, f.frame.vMax
}

// Decode makes the samples of the picture at a scale and passes them to band in
// strips: some rows of a component, from row y on. The strips of a component
// come from top to bottom; strips of different components may alternate in any
// order. rows is valid during the call.
//
// Below a scale of 8, the lowest frequencies of each block of 8×8 become 4×4,
// 2×2 or 1×1 samples, which costs less than averaging and looks nearly the same.
//
// Decode takes memory for a strip of each component, whatever the height of the
// picture. Only a progressive picture takes more, for its coefficients: 136 bytes
// per block of 64 samples at a scale of 8, 40 bytes at 4, 16 at 2 and 10 at 1.
//
// Decode fails as Check does, and with the error of band. It returns ctx's cause
// soon after ctx ends.
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
	s := strips{w: w, scale: int(scale), band: band}
	return w.segments(ctx, s.begin)
}

// inverse makes the samples of a block. last is its last coefficient in scan
// order, and steps are those of its quantizer.
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

// lastLow is the last coefficient in scan order before the first that is not
// among the 4×4 lowest frequencies.
const lastLow = 9
