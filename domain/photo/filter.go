package photo

import "math"

// kernel says how much samples count, by how far they are from what is made.
type kernel struct {
	reach  func(width float64) float64 // how far from a span's middle those of the samples are that count
	weight func(i int, s span) float64 // of the sample from i to i+1
}

// span is the part of a side that a sample of the result is for, in samples, and
// its width if it weren't cut off at the side's ends, or 1 if it is narrower.
type span struct{ from, to, width float64 }

// area averages over the span. It takes each sample once, and doesn't alias where
// there are many.
func area() kernel {
	return kernel{func(width float64) float64 { return (width + 1) / 2 }, func(i int, s span) float64 {
		return max(0, min(s.to, float64(i+1))-max(s.from, float64(i)))
	}}
}

// lanczos is Lanczos's filter of three lobes (C. E. Duchon, Lanczos filtering in
// one and two dimensions, 1979). It keeps what an average blurs, and doesn't
// alias where a span has few samples, but takes each six times.
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

// filter is a kernel for one side of a plane: each sample of the result is the
// sum of the samples from first on by their weights, which add up to
// 1<<weightBits.
type filter struct {
	first   []int32
	taps    int // weights of a sample
	weights []int32
	same    bool // the samples are those of the result
}

const (
	weightBits   = 20
	fractionBits = 8 // of a row that is scaled across
)

// side is one side of a plane, with so many samples a pixel, of a picture of
// from pixels that becomes one of to. A sample of the result is for per pixels,
// counted from the other end where the side is reversed.
type side struct {
	from, to, samples, per int
	density                ratio
	reversed               bool
}

// spans are those of the samples of the result.
func (s side) spans() []span {
	out := make([]span, (s.to+s.per-1)/s.per)
	step := float64(s.from*s.density.num) / float64(s.to*s.density.den) // samples a pixel of the result
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

// normalised rounds weights so that they add up to one; the largest takes what
// is left.
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

// apply makes a line of a row.
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
