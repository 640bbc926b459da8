package jpeg

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
)

// inverses are the transforms as functions of a whole block.
var inverses = map[int]func(dst []byte, stride int, b *[64]int16, q *[64]uint16){
	8: inverse8,
	4: func(dst []byte, stride int, b *[64]int16, q *[64]uint16) {
		inverse4(dst, stride, (*[16]int16)(lowest(4, b)), (*[16]uint16)(lowest(4, q)))
	},
	2: func(dst []byte, stride int, b *[64]int16, q *[64]uint16) {
		inverse2(dst, stride, (*[4]int16)(lowest(2, b)), (*[4]uint16)(lowest(2, q)))
	},
	1: func(dst []byte, stride int, b *[64]int16, q *[64]uint16) {
		flat(dst, stride, 1, inverse1(b[0], q[0]))
	},
}

// lowest returns the n×n lowest frequencies of a block.
func lowest[T any](n int, b *[64]T) []T {
	var out []T
	for v := range n {
		out = append(out, b[8*v:][:n]...)
	}
	return out
}

// cosines[n][x][u] is the weight of frequency u in sample x of n.
var cosines = [...][8][8]float64{1: basis(1), 2: basis(2), 4: basis(4), 8: basis(8)}

func basis(n int) (out [8][8]float64) {
	for x := range n {
		out[x][0] = 1 / math.Sqrt(float64(n))
		for u := 1; u < n; u++ {
			out[x][u] = math.Sqrt(2/float64(n)) * math.Cos(float64((2*x+1)*u)*math.Pi/float64(2*n))
		}
	}
	return out
}

// exact is the inverse DCT of the n×n lowest frequencies by its definition
// (T.81, A.3.3), in the range of samples but not rounded.
func exact(n int, b *[64]int16, q *[64]uint16) []float64 {
	out := make([]float64, n*n)
	for i := range out {
		down, across := &cosines[n][i/n], &cosines[n][i%n]
		for v := range n {
			for u := range n {
				out[i] += float64(b[8*v+u]) * float64(q[8*v+u]) * down[v] * across[u]
			}
		}
		out[i] = min(max(out[i]*float64(n)/8+128, 0), 255)
	}
	return out
}

// randomBlock is the DCT of samples of up to ±peak, quantized.
func randomBlock(random *rand.Rand, peak int, q *[64]uint16) (b [64]int16) {
	var sums [64]float64
	for at := range 64 {
		sample := float64(random.IntN(2*peak+1) - peak)
		down, across := &cosines[8][at/8], &cosines[8][at%8]
		for i := range sums {
			sums[i] += sample * down[i/8] * across[i%8]
		}
	}
	for i := range b {
		b[i] = int16(math.Round(sums[i] / float64(q[i])))
	}
	return b
}

// TestInverseAccuracy checks the limits of IEEE 1180-1990: the largest, the mean
// and the mean square error of each sample.
func TestInverseAccuracy(t *testing.T) {
	t.Parallel()
	quantizers := map[string]func(i int) uint16{
		"1":      func(int) uint16 { return 1 },
		"rising": func(i int) uint16 { return uint16(3 + i/8 + i%8) },
	}
	for n, inverse := range inverses {
		for _, peak := range []int{5, 128, 300} {
			for name, step := range quantizers {
				t.Run(fmt.Sprintf("%d×%d samples of ±%d by %s", n, n, peak, name), func(t *testing.T) {
					t.Parallel()
					checkAccuracy(t, n, peak, step, inverse)
				})
			}
		}
	}
}

func checkAccuracy(t *testing.T, n, peak int, step func(i int) uint16, inverse func([]byte, int, *[64]int16, *[64]uint16)) {
	const blocks = 2000
	var q [64]uint16
	for i := range q {
		q[i] = step(i)
	}
	random := rand.New(rand.NewPCG(uint64(n), uint64(peak)))
	got, sums, squares := make([]byte, n*n), make([]float64, n*n), make([]float64, n*n)
	for range blocks {
		b := randomBlock(random, peak, &q)
		inverse(got, n, &b, &q)
		for i, want := range exact(n, &b, &q) {
			off := float64(got[i]) - math.Round(want)
			if math.Abs(off) > 1 {
				t.Fatalf("sample %d is %d, want %.2f; coefficients %v", i, got[i], want, b)
			}
			sums[i] += off
			squares[i] += off * off
		}
	}
	for i := range sums {
		if mean, square := math.Abs(sums[i]/blocks), squares[i]/blocks; mean > 0.015 || square > 0.06 {
			t.Errorf("sample %d: mean error %.4f, mean square error %.4f; want at most 0.015 and 0.06", i, mean, square)
		}
	}
}

