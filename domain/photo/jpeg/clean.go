package jpeg

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"slices"
)

// Lengths of the contents of a JFIF segment without a thumbnail (ITU-T T.871,
// 10.1) and of an Adobe segment, in bytes.
const (
	jfifLength  = 14
	adobeLength = 12
)

// Clean reads the segments of a JPEG and drops what a decoder doesn't need, in
// place. Even if Clean fails, the content of data is lost. The File aliases data.
//
// Clean keeps the frame, the scans, the tables that they use and some
// application segments: one of JFIF, without its thumbnail, one of Adobe, and
// the ICC profile before the first scan. It drops the other application segments
// (EXIF, XMP, Photoshop, other pictures), comments, unused tables, fill bytes,
// bytes between segments and everything after the end marker. If drop is not
// nil, it is called for each application segment that is dropped; content is
// valid during the call.
//
// A height in a DNL segment is moved to the frame header. A file without Huffman
// tables, such as a frame of motion JPEG, gets the standard ones. If segments
// end early or are broken after a scan, [File.Whole] is false and [File.Check]
// finds out whether anything is missing.
//
// Clean fails with FormatError or UnsupportedError. It doesn't look into the
// entropy-coded data of scans: until File.Check removes them, foreign bytes can
// hide between and after the blocks.
func Clean(data []byte, drop func(marker byte, content []byte)) (*File, error) {
	if !bytes.HasPrefix(data, []byte{0xFF, markerSOI}) {
		return nil, FormatError("it doesn't begin with SOI")
	}
	c := cleaner{file: &File{}, data: data, kept: 2, at: 2, drop: drop}
	if c.drop == nil {
		c.drop = func(byte, []byte) {}
	}
	if err := c.segments(); err != nil {
		if c.file.Scans == 0 {
			return nil, err
		}
		c.file.open = err
	}
	if err := c.finish(); err != nil {
		return nil, err
	}
	return c.file, nil
}

// cleaner walks over a JPEG. data[:kept] is what is kept of data[:at].
type cleaner struct {
	file            *File
	data            []byte
	kept, at        int
	drop            func(marker byte, content []byte)
	jfif, adobe     bool
	transform       byte // the colour transform in the Adobe segment
	tables          tables
	scanned         int // bit i: component i has a scan
	frameAt, scanAt int // where the segments of the frame and of the first scan are kept
}

// segments reads all segments up to EOI.
func (c *cleaner) segments() error {
	for {
		_, code, err := nextMarker(c.data, c.at)
		if err != nil {
			return err
		}
		marker := c.data[code]
		c.at = code + 1
		if marker == markerEOI {
			c.put([]byte{0xFF, markerEOI})
			return nil
		}
		if isRestart(marker) {
			continue // some encoders write one after the last scan
		}
		if err := c.segment(marker); err != nil {
			return err
		}
	}
}

// put keeps bytes. They may overlap their new place, but not begin before it.
func (c *cleaner) put(b []byte) { c.kept += copy(c.data[c.kept:], b) }

// segment reads a segment and keeps or drops it.
func (c *cleaner) segment(marker byte) error {
	isApp := marker >= markerAPP0 && marker <= markerAPP15
	end, err := segmentEnd(c.data, c.at)
	if errors.Is(err, errSegment) && (isApp || marker == markerCOM) {
		c.at += 2 // decoders skip a length of 0 or 1
		return nil
	}
	if err != nil {
		return err
	}
	content := c.data[c.at+2 : end]
	whole := c.data[c.at-2 : end] // without fill bytes
	at := c.kept
	switch marker {
	case markerSOF0, markerSOF1, markerSOF2:
		c.frameAt = at
		err = c.file.frame.parse(marker, content)
	case markerSOS:
		if c.file.Scans == 0 {
			c.scanAt = at
		}
		err = c.startScan(content)
		end = entropyEnd(c.data, end)
		whole = c.data[c.at-2 : end]
	case markerDHT, markerDQT, markerDRI:
		err = c.tables.read(marker, content, at+4)
		if len(content) == 0 {
			whole = nil
		}
	case markerDNL:
		err = c.lines(content)
		whole = nil
	case markerCOM:
		whole = nil
	default:
		if !isApp {
			return unsupported(marker)
		}
		whole = c.application(marker, whole, content)
	}
	c.at = end
	if err == nil {
		c.put(whole)
	}
	return err
}

