package jpeg

// lookBits is the length of the longest codes that a single lookup decodes. Of
// the codes of a picture, only a few in a thousand are longer.
const lookBits = 10

// Positions in a block of a sequential scan, and how far a code advances from
// one. A block ends at blockEnd, or at codedEnd or more after its end-of-block code.
const (
	blockEnd   = 64
	codedEnd   = 128 // the advance of the end-of-block code
	wrongCode  = 192 // the advance of a code that has no meaning
	sizeMask   = 0x0F
	fullRun    = 15 // zeros before the coefficient
	longestDC  = 15 // bits of a difference
	longestLen = 16 // bits of a code
)

// code is a Huffman code with what it stands for. From the lowest byte on, it
// holds the length of the code with its value, the length of the code, the
// symbol, and the number of coefficients that it advances by. 0 is no code.
type code uint32

func (c code) total() int   { return int(c & 0xFF) }
func (c code) length() uint { return uint(c>>8) & 0xFF }
func (c code) size() uint   { return uint(c>>16) & sizeMask }
func (c code) run() int     { return int(c>>20) & 0x0F }
func (c code) advance() int { return int(c >> 24) }

// newCode interprets a symbol (T.81, F.1.2.1, F.1.2.2 and G.1.2.2). A run below
// 15 without a value is followed by as many bits.
func newCode(symbol byte, length int) code {
	run, size := int(symbol>>4), int(symbol&sizeMask)
	advance, extra := run+1, size
	if size == 0 && run < fullRun {
		extra, advance = run, wrongCode
		if run == 0 {
			advance = codedEnd
		}
	}
	return code(advance<<24 | int(symbol)<<16 | length<<8 | (length + extra))
}

// huffman is a Huffman table (T.81, B.2.4.2 and annex C).
type huffman struct {
	spec  []byte // a copy of its part of the segment; empty: no table came
	built bool
	look  [1 << lookBits]code   // by the next bits; 0: the code is longer, or there is none
	limit [longestLen + 1]int32 // by length: the first 16 bits above its codes
	index [longestLen + 1]int32 // by length: what to add to a code for the index of its value
}

// build makes the table ready for decoding.
func (h *huffman) build(isDC bool) error {
	if h.built {
		return nil
	}
	if len(h.spec) == 0 {
		return errNoTables
	}
	counts, values := h.spec[:longestLen], h.spec[longestLen:]
	clear(h.look[:])
	next, place := int32(0), int32(0) // the next code and the place of its value
	for length := 1; length <= longestLen; length++ {
		h.index[length] = place - next
		for range counts[length-1] {
			symbol := values[place]
			if next >= 1<<length || isDC && symbol > longestDC {
				return errTables
			}
			if length <= lookBits {
				fill(h.look[next<<(lookBits-length):][:1<<(lookBits-length)], newCode(symbol, length))
			}
			next++
			place++
		}
		h.limit[length] = next << (longestLen - length)
		next <<= 1
	}
	h.built = true
	return nil
}

func fill(codes []code, c code) {
	for i := range codes {
		codes[i] = c
	}
}

// long decodes a code that is longer than lookBits at the start of held. It
// returns 0 if there is none.
func (h *huffman) long(held uint64) code {
	next := int32(held >> (64 - longestLen))
	for length := lookBits + 1; length <= longestLen; length++ {
		if next < h.limit[length] {
			return newCode(h.spec[longestLen+h.index[length]+next>>(longestLen-length)], length)
		}
	}
	return 0
}

// extend gives a value of size bits its sign: it is negative if its first bit is
// 0 (T.81, F.2.2.1). size is at least 1.
func extend(value int32, size uint) int32 {
	if value < 1<<(size-1) {
		return value - 1<<size + 1
	}
	return value
}
