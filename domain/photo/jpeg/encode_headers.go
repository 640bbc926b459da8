package jpeg

import "slices"

// headers appends all segments before the entropy-coded data.
func (e *encoder) headers(dst, profile []byte) []byte {
	// JFIF 1.02, square pixels of no particular size, no thumbnail.
	dst = append(dst, "\xFF\xD8\xFF\xE0\x00\x10JFIF\x00\x01\x02\x00\x00\x01\x00\x01\x00\x00"...)
	dst = appendProfile(dst, profile)
	kinds := min(e.count, len(e.quantizers)) // of tables: for light, for colour
	for id := range kinds {
		dst = appendSegment(dst, markerDQT, 1+64)
		dst = append(dst, byte(id))
		for _, i := range zigzag {
			dst = append(dst, e.quantizers[id][i])
		}
	}
	y := e.all[0].plane
	dst = appendSegment(dst, markerSOF0, 6+3*e.count)
	dst = append(dst, 8, byte(y.Height>>8), byte(y.Height), byte(y.Width>>8), byte(y.Width), byte(e.count))
	for i, c := range e.channels() {
		dst = append(dst, byte(i+1), byte(c.factor<<4|c.factor), byte(c.table))
	}
	dst = appendTables(dst, standard[:2*kinds])
	dst = appendSegment(dst, markerSOS, 4+2*e.count)
	dst = append(dst, byte(e.count))
	for i, c := range e.channels() {
		dst = append(dst, byte(i+1), byte(c.table<<4|c.table))
	}
	return append(dst, 0, 63, 0) // all coefficients, all bits
}

// mostOfPart is how many bytes of an ICC profile a segment holds, after its
// length, the tag, the part's number and the number of parts.
const mostOfPart = 0xFFFF - 2 - len(iccTag) - 2

// appendProfile appends an ICC profile in as many segments as it needs.
func appendProfile(dst, profile []byte) []byte {
	count := ceilDiv(len(profile), mostOfPart)
	dst = slices.Grow(dst, len(profile)+count*(2+0xFFFF-mostOfPart))
	for i := range count {
		part := profile[i*mostOfPart:]
		part = part[:min(len(part), mostOfPart)]
		dst = appendSegment(dst, markerAPP2, len(iccTag)+2+len(part))
		dst = append(dst, iccTag...)
		dst = append(dst, byte(i+1), byte(count))
		dst = append(dst, part...)
	}
	return dst
}

// appendSegment appends the marker and length of a segment whose content has
// length bytes.
func appendSegment(dst []byte, marker byte, length int) []byte {
	length += 2
	return append(dst, 0xFF, marker, byte(length>>8), byte(length))
}
