package jpeg

import (
	"encoding/binary"
	"math/bits"
)

// codeword is a Huffman code, shifted left to leave room for its value. The
// lowest 5 bits hold the length of both, at most 26.
type codeword uint32

const codewordLength = 1<<5 - 1

// codewords are the codes of a table, by symbol: a run of zeros in the upper
// four bits, the length of the value in the lower four.
type codewords [256]codeword

// standardCodewords are the codes of the standard tables, built according to
// T.81, annex C.
var standardCodewords = func() (all [4]codewords) {
	for i := range standard {
		all[i] = standard[i].codewords()
	}
	return all
}()

func (t *standardTable) codewords() (c codewords) {
	code, values := codeword(0), t.values
	for i, count := range t.counts {
		for _, symbol := range values[:count] {
			size := codeword(symbol & 0x0F)
			c[symbol] = code<<size<<5 | (codeword(i) + 1 + size)
			code++
		}
		values = values[count:]
		code <<= 1
	}
	return c
}

// The symbols without a value (T.81, F.1.2.2.1).
const (
	endOfBlock   = 0x00
	sixteenZeros = 0xF0
)

// bitWriter appends the codes of blocks to a file.
type bitWriter struct {
	dst  []byte
	tail tail
}

// tail holds the bits to be written: the lowest count bits. While there are
// fewer than wordBits, a code and its value fit in. A tail is passed by value so
// that it stays in registers.
type tail struct {
	bits  uint64
	count uint
}

const wordBits = 32

// add appends a code and its value.
func (t tail) add(c codeword, value uint32) tail {
	length := uint(c & codewordLength)
	return tail{t.bits<<(length&63) | uint64(uint32(c)>>5|value), t.count + length}
}

// word writes the first word of t and returns the rest.
func (w *bitWriter) word(t tail) tail {
	const high, low = 0x80808080, 0x01010101
	t.count -= wordBits
	word := uint32(t.bits >> (t.count & 63))
	if word&high&^(word+low) == 0 { // no byte is 0xFF
		w.dst = binary.BigEndian.AppendUint32(w.dst, word)
	} else {
		w.bytes(tail{uint64(word), wordBits})
	}
	return t
}

// bytes writes t's whole bytes, with a zero after each 0xFF (T.81, B.1.1.5).
func (w *bitWriter) bytes(t tail) {
	for ; t.count >= 8; t.count -= 8 {
		b := byte(t.bits >> (t.count - 8))
		w.dst = append(w.dst, b)
		if b == 0xFF {
			w.dst = append(w.dst, 0)
		}
	}
}

// magnitude returns the length of a value and its bits (T.81, F.1.2.1).
func magnitude(value int32) (size, raw uint32) {
	sign := value >> 31
	size = uint32(bits.Len32(uint32((value ^ sign) - sign)))
	return size, uint32(value+sign) & (1<<(size&31) - 1)
}

// block writes a block (T.81, F.1.2): the difference to the previous DC, and the
// other coefficients.
func (w *bitWriter) block(difference int32, quotients *[64]int16, nonzero uint64, dc, ac *codewords) {
	size, value := magnitude(difference)
	t := w.tail.add(dc[size&0xFF], value)
	if t.count >= wordBits {
		t = w.word(t)
	}
	last := 0
	for nonzero &^= 1; nonzero != 0; nonzero &= nonzero - 1 {
		k := bits.TrailingZeros64(nonzero) & 63
		run := k - last - 1
		for last = k; run > 15; run -= 16 {
			if t = t.add(ac[sixteenZeros], 0); t.count >= wordBits {
				t = w.word(t)
			}
		}
		size, value := magnitude(int32(quotients[k]))
		if t = t.add(ac[uint32(run)<<4&0xF0|size&0xF], value); t.count >= wordBits {
			t = w.word(t)
		}
	}
	if last != 63 {
		t = t.add(ac[endOfBlock], 0) // the next difference still fits in
	}
	w.tail = t
}

// end pads the last byte with ones (T.81, F.1.2.3).
func (w *bitWriter) end() {
	const ones = 7
	w.bytes(w.tail.add(ones, 1<<ones-1))
}
