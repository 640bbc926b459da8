package jpeg

import (
	"encoding/binary"
	"iter"
	"slices"
)

// iccTag begins an APP2 segment with a part of an ICC profile; the part's
// number, from 1, and the number of parts follow (ICC.1:2010, B.4).
const iccTag = "ICC_PROFILE\x00"

// Profile returns a copy of the ICC profile, its parts put together, or nil where
// there is none, a part is missing, or it is longer than most bytes.
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

// SetProfile puts an ICC profile in the place of what the file has, or takes that
// away where profile is empty. It is in at most 255 segments, which is 16 MB. What is
// before the first scan is written again, directly before it where there is room.
func (f *File) SetProfile(profile []byte) {
	head := append(make([]byte, 0, f.scanAt), f.data[:2]...)
	placed := false // behind JFIF, which is first
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

// heads are the segments before the first scan, with their markers.
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
