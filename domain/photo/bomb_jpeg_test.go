package photo_test

import (
	"bytes"
	"encoding/binary"
	"slices"
	"strconv"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// bitWriter packs bits, the highest first, as a JPEG's scans do.
type bitWriter struct {
	out  []byte
	held uint64
	n    int
}

// put appends the lowest n bits of value.
func (w *bitWriter) put(value uint64, n int) {
	w.held, w.n = w.held<<n|value, w.n+n
	for ; w.n >= 8; w.n -= 8 {
		w.emit(byte(w.held >> (w.n - 8)))
	}
}

func (w *bitWriter) emit(b byte) {
	w.out = append(w.out, b)
	if b == 0xFF {
		w.out = append(w.out, 0)
	}
}

// bytes returns what was put, padded with ones.
func (w *bitWriter) bytes() []byte {
	if w.n > 0 {
		w.put(1<<(8-w.n)-1, 8-w.n)
	}
	return w.out
}

// jpegBomb writes the segments of a JPEG. Its components are numbered from 1 and
// use the same tables, in which code 0 is one symbol and 10 another.
type jpegBomb struct {
	width, height int
	sampling      []byte // the factors of each component, such as 0x11
}

// adobeRGB marks three components as red, green and blue, and four as inverted CMYK.
var adobeRGB = app(markerAPP14, nameAdobe, []byte{0, 100, 0, 0, 0, 0, 0})

// The symbols of the Huffman tables.
const (
	endOfBlock   = 0x00
	oneMore      = 0x01 // no zeros, then ±1
	longestRun   = 0xE0 // shortestRun blocks without coefficients and as many more as the next 14 bits say
	shortestRun  = 1 << 14
	maxDimension = 65500
	nearlyAll    = 10<<20 - 4096 // bytes of scans that fit in an upload
	limitSide    = 7071          // limitSide² pixels are just allowed
)

func (b jpegBomb) file(sof byte, ac [2]byte, scans ...segment) []byte {
	frame := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, uint16(b.height)), uint16(b.width))
	frame = append(frame, byte(len(b.sampling)))
	for i, factors := range b.sampling {
		frame = append(frame, byte(i+1), factors, 0)
	}
	all := append([]segment{
		{marker: markerDQT, payload: append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)},
		{marker: sof, payload: frame},
		huffmanTable(0, 0), acTable(ac[0], ac[1]),
	}, scans...)
	return append(withSegments([]byte{0xFF, markerSOI}, all...), 0xFF, markerEOI)
}

// huffmanTable is a table of one or two symbols.
func huffmanTable(class byte, symbols ...byte) segment {
	counts := make([]byte, 16)
	counts[0], counts[1] = 1, byte(len(symbols)-1)
	return segment{marker: markerDHT, payload: slices.Concat([]byte{class << 4}, counts, symbols)}
}

func acTable(symbols ...byte) segment { return huffmanTable(1, symbols...) }

// scan is a scan of components, with a band of coefficients and its bit positions.
func scan(components []byte, band [2]byte, high, low byte, entropy []byte) segment {
	payload := []byte{byte(len(components))}
	for _, c := range components {
		payload = append(payload, c, 0)
	}
	return segment{marker: markerSOS, payload: append(payload, band[0], band[1], high<<4|low), entropy: entropy}
}

// components returns the numbers of all components.
func (b jpegBomb) components() []byte {
	all := make([]byte, len(b.sampling))
	for i := range all {
		all[i] = byte(i + 1)
	}
	return all
}

// blocks returns the number of 8×8 blocks of all components, padding included.
func (b jpegBomb) blocks() int {
	high, wide, count := 1, 1, 0
	for _, factors := range b.sampling {
		wide, high = max(wide, int(factors>>4)), max(high, int(factors&15))
		count += int(factors>>4) * int(factors&15)
	}
	units := func(length, factor int) int { return (length + 8*factor - 1) / (8 * factor) }
	return units(b.width, wide) * units(b.height, high) * count
}

