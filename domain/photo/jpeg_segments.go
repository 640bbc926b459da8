package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
)

// Marker codes (ITU-T T.81, table B.1), without their 0xFF.
const (
	markerSOF0  = 0xC0 // start of frame, baseline; up to 0xCF, DHT, JPG and DAC aside
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

// Lengths of the contents of a JFIF segment without a thumbnail (ITU-T T.871,
// 10.1) and of an Adobe segment.
const (
	jfifLength  = 14
	adobeLength = 12
)

var (
	errCutOff   = errors.New("the file ends before its end marker")
	errSegment  = errors.New("a segment is too short")
	errNoTables = errors.New("a scan comes before its tables")
	errNoScan   = errors.New("a component has no scan")
)

// segments is what a walk over a JPEG finds.
type segments struct {
	clean              []byte // the JPEG without what is dropped
	frame              frame
	orientation        orientation
	jfif, adobe        bool
	transform          byte     // the colour transform that the Adobe segment says
	profile            [][]byte // contents of the segments with the ICC profile; they alias clean
	huffman, quantizer bool     // whether such tables came
	scans              int
	scanned            int // bit i: component i has a scan
}

// filter walks a JPEG that starts at data and moves what is kept of it
// together, in place. Kept is everything that a decoder needs, and of the
// application segments JFIF, the ICC profile and Adobe's. Dropped are all other
// segments (EXIF, XMP, Photoshop's, other pictures and thumbnails), comments,
// fill bytes, whatever is between segments and everything after the end marker.
// The orientation is read before it is dropped.
func (s *segments) filter(data []byte) error {
	kept, at := 2, 2 // data[:kept] is what is kept of data[:at]
	for {
		_, code, err := nextMarker(data, at)
		if err != nil {
			return err
		}
		marker := data[code]
		at = code + 1
		data[kept], data[kept+1] = 0xFF, marker
		if marker == markerEOI {
			s.clean = data[:kept+2]
			return s.complete()
		}
		if isRestart(marker) {
			continue // some encoders leave one behind the last scan
		}
		end, err := segmentEnd(data, at)
		if err != nil {
			return err
		}
		segment := data[kept : kept+2+copy(data[kept+2:], data[at:end])]
		length, err := s.segment(segment)
		if err != nil {
			return err
		}
		kept += length
		at = end
	}
}

// nextMarker finds the next marker: its 0xFF, which fill bytes may repeat
// (T.81, B.1.1.2), at start and its code at code. It skips bytes that are no
// marker: junk between segments, and entropy-coded data, where a 0 follows
// 0xFF (B.1.1.5).
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

func isRestart(marker byte) bool { return marker >= markerRST0 && marker <= markerRST7 }

// segmentEnd returns the end of the segment whose marker is before at: of a
// scan, that of its entropy-coded data.
func segmentEnd(data []byte, at int) (int, error) {
	if at+2 > len(data) {
		return 0, errCutOff
	}
	length := int(binary.BigEndian.Uint16(data[at:]))
	if length < 2 {
		return 0, errSegment
	}
	end := at + length
	if end > len(data) {
		return 0, errCutOff
	}
	if data[at-1] == markerSOS {
		return entropyEnd(data, end)
	}
	return end, nil
}

// entropyEnd returns where the entropy-coded data that starts at at ends: at a
// marker that is no restart.
func entropyEnd(data []byte, at int) (int, error) {
	for {
		start, code, err := nextMarker(data, at)
		if err != nil {
			return 0, err
		}
		if !isRestart(data[code]) {
			return start, nil
		}
		at = code + 1
	}
}

// segment understands a segment and returns how many of its bytes are kept.
func (s *segments) segment(segment []byte) (kept int, err error) {
	marker, content := segment[1], segment[4:2+int(binary.BigEndian.Uint16(segment[2:]))]
	switch marker {
	case markerSOF0, markerSOF1, markerSOF2:
		return len(segment), s.frame.parse(marker, content)
	case markerSOS:
		return len(segment), s.startScan(content)
	case markerDHT:
		s.huffman = true
		return len(segment), nil
	case markerDQT:
		s.quantizer = true
		return len(segment), nil
	case markerDRI:
		return len(segment), nil
	case markerCOM:
		return 0, nil
	}
	if marker >= markerAPP0 && marker <= markerAPP15 {
		return s.application(segment, content), nil
	}
	return 0, unsupported(marker)
}

// application understands an application segment and returns how many of its
// bytes are kept. A JFIF segment loses its thumbnail.
func (s *segments) application(segment, content []byte) (kept int) {
	named := func(name string, length int) bool {
		return len(content) >= length && bytes.HasPrefix(content, []byte(name))
	}
	switch marker := segment[1]; {
	case marker == markerAPP0 && named("JFIF\x00", jfifLength):
		s.jfif = true
		content[jfifLength-2], content[jfifLength-1] = 0, 0
		binary.BigEndian.PutUint16(segment[2:], 2+jfifLength)
		return 4 + jfifLength
	case marker == markerAPP1 && named("Exif\x00", 0) && s.orientation == upright:
		s.orientation = exifOrientation(content)
	case marker == markerAPP2 && named(iccTag, len(iccTag)+2):
		s.profile = append(s.profile, content)
		return len(segment)
	case marker == markerAPP14 && named("Adobe", adobeLength):
		s.adobe, s.transform = true, content[adobeLength-1]
		return len(segment)
	}
	return 0
}

func (s *segments) startScan(content []byte) error {
	if !s.huffman || !s.quantizer {
		return errNoTables
	}
	s.scans++
	components, err := s.frame.scan(content)
	s.scanned |= components
	return err
}

// complete checks that every component has a scan.
func (s *segments) complete() error {
	if s.scans == 0 || s.scanned != 1<<len(s.frame.components)-1 {
		return errNoScan
	}
	return nil
}

// isRGB says that three components are red, green and blue, as the standard
// library and libjpeg decide it.
func (s *segments) isRGB() bool {
	c := s.frame.components
	if len(c) != 3 || s.jfif {
		return false
	}
	return s.adobe && s.transform == 0 || c[0].id == 'R' && c[1].id == 'G' && c[2].id == 'B'
}
