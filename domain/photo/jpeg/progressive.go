package jpeg

import (
	"context"
	"math/bits"
)

// progressive gathers the coefficients of progressive scans (T.81, annex G).
type progressive struct {
	w     *walk
	scale int // n: n×n coefficients of each block are kept; 0: none
	parts [4]coefficients
	s     scan
}

// coefficients are the coefficients of a component, in whole units.
type coefficients struct {
	across int      // blocks
	known  []uint64 // by block: bit k is set if coefficient k, in scan order, isn't 0
	kept   []int16  // by block: scale² coefficients
}

func newProgressive(w *walk, scale int) *progressive { return &progressive{w: w, scale: scale} }

func (p *progressive) begin(s scan) (scanDecoder, error) {
	p.s = s
	for _, part := range s.components {
		c := &p.parts[part.index]
		if c.known != nil {
			continue
		}
		across, down := p.w.file.frame.units()
		factors := p.w.file.frame.components[part.index]
		c.across = across * factors.h
		blocks := c.across * down * factors.v
		c.known, c.kept = make([]uint64, blocks), make([]int16, blocks*p.scale*p.scale)
	}
	return p, nil
}

func (*progressive) endRow(int) error { return nil }

func (p *progressive) units(y, x, count int) error {
	switch {
	case p.s.start == 0:
		return p.dcUnits(y, x, count)
	case p.s.high == 0:
		return p.acFirst(y, x, count)
	default:
		return p.acRefine(y, x, count)
	}
}

// dcUnits decodes the DC values of units, or one more bit of each.
func (p *progressive) dcUnits(y, x, count int) error {
	for ; count > 0; count-- {
		for _, part := range p.s.components {
			h, v := p.w.file.frame.unit(p.s, part.index)
			for row := range v {
				for column := range h {
					if err := p.dcBlock(part, (y*v+row)*p.parts[part.index].across+x*h+column); err != nil {
						return err
					}
				}
			}
		}
		x++
	}
	return nil
}

func (p *progressive) dcBlock(part scanComponent, block int) error {
	value := int32(0)
	if p.s.high > 0 {
		value = p.w.bits.take(1) << p.s.low
	} else {
		c := p.w.bits.code(&p.w.tables[0][part.dc])
		if c == 0 {
			return errEntropy
		}
		if size := c.size(); size > 0 {
			p.w.dc[part.index] += extend(p.w.bits.take(size), size)
		}
		value = p.w.dc[part.index] << p.s.low
	}
	if p.scale > 0 {
		p.parts[part.index].kept[block*p.scale*p.scale] |= int16(value)
	}
	return nil
}

// acFirst decodes the first scan of a band (T.81, G.1.2.2).
func (p *progressive) acFirst(y, x, count int) error {
	part := p.s.components[0]
	c, table := &p.parts[part.index], &p.w.tables[1][part.ac]
	for at, end := y*c.across+x, y*c.across+x+count; at < end; {
		if skip := min(p.w.run, end-at); skip > 0 {
			p.w.run -= skip
			at += skip
			continue
		}
		if err := p.firstBlock(c, table, at); err != nil {
			return err
		}
		at++
	}
	return nil
}

func (p *progressive) firstBlock(c *coefficients, table *huffman, block int) error {
	reader := &p.w.bits
	for k := p.s.start; k <= p.s.end; k++ {
		next := reader.code(table)
		if next == 0 {
			return errEntropy
		}
		run, size := next.run(), next.size()
		if size == 0 && run < fullRun {
			p.w.run = 1<<run + int(reader.take(uint(run))) - 1 // of the blocks after this one
			return nil
		}
		if k += run; k > p.s.end {
			return errEntropy
		}
		if size > 0 {
			p.put(c, block, k, extend(reader.take(size), size)<<p.s.low)
		}
	}
	return nil
}

// put sets a coefficient that was 0.
func (p *progressive) put(c *coefficients, block, k int, value int32) {
	c.known[block] |= 1 << k
	if place := int(placesOf[p.scale][k]); place < p.scale*p.scale {
		c.kept[block*p.scale*p.scale+place] = int16(value)
	}
}