// entropy packs the bits of all blocks. Every other block may differ: sixteen
// fill whole bytes, and the rest are copies of these.
func (b jpegBomb) entropy(put func(w *bitWriter, block int)) []byte {
	return entropyOf(b.blocks(), put)
}

func entropyOf(count int, put func(w *bitWriter, block int)) []byte {
	const together = 16
	pack := func(blocks int) []byte {
		var w bitWriter
		for block := range blocks {
			put(&w, block)
		}
		return w.bytes()
	}
	return append(bytes.Repeat(pack(together), count/together), pack(count%together)...)
}

// flatDC is a scan of one bit per block, in which each block is as dark as the last.
func (b jpegBomb) flatDC() segment {
	return scan(b.components(), [2]byte{0, 0}, 0, 0, make([]byte, b.blocks()/8+1))
}

// emptyScan is a scan of a component's band in which no block has a coefficient.
func emptyScan(component byte, blocks int, band [2]byte, high, low byte) segment {
	var w bitWriter
	endRuns(&w, blocks, nil)
	return scan([]byte{component}, band, high, low, w.bytes())
}

// endRuns ends blocks without coefficients, in as few runs as possible. It calls
// behind, if not nil, after each run.
func endRuns(w *bitWriter, blocks int, behind func(run int)) {
	for blocks > 0 {
		run := min(blocks, 2*shortestRun-1)
		if rest := blocks - run; rest > 0 && rest < shortestRun {
			run = blocks / 2
		}
		if run < shortestRun {
			run = 1
			w.put(0b10, 2) // endOfBlock
		} else {
			w.put(0, 1) // longestRun
			w.put(uint64(run-shortestRun), 14)
		}
		if behind != nil {
			behind(run)
		}
		blocks -= run
	}
}

// bits is a scan of a component's coefficients without their lowest bits,
// followed by scans that add one bit each.
func bits(most byte, first segment, refine func(high, low byte) segment) []segment {
	first.payload[len(first.payload)-1] = most
	scans := []segment{first}
	for low := most; low > 0; low-- {
		scans = append(scans, refine(low, low-1))
	}
	return scans
}

// square is a JPEG of side² pixels.
func square(side int, sampling ...byte) jpegBomb { return jpegBomb{side, side, sampling} }

// blocksOf returns the number of blocks of a component in a scan of its own.
func (b jpegBomb) blocksOf(component int) int {
	high, wide := byte(1), byte(1)
	for _, factors := range b.sampling {
		wide, high = max(wide, factors>>4), max(high, factors&15)
	}
	units := func(length int, factor, most byte) int {
		return (length*int(factor) + 8*int(most) - 1) / (8 * int(most))
	}
	factors := b.sampling[component-1]
	return units(b.width, factors>>4, wide) * units(b.height, factors&15, high)
}

const mostBits = 13 // bits that may be left to later scans

// emptyProgressive is a progressive JPEG of about as many scans as allowed. Bit
// by bit, they say that no block has a coefficient.
func emptyProgressive(b jpegBomb) []byte {
	const scansAllowed = 64
	scans := bits(mostBits, b.flatDC(), func(high, low byte) segment {
		return scan(b.components(), [2]byte{0, 0}, high, low, make([]byte, b.blocks()/8+1))
	})
	most := min(mostBits, (scansAllowed-len(scans))/len(b.sampling)-1)
	for _, c := range b.components() {
		blocks, all := b.blocksOf(int(c)), [2]byte{1, 63}
		scans = append(scans, bits(byte(most), emptyScan(c, blocks, all, 0, 0), func(high, low byte) segment {
			return emptyScan(c, blocks, all, high, low)
		})...)
	}
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, scans...)
}

// bandScans is a progressive JPEG with a scan for each coefficient.
func bandScans(side int) []byte {
	b := square(side, 0x11)
	scans := []segment{b.flatDC()}
	for k := byte(1); k < 64; k++ {
		scans = append(scans, emptyScan(1, b.blocks(), [2]byte{k, k}, 0, 0))
	}
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, scans...)
}

