package photo

import "math"

// plane is one component of a picture.
type plane struct {
	pix           []byte
	stride        int
	width, height int
}

func newPlane(width, height int) plane {
	return plane{pix: make([]byte, width*height), stride: width, width: width, height: height}
}

func (p plane) row(y int) []byte { return p.pix[y*p.stride:][:p.width] }

// span is the samples that one scaled sample is the average of, by the share
// of each that it covers. The weights add up to 1<<weightBits.
type span struct {
	first, last                 int // last is included
	weight, weightIn, weightEnd uint32
}

const weightBits = 24

// spans divides a row of samples: scaled sample i covers the samples from
// i×step−lead, step of them, as far as there are any.
func spans(count int, step, lead float64, samples int) []span {
	out := make([]span, count)
	for i := range out {
		from := max(float64(i)*step-lead, 0)
		to := min(float64(i+1)*step-lead, float64(samples))
		out[i] = newSpan(from, to, samples)
	}
	return out
}

func newSpan(from, to float64, samples int) span {
	s := span{first: min(int(from), samples-1)}
	s.last = min(max(int(math.Ceil(to))-1, s.first), samples-1)
	if s.last == s.first {
		s.weight = 1 << weightBits
		return s
	}
	unit := (1 << weightBits) / (to - from)
	s.weightIn = uint32(unit)
	s.weightEnd = uint32(unit * (to - float64(s.last)))
	s.weight = 1<<weightBits - s.weightEnd - uint32(s.last-s.first-1)*s.weightIn
	return s
}

// of returns the weight of sample i.
func (s span) of(i int) uint32 {
	switch i {
	case s.first:
		return s.weight
	case s.last:
		return s.weightEnd
	}
	return s.weightIn
}

// identity says that each of the samples is a scaled sample.
func identity(all []span, samples int) bool {
	for i, s := range all {
		if s.first != i || s.last != i {
			return false
		}
	}
	return len(all) == samples
}

// shrink averages a plane, or returns it where nothing changes.
func (p plane) shrink(across, down []span) plane {
	if identity(across, p.width) && identity(down, p.height) {
		return p
	}
	one := make([][]byte, 1)
	return shrink(1, across, down, func(y int) [][]byte {
		one[0] = p.row(y)
		return one
	})[0]
}

// shrink averages the samples of a picture's planes, which have one size, over
// across and down. row yields row y of each plane and is called for each once,
// in order. Averaging over areas doesn't alias, and takes each sample once.
func shrink(planes int, across, down []span, row func(y int) [][]byte) []plane {
	out := make([]plane, planes)
	lines := make([][]uint32, planes)
	sums := make([][]uint64, planes)
	for i := range out {
		out[i] = newPlane(len(across), len(down))
		lines[i] = make([]uint32, len(across))
		sums[i] = make([]uint64, len(across))
	}
	current := -1
	for i, rows := range down {
		for y := rows.first; y <= rows.last; y++ {
			if y != current {
				current = y
				for p, samples := range row(y) {
					average(lines[p], samples, across)
				}
			}
			for p := range lines {
				accumulate(sums[p], lines[p], uint64(rows.of(y)))
			}
		}
		for p := range out {
			finish(out[p].row(i), sums[p])
		}
	}
	return out
}

// fractionBits is how many bits of a fraction averaged rows have.
const fractionBits = 8

// average averages a row over its spans.
func average(line []uint32, samples []byte, across []span) {
	line = line[:len(across)]
	for i := range across {
		s := &across[i]
		sum := uint64(samples[s.first]) * uint64(s.weight)
		if s.last > s.first {
			inner := uint64(0)
			for _, sample := range samples[s.first+1 : s.last] {
				inner += uint64(sample)
			}
			sum += inner*uint64(s.weightIn) + uint64(samples[s.last])*uint64(s.weightEnd)
		}
		line[i] = uint32(sum >> (weightBits - fractionBits))
	}
}

func accumulate(sums []uint64, line []uint32, weight uint64) {
	sums = sums[:len(line)]
	for i, value := range line {
		sums[i] += uint64(value) * weight
	}
}

// finish rounds the sums to samples and clears them.
func finish(row []byte, sums []uint64) {
	const bits = weightBits + fractionBits
	row = row[:len(sums)]
	for i, sum := range sums {
		row[i] = byte((sum + 1<<(bits-1)) >> bits)
		sums[i] = 0
	}
}

// turn returns p as it is seen upright. It goes by tiles, so that columns stay
// in the cache as rows do.
func (p plane) turn(o orientation) plane {
	if o == upright {
		return p
	}
	// Where in p the first sample of the result is, and those beside and below it.
	first, right, down := 0, 1, p.stride
	columns, rows := o.reverses()
	if columns {
		first, right = p.width-1, -1
	}
	if rows {
		first, down = first+(p.height-1)*p.stride, -p.stride
	}
	out := newPlane(p.width, p.height)
	if o.swapsSides() {
		out, right, down = newPlane(p.height, p.width), down, right
	}
	const tile = 32
	for top := 0; top < out.height; top += tile {
		for left := 0; left < out.width; left += tile {
			for y := top; y < min(top+tile, out.height); y++ {
				row, from := out.row(y), first+y*down
				for x := left; x < min(left+tile, out.width); x++ {
					row[x] = p.pix[from+x*right]
				}
			}
		}
	}
	return out
}
