package httpapi

import (
	"bytes"
	"encoding/binary"
)

// mostBesidePhoto bounds what is copied of a JSON text without its photo.
const mostBesidePhoto = 4 << 10

// jsonText is a JSON text as the decoder gets it. The decoder looks at each
// byte, and nearly all of them are the photo's: where the photo is a plain
// string, an empty one stands in its place.
type jsonText struct {
	text  []byte
	photo []byte // the string, with its quotes, that text has an empty one for; nil: none
	at    int64  // where in text that is
}

// cutPhoto cuts the first plain string out that follows the photo's name. Only
// the decoder can tell whether that name is the body's own: it may also be one
// within an unknown field.
//
// What is cut is a string to the decoder too, whatever comes before it. Were its
// opening quote part of another string, so would be the colon before it, and
// that string would begin at the name's closing quote, which has no backslash
// before it. Then the name's letters would stand outside of all strings, and the
// decoder refuses the text there.
func cutPhoto(body []byte) jsonText {
	_, after, _ := bytes.Cut(body, []byte(`"`+fieldPhoto+`"`))
	value := bytes.TrimLeft(after, ": \t\r\n")
	length := plainString(value)
	beside := len(body) - length
	if length == 0 || beside > mostBesidePhoto {
		return jsonText{text: body}
	}
	at := len(body) - len(value)
	text := make([]byte, 0, beside+len(`""`))
	text = append(append(append(text, body[:at]...), `""`...), value[length:]...)
	return jsonText{text, value[:length], int64(at)}
}

// plainString returns the length of the JSON string that text begins with, where
// it is printable ASCII and has no escapes but PHP's of slashes; or else 0.
func plainString(text []byte) int {
	content, is := bytes.CutPrefix(text, []byte{'"'})
	end := bytes.IndexByte(content, '"')
	if !is || end < 0 || !isPrintable(content[:end]) || !escapesOnlySlashes(content[:end]) {
		return 0
	}
	return end + len(`""`)
}

// isPrintable tells whether text is ASCII without control characters, which JSON
// forbids in strings. It looks at eight bytes at once: with a space's code taken
// away, a lower byte sets its highest bit, as one from 0x80 on has it before.
// A byte that borrows from its neighbour is such a lower one.
func isPrintable(text []byte) bool {
	const spaces, highest = 0x2020202020202020, 0x8080808080808080
	var bits uint64
	for ; len(text) >= 8; text = text[8:] {
		word := binary.LittleEndian.Uint64(text)
		bits |= word | (word - spaces)
	}
	for _, c := range text {
		bits |= uint64(c | (c - ' '))
	}
	return bits&highest == 0
}

// escapesOnlySlashes tells whether each backslash of a string escapes a slash.
func escapesOnlySlashes(content []byte) bool {
	for {
		escape := bytes.IndexByte(content, '\\')
		if escape < 0 {
			return true
		}
		if !bytes.HasPrefix(content[escape:], []byte(`\/`)) {
			return false
		}
		content = content[escape+len(`\/`):]
	}
}
