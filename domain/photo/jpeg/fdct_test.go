package jpeg

import (
	"math"
	"math/rand/v2"
	"testing"
)

// TestForward compares the transform with its definition (T.81, A.3.3): on
// noise, and on blocks with the largest and smallest values of each coefficient.
func TestForward(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for i := range 64 {
		var most, least, noise, coarse [64]byte
		for at := range most {
			if cosines[8][at/8][i/8]*cosines[8][at%8][i%8] > 0 {
				most[at] = 255
			}
			least[at] = 255 - most[at]
			noise[at] = byte(random.Uint32())
			coarse[at] = byte(random.IntN(2) * 255)
		}
		for name, block := range map[string]*[64]byte{"most": &most, "least": &least, "noise": &noise, "coarse": &coarse} {
			if off := forwardError(block); off > 0.15 {
				t.Errorf("block %d, %s: a coefficient is off by %.3f", i, name, off)
			}
		}
	}
}

// forwardError returns the largest error of forward's coefficients.
func forwardError(samples *[64]byte) (most float64) {
	const stride = 11 // the bytes between the rows must be ignored
	padded := [7*stride + 8]byte{}
	for i := range padded {
		padded[i] = 200
	}
	for y := range 8 {
		copy(padded[y*stride:], samples[8*y:][:8])
	}
	var got [32]pair
	forward(padded[:], stride, &got)
	for i := range 64 {
		want := 0.0
		for at, sample := range samples {
			want += (float64(sample) - 128) * cosines[8][at/8][i/8] * cosines[8][at%8][i%8]
		}
		number := got[i%32].low()
		if i >= 32 {
			number = got[i%32].high()
		}
		most = max(most, math.Abs(float64(number)/(1<<forwardBits)-want))
	}
	return most
}

// TestQuantize tries each divisor near ties, which are rounded away from zero.
func TestQuantize(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for divisor := 1; divisor <= 255; divisor++ {
		var table [64]byte
		for i := range table {
			table[i] = byte(divisor)
		}
		r := newReciprocals(&table)
		var coefficients [32]pair
		var want, got [64]int16
		var nonzero uint64
		for k, i := range zigzag {
			unit := pair(divisor) << forwardBits
			number := (pair(random.IntN(2048/divisor+1))-pair(1024/divisor))*unit/2 + pair(random.IntN(3)-1)*unit>>12
			if i < 32 {
				coefficients[i] += number
			} else {
				coefficients[i-32] += number << 32
			}
			want[k] = int16(math.Round(float64(number) / float64(unit)))
			if want[k] != 0 {
				nonzero |= 1 << k
			}
		}
		if bits := r.quantize(&coefficients, &got); got != want || bits != nonzero {
			t.Errorf("divisor %d: got %v and %b, want %v and %b", divisor, got, bits, want, nonzero)
		}
	}
}
