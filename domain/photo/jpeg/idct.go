package jpeg

import "encoding/binary"

// The inverse DCTs make n×n samples of a block's n×n lowest frequencies, scaled
// by n/8: a block of one colour has that colour at each n. Each transforms the
// columns, then the rows, in integers. A pass computes
//
//	y[x] = b[0] + Σ √2·cos((2x+1)uπ/2n)·b[u], u = 1 … n-1
//
// which leaves a factor of 8 to divide by. The passes for eight are factored as
// by Loeffler, Ligtenberg and Moschytz, "Practical fast 1-D DCT algorithms with
// 11 multiplications" (ICASSP 1989).

// pair is two numbers, low + high<<32: both are added, and multiplied by
// constants, at once. A negative low number borrows 1 from the high one, which
// is far less than rounding changes. If a hostile file causes an overflow, it
// only spoils its own samples, which are clamped.
type pair int64

// both times a number is a pair of that number twice.
const both = 1<<32 + 1

const (
	fraction = 13                   // fraction bits of a constant
	guard    = 2                    // fraction bits of the results of the first pass
	shift1   = fraction - guard     // after the first pass
	shift2   = fraction + guard + 3 // after the second pass, with the factor of 8
)

// √2·cos(kπ/16), with fraction bits.
const (
	c1 = 11363
	c2 = 10703
	c3 = 9633
	c5 = 6437
	c6 = 4433
	c7 = 2260
)

// half is added to the first coefficient of a column, so that the first shift
// rounds. level is added to the first coefficient of a block, which goes into
// each sample: it also adds the level shift of 128 and rounds the last shift.
const (
	half  = both << (shift1 - 1)
	level = half + (128*8+4)<<fraction
)

// inverse8 makes 8×8 samples of the coefficients b, quantized by q, both in
// rows. The rows of dst are stride bytes apart.
func inverse8(dst []byte, stride int, b *[64]int16, q *[64]uint16) {
	var w [64]int32
	dc := pair(level)
	for u := 0; u < 8; u += 2 {
		columns8((*[58]int32)(w[u:]), (*[58]int16)(b[u:]), (*[58]uint16)(q[u:]), dc)
		dc = half
	}
	for y := 0; y < 8; y += 2 {
		rows8(dst[y*stride:], stride, (*[16]int32)(w[8*y:]))
	}
}

// inverse8low is inverse8 for a block that has only the 4×4 lowest frequencies,
// in half the time. It ignores the others.
func inverse8low(dst []byte, stride int, b *[64]int16, q *[64]uint16) {
	var w [64]int32
	columns8low((*[58]int32)(w[:]), (*[26]int16)(b[:]), (*[26]uint16)(q[:]), level)
	columns8low((*[58]int32)(w[2:]), (*[26]int16)(b[2:]), (*[26]uint16)(q[2:]), half)
	for y := 0; y < 8; y += 2 {
		rows8low(dst[y*stride:], stride, (*[16]int32)(w[8*y:]))
	}
}

// columns8 does the first pass over the first two columns of b.
func columns8(w *[58]int32, b *[58]int16, q *[58]uint16, dc pair) {
	at := func(i int) pair { return product(b[i:], q[i:]) }
	e0, e1, e2, e3 := even(at(0)<<fraction+dc, at(16), at(32), at(48))
	o0, o1, o2, o3 := odd(at(8), at(24), at(40), at(56))
	keep8(w, e0, e1, e2, e3, o0, o1, o2, o3)
}

func columns8low(w *[58]int32, b *[26]int16, q *[26]uint16, dc pair) {
	at := func(i int) pair { return product(b[i:], q[i:]) }
	e0, e1, e2, e3 := even(at(0)<<fraction+dc, at(16), 0, 0)
	o0, o1, o2, o3 := odd(at(8), at(24), 0, 0)
	keep8(w, e0, e1, e2, e3, o0, o1, o2, o3)
}

// product returns the first two coefficients, dequantized.
func product(b []int16, q []uint16) pair {
	return pair(b[1])*pair(q[1])<<32 + pair(b[0])*pair(q[0])
}

// keep8 keeps two columns, the sums and differences of the halves of a pass.
func keep8(w *[58]int32, e0, e1, e2, e3, o0, o1, o2, o3 pair) {
	keep(w[0:], e0+o0)
	keep(w[8:], e1+o1)
	keep(w[16:], e2+o2)
	keep(w[24:], e3+o3)
	keep(w[32:], e3-o3)
	keep(w[40:], e2-o2)
	keep(w[48:], e1-o1)
	keep(w[56:], e0-o0)
}

func keep(w []int32, x pair) { w[0], w[1] = int32(x)>>shift1, int32(x>>32)>>shift1 }

// rows8 does the second pass over two rows.
func rows8(dst []byte, stride int, w *[16]int32) {
	at := func(i int) pair { return pair(w[8+i])<<32 + pair(w[i]) }
	e0, e1, e2, e3 := even(at(0)<<fraction, at(2), at(4), at(6))
	o0, o1, o2, o3 := odd(at(1), at(3), at(5), at(7))
	write8((*[8]byte)(dst), (*[8]byte)(dst[stride:]), e0, e1, e2, e3, o0, o1, o2, o3)
}

func rows8low(dst []byte, stride int, w *[16]int32) {
	at := func(i int) pair { return pair(w[8+i])<<32 + pair(w[i]) }
	e0, e1, e2, e3 := even(at(0)<<fraction, at(2), 0, 0)
	o0, o1, o2, o3 := odd(at(1), at(3), 0, 0)
	write8((*[8]byte)(dst), (*[8]byte)(dst[stride:]), e0, e1, e2, e3, o0, o1, o2, o3)
}

