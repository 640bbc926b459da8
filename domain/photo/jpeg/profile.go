package jpeg

import (
	"slices"
)

// iccTag begins an APP2 segment with a part of an ICC profile; the part's
// number, from 1, and the number of parts follow (ICC.1:2010, B.4).
const iccTag = "ICC_PROFILE\x00"

// Profile returns a copy of the ICC profile, its parts put together, or nil where
// there is none, a part is missing, or it is longer than most bytes.
func (f *File) Profile(most int) []byte {
	number := func(part []byte) int { return int(part[len(iccTag)]) }
	parts := slices.SortedFunc(slices.Values(f.profile), func(a, b []byte) int { return number(a) - number(b) })
	var profile []byte
	for i, part := range parts {
		rest := part[len(iccTag)+2:]
		if number(part) != i+1 || int(part[len(iccTag)+1]) != len(parts) || len(profile)+len(rest) > most {
			return nil
		}
		profile = append(profile, rest...)
	}
	return profile
}

// SetProfile puts an ICC profile of at most MaxProfile bytes in the place of what
// the file has, or takes that away where profile is empty. What is before the first
// scan is written again, directly before it where there is room.
func (f *File) SetProfile(profile []byte) {
	if len(profile) == 0 && len(f.profile) == 0 {
		return
	}
	head := append(make([]byte, 0, f.scanAt), f.data[:2]...)
	placed := false // behind JFIF, which is first
	for at := 2; at < f.scanAt; {
		end, err := segmentEnd(f.data, at+2)
		if err != nil {
			break // Clean has passed over all of them
		}
		segment := f.data[at:end]
		if !placed && segment[1] != markerAPP0 {
			head, placed = appendProfile(head, profile), true
		}
		if segment[1] != markerAPP2 {
			head = append(head, segment...)
		}
		at = end
	}
	f.profile = nil
	if room := f.scanAt - len(head); room >= 0 {
		f.data = f.data[room:]
		copy(f.data, head)
	} else {
		f.data = slices.Concat(head, f.data[f.scanAt:])
	}
	f.scanAt = len(head)
}
