package jpeg

import "encoding/binary"

// forwardBits is the number of fraction bits of forward's coefficients. They
// include a factor of 8, as each of its two passes multiplies by √8.
const forwardBits = guard + fraction + 3

// forward makes the coefficients of 8×8 samples, whose rows are stride bytes apart.
// The pairs of out from 8v on have row v of the coefficients in their low numbers
// and row v+4 in their high ones. It transforms the columns, then the rows.
func forward(samples []byte, stride int, out *[32]pair) {
	const (
		columns = 0x000000FF000000FF // of a row: a sample, and the one four to the right of it
		middle  = 128 * 64           // the level shift (T.81, A.3.1), summed over a block
	)
	var x [4][8]pair
	for y := range 8 {
		row := binary.LittleEndian.Uint64(samples[y*stride:])
		x[0][y] = pair(row & columns)
		x[1][y] = pair(row >> 8 & columns)
		x[2][y] = pair(row >> 16 & columns)
		x[3][y] = pair(row >> 24 & columns)
	}
	for i := range x {
		transform(&x[i])
		for v := range 4 {
			top, bottom := x[i][v]+half, x[i][v+4]+half
			out[8*v+i] = top.low()>>shift1 + bottom.low()>>shift1<<32
			out[8*v+i+4] = top.high()>>shift1 + bottom.high()>>shift1<<32
		}
	}
	for v := range 4 {
		transform((*[8]pair)(out[8*v:]))
	}
	out[0] -= middle << (guard + fraction)
}

// low and high return the numbers of a pair and undo the borrow of a negative
// low one.
func (p pair) low() pair  { return pair(int32(p)) }
func (p pair) high() pair { return (p + 1<<31) >> 32 }

// transform computes the DCT of eight pairs, times √8·2^fraction, factored like
// the inverse one:
//
//	x[u] = Σ √2·cos((2i+1)uπ/16)·x[i], i = 0 … 7; x[0] = Σ x[i]
func transform(x *[8]pair) {
	s0, s1, s2, s3 := x[0]+x[7], x[1]+x[6], x[2]+x[5], x[3]+x[4]
	d0, d1, d2, d3 := x[0]-x[7], x[1]-x[6], x[2]-x[5], x[3]-x[4]

	s03, s12 := s0+s3, s1+s2
	x[0], x[4] = (s03+s12)<<fraction, (s03-s12)<<fraction
	s03, s12 = s0-s3, s1-s2
	z := (s03 + s12) * c6
	x[2], x[6] = z+s03*(c2-c6), z-s12*(c2+c6)

	z = (d0 + d1 + d2 + d3) * c3
	d02, d13 := z-(d0+d2)*(c3-c5), z-(d1+d3)*(c3+c5)
	d03, d12 := (d0+d3)*(c7-c3), (d1+d2)*(c1+c3)
	x[1] = d02 + d03 + d0*(c1+c3-c5-c7)
	x[3] = d13 - d12 + d1*(c1+c3+c5-c7)
	x[5] = d02 - d12 + d2*(c1+c3-c5+c7)
	x[7] = d13 + d03 + d3*(c3+c5-c1-c7)
}
