package photo

import "math"

// fit returns the size of what is stored: width and height at most, with the
// longest side at MaxDimension where it is over that.
func (l Limits) fit(width, height int) (int, int) {
	longest := max(width, height)
	if l.MaxDimension <= 0 || longest <= l.MaxDimension {
		return width, height
	}
	scale := func(side int) int {
		return max(1, int((2*int64(side)*int64(l.MaxDimension)+int64(longest))/(2*int64(longest))))
	}
	return scale(width), scale(height)
}

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
