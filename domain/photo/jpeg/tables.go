package jpeg

import (
	"encoding/binary"
	"slices"
)

// The slots of tables. A table replaces the one that is in its slot.
const (
	quantizerSlot = 0 // of four, by number
	huffmanSlot   = 4 // of eight: four for DC, then four for AC
	intervalSlot  = 12
	slots         = 13
)

// mostTables bounds the tables of a file. Even 64 scans with a new table in
// every slot have fewer.
const mostTables = 1024

// table tells where a quantization table, a Huffman table or the restart
// interval is kept.
type table struct {
	segment, at, end int // where its segment and the table itself begin, and where it ends
	used             bool
}

// tables are the tables of a file. Those that no scan uses count as metadata:
// there can be any number of them, with any content.
type tables struct {
	all     []table
	current [slots]int  // by slot: 1 + the place in all; 0: none came
	lacking [slots]bool // by slot: a scan uses a table that hadn't come
}

// read takes the tables of a segment whose content is kept at at. It takes none
// if it fails.
func (t *tables) read(marker byte, content []byte, at int) error {
	const header = 4 // the marker and the length
	all := t.all
	for segment := at - header; len(content) > 0; {
		slot, length, err := nextTable(marker, content)
		if err != nil {
			return err
		}
		if len(all) == mostTables {
			return errManyTables
		}
		all = append(all, table{segment: segment, at: at, end: at + length})
		t.current[slot] = len(all)
		content, at = content[length:], at+length
	}
	t.all = all
	return nil
}

// nextTable measures the first table of a segment's content (T.81, B.2.4).
func nextTable(marker byte, content []byte) (slot, length int, err error) {
	high, low := int(content[0]>>4), int(content[0]&15)
	switch {
	case marker == markerDRI:
		return intervalSlot, 2, errorUnless(len(content) == 2, errSegment)
	case high > 1 || low > 3:
		return 0, 0, errTables
	case marker == markerDQT:
		length = 1 + 64<<high
		return quantizerSlot + low, length, errorUnless(len(content) >= length, errTables)
	}
	length = 1 + longestLen
	if len(content) < length {
		return 0, 0, errTables
	}
	for _, count := range content[1:length] {
		length += int(count)
	}
	const mostSymbols = 256
	return huffmanSlot + 4*high + low, length, errorUnless(length <= min(len(content), 1+longestLen+mostSymbols), errTables)
}

func errorUnless(holds bool, err error) error {
	if holds {
		return nil
	}
	return err
}

// hasHuffman reports whether any Huffman table came.
func (t *tables) hasHuffman() bool { return slices.Max(t.current[huffmanSlot:intervalSlot]) > 0 }

// keep marks the table in a slot as used. It reports whether there is one.
func (t *tables) keep(slot int) bool {
	i := t.current[slot]
	if i > 0 {
		t.all[i-1].used = true
	}
	return i > 0
}

// scan marks the tables that a scan uses. If standard is set, the standard
// Huffman tables stand in for missing ones. Any other missing table is an error,
// and nothing is marked.
func (t *tables) scan(s scan, f *frame, scanned int, standard bool) error {
	used := s.tables(f, scanned)
	for _, slot := range used {
		if t.current[slot] == 0 && (!standard || !isStandard(slot)) {
			return errNoTables
		}
	}
	for _, slot := range used {
		t.lacking[slot] = !t.keep(slot) || t.lacking[slot]
	}
	t.keep(intervalSlot)
	if len(f.components) == 1 { // encoders write the chroma tables into grey files too; keep these unchanged
		t.keep(quantizerSlot + 1)
		t.keep(huffmanSlot + 1)
		t.keep(huffmanSlot + 4 + 1)
	}
	return nil
}

// tables returns the slots of the tables that a scan uses. A component's
// quantization table is that of its first scan.
func (s scan) tables(f *frame, scanned int) (used []int) {
	for _, part := range s.components {
		if scanned&(1<<part.index) == 0 {
			used = append(used, quantizerSlot+int(f.components[part.index].table))
		}
		if s.start == 0 && s.high == 0 {
			used = append(used, huffmanSlot+int(part.dc))
		}
		if s.end > 0 {
			used = append(used, huffmanSlot+4+int(part.ac))
		}
	}
	return used
}

// sweep removes the unused tables, and segments that have no others, from data
// in place. It returns what is left, and where in it mark has moved.
func (t *tables) sweep(data []byte, mark int) (left []byte, moved int) {
	if !slices.ContainsFunc(t.all, func(t table) bool { return !t.used }) {
		return data, mark
	}
	kept, from := 0, 0
	moved = mark
	drop := func(at, end int) {
		kept += copy(data[kept:], data[from:at])
		from = end
		if end <= mark {
			moved -= end - at
		}
	}
	for i, part := range t.all {
		if begins := i == 0 || t.all[i-1].segment != part.segment; begins {
			length := usedLength(t.all[i:])
			binary.BigEndian.PutUint16(data[part.segment+2:], uint16(2+length))
			if length == 0 {
				drop(part.segment, part.at)
			}
		}
		if !part.used {
			drop(part.at, part.end)
		}
	}
	drop(len(data), len(data))
	return data[:kept], moved
}

// usedLength returns the length of the used tables in the segment of the first
// table.
func usedLength(all []table) (length int) {
	for _, t := range all {
		if t.segment != all[0].segment {
			break
		}
		if t.used {
			length += t.end - t.at
		}
	}
	return length
}