// thousandScans is a progressive JPEG of four megapixels in a few kilobytes.
func thousandScans() []byte {
	b := square(2048, 0x11)
	again := slices.Repeat([]segment{emptyScan(1, b.blocks(), [2]byte{1, 63}, 1, 0)}, 1000)
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, append([]segment{b.flatDC()}, again...)...)
}

// denseRefinements is a progressive JPEG whose every bit changes a coefficient.
func denseRefinements() []byte {
	b := square(285*8, 0x11)
	var first, refine bitWriter
	for range b.blocks() {
		for range 63 {
			first.put(0b01, 2) // oneMore, +1
		}
		refine.put(0b10, 2) // endOfBlock
		for range 63 {
			refine.put(uint64(refine.n&1), 1)
		}
	}
	all := [2]byte{1, 63}
	scans := bits(mostBits, scan([]byte{1}, all, 0, 0, first.bytes()), func(high, low byte) segment {
		return scan([]byte{1}, all, high, low, refine.bytes())
	})
	return b.file(markerSOF2, [2]byte{oneMore, endOfBlock}, append([]segment{b.flatDC()}, scans...)...)
}

// sparseRefinements is a progressive JPEG of four components. Their blocks have
// only the highest coefficient, which each scan refines by a bit.
func sparseRefinements(side int) []byte {
	const zeros16, behind14, last = 0xF0, 0xE1, 0b10
	b := square(side, 0x11, 0x11, 0x11, 0x11)
	blocks, all := b.blocksOf(1), [2]byte{1, 63}
	first := entropyOf(blocks, func(w *bitWriter, _ int) { w.put(last<<1, 6) }) // three times zeros16, behind14, −1
	var refine bitWriter
	endRuns(&refine, blocks, func(run int) {
		for i := range run {
			refine.put(uint64(i&1), 1)
		}
	})
	scans := []segment{b.flatDC()}
	for _, c := range b.components() {
		scans = append(append(scans, acTable(zeros16, behind14)), bits(mostBits, scan([]byte{c}, all, 0, 0, first), func(high, low byte) segment {
			return scan([]byte{c}, all, high, low, refine.bytes())
		})...)
		refining := len(scans) - mostBits
		scans = slices.Insert(scans, refining, acTable(longestRun, endOfBlock))
	}
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, scans...)
}

// baselineScans is a baseline JPEG that repeats the scan of its component as
// often as an upload and the limit of scans allow.
func baselineScans(side int) []byte {
	b := square(side, 0x11)
	again := b.flatScan()
	return b.file(markerSOF0, [2]byte{oneMore, endOfBlock}, slices.Repeat([]segment{again}, min(64, nearlyAll/len(again.bytes())))...)
}

// flatScan is a baseline scan of empty blocks.
func (b jpegBomb) flatScan() segment {
	return scan(b.components(), [2]byte{0, 63}, 0, 0, b.entropy(func(w *bitWriter, _ int) { w.put(0b010, 3) })) // flat, endOfBlock
}

// baselineFlat is a baseline JPEG of empty blocks.
func baselineFlat(b jpegBomb) []byte {
	return b.file(markerSOF0, [2]byte{oneMore, endOfBlock}, b.flatScan())
}

// baselineDetail is a baseline JPEG with as many coefficients as an upload has
// room for.
func baselineDetail(b jpegBomb) []byte {
	coefficients := (8*nearlyAll/b.blocks() - 3) / 2
	entropy := b.entropy(func(w *bitWriter, block int) {
		w.put(0, 1)
		for i := range min(coefficients, 63) {
			w.put(uint64((block+i)&1), 2) // oneMore, then ±1
		}
		if coefficients < 63 {
			w.put(0b10, 2)
		}
	})
	return b.file(markerSOF0, [2]byte{oneMore, endOfBlock}, scan(b.components(), [2]byte{0, 63}, 0, 0, entropy))
}

