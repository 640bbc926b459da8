package jpeg

import (
	"encoding/binary"
	"iter"
	"slices"
)

// iccTag begins an APP2 segment with a part of an ICC profile; the part's
// number, from 1, and the number of parts follow (ICC.1:2010, B.4).
const iccTag = "ICC_PROFILE\x00"

// Profile returns a copy of the ICC profile, or nil if there is none, a part of
// it is missing, or it is longer than most bytes.
func (f *File) Profile(most int) []byte {
	var parts [][]byte
	for segment := range f.heads() {
		if segment[1] == markerAPP2 {
			parts = append(parts, segment[4+len(iccTag):])
		}
	}
	slices.SortStableFunc(parts, func(a, b []byte) int { return int(a[0]) - int(b[0]) })
	var profile []byte
	for i, part := range parts {
		rest := part[2:]
		if int(part[0]) != i+1 || int(part[1]) != len(parts) || len(profile)+len(rest) > most {
			return nil
		}
		profile = append(profile, rest...)
	}
	return profile
}

// SetProfile replaces the file's ICC profile, or removes it if profile is empty.
// profile is at most MaxProfile bytes long. The segments before the first scan
// are rewritten, in place if there is room.
func (f *File) SetProfile(profile []byte) {
	head := append(make([]byte, 0, f.scanAt), f.data[:2]...)
	placed := false // after JFIF, which comes first
	for segment := range f.heads() {
		if !placed && segment[1] != markerAPP0 {
			head, placed = appendProfile(head, profile), true
		}
		if segment[1] != markerAPP2 {
			head = append(head, segment...)
		}
	}
	if room := f.scanAt - len(head); room >= 0 {
		f.data = f.data[room:]
		copy(f.data, head)
	} else {
		f.data = slices.Concat(head, f.data[f.scanAt:])
	}
	f.scanAt = len(head)
}

// heads yields the segments before the first scan, with their markers.
func (f *File) heads() iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for at := 2; at < f.scanAt; {
			end := at + 2 + int(binary.BigEndian.Uint16(f.data[at+2:]))
			if !yield(f.data[at:end]) {
				return
			}
			at = end
		}
	}
}
