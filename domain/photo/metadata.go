package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"slices"
)

// orientation says how a picture's rows and columns are shown, as EXIF counts
// it (Exif 2.32, 4.6.4 A, Orientation).
type orientation uint8

// The orientations, by what has to be done to see the picture upright.
const (
	upright     orientation = 1 + iota // nothing
	mirrored                           // swap left and right
	upsideDown                         // turn by 180°
	flipped                            // swap top and bottom
	transposed                         // swap rows and columns
	turnedRight                        // turn by 90° clockwise
	transversed                        // swap rows and columns, then turn by 180°
	turnedLeft                         // turn by 90° counterclockwise
)

// swapsSides says that rows become columns.
func (o orientation) swapsSides() bool { return o >= transposed }

// reverses says whether the columns and the rows of the stored picture are
// shown in the reverse order.
func (o orientation) reverses() (columns, rows bool) {
	columns = o == mirrored || o == upsideDown || o == transversed || o == turnedLeft
	rows = o == flipped || o == upsideDown || o == transversed || o == turnedRight
	return columns, rows
}

// exifOrientation reads the orientation of a TIFF structure as EXIF has it
// (Exif 2.32, 4.5 and 4.6.4 A), with or without the "Exif" that JPEG puts
// before it. Whatever is not a valid orientation is upright: a photo isn't
// refused for its metadata.
func exifOrientation(data []byte) orientation {
	tiff := bytes.TrimPrefix(data, []byte("Exif\x00\x00"))
	var order binary.ByteOrder
	switch {
	case bytes.HasPrefix(tiff, []byte("II*\x00")):
		order = binary.LittleEndian
	case bytes.HasPrefix(tiff, []byte("MM\x00*")):
		order = binary.BigEndian
	default:
		return upright
	}
	if len(tiff) < 8 {
		return upright
	}
	ifd := uint64(order.Uint32(tiff[4:]))
	if ifd+2 > uint64(len(tiff)) {
		return upright
	}
	return ifdOrientation(tiff[ifd:], order)
}

// ifdOrientation looks for the orientation among the 12-byte entries of an
// image file directory: tag, type, count, value.
func ifdOrientation(ifd []byte, order binary.ByteOrder) orientation {
	const (
		orientationTag = 0x0112
		typeShort      = 3
		typeLong       = 4
	)
	entries := ifd[2:]
	for range order.Uint16(ifd) {
		if len(entries) < 12 {
			return upright
		}
		entry := entries[:12]
		entries = entries[12:]
		if order.Uint16(entry) != orientationTag {
			continue
		}
		value := uint32(0)
		switch order.Uint16(entry[2:]) {
		case typeShort:
			value = uint32(order.Uint16(entry[8:]))
		case typeLong:
			value = order.Uint32(entry[8:])
		}
		if value < uint32(upright) || value > uint32(turnedLeft) {
			return upright
		}
		return orientation(value)
	}
	return upright
}

// iccTag begins an APP2 segment with a part of an ICC profile; the part's
// number, from 1, and the number of parts follow (ICC.1:2010, B.4).
const iccTag = "ICC_PROFILE\x00"

// maxProfile bounds a profile that is put back. Those of cameras and screens
// have a few KB, of printers up to 2 MB, but these are for CMYK.
const maxProfile = 1 << 20

// joinProfile puts the parts of a profile, the segments' contents, together; it
// may reorder them. It returns nil where a part is missing or the whole is too long.
func joinProfile(segments [][]byte) []byte {
	if len(segments) > 0xFF {
		return nil
	}
	number := func(segment []byte) int { return int(segment[len(iccTag)]) }
	slices.SortFunc(segments, func(a, b []byte) int { return number(a) - number(b) })
	var profile []byte
	for i, s := range segments {
		count, part := int(s[len(iccTag)+1]), s[len(iccTag)+2:]
		if number(s) != i+1 || count != len(segments) || len(profile)+len(part) > maxProfile {
			return nil
		}
		profile = append(profile, part...)
	}
	return profile
}

// inflateProfile unpacks the profile of a PNG or nothing.
func inflateProfile(compressed []byte) []byte {
	r, err := zlib.NewReader(bytes.NewReader(compressed))
	if err != nil {
		return nil
	}
	profile, err := io.ReadAll(io.LimitReader(r, maxProfile+1))
	if err != nil || len(profile) > maxProfile {
		return nil
	}
	return profile
}

// profileSegments writes profile as APP2 segments. It writes nothing where the
// profile is for another colour space than the JPEG's, as a CMYK profile is
// once the picture was converted.
func profileSegments(profile []byte, grey bool) []byte {
	const (
		header    = 128 // ICC.1:2010, 7.2
		spaceAt   = 16
		magicAt   = 36
		mostOfOne = 0xFFFF - 2 - len(iccTag) - 2
	)
	space := "RGB "
	if grey {
		space = "GRAY"
	}
	if len(profile) < header || len(profile) > maxProfile || string(profile[spaceAt:spaceAt+4]) != space || string(profile[magicAt:magicAt+4]) != "acsp" {
		return nil
	}
	var out []byte
	count := (len(profile) + mostOfOne - 1) / mostOfOne
	for i := range count {
		part := profile[i*mostOfOne : min((i+1)*mostOfOne, len(profile))]
		length := 2 + len(iccTag) + 2 + len(part)
		out = append(out, 0xFF, markerAPP2, byte(length>>8), byte(length))
		out = append(out, iccTag...)
		out = append(out, byte(i+1), byte(count))
		out = append(out, part...)
	}
	return out
}
