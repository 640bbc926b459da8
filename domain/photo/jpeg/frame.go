package jpeg

import (
	"encoding/binary"
	"fmt"
	"slices"
)

// frame is the frame header of a JPEG (T.81, B.2.2).
type frame struct {
	progressive   bool
	width, height int
	components    []component // nil: no frame came yet
	hMax, vMax    int         // the largest sampling factors
}

// component is a colour component.
type component struct {
	id    byte
	h, v  int  // sampling factors
	table byte // of the quantization tables
}

func (f *frame) parse(marker byte, content []byte) error {
	if f.components != nil || len(content) < 6 {
		return errFrame
	}
	if precision := content[0]; precision != 8 {
		return UnsupportedError(fmt.Sprintf("of %d bits per sample", precision))
	}
	f.progressive = marker == markerSOF2
	f.height = int(binary.BigEndian.Uint16(content[1:]))
	f.width = int(binary.BigEndian.Uint16(content[3:]))
	count := int(content[5])
	if count != 1 && count != 3 && count != 4 {
		return UnsupportedError(fmt.Sprintf("of %d components", count))
	}
	if len(content) != 6+3*count || f.width == 0 {
		return errFrame
	}
	for c := range slices.Chunk(content[6:], 3) {
		h, v := int(c[1]>>4), int(c[1]&15)
		if h < 1 || h > 4 || v < 1 || v > 4 || c[2] > 3 {
			return errFrame
		}
		f.components = append(f.components, component{id: c[0], h: h, v: v, table: c[2]})
	}
	if count == 1 {
		f.components[0].h, f.components[0].v = 1, 1 // T.81, A.2.2: the factors don't matter
	}
	for _, c := range f.components {
		f.hMax, f.vMax = max(f.hMax, c.h), max(f.vMax, c.v)
	}
	return nil
}

// units returns the numbers of minimum coded units across and down (T.81, A.2.4).
func (f *frame) units() (across, down int) {
	return ceilDiv(f.width, 8*f.hMax), ceilDiv(f.height, 8*f.vMax)
}

// samples returns the size of a component's plane (T.81, A.1.1).
func (f *frame) samples(c int) (width, height int) {
	return ceilDiv(f.width*f.components[c].h, f.hMax), ceilDiv(f.height*f.components[c].v, f.vMax)
}

// blocks returns the numbers of a component's blocks across and down, without
// those that only complete a unit (T.81, A.2.2).
func (f *frame) blocks(c int) (across, down int) {
	width, height := f.samples(c)
	return ceilDiv(width, 8), ceilDiv(height, 8)
}

// unit returns the columns and rows of blocks of a component in a unit of a scan
// (T.81, A.2.2 and A.2.3).
func (f *frame) unit(s scan, c int) (h, v int) {
	if len(s.components) == 1 {
		return 1, 1
	}
	return f.components[c].h, f.components[c].v
}

func ceilDiv(a, b int) int { return (a + b - 1) / b }

// scan is a scan header (T.81, B.2.3).
type scan struct {
	components []scanComponent
	start, end int  // the band of coefficients in zigzag order, end included
	high, low  uint // the lowest bit that the previous scan of the band had, or 0, and that of this one
}

// scanComponent is a component and its tables in a scan.
type scanComponent struct {
	index  int // in the frame
	dc, ac byte
}

// scan reads a scan header.
func (f *frame) scan(content []byte) (s scan, err error) {
	if f.components == nil || len(content) < 1 {
		return s, errScan
	}
	count := int(content[0])
	if count < 1 || count > len(f.components) || len(content) != 4+2*count {
		return s, errScan
	}
	blocks := 0
	for pair := range slices.Chunk(content[1:1+2*count], 2) {
		c := scanComponent{index: -1, dc: pair[1] >> 4, ac: pair[1] & 15}
		for i := range f.components {
			taken := slices.ContainsFunc(s.components, func(c scanComponent) bool { return c.index == i })
			if f.components[i].id == pair[0] && !taken {
				c.index = i
				break
			}
		}
		if c.index < 0 || c.dc > 3 || c.ac > 3 {
			return s, errScan
		}
		blocks += f.components[c.index].h * f.components[c.index].v
		s.components = append(s.components, c)
	}
	const mostBlocks = 10 // per unit
	if count > 1 && blocks > mostBlocks {
		return s, errScan
	}
	band := content[1+2*count:]
	s.start, s.end, s.high, s.low = int(band[0]), int(band[1]), uint(band[2]>>4), uint(band[2]&15)
	if !f.progressive {
		s.start, s.end, s.high, s.low = 0, 63, 0, 0 // whatever the header says
	} else if !s.legal() {
		return s, errScan
	}
	return s, nil
}

// legal reports whether the parameters of a progressive scan are valid (T.81,
// G.1.1.1).
func (s scan) legal() bool {
	const mostLow = 13
	if s.low > mostLow || s.high != 0 && s.high != s.low+1 {
		return false
	}
	if s.start == 0 {
		return s.end == 0
	}
	return s.start <= s.end && s.end <= 63 && len(s.components) == 1
}
