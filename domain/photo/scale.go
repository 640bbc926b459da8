package photo

import (
	"image"
	"math"

	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

// target is the picture to make of another: scaled down, then turned upright.
type target struct {
	from, to    image.Point // sizes of the source and of the scaled picture, before it is turned
	orientation orientation
}

// ratio is a fraction.
type ratio struct{ num, den int }

// grid is how a plane's samples lie on the source picture.
type grid struct {
	samples image.Point // columns and rows
	x, y    ratio       // samples a pixel
}

// averager scales one plane down to the result's, a row at a time: each sample
// is the mean of the area that it covers, which doesn't alias and takes each
// sample once. The rows that are finished are put where they are in the picture
// that was turned upright.
type averager struct {
	out              jpeg.Plane
	first, right, by int // where in out the first sample is, and how far those beside and below it are
	across, down     []span
	same             bool  // the samples are those of the result
	y                int32 // rows that came
	done             int   // rows that are finished
	line             []uint32
	sums             []uint64
}

// averager returns an averager for a plane of the source, of which each sample
// of the result is for per × per pixels of the result.
//
// These are counted from the left and the top of the picture once it is upright:
// where an odd number of them is reversed, the first sample that is made has
// one of them alone.
func (t target) averager(g grid, per int) *averager {
	columns, rows := t.orientation.reverses()
	a := &averager{
		across: spans(t.from.X, t.to.X, g.samples.X, g.x, per, columns),
		down:   spans(t.from.Y, t.to.Y, g.samples.Y, g.y, per, rows),
	}
	a.same = identity(a.across, g.samples.X) && identity(a.down, g.samples.Y)
	width, height := len(a.across), len(a.down)
	a.out = jpeg.Plane{Pix: make([]byte, width*height), Stride: width, Width: width, Height: height}
	a.right, a.by = 1, width
	if t.orientation.swapsSides() {
		a.out.Stride, a.out.Width, a.out.Height = height, height, width
		a.right, a.by = height, 1
	}
	if columns {
		a.first, a.right = a.first+(width-1)*a.right, -a.right
	}
	if rows {
		a.first, a.by = a.first+(height-1)*a.by, -a.by
	}
	if !a.same {
		a.line, a.sums = make([]uint32, width), make([]uint64, width)
	}
	return a
}

// push takes the plane's next row.
func (a *averager) push(row []byte) {
	if a.same {
		a.put(row)
		return
	}
	average(a.line, row, a.across)
	for ; a.done < len(a.down); a.finish() {
		s := &a.down[a.done]
		if s.first > a.y {
			break
		}
		accumulate(a.sums, a.line, s.of(a.y))
		if s.last > a.y {
			break
		}
	}
	a.y++
}

// put puts a row of the result in its place.
func (a *averager) put(row []byte) {
	at := a.first + a.done*a.by
	a.done++
	if a.right == 1 {
		copy(a.out.Pix[at:], row)
		return
	}
	for _, sample := range row[:len(a.across)] {
		a.out.Pix[at] = sample
		at += a.right
	}
}

// finish rounds the sums to a row of the result and clears them.
func (a *averager) finish() {
	const bits = weightBits + fractionBits
	at, pix := a.first+a.done*a.by, a.out.Pix
	for i, sum := range a.sums {
		pix[at] = byte((sum + 1<<(bits-1)) >> bits)
		a.sums[i] = 0
		at += a.right
	}
	a.done++
}

// span is the samples that one scaled sample is the average of, by the share
// of each that it covers. The weights add up to 1<<weightBits; where there is one
// sample, it counts as the last.
type span struct {
	first, last                 int32 // last is included
	weight, weightIn, weightEnd uint32
}

const (
	weightBits   = 24
	fractionBits = 8 // of a row that is averaged across
)

// spans divides one side of a plane, of samples at so many a pixel, for a
// picture of from pixels that becomes one of to. Each span is for per pixels
// of it, counted from its other end where it is reversed.
func spans(from, to, samples int, density ratio, per int, reversed bool) []span {
	out := make([]span, (to+per-1)/per)
	step := float64(from*density.num) / float64(to*density.den) // samples a pixel of the result
	lead := 0
	if reversed {
		lead = len(out)*per - to
	}
	for i := range out {
		start := max(float64(i*per-lead)*step, 0)
		end := min(float64(min((i+1)*per-lead, to))*step, float64(samples))
		out[i] = newSpan(start, end, int32(samples))
	}
	return out
}

func newSpan(from, to float64, samples int32) span {
	s := span{first: min(int32(from), samples-1)}
	s.last = min(max(int32(math.Ceil(to))-1, s.first), samples-1)
	if s.last == s.first {
		s.weightEnd = 1 << weightBits
		return s
	}
	unit := (1 << weightBits) / (to - from)
	s.weightIn = uint32(unit)
	s.weightEnd = uint32(unit * (to - float64(s.last)))
	s.weight = 1<<weightBits - s.weightEnd - uint32(s.last-s.first-1)*s.weightIn
	return s
}

// of returns the weight of sample i.
func (s *span) of(i int32) uint64 {
	switch i {
	case s.last:
		return uint64(s.weightEnd)
	case s.first:
		return uint64(s.weight)
	}
	return uint64(s.weightIn)
}

// identity says that each of the samples is a scaled sample.
func identity(all []span, samples int) bool {
	for i, s := range all {
		if int(s.first) != i || int(s.last) != i {
			return false
		}
	}
	return len(all) == samples
}

// average averages a row over its spans.
func average(line []uint32, samples []byte, across []span) {
	line = line[:len(across)]
	for i := range across {
		s := &across[i]
		first, last := int(s.first), int(s.last)
		inner := uint64(0)
		for k := first + 1; k < last; k++ {
			inner += uint64(samples[k])
		}
		sum := uint64(samples[first])*uint64(s.weight) + inner*uint64(s.weightIn) + uint64(samples[last])*uint64(s.weightEnd)
		line[i] = uint32(sum >> (weightBits - fractionBits))
	}
}

func accumulate(sums []uint64, line []uint32, weight uint64) {
	sums = sums[:len(line)]
	for i, value := range line {
		sums[i] += uint64(value) * weight
	}
}
