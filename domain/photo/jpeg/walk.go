package jpeg

import (
	"bytes"
	"context"
	"encoding/binary"
	"sync"
)

// walk goes through the segments and scans of a clean file.
type walk struct {
	file       *File
	mend       bool // repair the file: remove bytes after the blocks of a restart interval
	kept, from int  // the repaired part of data[:from] is data[:kept]
	at         int  // where the next segment begins
	interval   int  // units between restarts; 0: there are none
	bits       bitReader
	tables     [2][4]huffman // for DC and for AC
	quantizers [4]quantizer
	latched    [4]quantizer // by component: that of its first scan
	came       [4][64]byte  // by component and coefficient: the lowest bit that came, or nothing
	dc         [4]int32     // by component: the DC value of the last block
	left       int          // units before the next restart
	restart    byte         // its marker
	run        int          // blocks without codes that are left in this progressive scan
}

// nothing means that no bit of a coefficient came.
const nothing = 0xFF

// quantizer is a quantization table (T.81, B.2.4.1), in zigzag order.
type quantizer struct {
	came  bool
	steps [64]uint16
}

// scanDecoder decodes the units of a scan.
type scanDecoder interface {
	units(y, x, count int) error // of row y, from x on
	endRow(y int) error
}

// walks reuses the tables, which are large in proportion to a small photo.
var walks = sync.Pool{New: func() any { return new(walk) }}

// newWalk returns a walk at the start of the file. It clears what another file
// left in the tables.
func (f *File) newWalk() *walk {
	w := walks.Get().(*walk)
	w.file, w.mend, w.at, w.interval, w.bits = f, false, 2, 0, bitReader{data: f.data}
	w.kept, w.from = 0, 0
	for class := range w.tables {
		for id := range w.tables[class] {
			table := &w.tables[class][id]
			table.spec, table.built = table.spec[:0], false
		}
	}
	for c := range w.came {
		w.quantizers[c].came, w.latched[c].came = false, false
		for k := range w.came[c] {
			w.came[c][k] = nothing
		}
	}
	return w
}

// end makes the walk available to other files.
func (w *walk) end() {
	w.file, w.bits.data = nil, nil
	walks.Put(w)
}

// segments walks until the picture is complete, or to the end marker. begin
// returns the decoder of a scan.
func (w *walk) segments(ctx context.Context, begin func(s scan) (scanDecoder, error)) error {
	for {
		_, at, err := nextMarker(w.file.data, w.at)
		if err != nil {
			return cutOff(w.file)
		}
		marker := w.file.data[at]
		if marker == markerEOI {
			w.finish(at - 1)
			return w.decodable()
		}
		end, err := segmentEnd(w.file.data, at+1)
		if err != nil {
			return err
		}
		content := w.file.data[at+3 : end]
		w.at = end
		switch marker {
		case markerDHT, markerDQT, markerDRI:
			err = w.readTables(marker, content)
		case markerSOS:
			err = w.scan(ctx, content, begin)
		}
		if err != nil {
			return err
		}
		if marker == markerSOS && w.complete() {
			w.finish(w.at)
			return nil
		}
	}
}

func cutOff(f *File) error {
	if f.open != nil {
		return f.open
	}
	return errCutOff
}

// readTables loads the tables of a segment. Scans build the Huffman tables that
// they use.
func (w *walk) readTables(marker byte, content []byte) error {
	for len(content) > 0 {
		slot, length, err := nextTable(marker, content)
		if err != nil {
			return err
		}
		w.load(slot, content[:length])
		content = content[length:]
	}
	return nil
}

func (w *walk) load(slot int, table []byte) {
	switch {
	case slot == intervalSlot:
		w.interval = int(binary.BigEndian.Uint16(table))
	case slot >= huffmanSlot:
		h := &w.tables[(slot-huffmanSlot)/4][(slot-huffmanSlot)%4]
		h.spec, h.built = append(h.spec[:0], table[1:]...), false
	default:
		q, wide := &w.quantizers[slot-quantizerSlot], len(table) > 1+64
		q.came = true
		for i := range q.steps {
			if q.steps[i] = uint16(table[1+i]); wide {
				q.steps[i] = binary.BigEndian.Uint16(table[1+2*i:])
			}
		}
	}
}

// complete reports whether all bits of all coefficients came.
func (w *walk) complete() bool {
	for c := range w.file.Components {
		for _, low := range w.came[c] {
			if low != 0 {
				return false
			}
		}
	}
	return true
}

// decodable fails if a component has no DC values.
func (w *walk) decodable() error {
	for c := range w.file.Components {
		if w.came[c][0] == nothing {
			return errNoScan
		}
	}
	return nil
}

