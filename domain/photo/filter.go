package photo

import "math"

// kernel says how much a sample contributes to a sample of the result, depending
// on the distance between them.
type kernel struct {
	reach  func(width float64) float64 // how far from the middle of a span samples contribute
	weight func(i int, s span) float64 // of sample i, which covers i to i+1
}

// span is the part of a side, in samples, that a sample of the result covers.
// Its width is at least 1 and includes what the ends of the side cut off.
type span struct{ from, to, width float64 }

// area averages over the span. It reads each sample once, and doesn't alias if a
// span has many.
func area() kernel {
	return kernel{func(width float64) float64 { return (width + 1) / 2 }, func(i int, s span) float64 {
		return max(0, min(s.to, float64(i+1))-max(s.from, float64(i)))
	}}
}

// lanczos is the Lanczos filter with three lobes (C. E. Duchon, Lanczos filtering in
// one and two dimensions, 1979). It keeps details that an average blurs, and doesn't
// alias if a span has few samples, but reads each sample six times.
func lanczos() kernel {
	const lobes = 3
	return kernel{func(width float64) float64 { return lobes * width }, func(i int, s span) float64 {
		x := math.Pi * (float64(i) + 0.5 - (s.from+s.to)/2) / s.width
		switch {
		case x == 0:
			return 1
		case math.Abs(x) >= lobes*math.Pi:
			return 0
		}
		return lobes * math.Sin(x) * math.Sin(x/lobes) / (x * x)
	}}
}

// filter is a kernel for one side of a plane. Sample i of the result is the weighted
// sum of the taps samples from first[i] on. The weights add up to 1<<weightBits.
type filter struct {
	first   []int32
	taps    int // samples that contribute to a sample of the result
	weights []int32
	same    bool // the result has the samples of the source
}

const (
	weightBits   = 20
	fractionBits = 8 // of a horizontally scaled row
)

// side is one side of a plane, with density samples per pixel. The picture has
// from pixels on this side before it is scaled, and to pixels after. A sample of
// the result covers per pixels, counted from the other end if the side is
// reversed.
type side struct {
	from, to, samples, per int
	density                ratio
	reversed               bool
}

// spans returns the span of each sample of the result.
func (s side) spans() []span {
	out := make([]span, (s.to+s.per-1)/s.per)
	step := float64(s.from*s.density.num) / float64(s.to*s.density.den) // samples per pixel of the result
	lead := 0
	if s.reversed {
		lead = len(out)*s.per - s.to
	}
	for i := range out {
		from, to := max(i*s.per-lead, 0), min((i+1)*s.per-lead, s.to)
		out[i] = span{float64(from) * step, min(float64(to)*step, float64(s.samples)), max(float64(s.per)*step, 1)}
	}
	return out
}

func (k kernel) filter(s side) filter {
	spans := s.spans()
	reach := k.reach(spans[0].width)
	f := filter{taps: min(int(math.Ceil(2*reach)), s.samples)}
	f.first, f.weights = make([]int32, len(spans)), make([]int32, len(spans)*f.taps)
	f.same = len(spans) == s.samples
	weights := make([]float64, f.taps)
	for i, span := range spans {
		first := int(math.Ceil((span.from+span.to-1)/2 - reach))
		first = max(min(first, s.samples-f.taps), 0)
		f.first[i] = int32(first)
		f.same = f.same && span.from == float64(i) && span.to == float64(i+1)
		for tap := range weights {
			weights[tap] = k.weight(first+tap, span)
		}
		normalised(f.of(i), weights)
	}
	return f
}

// normalised rounds weights so that they add up to 1<<weightBits; the largest
// absorbs the rounding errors.
func normalised(out []int32, weights []float64) {
	sum := 0.0
	for _, weight := range weights {
		sum += weight
	}
	rest, largest := int32(1<<weightBits), 0
	for i, weight := range weights {
		out[i] = int32(math.Round(weight / sum * (1 << weightBits)))
		rest -= out[i]
		if out[i] > out[largest] {
			largest = i
		}
	}
	out[largest] += rest
}

// of returns the weights of sample i.
func (f *filter) of(i int) []int32 { return f.weights[i*f.taps:][:f.taps] }

// apply scales a row horizontally to a line.
func (f *filter) apply(line []int32, row []byte) {
	first := f.first[:len(line)]
	for i := range line {
		samples := row[first[i]:][:f.taps]
		weights := f.weights[i*f.taps:][:len(samples)]
		even, odd, k := int32(0), int32(0), 0
		for ; k+4 <= len(samples); k += 4 {
			s, w := samples[k:k+4:k+4], weights[k:k+4:k+4]
			even += int32(s[0])*w[0] + int32(s[2])*w[2]
			odd += int32(s[1])*w[1] + int32(s[3])*w[3]
		}
		for ; k < len(samples); k++ {
			even += int32(samples[k]) * weights[k]
		}
		line[i] = (even + odd) >> (weightBits - fractionBits)
	}
}
