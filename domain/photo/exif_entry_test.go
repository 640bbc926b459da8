package photo_test

import (
	"encoding/binary"
	"image"
	"testing"
)

// entryTIFF is a TIFF with an orientation of a type. value may fill all four bytes.
func entryTIFF(order binary.AppendByteOrder, kind uint16, value ...byte) []byte {
	w := tiff{order}
	return append(w.header(), w.ifd(8, 0, entry{tagOrientation, kind, 1, value})...)
}

// TestOrientationTypes wants an orientation of any integer type to count,
// whatever is in the bytes after it.
func TestOrientationTypes(t *testing.T) {
	t.Parallel()
	little, big := binary.LittleEndian, binary.BigEndian
	const typeSignedByte, typeUndefined, typeSignedShort, typeSignedLong = 6, 7, 8, 9
	turning := map[string][]byte{
		"BYTE, II":           entryTIFF(little, typeByte, 6),
		"BYTE, MM":           entryTIFF(big, typeByte, 6),
		"BYTE, MM, padded":   entryTIFF(big, typeByte, 6, 0xFF, 0xFF, 0xFF),
		"BYTE, II, padded":   entryTIFF(little, typeByte, 6, 1, 2, 3),
		"SHORT, II, padded":  entryTIFF(little, typeShort, 6, 0, 0xFF, 0xFF),
		"SHORT, MM, padded":  entryTIFF(big, typeShort, 0, 6, 0xFF, 0xFF),
		"LONG, MM":           entryTIFF(big, typeLong, 0, 0, 0, 6),
		"SBYTE, II, padded":  entryTIFF(little, typeSignedByte, 6, 9, 9, 9),
		"SSHORT, MM, padded": entryTIFF(big, typeSignedShort, 0, 6, 9, 9),
		"SLONG, II":          entryTIFF(little, typeSignedLong, 6, 0, 0, 0),
	}
	straight := map[string][]byte{
		"BYTE of 0":             entryTIFF(big, typeByte, 0, 6, 6, 6),
		"BYTE of 9":             entryTIFF(big, typeByte, 9, 0, 0, 6),
		"SHORT that is too big": entryTIFF(little, typeShort, 6, 1, 0, 0),
		"SSHORT below 0":        entryTIFF(little, typeSignedShort, 0xFA, 0xFF, 0, 0),
		"text":                  entryTIFF(big, typeASCII, '6'),
		"undefined":             entryTIFF(big, typeUndefined, 6),
	}
	for name, raw := range turning {
		checkTurned(t, name, raw, true)
	}
	for name, raw := range straight {
		checkTurned(t, name, raw, false)
	}
}

// checkTurned puts EXIF into each format that may have it.
func checkTurned(t *testing.T, name string, raw []byte, turned bool) {
	t.Helper()
	size, square := image.Pt(96, 64), image.Pt(32, 32)
	want, corners := asPainted(), quarters{{255, 0, 0, 255}, {0, 255, 0, 255}, {0, 0, 255, 255}, {255, 255, 255, 255}}
	if turned {
		size, want, corners = image.Pt(64, 96), want.turnedRight(), corners.turnedRight()
	}
	jpeg, still := encoded(t, quadrants()), readFile(t, "testdata", "corners.lossless.webp")[12:]
	oddPad := append([]byte("Exif\x00\xff"), raw...)
	checkOdd(t, []odd{
		{name + ", JPEG", withSegments(jpeg, app(markerAPP1, nameEXIF, raw)), size, want, ""},
		{name + ", JPEG, odd pad", withSegments(jpeg, app(markerAPP1, "", oddPad)), size, want, ""},
		{name + ", PNG", pngWithChunk(t, "eXIf", raw), size, want, ""},
		{name + ", WebP", webpFile(webpHeader(0x08, 32, 32), still, riffChunk("EXIF", raw)), square, corners, ""},
	})
}