// scan decodes the scan with the given header, whose data is at w.at.
func (w *walk) scan(ctx context.Context, header []byte, begin func(s scan) (scanDecoder, error)) error {
	s, err := w.file.frame.scan(header)
	if err != nil {
		return err
	}
	if err := w.prepare(s); err != nil {
		return err
	}
	d, err := begin(s)
	if err != nil {
		return err
	}
	if err := w.rows(ctx, s, d); err != nil {
		return err
	}
	for _, part := range s.components {
		for k := s.start; k <= s.end; k++ {
			w.came[part.index][k] = byte(s.low)
		}
	}
	w.at = w.bits.end()
	end := entropyEnd(w.file.data, w.at)
	w.cut(w.at, end)
	w.at = end
	return nil
}

// prepare builds the tables of a scan and checks that the scan comes in order.
func (w *walk) prepare(s scan) error {
	for _, part := range s.components {
		if err := checkNext(w.came[part.index][s.start:s.end+1], s.high); err != nil {
			return err
		}
		if q := &w.latched[part.index]; !q.came {
			*q = w.quantizers[w.file.frame.components[part.index].table]
		}
		if !w.latched[part.index].came {
			return errNoTables
		}
		if s.start == 0 && s.high == 0 {
			if err := w.tables[0][part.dc].build(true); err != nil {
				return err
			}
		}
		if s.end > 0 {
			if err := w.tables[1][part.ac].build(false); err != nil {
				return err
			}
		}
	}
	return nil
}

// checkNext fails if a scan is not the next one of its band: the first if high
// is 0, or else the one after the scan whose lowest bit was high.
func checkNext(came []byte, high uint) error {
	want := byte(nothing)
	if high > 0 {
		want = byte(high)
	}
	if bytes.Count(came, []byte{want}) != len(came) {
		return errTwice
	}
	return nil
}

// rows decodes the units of a scan, row by row.
func (w *walk) rows(ctx context.Context, s scan, d scanDecoder) error {
	across, down := w.file.frame.units()
	if len(s.components) == 1 {
		across, down = w.file.frame.blocks(s.components[0].index)
	}
	w.beginInterval(w.at)
	w.left, w.restart = w.interval, markerRST0
	for y := range down {
		if err := w.row(d, y, across); err != nil {
			return err
		}
		if w.bits.short() {
			return errShort
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
	}
	return w.finished()
}

// row decodes a row of units, between restarts.
func (w *walk) row(d scanDecoder, y, across int) error {
	for x := 0; x < across; {
		count := across - x
		if w.interval > 0 {
			if err := w.passRestart(); err != nil {
				return err
			}
			count = min(count, w.left)
			w.left -= count
		}
		if err := d.units(y, x, count); err != nil {
			return err
		}
		x += count
	}
	return d.endRow(y)
}

// finished fails if an interval has too few bits for its units, or a run of
// blocks that goes beyond it.
func (w *walk) finished() error {
	if w.bits.short() {
		return errShort
	}
	if w.run > 0 {
		return errEntropy
	}
	return nil
}

// beginInterval resets the state of decoding (T.81, F.2.1.3.1 and G.1.2.2).
func (w *walk) beginInterval(at int) {
	w.bits.begin(at)
	w.dc, w.run = [4]int32{}, 0
}

// passRestart skips the restart marker, and meaningless bytes before it, if one
// is due.
func (w *walk) passRestart() error {
	if w.left > 0 {
		return nil
	}
	if err := w.finished(); err != nil {
		return err
	}
	_, at, err := nextMarker(w.file.data, w.bits.end())
	if err != nil || w.file.data[at] != w.restart {
		return errRestart
	}
	w.cut(w.bits.end(), at-1)
	w.beginInterval(at + 1)
	w.left, w.restart = w.interval, markerRST0+(w.restart-markerRST0+1)%8
	return nil
}

// cut removes bytes from a file that is repaired. The bytes after them move at
// the next cut, when they have been read.
func (w *walk) cut(at, end int) {
	if !w.mend || at == end {
		return
	}
	w.keep(at)
	w.from = end
}

// keep moves the bytes between the last cut and at.
func (w *walk) keep(at int) {
	if w.kept == w.from {
		w.kept = at
		return
	}
	w.kept += copy(w.file.data[w.kept:], w.file.data[w.from:at])
}

// finish ends a file that is repaired at at, with an end marker.
func (w *walk) finish(at int) {
	if !w.mend {
		return
	}
	w.keep(at)
	f := w.file
	f.data = append(f.data[:w.kept:len(f.data)], 0xFF, markerEOI)
	f.open = nil
}
