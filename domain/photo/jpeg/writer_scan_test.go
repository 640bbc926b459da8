package jpeg

import (
	"bytes"
	"image"
	stdjpeg "image/jpeg"
	"math/bits"
	"slices"
)

// huffmanCode is a Huffman code.
type huffmanCode struct {
	symbols []byte // those with the shortest codes first
	counts  []byte // number of codes of each length
}

// code makes a Huffman code for DC (class 0) or AC (1). Frequent symbols have
// short codes, there are codes of each length from 2 to 16 bits, and no two
// tables are the same.
func (f *written) code(class, table int) huffmanCode {
	if f.standard {
		return standardCodes[class]
	}
	symbols := slices.Clone(standardCodes[class].symbols)
	for s := range 256 {
		if class == 1 && !slices.Contains(symbols, byte(s)) {
			symbols = append(symbols, byte(s))
		}
	}
	code := huffmanCode{symbols: slices.Concat(symbols[table:], symbols[:table])}
	left := len(symbols)
	for _, most := range []int{0, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 255} {
		count := min(most, left)
		code.counts, left = append(code.counts, byte(count)), left-count
	}
	return code
}

// standardCodes are the standard's codes of light, as image/jpeg writes them.
var standardCodes = func() (codes [2]huffmanCode) {
	var file bytes.Buffer
	if err := stdjpeg.Encode(&file, image.NewYCbCr(image.Rect(0, 0, 8, 8), image.YCbCrSubsampleRatio444), nil); err != nil {
		panic(err)
	}
	_, tables, _ := bytes.Cut(file.Bytes(), []byte{0xFF, markerDHT})
	tables = tables[2:]
	for class := range codes {
		counts := tables[1:17]
		length := 0
		for _, count := range counts {
			length += int(count)
		}
		codes[class] = huffmanCode{tables[17:][:length], counts}
		tables = tables[17+length:]
	}
	return codes
}()

// content returns the content of a DHT segment.
func (c huffmanCode) content(id byte) []byte { return slices.Concat([]byte{id}, c.counts, c.symbols) }

// find returns the code of a symbol (T.81, C.2).
func (c huffmanCode) find(symbol byte) (code uint64, length int) {
	at := slices.Index(c.symbols, symbol)
	for i, count := range c.counts {
		if at < int(count) {
			return code<<1 + uint64(at), i + 1
		}
		code, at = code<<1+uint64(count), at-int(count)
	}
	panic("the code has no such symbol")
}

// scanWriter writes the entropy-coded data of a scan.
type scanWriter struct {
	out       []byte
	held      uint64
	n         int
	dc, ac    huffmanCode // of the component that is written
	predicted [4]int
	run       int      // blocks without further codes that are not written yet
	delayed   []uint64 // bits that refine coefficients of these blocks
}

func (e *scanWriter) bits(value uint64, n int) {
	e.held, e.n = e.held<<n|value&(1<<n-1), e.n+n
	for ; e.n >= 8; e.n -= 8 {
		b := byte(e.held >> (e.n - 8))
		if e.out = append(e.out, b); b == 0xFF {
			e.out = append(e.out, 0)
		}
	}
}

func (e *scanWriter) symbol(c huffmanCode, symbol byte) {
	e.bits(c.find(symbol))
}

// number writes a value in size bits (T.81, F.1.2.1.1).
func (e *scanWriter) number(value, size int) {
	if value < 0 {
		value--
	}
	e.bits(uint64(value), size)
}

// endRun writes the run of blocks without further codes.
func (e *scanWriter) endRun() {
	if e.run > 0 {
		size := bits.Len(uint(e.run)) - 1
		e.symbol(e.ac, byte(size<<4))
		e.bits(uint64(e.run), size)
	}
	e.run = 0
	e.refine(&e.delayed)
}

func (e *scanWriter) refine(corrections *[]uint64) {
	for _, bit := range *corrections {
		e.bits(bit, 1)
	}
	*corrections = (*corrections)[:0]
}

// flush pads the last byte with ones.
func (e *scanWriter) flush() {
	e.endRun()
	e.bits(0xFF, (8-e.n)%8)
	e.predicted = [4]int{}
}

// entropy returns the scan's data: all units, with restart markers between them.
func (f *written) entropy(s scanRecipe) []byte {
	var e scanWriter
	across, down := f.units()
	if len(s.components) == 1 {
		width, height := f.planeSize(s.components[0])
		across, down = (width+7)/8, (height+7)/8
	}
	for unit := range across * down {
		if s.restart > 0 && unit > 0 && unit%s.restart == 0 {
			e.flush()
			e.out = append(e.out, 0xFF, markerRST0+byte((unit/s.restart-1)%8))
		}
		for _, c := range s.components {
			e.dc, e.ac = f.codes[c%f.tables][0], f.codes[c%f.tables][1]
			h, v, _, _ := f.factors(c)
			if len(s.components) == 1 {
				h, v = 1, 1
			}
			for i := range h * v {
				x, y := unit%across*h+i%h, unit/across*v+i/h
				f.block(&e, s, c, &f.blocks[c][y*f.across[c]+x])
			}
		}
	}
	e.flush()
	return e.out
}

// block writes the part of a block that is in a scan.
func (f *written) block(e *scanWriter, s scanRecipe, c int, block *[64]int) {
	value := block[0] >> s.low
	switch {
	case s.start == 0 && s.high > 0:
		e.bits(uint64(value), 1)
	case s.start == 0:
		difference := value - e.predicted[c]
		size := bits.Len(uint(max(difference, -difference)))
		e.symbol(e.dc, byte(size))
		e.number(difference, size)
		e.predicted[c] = value
	}
	if s.end == 0 {
		return
	}
	e.band(s, block)
	const longest = 1<<15 - 1
	if f.sof != markerSOF2 || e.run == longest {
		e.endRun() // only progressive scans have runs of blocks
	}
}

// band writes a block's AC coefficients (T.81, F.1.2.2, G.1.2.2 and G.1.2.3).
func (e *scanWriter) band(s scanRecipe, block *[64]int) {
	size := func(k int) int { return max(block[k], -block[k]) >> s.low }
	isNew := func(k int) bool { return s.high == 0 && size(k) > 0 || size(k) == 1 }
	last := s.end
	for last >= max(s.start, 1) && !isNew(last) {
		last--
	}
	zeros := 0
	var corrections []uint64
	for k := max(s.start, 1); k <= s.end; k++ {
		if size(k) == 0 {
			zeros++
			continue
		}
		for ; zeros > 15 && k <= last; zeros -= 16 {
			e.endRun()
			e.symbol(e.ac, 0xF0)
			e.refine(&corrections)
		}
		if !isNew(k) {
			corrections = append(corrections, uint64(size(k)&1))
			continue
		}
		e.endRun()
		length := bits.Len(uint(size(k)))
		e.symbol(e.ac, byte(zeros<<4|length))
		if block[k] > 0 {
			e.number(size(k), length)
		} else {
			e.number(-size(k), length)
		}
		e.refine(&corrections)
		zeros = 0
	}
	if zeros > 0 || len(corrections) > 0 {
		e.run++
		e.delayed = append(e.delayed, corrections...)
	}
}
