package jpeg

import (
	"encoding/binary"
	"slices"
)

// recipe describes a JPEG to write: any frame and script of scans that the
// standard allows, with the faults of real files. With only a size and the
// sampling, it is an ordinary baseline file.
type recipe struct {
	width, height int
	sampling      []byte // the factors of each component, such as 0x21 for 2 columns and 1 row
	sof           byte   // 0: SOF0
	ids           string // of the components; "": 1, 2, 3, 4
	segments      string // bytes after SOI
	script        []scanRecipe
	restart       int    // the least interval of all scans
	tables        int    // pairs of Huffman tables, which components use in turn; 0: 1
	standard      bool   // use the standard Huffman tables, and write no DHT
	wide          bool   // quantizers have 16 bits
	redefined     bool   // all components share a quantizer slot, which is redefined before the first scan of each
	dnl           bool   // the height is in a DNL segment after the first scan
	between       string // bytes before each marker but SOI: fill bytes or junk
	noEOI         bool
	trailer       string // bytes after EOI
}

// scanRecipe is a scan. Its zero value has all components and coefficients.
type scanRecipe struct {
	components []int // nil: all
	start, end int   // the band in zigzag order; all zero with high and low: DC
	high, low  int   // bit positions before and after
	restart    int
}

// written is a file that was written.
type written struct {
	recipe
	data     []byte
	complete int               // length of the part with every coefficient and the height
	codes    [4][2]huffmanCode // DC and AC, of each table
	blocks   [][][64]int       // quantized coefficients in zigzag order, of each component
	across   []int             // blocks in a component's row, padding included
}

// write writes the file. It writes the same file each time.
func (r recipe) write() written {
	if r.sof == 0 {
		r.sof = markerSOF0
	}
	r.tables = max(r.tables, 1)
	if r.script == nil {
		r.script = []scanRecipe{{end: 63}}
	}
	f := written{recipe: r}
	f.transform()
	f.data = append([]byte{0xFF, markerSOI}, r.segments...)
	for c := range min(len(r.sampling), 2) {
		f.segment(markerDQT, f.quantizers(c))
	}
	f.segment(r.sof, f.header())
	for i := range r.tables {
		f.codes[i] = [2]huffmanCode{f.code(0, i), f.code(1, i)}
		if !r.standard {
			f.segment(markerDHT, slices.Concat(f.codes[i][0].content(byte(i)), f.codes[i][1].content(0x10|byte(i))))
		}
	}
	f.scans()
	f.complete = len(f.data)
	if !r.noEOI {
		f.data = append(append(f.data, r.between...), 0xFF, markerEOI)
	}
	f.data = append(f.data, r.trailer...)
	return f
}

// scans writes the scans, with the segments that they need before and after them.
func (f *written) scans() {
	interval, begun := 0, 0
	for i, s := range f.script {
		if s.components == nil {
			s.components = []int{0, 1, 2, 3}[:len(f.sampling)]
		}
		for ; f.redefined && begun <= slices.Max(s.components); begun++ {
			f.segment(markerDQT, f.quantizers(begun))
		}
		s.restart = max(s.restart, f.restart)
		if s.restart != interval {
			f.segment(markerDRI, binary.BigEndian.AppendUint16(nil, uint16(s.restart)))
			interval = s.restart
		}
		f.segment(markerSOS, f.scanHeader(s))
		f.data = append(f.data, f.entropy(s)...)
		if i == 0 && f.dnl {
			f.segment(markerDNL, binary.BigEndian.AppendUint16(nil, uint16(f.height)))
		}
	}
}

func (f *written) segment(marker byte, content []byte) {
	f.data = append(f.data, f.between...)
	f.data = append(f.data, segmentOf(marker, string(content))...)
}

// segmentOf returns a marker with its length and content.
func segmentOf(marker byte, content string) string {
	return string(binary.BigEndian.AppendUint16([]byte{0xFF, marker}, uint16(len(content)+2))) + content
}

func (f *written) header() []byte {
	height := f.height
	if f.dnl {
		height = 0
	}
	content := binary.BigEndian.AppendUint16([]byte{8}, uint16(height))
	content = append(binary.BigEndian.AppendUint16(content, uint16(f.width)), byte(len(f.sampling)))
	for c, factors := range f.sampling {
		content = append(content, f.id(c), factors, f.quantizer(c))
	}
	return content
}

func (f *written) id(c int) byte {
	if f.ids != "" {
		return f.ids[c]
	}
	return byte(c + 1)
}

func (f *written) scanHeader(s scanRecipe) []byte {
	content := []byte{byte(len(s.components))}
	for _, c := range s.components {
		table := byte(c % f.tables)
		content = append(content, f.id(c), table<<4|table)
	}
	return append(content, byte(s.start), byte(s.end), byte(s.high<<4|s.low))
}

// quantizer returns the number of a component's quantization table: one for
// luma, one for chroma.
func (f *written) quantizer(c int) byte {
	if f.redefined {
		return 0
	}
	return byte(min(c, 1))
}

// quantum returns the quantizer of a coefficient, in zigzag order.
func (f *written) quantum(c, k int) int {
	if f.wide && k > 40 {
		return 256 + k
	}
	if f.redefined {
		return 2 + k/4 + 3*c
	}
	return 2 + k/(4+2*min(c, 1))
}

// quantizers returns the quantization table of a component as in a DQT segment.
func (f *written) quantizers(c int) []byte {
	content := []byte{f.quantizer(c)}
	if f.wide {
		content[0] |= 0x10
	}
	for k := range 64 {
		if f.wide {
			content = append(content, byte(f.quantum(c, k)>>8))
		}
		content = append(content, byte(f.quantum(c, k)))
	}
	return content
}

// factors returns the sampling factors of a component, and the largest ones of
// the frame.
func (f *written) factors(c int) (h, v, hMax, vMax int) {
	if len(f.sampling) == 1 {
		return 1, 1, 1, 1
	}
	for _, factors := range f.sampling {
		hMax, vMax = max(hMax, int(factors>>4)), max(vMax, int(factors&15))
	}
	return int(f.sampling[c] >> 4), int(f.sampling[c] & 15), hMax, vMax
}

// planeSize returns the size of a component's plane in samples.
func (f *written) planeSize(c int) (width, height int) {
	h, v, hMax, vMax := f.factors(c)
	up := func(a, b int) int { return (a + b - 1) / b }
	return up(f.width*h, hMax), up(f.height*v, vMax)
}

// units returns the numbers of units across and down in an interleaved scan.
func (f *written) units() (across, down int) {
	_, _, hMax, vMax := f.factors(0)
	return (f.width + 8*hMax - 1) / (8 * hMax), (f.height + 8*vMax - 1) / (8 * vMax)
}
