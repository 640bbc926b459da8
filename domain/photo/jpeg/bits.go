package jpeg

import "encoding/binary"

// bitReader reads the entropy-coded bits of a restart interval. Inner loops keep
// held and n in local variables.
type bitReader struct {
	data    []byte
	start   int    // where the interval begins
	at      int    // where the next byte to hold is
	held    uint64 // bits to be read, from the highest on
	n       int    // how many of held are valid
	missing int    // bits of held that stand for data that isn't there
}

// enough is the number of bits that a decoder needs in held: the longest code
// and its value.
const enough = 32

// begin starts an interval.
func (r *bitReader) begin(at int) {
	r.start, r.at, r.held, r.n, r.missing = at, at, 0, 0, 0
}

// fill adds bytes to held until it has at least 56 bits.
//
// It adds part of a whole word if no byte of it is 0xFF. Bits of the next byte
// may then be below the valid ones; when that byte is added later, it writes the
// same bits again.
func (r *bitReader) fill(held uint64, n int) (uint64, int) {
	const ones, highs = 0x0101010101010101, 0x8080808080808080
	if r.at+8 <= len(r.data) {
		word := binary.BigEndian.Uint64(r.data[r.at:])
		if (^word-ones)&word&highs == 0 {
			bytes := (63 - n) >> 3
			r.at += bytes
			return held | word>>uint(n&63), n + 8*bytes
		}
	}
	return r.fillByBytes(held, n)
}

// fillByBytes is fill for data with 0xFF, which a stuffed zero follows (T.81,
// B.1.1.5), and for the end of the interval, after which it adds zeros.
func (r *bitReader) fillByBytes(held uint64, n int) (uint64, int) {
	for ; n <= 56; n += 8 {
		switch {
		case r.at < len(r.data) && r.data[r.at] != 0xFF:
			held |= uint64(r.data[r.at]) << (56 - n)
			r.at++
		case r.at+1 < len(r.data) && r.data[r.at+1] == 0:
			held |= 0xFF << (56 - n)
			r.at += 2
		default:
			r.missing += 8
		}
	}
	return held, n
}

// short reports whether more bits were read than there are.
func (r *bitReader) short() bool { return r.missing > r.n }

// end returns where the interval ends: after the last byte of which a bit was read.
func (r *bitReader) end() int {
	at := r.at
	for range (r.n - r.missing) / 8 {
		at--
		if r.data[at] == 0 && at > r.start && r.data[at-1] == 0xFF {
			at--
		}
	}
	return at
}

// take reads up to 16 bits.
func (r *bitReader) take(count uint) int32 {
	if r.n < enough {
		r.held, r.n = r.fill(r.held, r.n)
	}
	value := int32(r.held >> (64 - count) & (1<<16 - 1)) // a shift by 64 gives 0
	r.held <<= count
	r.n -= int(count)
	return value
}

// code reads a code without its value. It returns 0 if no code matches.
func (r *bitReader) code(h *huffman) code {
	if r.n < enough {
		r.held, r.n = r.fill(r.held, r.n)
	}
	c := h.look[r.held>>(64-lookBits)]
	if c == 0 {
		c = h.long(r.held)
	}
	r.held <<= c.length()
	r.n -= int(c.length())
	return c
}
