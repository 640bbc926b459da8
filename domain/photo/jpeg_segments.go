package photo

import (
	"bytes"
	"encoding/binary"
	"errors"
)

var (
	errCutOff   = errors.New("the file ends before its end marker")
	errSegment  = errors.New("a segment is too short or too long")
	errNoTables = errors.New("a scan comes before its tables")
	errNoScan   = errors.New("a component has no scan")
)

// segments is what a walk over a JPEG finds.
type segments struct {
	clean       []byte // the JPEG without what is dropped
	frame       frame
	orientation orientation
	jfif, adobe bool
	transform   byte     // the colour transform that the Adobe segment says
	profile     [][]byte // contents of the segments with the ICC profile; they alias clean
	scans       int
	tables      [markerDRI + 1]bool // which of DHT and DQT came
	scanned     int                 // bit i: component i has a scan
}

// filter walks a JPEG that starts at data and moves what is kept of it together, in place:
// everything that a decoder needs, and of the application segments JFIF, the
// ICC profile and Adobe's. Dropped are all others (EXIF, XMP, Photoshop's,
// other pictures and thumbnails), comments, fill bytes, whatever is between
// segments and everything after the end marker. It reads the orientation before
// that is gone. It allocates nothing but for a profile's parts.
func (s *segments) filter(data []byte) error {
	kept, at := 2, 2 // data[:kept] is kept of data[:at]
	for {
		marker, next, err := nextMarker(data, at)
		if err != nil {
			return err
		}
		at = next
		if marker == markerEOI {
			data[kept], data[kept+1] = 0xFF, markerEOI
			s.clean = data[:kept+2]
			return s.complete()
		}
		if marker >= markerRST0 && marker <= markerRST7 {
			continue // some encoders leave one behind the last scan
		}
		end, err := segmentEnd(data, at)
		if err != nil {
			return err
		}
		keep, err := s.segment(marker, data[at+2:end])
		if err != nil {
			return err
		}
		if marker == markerSOS {
			if end, err = entropyEnd(data, end); err != nil {
				return err
			}
		}
		if keep {
			start := kept
			data[kept], data[kept+1] = 0xFF, marker
			kept += 2 + copy(data[kept+2:], data[at:end])
			kept = s.record(marker, data, start, kept)
		}
		at = end
	}
}

// nextMarker finds the next marker's code and what follows it. Fill bytes may
// precede a marker (T.81, B.1.1.2); other bytes between segments are junk that
// decoders skip.
func nextMarker(data []byte, at int) (marker byte, next int, err error) {
	for at < len(data) {
		i := bytes.IndexByte(data[at:], 0xFF)
		if i < 0 {
			break
		}
		at += i
		for at < len(data) && data[at] == 0xFF {
			at++
		}
		if at == len(data) {
			break
		}
		if data[at] != 0 {
			return data[at], at + 1, nil
		}
	}
	return 0, 0, errCutOff
}

// segmentEnd returns where the segment ends whose length is at at.
func segmentEnd(data []byte, at int) (int, error) {
	if at+2 > len(data) {
		return 0, errCutOff
	}
	end := at + int(binary.BigEndian.Uint16(data[at:]))
	if end < at+2 {
		return 0, errSegment
	}
	if end > len(data) {
		return 0, errCutOff
	}
	return end, nil
}

// entropyEnd returns where the entropy-coded data that starts at at ends: at a
// marker that is no restart. 0xFF in the data is followed by 0 (T.81, B.1.1.5).
func entropyEnd(data []byte, at int) (int, error) {
	for at < len(data) {
		i := bytes.IndexByte(data[at:], 0xFF)
		if i < 0 {
			break
		}
		at += i
		code := at + 1
		for code < len(data) && data[code] == 0xFF {
			code++
		}
		if code == len(data) {
			break
		}
		if data[code] != 0 && (data[code] < markerRST0 || data[code] > markerRST7) {
			return at, nil
		}
		at = code + 1
	}
	return 0, errCutOff
}

// segment understands a segment's content and says whether it is kept.
func (s *segments) segment(marker byte, content []byte) (keep bool, err error) {
	switch marker {
	case markerSOF0, markerSOF1, markerSOF2:
		return true, s.frame.parse(marker, content)
	case markerSOS:
		return true, s.startScan(content)
	case markerDHT, markerDQT:
		s.tables[marker] = true
		return true, nil
	case markerDRI:
		return true, nil
	case markerAPP0:
		return bytes.HasPrefix(content, []byte("JFIF\x00")) && len(content) >= jfifLength, nil
	case markerAPP1:
		if s.orientation == upright && bytes.HasPrefix(content, []byte("Exif\x00")) {
			s.orientation = exifOrientation(content)
		}
		return false, nil
	case markerAPP2:
		return bytes.HasPrefix(content, []byte(iccTag)) && len(content) >= len(iccTag)+2, nil
	case markerAPP14:
		return bytes.HasPrefix(content, []byte("Adobe")) && len(content) >= adobeLength, nil
	}
	if marker > markerAPP0 && marker <= markerAPP15 || marker == markerCOM {
		return false, nil
	}
	return false, unsupported(marker)
}

// Lengths of the contents of a JFIF segment without a thumbnail (ITU-T T.871,
// 10.1) and of an Adobe segment.
const (
	jfifLength  = 14
	adobeLength = 12
)

// record notes an application segment that was kept at data[start:end], and
// returns its end: a JFIF segment loses its thumbnail.
func (s *segments) record(marker byte, data []byte, start, end int) int {
	content := data[min(start+4, end):end]
	switch marker {
	case markerAPP0:
		s.jfif = true
		content[jfifLength-2], content[jfifLength-1] = 0, 0
		binary.BigEndian.PutUint16(data[start+2:], 2+jfifLength)
		return start + 4 + jfifLength
	case markerAPP2:
		s.profile = append(s.profile, content)
	case markerAPP14:
		s.adobe, s.transform = true, content[adobeLength-1]
	}
	return end
}

func (s *segments) startScan(content []byte) error {
	if !s.tables[markerDHT] || !s.tables[markerDQT] {
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
