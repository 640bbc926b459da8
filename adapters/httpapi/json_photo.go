package httpapi

import (
	"bytes"
	"encoding/binary"
)

// mostBesidePhoto is the most bytes beside the photo that cutPhoto copies.
const mostBesidePhoto = 4 << 10

// jsonText is the JSON text given to the decoder. As the decoder looks at each byte
// and nearly all of them are the photo's, a plain photo string is cut out and
// replaced by an empty string.
type jsonText struct {
	text  []byte
	photo []byte // the string that was cut out, with its quotes; nil: none
	at    int64  // the offset in text of the empty string in its place
}

// cutPhoto cuts out the value after the first "photo_base64" in quotes if it is a
// plain string. That name may also be one inside an unknown field: only the decoder
// can tell.
//
// Whatever comes before it, the decoder either reads the value that was cut out as a
// string too, or refuses the body. For suppose that its opening quote were inside
// another string. Then the colon before it would be too, so that string would begin
// at the name's closing quote. The name's letters would then be outside any string,
// which the decoder refuses.
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

// plainString returns the length, with its quotes, of the JSON string that text
// begins with. It returns 0 if that isn't printable ASCII or has escapes other than
// those of slashes, which PHP writes.
func plainString(text []byte) int {
	content, is := bytes.CutPrefix(text, []byte{'"'})
	end := bytes.IndexByte(content, '"')
	if !is || end < 0 || !isPrintable(content[:end]) || !escapesOnlySlashes(content[:end]) {
		return 0
	}
	return end + len(`""`)
}

// isPrintable reports whether text is ASCII without control characters, which JSON
// forbids in strings. It looks at eight bytes at a time. The highest bit is set in
// a byte from 0x80 on, and in a byte below a space after a space's code is
// subtracted. A borrow can only come from such a lower byte, so it does no harm.
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

// escapesOnlySlashes reports whether every backslash of content escapes a slash.
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