// acRefine decodes one more bit of a band (T.81, G.1.2.3).
func (p *progressive) acRefine(y, x, count int) error {
	part := p.s.components[0]
	c, table := &p.parts[part.index], &p.w.tables[1][part.ac]
	band := uint64(1)<<(p.s.end+1) - 1<<p.s.start // a shift by 64 gives 0
	for block := y*c.across + x; count > 0; count-- {
		todo := band
		if p.w.run == 0 {
			var err error
			if todo, err = p.refineBlock(c, table, block, band); err != nil {
				return err
			}
		}
		if p.w.run > 0 {
			p.refine(c, block, c.known[block]&todo)
			p.w.run--
		}
		block++
	}
	return nil
}

// refineBlock decodes the codes of a block. It returns the part of the band
// after them.
func (p *progressive) refineBlock(c *coefficients, table *huffman, block int, band uint64) (todo uint64, err error) {
	for todo = band; todo != 0; {
		next := p.w.bits.code(table)
		run, size := next.run(), next.size()
		if next == 0 || size > 1 {
			return 0, errEntropy
		}
		if size == 0 && run < fullRun {
			p.w.run = 1<<run + int(p.w.bits.take(uint(run)))
			return todo, nil
		}
		value := int32(0)
		if size == 1 {
			value = (2*p.w.bits.take(1) - 1) << p.s.low
		}
		known := todo & c.known[block]
		at := zeroAt(bits.TrailingZeros64(todo), run, known)
		if at > p.s.end {
			return 0, errEntropy
		}
		p.refine(c, block, known&(1<<at-1))
		if value != 0 {
			p.put(c, block, at, value)
		}
		todo &^= 1<<(at+1) - 1 // a shift by 64 gives 0
	}
	return 0, nil
}

// zeroAt returns the index, from at on, of the zero coefficient that has run
// zeros before it. known has a bit for each coefficient that isn't 0. It takes a
// step for each of these, for which the scan has a bit: a file can't ask for
// more steps than it has bits.
func zeroAt(at, run int, known uint64) int {
	for ; known != 0; known &= known - 1 {
		next := bits.TrailingZeros64(known)
		if next-at > run {
			break
		}
		run -= next - at
		at = next + 1
	}
	return at + run
}

// refine decodes one more bit of each of the coefficients in which.
func (p *progressive) refine(c *coefficients, block int, which uint64) {
	reader := &p.w.bits
	if p.scale == 0 {
		for count := uint(bits.OnesCount64(which)); count > 0; {
			some := min(count, 16)
			reader.take(some)
			count -= some
		}
		return
	}
	kept := c.kept[block*p.scale*p.scale:][:p.scale*p.scale]
	for ; which != 0; which &= which - 1 {
		bit := reader.take(1)
		place := int(placesOf[p.scale][bits.TrailingZeros64(which)])
		if place >= len(kept) || bit == 0 {
			continue
		}
		if kept[place] < 0 {
			kept[place] -= 1 << p.s.low
		} else {
			kept[place] += 1 << p.s.low
		}
	}
}

// samples makes the samples of all coefficients, one row of units at a time.
func (p *progressive) samples(ctx context.Context, band func(component, y int, rows Plane) error) error {
	frame := &p.w.file.frame
	_, down := frame.units()
	var strips [4]strip
	for c := range frame.components {
		strips[c] = p.w.strip(c, p.parts[c].across, frame.components[c].v, p.scale)
	}
	for y := range down {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		for c := range frame.components {
			s := &strips[c]
			p.row(&p.parts[c], s, y)
			if err := handOver(band, c, y*s.v*p.scale, s.plane, s.width, s.height); err != nil {
				return err
			}
		}
	}
	return nil
}

// row makes the samples of a component in a row of units.
func (p *progressive) row(c *coefficients, s *strip, y int) {
	var block [65]int16
	size := p.scale * p.scale
	for row := range s.v {
		for x := range c.across {
			at := (y*s.v+row)*c.across + x
			copy(block[:size], c.kept[at*size:])
			last := 63 - bits.LeadingZeros64(c.known[at]|1)
			inverse(s.plane.Pix[row*p.scale*s.plane.Stride+x*p.scale:], s.plane.Stride, p.scale, &block, &s.steps, last)
		}
	}
}
