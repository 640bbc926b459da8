package jpeg

// reciprocals replace division by a quantization table, in the order of
// forward's coefficients. Each is the least integer above 2^quotientBits /
// (divisor<<forwardBits).
type reciprocals [64]pair

const quotientBits = forwardBits + 30

// scaled adapts a standard quantization table, in rows, to a quality from 1 to
// 100 as libjpeg does. The table itself has quality 50.
func scaled(table *[64]byte, quality int) (t [64]byte) {
	percent := 200 - 2*quality
	if quality < 50 {
		percent = 5000 / quality
	}
	for i, q := range table {
		t[i] = byte(min(max((int(q)*percent+50)/100, 1), 255))
	}
	return t
}

func newReciprocals(table *[64]byte) (r reciprocals) {
	for i, q := range table {
		r[i] = 1<<(quotientBits-forwardBits)/pair(q) + 1
	}
	return r
}

// scanOrder is zigzag's inverse.
var scanOrder = func() (p [64]byte) {
	for k, i := range zigzag {
		p[i] = byte(k)
	}
	return p
}()

// quantize divides forward's coefficients and rounds to the nearest integer,
// ties away from zero. It puts the quotients in scan order. Bit k of nonzero is
// set if the k-th isn't zero.
func (r *reciprocals) quantize(coefficients *[32]pair, quotients *[64]int16) (nonzero uint64) {
	const half = 1 << (quotientBits - 1)
	for i, c := range coefficients {
		low := (c.low()*r[i] + half) >> quotientBits
		high := (c.high()*r[i+32] + half) >> quotientBits
		k, l := scanOrder[i]&63, scanOrder[i+32]&63
		quotients[k], quotients[l] = int16(low), int16(high)
		if low != 0 {
			nonzero |= 1 << k
		}
		if high != 0 {
			nonzero |= 1 << l
		}
	}
	return nonzero
}
