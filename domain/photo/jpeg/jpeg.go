// Package jpeg reads, checks, scales and writes JPEG files (ITU-T T.81).
//
// It reads Huffman-coded baseline, extended and progressive JPEGs with 8 bits
// per sample and one, three or four components, with any legal sampling factors.
// [Clean] drops metadata in place and reads the headers. [File.Check] verifies
// that the picture is complete without making its pixels. [File.Decode] makes
// them in strips of rows, at a reduced size if wanted. [Encode] writes a JPEG.
//
// Anyone may import it: it knows nothing of the rest of the module and imports
// only the standard library.
package jpeg

import (
	"bytes"
	"encoding/binary"
)

// File is a JPEG whose segments [Clean] has read. It isn't safe for concurrent use.
type File struct {
	Width, Height int // pixels, as the rows are stored
	Components    int // 1, 3 or 4
	Progressive   bool
	Model         Model
	Scans         int

	data     []byte // the clean file
	frame    frame
	scanAt   int   // where the first scan header is in data
	standard bool  // the standard Huffman tables are used
	open     error // why the segments end before EOI; nil: they end with it
}

// Model says what the components of a picture are.
type Model byte

// The models, each with its components in order.
const (
	Gray  Model = iota // light
	YCbCr              // light and two colour differences (ITU-T T.871)
	RGB                // red, green and blue
	CMYK               // cyan, magenta, yellow and black, all inverted, as Adobe stores them and browsers show them
	YCCK               // the same with the first three as YCbCr
)

// Bytes returns the clean file. It aliases the data given to Clean, or is a copy
// if something had to be inserted. [File.Check] may shorten it.
func (f *File) Bytes() []byte { return f.data }

// Whole reports whether the file has its end marker. [File.Check] repairs a file
// that lacks only that.
func (f *File) Whole() bool { return f.open == nil }

// A FormatError says why a file is not a valid JPEG.
type FormatError string

// Error implements error.
func (e FormatError) Error() string { return "jpeg: " + string(e) }

// An UnsupportedError says which feature of a JPEG this package doesn't read. It
// completes a phrase like "a file that is …", for example with "arithmetic-coded".
type UnsupportedError string

// Error implements error.
func (e UnsupportedError) Error() string { return "jpeg: unsupported: " + string(e) }

const (
	errCutOff     = FormatError("the file ends before its end marker")
	errSegment    = FormatError("a segment is too short")
	errFrame      = FormatError("the frame header is wrong")
	errScan       = FormatError("a scan header is wrong")
	errNoTables   = FormatError("a scan comes before its tables")
	errNoScan     = FormatError("a component has no scan")
	errTwice      = FormatError("a component has two scans of the same coefficients")
	errTables     = FormatError("a table is wrong")
	errManyTables = FormatError("it has more tables than scans could use")
	errEntropy    = FormatError("a scan has an unknown code, or codes that go beyond its blocks")
	errShort      = FormatError("a scan ends before its last block")
	errRestart    = FormatError("a restart marker is missing")
	errNoHeight   = FormatError("neither the frame header nor a DNL segment tells the height")
)

// Size returns the width and height in pixels from the headers of a JPEG. It
// reads nothing after the frame header. The height is 0 if only a DNL segment
// has it, which [Clean] moves to the frame header.
func Size(data []byte) (width, height int, err error) {
	if !bytes.HasPrefix(data, []byte{0xFF, markerSOI}) {
		return 0, 0, FormatError("it doesn't begin with SOI")
	}
	for at := 2; ; {
		_, code, err := nextMarker(data, at)
		if err != nil {
			return 0, 0, err
		}
		end, err := segmentEnd(data, code+1)
		if err != nil {
			return 0, 0, err
		}
		switch marker := data[code]; marker {
		case markerSOF0, markerSOF1, markerSOF2:
			var f frame
			err := f.parse(marker, data[code+3:end])
			return f.width, f.height, err
		case markerSOS, markerEOI:
			return 0, 0, errFrame
		}
		at = end
	}
}

// Marker codes (T.81, table B.1), without their 0xFF.
const (
	markerSOF0  = 0xC0 // start of frame, baseline; the others go up to 0xCF, except DHT, JPG and DAC
	markerSOF1  = 0xC1
	markerSOF2  = 0xC2
	markerDHT   = 0xC4
	markerRST0  = 0xD0 // restart; up to 0xD7
	markerRST7  = 0xD7
	markerSOI   = 0xD8
	markerEOI   = 0xD9
	markerSOS   = 0xDA
	markerDQT   = 0xDB
	markerDNL   = 0xDC
	markerDRI   = 0xDD
	markerAPP0  = 0xE0
	markerAPP1  = 0xE1
	markerAPP2  = 0xE2
	markerAPP14 = 0xEE
	markerAPP15 = 0xEF
	markerCOM   = 0xFE
)

func isRestart(marker byte) bool { return marker >= markerRST0 && marker <= markerRST7 }

// nextMarker finds the next marker at or after at. start is the offset of its
// 0xFF, which fill bytes may repeat (T.81, B.1.1.2), and code that of its code.
// Other bytes are skipped: junk between segments, and entropy-coded data, where
// a 0 follows 0xFF (B.1.1.5).
func nextMarker(data []byte, at int) (start, code int, err error) {
	for {
		i := bytes.IndexByte(data[at:], 0xFF)
		if i < 0 {
			return 0, 0, errCutOff
		}
		start = at + i
		for at = start; at < len(data) && data[at] == 0xFF; {
			at++
		}
		if at == len(data) {
			return 0, 0, errCutOff
		}
		if data[at] != 0 {
			return start, at, nil
		}
	}
}

// segmentEnd returns the end of the segment whose length field is at at.
func segmentEnd(data []byte, at int) (int, error) {
	if at+2 > len(data) {
		return 0, errCutOff
	}
	length := int(binary.BigEndian.Uint16(data[at:]))
	if length < 2 {
		return 0, errSegment
	}
	if at+length > len(data) {
		return 0, errCutOff
	}
	return at + length, nil
}

// entropyEnd returns the end of the entropy-coded data that starts at at: the
// next marker other than a restart, or the end of the file.
func entropyEnd(data []byte, at int) int {
	for {
		start, code, err := nextMarker(data, at)
		if err != nil {
			return len(data)
		}
		if !isRestart(data[code]) {
			return start
		}
		at = code + 1
	}
}
