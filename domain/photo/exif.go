package photo

import (
	"bytes"
	"encoding/binary"
)

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
