package jpeg

// zigzag maps the order of a scan to the places of coefficients in a block: 8 ×
// the vertical frequency + the horizontal one (T.81, figure A.6).
var zigzag = [64]byte{
	0, 1, 8, 16, 9, 2, 3, 10,
	17, 24, 32, 25, 18, 11, 4, 5,
	12, 19, 26, 33, 40, 48, 41, 34,
	27, 20, 13, 6, 7, 14, 21, 28,
	35, 42, 49, 56, 57, 50, 43, 36,
	29, 22, 15, 23, 30, 37, 44, 51,
	58, 59, 52, 45, 38, 31, 39, 46,
	53, 60, 61, 54, 47, 55, 62, 63,
}

// places maps the order of a scan to places in a block of n×n coefficients.
// Those of higher frequencies are not kept and get the place after the block.
type places [64]byte

func newPlaces(n int) (p places) {
	for k, at := range zigzag {
		u, v := int(at%8), int(at/8)
		if u < n && v < n {
			p[k] = byte(v*n + u)
		} else {
			p[k] = byte(n * n)
		}
	}
	return p
}

var placesOf = [9]places{0: newPlaces(0), 1: newPlaces(1), 2: newPlaces(2), 4: newPlaces(4), 8: newPlaces(8)}

// place returns a quantizer's steps in the places of a block of n×n coefficients.
func (q *quantizer) place(n int) (steps [65]uint16) {
	for k, at := range placesOf[n] {
		steps[at] = q.steps[k]
	}
	return steps
}

// strips makes the samples of sequential scans, one row of units at a time.
type strips struct {
	w     *walk
	scale int // n: a block makes n × n samples
	parts []strip
	band  func(component, y int, rows Plane) error
}

// strip is a component's part of a row of units.
type strip struct {
	component     int
	h, v          int // blocks in a unit
	tables        blockTables
	steps         [65]uint16
	plane         Plane
	height, width int // of the component's whole plane
}

// strip returns a strip for v rows of across blocks of a component.
func (w *walk) strip(c, across, v, scale int) strip {
	s := strip{component: c, v: v, steps: w.latched[c].place(scale)}
	s.plane = Plane{Pix: make([]byte, across*scale*v*scale), Stride: across * scale}
	s.width, s.height = w.file.PlaneSize(c, Scale(scale))
	return s
}

func (s *strips) begin(header scan) (scanDecoder, error) {
	frame := &s.w.file.frame
	s.parts = s.parts[:0]
	for _, part := range header.components {
		c := part.index
		h, v := frame.unit(header, c)
		across, _ := frame.blocks(c)
		if len(header.components) > 1 {
			units, _ := frame.units()
			across = units * h
		}
		p := s.w.strip(c, across, v, s.scale)
		p.h, p.tables = h, blockTables{&s.w.tables[0][part.dc], &s.w.tables[1][part.ac]}
		s.parts = append(s.parts, p)
	}
	return s, nil
}

func (s *strips) units(_, x, count int) error {
	var block [65]int16
	for ; count > 0; count-- {
		for i := range s.parts {
			p := &s.parts[i]
			for row := range p.v {
				for column := range p.h {
					last, err := s.block(&block, p)
					if err != nil {
						return err
					}
					at := row*s.scale*p.plane.Stride + (x*p.h+column)*s.scale
					inverse(p.plane.Pix[at:], p.plane.Stride, s.scale, &block, &p.steps, last)
				}
			}
		}
		x++
	}
	return nil
}

func (s *strips) endRow(y int) error {
	for i := range s.parts {
		p := &s.parts[i]
		if err := handOver(s.band, p.component, y*p.v*s.scale, p.plane, p.width, p.height); err != nil {
			return err
		}
	}
	return nil
}

// handOver passes the rows that are within the component's plane to band.
func handOver(band func(component, y int, rows Plane) error, component, y int, rows Plane, width, height int) error {
	rows.Width, rows.Height = width, min(len(rows.Pix)/rows.Stride, height-y)
	if rows.Height <= 0 {
		return nil
	}
	return band(component, y, rows)
}

// block decodes a block (T.81, F.2.2). It returns the index, in scan order, of
// its last coefficient.
func (s *strips) block(block *[65]int16, p *strip) (last int, err error) {
	bits := &s.w.bits
	held, n := bits.held, bits.n
	place := &placesOf[s.scale]
	clear(block[:s.scale*s.scale])
	if n < enough {
		held, n = bits.fill(held, n)
	}
	c := p.tables.dc.look[held>>(64-lookBits)]
	if c == 0 {
		if c = p.tables.dc.long(held); c == 0 {
			return 0, errEntropy
		}
	}
	s.w.dc[p.component] += valueOf(held, c)
	block[0] = int16(s.w.dc[p.component])
	held <<= c & 63
	n -= c.total()
	for k := 1; k < blockEnd; {
		if n < enough {
			held, n = bits.fill(held, n)
		}
		c := p.tables.ac.look[held>>(64-lookBits)]
		if c == 0 {
			if c = p.tables.ac.long(held); c == 0 {
				return 0, errEntropy
			}
		}
		if k += c.advance(); k > blockEnd {
			held <<= c & 63
			n -= c.total()
			if k < codedEnd || k >= wrongCode {
				return 0, errEntropy
			}
			break
		}
		last = k - 1
		block[place[last]&63] = int16(valueOf(held, c)) // 0 after a run of 16
		held <<= c & 63
		n -= c.total()
	}
	bits.held, bits.n = held, n
	return last, nil
}

// valueOf returns the value after the code c at the start of held, or 0 if c has
// none. A value whose first bit is 0 is negative (T.81, F.2.2.1). There is no
// branch, as the sign is unpredictable.
func valueOf(held uint64, c code) int32 {
	rest, size := held<<(c.length()&63), c.size()
	negative := ^int32(int64(rest) >> 63)
	return int32(rest>>1>>(63-size)) + negative&(1-1<<size)
}
