package jpeg

import "context"

// Check proves that the picture is whole: that each block of each scan can be
// decoded. It makes no pixels, and takes a sixth of the time that these take. A
// progressive picture takes 8 bytes a block of 64 samples.
//
// Where the blocks are all there and only the end marker is missing, or something
// else stands before it, Check mends the file: it cuts what is behind the last
// scan and closes it; between scans, and between restarts, it cuts what is behind the
// last block.
// Whatever else is missing is a FormatError, and so is a scan that repeats
// another's coefficients or refines what hasn't come. A progressive file with its
// end marker may leave out refinements, as decoders show it without them. Check
// returns ctx's cause soon after ctx ends.
func (f *File) Check(ctx context.Context) error {
	w := f.newWalk()
	defer w.end()
	w.mend = true
	if f.Progressive {
		p := newProgressive(w, 0)
		return w.segments(ctx, p.begin)
	}
	return w.segments(ctx, func(s scan) (scanDecoder, error) { return newSkipper(w, s), nil })
}

// skipper walks over the blocks of a sequential scan without their values.
type skipper struct {
	bits *bitReader
	plan []blockTables // of the blocks of a unit
}

// blockTables are the tables of a block.
type blockTables struct{ dc, ac *huffman }

func newSkipper(w *walk, s scan) *skipper {
	k := &skipper{bits: &w.bits}
	for _, part := range s.components {
		blocks := 1
		if len(s.components) > 1 {
			blocks = w.file.frame.components[part.index].h * w.file.frame.components[part.index].v
		}
		for range blocks {
			k.plan = append(k.plan, blockTables{&w.tables[0][part.dc], &w.tables[1][part.ac]})
		}
	}
	return k
}

func (*skipper) endRow(int) error { return nil }

// units is the loop that a check spends its time in: a look into a table for
// each code and the value behind it together.
//
//nolint:gocognit // a call for each code or block would cost as much as the rest
func (s *skipper) units(_, _, count int) error {
	held, n := s.bits.held, s.bits.n
	for range count {
		for i := range s.plan {
			dc, ac := s.plan[i].dc, s.plan[i].ac
			if n < enough {
				held, n = s.bits.fill(held, n)
			}
			c := dc.look[held>>(64-lookBits)]
			if c == 0 {
				if c = dc.long(held); c == 0 {
					return errEntropy
				}
			}
			held <<= c & 63
			n -= c.total()
			k := 1
			for k < blockEnd {
				if n < enough {
					held, n = s.bits.fill(held, n)
				}
				c := ac.look[held>>(64-lookBits)]
				if c == 0 {
					if c = ac.long(held); c == 0 {
						return errEntropy
					}
				}
				held <<= c & 63
				n -= c.total()
				k += c.advance()
			}
			if k != blockEnd && (k < codedEnd || k >= wrongCode) {
				return errEntropy
			}
		}
	}
	s.bits.held, s.bits.n = held, n
	return nil
}
