package jpeg

import "context"

// Check verifies that the picture is complete: that every block of every scan
// can be decoded. It makes no pixels, and takes a sixth of the time of decoding.
// For a progressive picture it takes 8 bytes of memory per block of 64 samples.
//
// If all blocks are there, Check repairs the rest of the file. It removes all
// bytes after the last block of a scan or restart interval and all bytes after
// the last scan, and adds a missing end marker.
//
// Check fails with a FormatError if anything else is missing, and if a scan
// repeats coefficients or refines those that haven't come yet. A progressive
// file with an end marker may lack refinement scans, as decoders show it without
// them. Check returns ctx's cause soon after ctx ends.
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

// skipper decodes the codes of a sequential scan and skips their values.
type skipper struct {
	bits *bitReader
	plan []blockTables // the tables of each block of a unit
}

// blockTables are the Huffman tables of a block.
type blockTables struct{ dc, ac *huffman }

func newSkipper(w *walk, s scan) *skipper {
	k := &skipper{bits: &w.bits}
	for _, part := range s.components {
		h, v := w.file.frame.unit(s, part.index)
		for range h * v {
			k.plan = append(k.plan, blockTables{&w.tables[0][part.dc], &w.tables[1][part.ac]})
		}
	}
	return k
}

func (*skipper) endRow(int) error { return nil }

// units is the inner loop of a check. One table lookup per code also skips the
// value after the code.
//
//nolint:gocognit // a call per code or block would cost as much as the rest
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
