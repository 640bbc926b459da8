package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/binary"
	"io"
	"slices"
)

// orientation says how a picture's rows and columns are shown, numbered as in
// EXIF (Exif 2.32, 4.6.4 A, Orientation).
type orientation uint8

// The orientations, each with what turns the picture upright.
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

// swapsSides reports whether rows become columns.
func (o orientation) swapsSides() bool { return o >= transposed }

// reverses reports whether the columns and the rows of the stored picture are
// shown in reverse order.
func (o orientation) reverses() (columns, rows bool) {
	columns = o == mirrored || o == upsideDown || o == transversed || o == turnedLeft
	rows = o == flipped || o == upsideDown || o == transversed || o == turnedRight
	return columns, rows
}

// exifName begins a JPEG segment that holds EXIF.
const exifName = "Exif\x00"

// exifOrientation reads the orientation from EXIF data, a TIFF structure (Exif
// 2.32, 4.5 and 4.6.4 A), with or without the "Exif\0\0" that precedes it in a
// JPEG. Some programs write another byte for the second zero. Without a valid
// orientation the picture is upright: a photo is not refused for its metadata.
func exifOrientation(data []byte) orientation {
	tiff := data
	if bytes.HasPrefix(data, []byte(exifName)) && len(data) > len(exifName) {
		tiff = data[len(exifName)+1:]
	}
	orders := map[string]binary.ByteOrder{"II*\x00": binary.LittleEndian, "MM\x00*": binary.BigEndian}
	order := orders[string(tiff[:min(len(tiff), 4)])]
	if order == nil || len(tiff) < 8 {
		return upright
	}
	ifd := uint64(order.Uint32(tiff[4:]))
	if ifd+2 > uint64(len(tiff)) {
		return upright
	}
	return ifdOrientation(tiff[ifd:], order)
}

// ifdOrientation returns the first orientation among the 12-byte entries of an
// image file directory: tag, type, count, value.
func ifdOrientation(ifd []byte, order binary.ByteOrder) orientation {
	const orientationTag, length = 0x0112, 12
	entries := ifd[2:]
	count := min(int(order.Uint16(ifd)), len(entries)/length)
	for entry := range slices.Chunk(entries[:count*length], length) {
		if order.Uint16(entry) != orientationTag {
			continue
		}
		if value := entryValue(entry, order); value >= uint32(upright) && value <= uint32(turnedLeft) {
			return orientation(value)
		}
		break
	}
	return upright
}

// entryValue returns the integer of an entry, or 0 if it has another type. It
// reads only the bytes of the type, as the rest of the four may be anything.
func entryValue(entry []byte, order binary.ByteOrder) uint32 {
	const (
		typeByte        = 1
		typeShort       = 3
		typeLong        = 4
		typeSignedByte  = 6
		typeSignedShort = 8
		typeSignedLong  = 9
	)
	switch value := entry[8:]; order.Uint16(entry[2:]) {
	case typeByte, typeSignedByte:
		return uint32(value[0])
	case typeShort, typeSignedShort:
		return uint32(order.Uint16(value))
	case typeLong, typeSignedLong:
		return order.Uint32(value)
	}
	return 0
}

// maxProfile is the length in bytes of the longest ICC profile that is read.
// Those of cameras and screens have a few KB. Those of printers have up to 2 MB,
// but are for CMYK, whose profiles are not used.
const maxProfile = 1 << 20

// inflateProfile decompresses the profile of a PNG. It returns nil if the data
// is broken or the profile is longer than maxProfile.
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
