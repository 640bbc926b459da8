package photo

import (
	"image"

	"github.com/fleetphoto/fleetphoto/domain/photo/jpeg"
)

// target is what becomes of a source picture: it is scaled down, then turned
// upright.
type target struct {
	from, to    image.Point // sizes of the source and of the scaled picture before it is turned
	orientation orientation
}

// grid says how a plane's samples lie on the source picture.
type grid struct {
	samples image.Point // columns and rows
	x, y    ratio       // samples per pixel
}

// ratio is a fraction.
type ratio struct{ num, den int }

// scaler scales one plane, a row at a time. It scales each source row
// horizontally, combines the latest of these into a row of the result, and
// writes that to its place in the upright picture.
type scaler struct {
	out              jpeg.Plane
	first, right, by int // index in out of the first sample, and the steps to the ones right of it and below it
	across, down     filter
	same             bool    // the result has the samples of the source
	lines            []int32 // the latest rows, scaled horizontally; row y is line y modulo down.taps
	came, made       int     // numbers of rows
	sums             []int64 // of the row that is being made
}

// scaler returns a scaler for a plane of the source. Each sample of its result
// covers per × per pixels.
//
// These are counted from the left and the top of the upright picture. If an odd
// number of pixels is reversed, the first sample made therefore covers only one
// of them.
func (t target) scaler(k kernel, g grid, per int) *scaler {
	columns, rows := t.orientation.reverses()
	s := &scaler{
		across: k.filter(side{t.from.X, t.to.X, g.samples.X, per, g.x, columns}),
		down:   k.filter(side{t.from.Y, t.to.Y, g.samples.Y, per, g.y, rows}),
	}
	width, height := len(s.across.first), len(s.down.first)
	s.out = jpeg.Plane{Pix: make([]byte, width*height), Stride: width, Width: width, Height: height}
	s.right, s.by = 1, width
	if t.orientation.swapsSides() {
		s.out.Stride, s.out.Width, s.out.Height = height, height, width
		s.right, s.by = height, 1
	}
	if columns {
		s.first, s.right = s.first+(width-1)*s.right, -s.right
	}
	if rows {
		s.first, s.by = s.first+(height-1)*s.by, -s.by
	}
	s.same = s.across.same && s.down.same
	if !s.same {
		s.lines, s.sums = make([]int32, width*s.down.taps), make([]int64, width)
	}
	return s
}

// push takes the plane's next row.
func (s *scaler) push(row []byte) {
	if s.same {
		s.put(row)
		return
	}
	s.across.apply(s.line(s.came), row)
	s.came++
	for s.made < len(s.down.first) && int(s.down.first[s.made])+s.down.taps <= s.came {
		s.make()
	}
}

func (s *scaler) line(y int) []int32 {
	width := len(s.sums)
	return s.lines[y%s.down.taps*width:][:width]
}

// put writes a row of the result to its place.
func (s *scaler) put(row []byte) {
	at := s.first + s.made*s.by
	s.made++
	if s.right == 1 {
		copy(s.out.Pix[at:], row)
		return
	}
	for _, sample := range row {
		s.out.Pix[at] = sample
		at += s.right
	}
}

// make makes a row of the result. Adding four lines at a time is faster than one.
func (s *scaler) make() {
	first, weights := int(s.down.first[s.made]), s.down.of(s.made)
	clear(s.sums)
	sums, k := s.sums, 0
	for ; k+4 <= len(weights); k += 4 {
		a, b := s.line(first + k)[:len(sums)], s.line(first + k + 1)[:len(sums)]
		c, d := s.line(first + k + 2)[:len(sums)], s.line(first + k + 3)[:len(sums)]
		p, q, r, t := int64(weights[k]), int64(weights[k+1]), int64(weights[k+2]), int64(weights[k+3])
		for i := range sums {
			sums[i] += int64(a[i])*p + int64(b[i])*q + int64(c[i])*r + int64(d[i])*t
		}
	}
	for ; k < len(weights); k++ {
		line, weight := s.line(first + k)[:len(sums)], int64(weights[k])
		for i := range sums {
			sums[i] += int64(line[i]) * weight
		}
	}
	const bits = weightBits + fractionBits
	at, pix := s.first+s.made*s.by, s.out.Pix
	for _, sum := range sums {
		pix[at] = byte(min(max((sum+1<<(bits-1))>>bits, 0), 255))
		at += s.right
	}
	s.made++
}
