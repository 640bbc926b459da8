package photo

import (
	"bytes"
	"encoding/binary"
	"slices"
)

// longestCurve is the most entries of a curve: the limit for 16-bit tables
// (ICC.1:2010, 10.8), and more than other curves have in practice.
const longestCurve = 4096

// channels is the number of channels on either side of a table: red, green and
// blue, and X, Y and Z or L*, a* and b*.
const channels = 3

// tagReaders has the reader of each tag that colours need.
var tagReaders = map[string]func(*tagReader){
	"wtpt": (*tagReader).point,
	"rXYZ": (*tagReader).point,
	"gXYZ": (*tagReader).point,
	"bXYZ": (*tagReader).point,
	"chad": (*tagReader).matrix,
	"kTRC": (*tagReader).curve,
	"rTRC": (*tagReader).curve,
	"gTRC": (*tagReader).curve,
	"bTRC": (*tagReader).curve,
	"A2B0": (*tagReader).table,
	"A2B1": (*tagReader).table,
}

// readTags reads those of the named tags that a profile has and that are not too
// long to keep. If a name occurs twice, the first tag counts. ok reports whether
// all of them are well-formed.
func readTags(profile []byte, names []string) (tags map[string][]byte, ok bool) {
	tags = map[string][]byte{}
	entries := profile[iccTable:]
	count := min(uint64(binary.BigEndian.Uint32(profile[iccHeader:])), uint64(len(entries)/iccEntry))
	for entry := range slices.Chunk(entries[:count*iccEntry], iccEntry) {
		name := string(entry[:4])
		offset, length := uint64(binary.BigEndian.Uint32(entry[4:])), uint64(binary.BigEndian.Uint32(entry[8:]))
		if !slices.Contains(names, name) || tags[name] != nil || length > longestProfile {
			continue
		}
		if offset+length > uint64(len(profile)) {
			return nil, false
		}
		tag := profile[offset : offset+length]
		r := &tagReader{tag: tag, left: tag}
		if tagReaders[name](r); r.malformed {
			return nil, false
		}
		tags[name] = r.out
	}
	return tags, true
}

// tagReader copies a tag while reading it, and clears everything beside the
// numbers. Once a tag is malformed, all reads yield 0.
type tagReader struct {
	tag, left []byte
	out       []byte
	malformed bool
}

func (r *tagReader) require(condition bool) { r.malformed = r.malformed || !condition }

// skip consumes count bytes and returns them, or nil if fewer are left.
func (r *tagReader) skip(count int) []byte {
	if r.require(count <= len(r.left)); r.malformed {
		return nil
	}
	skipped := r.left[:count]
	r.left = r.left[count:]
	return skipped
}

// keep copies count bytes to out.
func (r *tagReader) keep(count int) []byte {
	kept := r.skip(count)
	r.out = append(r.out, kept...)
	return kept
}

// clear writes zeros to out for count bytes.
func (r *tagReader) clear(count int) { r.out = append(r.out, make([]byte, len(r.skip(count)))...) }

// number keeps a number of width bytes.
func (r *tagReader) number(width int) int {
	value := 0
	for _, b := range r.keep(width) {
		value = value<<8 | int(b)
	}
	return value
}

// fixed keeps s15Fixed16 numbers. They must be small, as those of colours are;
// text would yield large ones.
func (r *tagReader) fixed(count int) {
	for range count {
		whole := int16(r.number(2))
		r.require(-16 <= whole && whole < 16)
		r.keep(2)
	}
}

// rising keeps the entries of a curve. None may be less than the one before: the
// curves of devices rise, text doesn't.
func (r *tagReader) rising(count, width int) {
	if r.require(0 <= count && count <= longestCurve); r.malformed {
		return
	}
	entries := r.keep(count * width)
	for i := width; i < len(entries); i += width {
		r.require(bytes.Compare(entries[i-width:i], entries[i:i+width]) <= 0)
	}
}

// kind keeps the type of a tag, which must be one of types, and clears the
// reserved bytes.
func (r *tagReader) kind(types ...string) string {
	kind := string(r.keep(4))
	r.require(slices.Contains(types, kind))
	r.clear(4)
	return kind
}

func (r *tagReader) point() {
	r.kind("XYZ ")
	r.fixed(3)
}

func (r *tagReader) matrix() {
	r.kind("sf32")
	r.fixed(9)
}

// curve keeps the entries of a curve (ICC.1:2010, 10.5), where a single one is
// an exponent, or the parameters of a function (10.15).
func (r *tagReader) curve() {
	if r.kind("curv", "para") == "curv" {
		r.rising(r.number(4), 2)
		return
	}
	parameters := []int{1, 3, 4, 5, 7}
	function := r.number(2)
	r.clear(2)
	if r.require(function < len(parameters)); !r.malformed {
		r.fixed(parameters[function])
	}
}

func (r *tagReader) table() {
	switch r.kind("mft1", "mft2", "mAB ") {
	case "mft1":
		r.lut(1)
	case "mft2":
		r.lut(2)
	default:
		r.lutAToB()
	}
}

// lut keeps a table with numbers of width bytes: a matrix, input curves, a cube
// of colours and output curves (ICC.1:2010, 10.8 and 10.9).
func (r *tagReader) lut(width int) {
	r.require(r.number(2) == channels<<8|channels) // in, out
	side := r.number(1)
	r.clear(1)
	r.fixed(9)
	inputs, outputs := 256, 256
	if width == 2 {
		inputs, outputs = r.number(2), r.number(2)
	}
	r.require(min(inputs, outputs) >= 2)
	for range channels {
		r.rising(inputs, width)
	}
	r.cube(width, side, side, side)
	for range channels {
		r.rising(outputs, width)
	}
}

// cube keeps a colour of channels numbers for each point of a grid.
func (r *tagReader) cube(width int, sides ...int) {
	r.require(slices.Min(sides) >= 2)
	r.keep(channels * width * sides[0] * sides[1] * sides[2])
}

// lutElements read the elements of a lutAToB, in the order of their offsets
// (ICC.1:2010, 10.10).
var lutElements = []func(*tagReader){
	(*tagReader).curves,
	func(r *tagReader) { r.fixed(12) },
	(*tagReader).curves,
	(*tagReader).grid,
	(*tagReader).curves,
}

// lutAToB keeps a table of elements, each at its own offset. An offset of 0
// means that the element is missing; only the first one is required.
func (r *tagReader) lutAToB() {
	r.require(r.number(2) == channels<<8|channels) // in, out
	r.clear(2)
	offsets := len(r.out)
	r.clear(4 * len(lutElements))
	for i, element := range lutElements {
		if r.malformed {
			return
		}
		at := binary.BigEndian.Uint32(r.tag[offsets+4*i:])
		if at == 0 && i > 0 {
			continue
		}
		r.left = r.tag[min(uint64(at), uint64(len(r.tag))):]
		r.out = padded(r.out)
		binary.BigEndian.PutUint32(r.out[offsets+4*i:], uint32(len(r.out)))
		element(r)
	}
}

// curves keeps one curve per channel, each aligned to four bytes.
func (r *tagReader) curves() {
	for range channels {
		r.clear(-len(r.out) & 3)
		r.curve()
	}
}

// grid keeps a cube. Before it come 16 sides, of which the first three count,
// and the width of its numbers.
func (r *tagReader) grid() {
	sides := []int{r.number(1), r.number(1), r.number(1)}
	r.clear(16 - channels)
	width := r.number(1)
	r.require(width == 1 || width == 2)
	r.clear(3)
	r.cube(width, sides...)
}