// TestInverse8Low compares inverse8low with inverse8.
func TestInverse8Low(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(5, 6))
	for range 1000 {
		var q [64]uint16
		for i := range q {
			q[i] = uint16(1 + random.IntN(40))
		}
		b := randomBlock(random, 200, &q)
		var got, want [64]byte
		inverse8low(got[:], 8, &b, &q)
		for i := range b {
			if i/8 >= 4 || i%8 >= 4 {
				b[i] = 0
			}
		}
		inverse8(want[:], 8, &b, &q)
		if got != want {
			t.Fatalf("got %d, want %d", got, want)
		}
	}
}

// TestInverseFlat wants a block of one colour to have that colour at each size.
func TestInverseFlat(t *testing.T) {
	t.Parallel()
	for _, q := range []uint16{0, 1, 7, 16} {
		for dc := -2047; dc <= 2047; dc++ {
			b, quantizer := [64]int16{int16(dc)}, [64]uint16{q}
			want := byte(min(max(math.Floor(float64(dc)*float64(q)/8+128.5), 0), 255))
			for n, inverse := range inverses {
				got := make([]byte, n*n)
				inverse(got, n, &b, &quantizer)
				if !bytes.Equal(got, bytes.Repeat([]byte{want}, n*n)) {
					t.Fatalf("%d×%d of %d × %d: got %d, want %d everywhere", n, n, dc, q, got, want)
				}
			}
		}
	}
}

// TestInverseHostile transforms coefficients that no picture has. Only the
// samples of the block may be written.
func TestInverseHostile(t *testing.T) {
	t.Parallel()
	random := rand.New(rand.NewPCG(1, 2))
	for n, inverse := range inverses {
		for range 5000 {
			var b [64]int16
			var q [64]uint16
			for i := range b {
				b[i], q[i] = int16(random.Uint32()), uint16(random.Uint32())
				if random.IntN(4) == 0 {
					b[i], q[i] = math.MinInt16, math.MaxUint16
				}
			}
			checkStays(t, n, func(dst []byte, stride int) { inverse(dst, stride, &b, &q) })
		}
	}
}

// TestFlatStays wants flat to write only its samples.
func TestFlatStays(t *testing.T) {
	t.Parallel()
	for n := range 9 {
		checkStays(t, n, func(dst []byte, stride int) { flat(dst, stride, n, 77) })
	}
}

// checkStays checks that write sets all n×n samples, and neither reads nor
// writes others.
func checkStays(t *testing.T, n int, write func(dst []byte, stride int)) {
	t.Helper()
	const stride = 11
	dark, light := make([]byte, n*stride), bytes.Repeat([]byte{255}, n*stride)
	for _, dst := range [][]byte{dark, light} {
		write(dst[:max(0, len(dst)-stride+n)], stride)
	}
	for i := range dark {
		if inside := i%stride < n; inside != (dark[i] == light[i]) {
			t.Fatalf("%d×%d: byte %d is %d over 0 and %d over 255", n, n, i, dark[i], light[i])
		}
	}
}

// BenchmarkInverse uses blocks with all frequencies, so that no shortcut applies.
func BenchmarkInverse(b *testing.B) {
	blocks, q := benchmarkBlocks()
	small, smallQ := [16]int16(lowest(4, &blocks[0])), [16]uint16(lowest(4, &q))
	dst := make([]byte, 64)
	for name, inverse := range map[string]func(i int){
		"8":    func(i int) { inverse8(dst, 8, &blocks[i%len(blocks)], &q) },
		"8low": func(i int) { inverse8low(dst, 8, &blocks[i%len(blocks)], &q) },
		"4":    func(int) { inverse4(dst, 4, &small, &smallQ) },
		"flat": func(int) { flat(dst, 8, 8, 77) },
	} {
		b.Run(name, func(b *testing.B) {
			for i := range b.N {
				inverse(i)
			}
		})
	}
}

func benchmarkBlocks() (blocks [64][64]int16, q [64]uint16) {
	random := rand.New(rand.NewPCG(3, 4))
	for i := range q {
		q[i] = uint16(3 + i/8 + i%8)
	}
	for i := range blocks {
		for at := range 64 {
			blocks[i][at] = int16(random.IntN(7) - 3)
		}
	}
	return blocks, q
}