// write8 writes two rows, the sums and differences of the halves of a pass.
func write8(upper, lower *[8]byte, e0, e1, e2, e3, o0, o1, o2, o3 pair) {
	y0, y1, y2, y3, y4, y5, y6, y7 := e0+o0, e1+o1, e2+o2, e3+o3, e3-o3, e2-o2, e1-o1, e0-o0
	if (y0|y1|y2|y3|y4|y5|y6|y7)&^inRange != 0 {
		y0, y1, y2, y3 = clamp(y0), clamp(y1), clamp(y2), clamp(y3)
		y4, y5, y6, y7 = clamp(y4), clamp(y5), clamp(y6), clamp(y7)
	}
	left, right := pack(y0, y1, y2, y3), pack(y4, y5, y6, y7)
	binary.LittleEndian.PutUint64(upper[:], uint64(uint32(left))|uint64(right)<<32)
	binary.LittleEndian.PutUint64(lower[:], uint64(left)>>32|uint64(right)>>32<<32)
}

// even is the even half of a pass for eight, and a whole pass for four. x0 has
// fraction bits already.
func even(x0, x2, x4, x6 pair) (e0, e1, e2, e3 pair) {
	z := (x2 + x6) * c6
	p, r := z+x2*(c2-c6), z-x6*(c2+c6)
	s, d := x0+x4<<fraction, x0-x4<<fraction
	return s + p, d + r, d - r, s - p
}

// odd is the odd half of a pass for eight.
func odd(x1, x3, x5, x7 pair) (o0, o1, o2, o3 pair) {
	o1, o2 = x3+x7, x1+x5
	z := (o1 + o2) * c3
	o1, o2 = z-o1*(c3+c5), z-o2*(c3-c5)
	z = (x1 + x7) * (c7 - c3)
	o0, o3 = o2+z+x1*(c1+c3-c5-c7), o1+z+x7*(c3+c5-c1-c7)
	z = (x3 + x5) * (c1 + c3)
	return o0, o1 - z + x3*(c1+c3+c5-c7), o2 - z + x5*(c1+c3-c5+c7), o3
}

// inverse4 makes 4×4 samples, as inverse8 makes 8×8.
func inverse4(dst []byte, stride int, b *[16]int16, q *[16]uint16) {
	var w [16]int32
	columns4((*[14]int32)(w[:]), (*[14]int16)(b[:]), (*[14]uint16)(q[:]), level)
	columns4((*[14]int32)(w[2:]), (*[14]int16)(b[2:]), (*[14]uint16)(q[2:]), half)
	rows4(dst, stride, (*[8]int32)(w[:]))
	rows4(dst[2*stride:], stride, (*[8]int32)(w[8:]))
}

func columns4(w *[14]int32, b *[14]int16, q *[14]uint16, dc pair) {
	at := func(i int) pair { return product(b[i:], q[i:]) }
	y0, y1, y2, y3 := even(at(0)<<fraction+dc, at(4), at(8), at(12))
	keep(w[0:], y0)
	keep(w[4:], y1)
	keep(w[8:], y2)
	keep(w[12:], y3)
}

func rows4(dst []byte, stride int, w *[8]int32) {
	at := func(i int) pair { return pair(w[4+i])<<32 + pair(w[i]) }
	y0, y1, y2, y3 := even(at(0)<<fraction, at(1), at(2), at(3))
	if (y0|y1|y2|y3)&^inRange != 0 {
		y0, y1, y2, y3 = clamp(y0), clamp(y1), clamp(y2), clamp(y3)
	}
	rows := pack(y0, y1, y2, y3)
	binary.LittleEndian.PutUint32(dst, uint32(rows))
	binary.LittleEndian.PutUint32(dst[stride:], uint32(rows>>32))
}

// inverse2 makes 2×2 samples, as inverse8 makes 8×8. It is exact.
func inverse2(dst []byte, stride int, b *[4]int16, q *[4]uint16) {
	load := func(i int) int32 { return int32(b[i]) * int32(q[i]) }
	top0, top1 := load(0)+load(2), load(1)+load(3)
	low0, low1 := load(0)-load(2), load(1)-load(3)
	dst[0], dst[1] = sample(top0+top1), sample(top0-top1)
	dst[stride], dst[stride+1] = sample(low0+low1), sample(low0-low1)
}

// inverse1 returns the sample of a block that has only its lowest frequency.
// inverse8, inverse4 and inverse2 fill such a block with the same sample.
func inverse1(b int16, q uint16) byte { return sample(int32(b) * int32(q)) }

func sample(x int32) byte { return byte(min(max((x+4)>>3+128, 0), 255)) }

// flat fills n×n samples with value.
func flat(dst []byte, stride, n int, value byte) {
	if n == 8 {
		for y := range n {
			binary.LittleEndian.PutUint64(dst[y*stride:], uint64(value)*0x0101010101010101)
		}
		return
	}
	for y := range n {
		row := dst[y*stride:][:n]
		for x := range row {
			row[x] = value
		}
	}
}

// Masks for a pair of samples with shift2 fraction bits.
const (
	inRange = both * (1<<(8+shift2) - 1)
	whole   = both * (255 << shift2)
)

// clamp brings both samples of a pair into range.
func clamp(x pair) pair {
	const most = 1<<(8+shift2) - 1
	return min(max(x>>32, 0), most)<<32 + min(max(pair(int32(x)), 0), most)
}

// pack puts the integer parts of four pairs of samples into four bytes of each
// half, the first into the lowest.
func pack(a, b, c, d pair) pair {
	return a&whole>>shift2 | b&whole>>(shift2-8) | c&whole>>(shift2-16) | d&whole<<(24-shift2)
}