// lines takes the height from a DNL segment (T.81, B.2.5) if the frame header
// has none.
func (c *cleaner) lines(content []byte) error {
	if len(content) != 2 || c.file.Scans == 0 {
		return errSegment
	}
	if f := &c.file.frame; f.height == 0 {
		f.height = int(binary.BigEndian.Uint16(content))
		const heightAt = 5 // after the marker, the length and the precision
		copy(c.data[c.frameAt+heightAt:], content)
	}
	return nil
}

// application reads an application segment and returns what is kept of it.
func (c *cleaner) application(marker byte, whole, content []byte) []byte {
	begins := func(name string, length int) bool {
		return len(content) >= length && bytes.HasPrefix(content, []byte(name))
	}
	switch {
	case marker == markerAPP0 && begins("JFIF\x00", jfifLength) && !c.jfif:
		c.jfif = true
		content[jfifLength-2], content[jfifLength-1] = 0, 0
		binary.BigEndian.PutUint16(whole[2:], 2+jfifLength)
		return whole[:4+jfifLength]
	case marker == markerAPP14 && begins("Adobe", adobeLength) && !c.adobe:
		c.adobe, c.transform = true, content[adobeLength-1]
		binary.BigEndian.PutUint16(whole[2:], 2+adobeLength)
		return whole[:4+adobeLength]
	case marker == markerAPP2 && begins(iccTag, len(iccTag)+2) && c.file.Scans == 0:
		return whole
	}
	c.drop(marker, content)
	return nil
}

func (c *cleaner) startScan(content []byte) error {
	s, err := c.file.frame.scan(content)
	if err != nil {
		return err
	}
	standard := c.file.standard || c.file.Scans == 0 && !c.file.frame.progressive && !c.tables.hasHuffman()
	if err := c.tables.scan(s, &c.file.frame, c.scanned, standard); err != nil {
		return err
	}
	c.file.standard = standard
	c.file.Scans++
	for _, part := range s.components {
		c.scanned |= 1 << part.index
	}
	return nil
}

func (c *cleaner) finish() error {
	f := c.file
	f.data, f.scanAt = c.tables.sweep(c.data[:c.kept], c.scanAt)
	f.Width, f.Height, f.Components = f.frame.width, f.frame.height, len(f.frame.components)
	f.Progressive = f.frame.progressive
	switch {
	case f.Scans == 0 || c.scanned != 1<<f.Components-1:
		if f.open != nil {
			return f.open
		}
		return errNoScan
	case f.Height == 0:
		return errNoHeight
	}
	f.Model = c.model()
	if f.standard {
		standard := standardTables(c.tables.lacking)
		f.data = slices.Concat(f.data[:f.scanAt], standard, f.data[f.scanAt:])
		f.scanAt += len(standard)
	}
	return nil
}

// model tells the components apart as libjpeg does.
func (c *cleaner) model() Model {
	parts := c.file.frame.components
	switch len(parts) {
	case 1:
		return Gray
	case 4:
		if c.adobe && c.transform == 2 {
			return YCCK
		}
		return CMYK
	}
	named := parts[0].id == 'R' && parts[1].id == 'G' && parts[2].id == 'B'
	if !c.jfif && (c.adobe && c.transform == 0 || !c.adobe && named) {
		return RGB
	}
	return YCbCr
}

// unsupported names the JPEG process that a marker stands for (T.81, table B.1).
func unsupported(marker byte) error {
	switch marker {
	case 0xC3:
		return UnsupportedError("lossless")
	case 0xC5, 0xC6, 0xC7, 0xDE, 0xDF:
		return UnsupportedError("hierarchical")
	case 0xC9, 0xCA, 0xCB, 0xCC:
		return UnsupportedError("arithmetic-coded")
	case 0xCD, 0xCE, 0xCF:
		return UnsupportedError("hierarchical and arithmetic-coded")
	case 0xF7, 0xF8:
		return UnsupportedError("a JPEG-LS")
	}
	return FormatError(fmt.Sprintf("unexpected marker 0x%02X", marker))
}