// hugeHeader is a progressive JPEG that claims four gigapixels.
func hugeHeader() []byte {
	b := jpegBomb{maxDimension, maxDimension, []byte{0x22, 0x11, 0x11}}
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, scan(b.components(), [2]byte{0, 0}, 0, 0, make([]byte, 1000)))
}

// segmentFlood is a small JPEG with millions of empty comments.
func segmentFlood(t testing.TB) []byte {
	empty := segment{marker: markerCOM}.bytes()
	data := encoded(t, quadrants())
	return slices.Concat(data[:2], bytes.Repeat(empty, nearlyAll/len(empty)), data[2:])
}

// fillFlood is a small JPEG with millions of fill bytes before a marker.
func fillFlood(t testing.TB) []byte {
	data := encoded(t, quadrants())
	return slices.Concat(data[:2], bytes.Repeat([]byte{0xFF}, nearlyAll), data[2:])
}

// tableFlood is a small JPEG that defines its Huffman tables again and again.
func tableFlood(t testing.TB) []byte {
	data := encoded(t, quadrants())
	all, err := segments(data)
	if err != nil {
		t.Fatal(err)
	}
	tables := slices.DeleteFunc(all, func(s segment) bool { return s.marker != markerDHT })
	return withSegments(data, slices.Repeat(tables, nearlyAll/2/len(tables[0].bytes())/len(tables))...)
}

// restartFlood is a grey JPEG with a restart marker after each block.
func restartFlood() []byte {
	const side = 1800 * 8
	b := jpegBomb{side, limitSide * limitSide / side, []byte{0x11}}
	var entropy []byte
	for i := range b.blocks() {
		entropy = append(entropy, 0b01011111, 0xFF, 0xD0+byte(i%8))
	}
	one := segment{marker: markerDRI, payload: []byte{0, 1}}
	return b.file(markerSOF0, [2]byte{oneMore, endOfBlock}, one, scan([]byte{1}, [2]byte{0, 63}, 0, 0, entropy[:len(entropy)-2]))
}

// TestScansAreCounted reads a progressive JPEG with as many scans as allowed,
// and refuses one with one scan more, with each verification.
func TestScansAreCounted(t *testing.T) {
	t.Parallel()
	const most = 64
	b := jpegBomb{64, 64, []byte{0x11}}
	dc := b.flatDC()
	dc.payload[len(dc.payload)-1] = 1 // all bits but the lowest, which a last scan adds
	scans := []segment{dc}
	for k := byte(1); k < 64; k++ {
		scans = append(scans, emptyScan(1, b.blocks(), [2]byte{k, k}, 0, 0))
	}
	lowest := scan([]byte{1}, [2]byte{0, 0}, 1, 0, make([]byte, b.blocks()/8))
	for _, m := range modes() {
		for count, all := range map[int][]segment{most: scans, most + 1: append(slices.Clone(scans), lowest)} {
			t.Run(m.name+"/"+strconv.Itoa(count), func(t *testing.T) {
				data := b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, all...)
				if count <= most {
					mustRead(t, m.limits, data)
					return
				}
				_, err := read(t, m.limits, data)
				if err := checkRefused(err); err != nil {
					t.Error(err)
				}
			})
		}
	}
}

// TestLimitsAreExact reads a photo that is exactly as large as the limits, and
// refuses it when a limit is lower by one.
func TestLimitsAreExact(t *testing.T) {
	t.Parallel()
	data := encoded(t, quadrants())
	exact := productLimits()
	exact.MaxBytes, exact.MaxPixels = int64(len(data)), 96*64
	mustRead(t, exact, data)
	cases := map[string]func(*photo.Limits){
		"bytes":  func(l *photo.Limits) { l.MaxBytes-- },
		"pixels": func(l *photo.Limits) { l.MaxPixels-- },
	}
	for name, lower := range cases {
		t.Run(name, func(t *testing.T) {
			limits := exact
			lower(&limits)
			_, err := read(t, limits, data)
			if err := checkTooLarge(err); err != nil {
				t.Error(err)
			}
		})
	}
}
