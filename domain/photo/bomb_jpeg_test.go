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

// bytes is all that was put, padded with ones.
func (w *bitWriter) bytes() []byte {
	if w.n > 0 {
		w.put(1<<(8-w.n)-1, 8-w.n)
	}
	return w.out
}

// jpegBomb writes a JPEG's segments by hand. Its components are numbered from
// 1, and all use the same tables, in which code 0 is one symbol and 10 another.
type jpegBomb struct {
	width, height int
	sampling      []byte // a component's factors each, 0x11 for instance
}

// adobeRGB says, in a JPEG of three components, that they are red, green and
// blue; in one of four, that they are inverted CMYK.
var adobeRGB = app(markerAPP14, nameAdobe, []byte{0, 100, 0, 0, 0, 0, 0})

// The symbols of the Huffman tables.
const (
	endOfBlock   = 0x00
	oneMore      = 0x01 // no zeros, then ±1
	longestRun   = 0xE0 // 16,384 blocks without a coefficient, and 14 bits more
	blocksPerRun = 1 << 14
	bitsPerRun   = 1 + 14
	maxDimension = 65500
	nearlyAll    = 10<<20 - 4096 // bytes of scans that fit in an upload
	limitSide    = 7071          // limitSide² pixels are just allowed
)

func (b jpegBomb) file(sof byte, ac [2]byte, scans ...segment) []byte {
	table := func(class byte, symbols ...byte) segment {
		counts := make([]byte, 16)
		counts[0], counts[1] = 1, byte(len(symbols)-1)
		return segment{marker: markerDHT, payload: slices.Concat([]byte{class << 4}, counts, symbols)}
	}
	frame := binary.BigEndian.AppendUint16(binary.BigEndian.AppendUint16([]byte{8}, uint16(b.height)), uint16(b.width))
	frame = append(frame, byte(len(b.sampling)))
	for i, factors := range b.sampling {
		frame = append(frame, byte(i+1), factors, 0)
	}
	all := append([]segment{
		{marker: markerDQT, payload: append([]byte{0}, bytes.Repeat([]byte{1}, 64)...)},
		{marker: sof, payload: frame},
		table(0, 0), table(1, ac[0], ac[1]),
	}, scans...)
	return append(withSegments([]byte{0xFF, markerSOI}, all...), 0xFF, markerEOI)
}

// scan is a scan of components, a band of coefficients and their bits high to low.
func scan(components []byte, band [2]byte, high, low byte, entropy []byte) segment {
	payload := []byte{byte(len(components))}
	for _, c := range components {
		payload = append(payload, c, 0)
	}
	return segment{marker: markerSOS, payload: append(payload, band[0], band[1], high<<4|low), entropy: entropy}
}

// components numbers all of them.
func (b jpegBomb) components() []byte {
	all := make([]byte, len(b.sampling))
	for i := range all {
		all[i] = byte(i + 1)
	}
	return all
}

// blocks is how many 8 × 8 blocks all components have together, padding included.
func (b jpegBomb) blocks() int {
	high, wide, count := 1, 1, 0
	for _, factors := range b.sampling {
		wide, high = max(wide, int(factors>>4)), max(high, int(factors&15))
		count += int(factors>>4) * int(factors&15)
	}
	units := func(length, factor int) int { return (length + 8*factor - 1) / (8 * factor) }
	return units(b.width, wide) * units(b.height, high) * count
}

// entropy packs the bits of all blocks, of which every other may differ. As
// sixteen fill whole bytes, the rest are copies of these.
func (b jpegBomb) entropy(put func(w *bitWriter, block int)) []byte {
	const together = 16
	pack := func(blocks int) []byte {
		var w bitWriter
		for block := range blocks {
			put(&w, block)
		}
		return w.bytes()
	}
	return append(bytes.Repeat(pack(together), b.blocks()/together), pack(b.blocks()%together)...)
}

// flatDC is a scan in which each block is as dark as the last: a bit each.
func (b jpegBomb) flatDC() segment {
	return scan(b.components(), [2]byte{0, 0}, 0, 0, make([]byte, b.blocks()/8+1))
}

// emptyScan is a scan of one component's band with no coefficient in any block.
func emptyScan(component byte, blocks int, band [2]byte, high, low byte) segment {
	runs := (blocks + blocksPerRun - 1) / blocksPerRun
	return scan([]byte{component}, band, high, low, make([]byte, (runs*bitsPerRun+7)/8))
}

// refinements repeats a scan that visits every block and changes nothing.
func refinements(count, blocks int) []segment {
	return slices.Repeat([]segment{emptyScan(1, blocks, [2]byte{1, 63}, 1, 0)}, count)
}

// square is a JPEG of side² pixels.
func square(side int, sampling ...byte) jpegBomb { return jpegBomb{side, side, sampling} }

// blocksOf is how many blocks a component without subsampling has.
func (b jpegBomb) blocksOf() int { return ((b.width + 7) / 8) * ((b.height + 7) / 8) }

// progressiveScans is a progressive JPEG of so many scans.
func progressiveScans(b jpegBomb, count int) []byte {
	scans := append([]segment{b.flatDC()}, refinements(count-1, b.blocksOf())...)
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, scans...)
}

// bandScans is a progressive JPEG with a scan for each coefficient.
func bandScans(side int) []byte {
	b := square(side, 0x11)
	scans := []segment{b.flatDC()}
	for k := byte(1); k < 64; k++ {
		scans = append(scans, emptyScan(1, b.blocksOf(), [2]byte{k, k}, 0, 0))
	}
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, scans...)
}

// thousandScans is a progressive JPEG of four megapixels in a few kilobytes.
func thousandScans() []byte {
	b := jpegBomb{2048, 2048, []byte{0x11}}
	scans := append([]segment{b.flatDC()}, refinements(1000, 256*256)...)
	return b.file(markerSOF2, [2]byte{longestRun, endOfBlock}, scans...)
}

// denseRefinements is a progressive JPEG whose every bit changes a coefficient.
func denseRefinements() []byte {
	const scansAfter, side = 55, 147 * 8
	b := jpegBomb{side, side, []byte{0x11}}
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
	scans := []segment{b.flatDC(), scan([]byte{1}, [2]byte{1, 63}, 0, 1, first.bytes())}
	for range scansAfter {
		scans = append(scans, scan([]byte{1}, [2]byte{1, 63}, 1, 0, refine.bytes()))
	}
	return b.file(markerSOF2, [2]byte{oneMore, endOfBlock}, scans...)
}

// baselineScans is a baseline JPEG that paints its one component again and
// again, as often as is allowed and an upload has room for.
func baselineScans(side int) []byte {
	b := square(side, 0x11)
	entropy := b.entropy(func(w *bitWriter, _ int) { w.put(0b010, 3) }) // flat, endOfBlock
	again := scan([]byte{1}, [2]byte{0, 63}, 0, 0, entropy)
	return b.file(markerSOF0, [2]byte{oneMore, endOfBlock}, slices.Repeat([]segment{again}, min(64, nearlyAll/len(again.bytes())))...)
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

// segmentFlood is a small JPEG behind millions of empty comments.
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

// restartFlood is a grey JPEG with a restart marker behind each of its blocks.
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

// TestScansAreCounted reads a progressive JPEG of as many scans as are
// allowed, and refuses one more, however the photo is verified.
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

// TestLimitsAreExact reads a photo as large as the limits and refuses it when
// they are one less.
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
