package photo

import (
	"bytes"
	"compress/zlib"
	"encoding/hex"
	"io"
)

// pngProfile returns the compressed profile of an iCCP chunk, which follows a
// zero-terminated name and the compression method.
func pngProfile(content []byte) []byte {
	name := bytes.IndexByte(content, 0)
	if name < 0 || len(content) < name+2 || content[name+1] != 0 {
		return nil
	}
	return content[name+2:]
}

const (
	maxRawProfiles = 4         // text profiles that are read of a PNG
	maxRawProfile  = 256 << 10 // bytes of text; EXIF in a JPEG takes at most a quarter
)

// takeText reads the orientation from EXIF in a text chunk, where programs wrote
// it before eXIf existed.
func (h *pngHeader) takeText(name string, content []byte) {
	keyword, rest, _ := bytes.Cut(content, []byte{0})
	switch string(keyword) {
	case "Raw profile type exif", "Raw profile type EXIF", "Raw profile type APP1":
	default:
		return
	}
	if h.rawProfiles == maxRawProfiles || h.rawEXIF > upright {
		return
	}
	h.rawProfiles++
	h.rawEXIF = exifOrientation(rawProfile(pngText(name, rest)))
}

// pngText returns the text after the keyword of a tEXt, zTXt or iTXt chunk, at
// most maxRawProfile bytes of it (W3C PNG, third edition, 11.3.3).
func pngText(name string, content []byte) []byte {
	packed := name == "zTXt"
	switch {
	case packed && len(content) > 0: // the compression method
		content = content[1:]
	case name == "iTXt" && len(content) > 1: // flag, method, language, translated keyword
		packed = content[0] == 1
		_, content, _ = bytes.Cut(content[2:], []byte{0})
		_, content, _ = bytes.Cut(content, []byte{0})
	}
	if !packed {
		return content[:min(len(content), maxRawProfile)]
	}
	r, err := zlib.NewReader(bytes.NewReader(content))
	if err != nil {
		return nil
	}
	text, _ := io.ReadAll(io.LimitReader(r, maxRawProfile)) // the part before an error may be enough
	return text
}

// rawProfile decodes ImageMagick's form of a profile: a line with its name, one
// with its length, and hexadecimal digits.
func rawProfile(text []byte) []byte {
	_, text, _ = bytes.Cut(bytes.TrimLeft(text, "\r\n"), []byte("\n"))
	_, text, _ = bytes.Cut(text, []byte("\n"))
	digits := bytes.Join(bytes.Fields(text), nil)
	n, _ := hex.Decode(digits, digits) // up to the first other character
	return digits[:n]
}
