package parameters

import (
	"bytes"
	"unicode"

	"github.com/fleetphoto/fleetphoto/domain"
)

// The classes of base64Values that are not digits.
const (
	invalid = 0x80 + iota
	lineBreak
	space
	padding
)

// maxDataURIHead bounds the search for the comma of a data URI.
const maxDataURIHead = 1024

// base64Values maps a byte of the standard or the URL-safe alphabet (RFC 4648,
// sections 4 and 5) to its six bits, and any other byte to one of the classes.
var base64Values = func() (values [256]byte) {
	for i := range values {
		values[i] = invalid
	}
	for i, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/") {
		values[c] = byte(i)
	}
	values['-'], values['_'] = values['+'], values['/']
	values['\r'], values['\n'], values['\t'] = lineBreak, lineBreak, lineBreak
	values[' '], values['='] = space, padding
	return values
}()

// decodeBase64 decodes text, which may use either alphabet and may have padding,
// line breaks and a data URI's prefix. Each space stands for a "+" that a form
// client forgot to escape, unless its run of spaces touches a line break or an
// end of the text. It decodes in place: the result aliases text and overwrites it.
func decodeBase64(text []byte) ([]byte, error) {
	text, err := dropDataURI(bytes.TrimSpace(text))
	if err != nil {
		return nil, err
	}
	text = bytes.TrimSpace(text)
	out, in := 0, 0
	var group uint32 // the bits of the digits read since the last whole group
	digits := 0
	for in < len(text) {
		if digits == 0 {
			wholeIn, wholeOut := decodeGroups(text, in, out)
			if in, out = wholeIn, wholeOut; in == len(text) {
				break
			}
		}
		value := base64Values[text[in]]
		switch {
		case value < invalid:
			in++
		case value == lineBreak:
			in++
			continue
		case value == space:
			in = readSpaces(text, in)
			continue
		case value == padding:
			if err := onlyPadding(text, in, digits); err != nil {
				return nil, err
			}
			in = len(text)
			continue
		default:
			return nil, domain.Errorf(domain.TypeError, "photo_base64: want Base64 or the word delete; byte %d is neither a Base64 digit, padding nor a line break", in+1)
		}
		group = group<<6 | uint32(value)
		if digits++; digits == 4 {
			text[out], text[out+1], text[out+2] = byte(group>>16), byte(group>>8), byte(group)
			out += 3
			group, digits = 0, 0
		}
	}
	return finishGroup(text[:out], group, digits)
}

// decodeGroups decodes whole groups of four digits, up to the first byte that
// is not a digit. It returns the new positions of in and out.
func decodeGroups(text []byte, in, out int) (int, int) {
	for in+4 <= len(text) {
		quad := text[in : in+4 : in+4]
		a, b, c, d := base64Values[quad[0]], base64Values[quad[1]], base64Values[quad[2]], base64Values[quad[3]]
		if (a|b|c|d)&invalid != 0 {
			break
		}
		group := uint32(a)<<18 | uint32(b)<<12 | uint32(c)<<6 | uint32(d)
		text[out], text[out+1], text[out+2] = byte(group>>16), byte(group>>8), byte(group)
		in, out = in+4, out+3
	}
	return in, out
}

// readSpaces handles the run of spaces and line breaks at start and returns the
// position to continue from. If the spaces stand for "+", it replaces them and
// returns start; otherwise it returns the end of the run. The text is trimmed,
// so no run touches an end.
func readSpaces(text []byte, start int) int {
	end := start
	plus := start > 0 && base64Values[text[start-1]] != lineBreak
	for ; end < len(text) && isWhite(text[end]); end++ {
		plus = plus && base64Values[text[end]] == space
	}
	if !plus {
		return end
	}
	for i := start; i < end; i++ {
		text[i] = '+'
	}
	return start
}

// beginsBase64 reports whether a file holds Base64 or a data URI rather than an
// image's own bytes: no image format begins with 64 Base64 digits. A space is
// not taken for "+" here, as plain text has spaces too.
func beginsBase64(file []byte) bool {
	const enough = 64
	file = trimText(file)
	if isDataURI(file) {
		return true
	}
	return !bytes.ContainsFunc(file[:min(len(file), enough)], func(c rune) bool {
		return c > unicode.MaxASCII || base64Values[c] >= invalid && base64Values[c] != lineBreak && c != '='
	})
}

// trimText removes a leading byte order mark and the white space around text.
func trimText(text []byte) []byte {
	return bytes.TrimSpace(bytes.TrimPrefix(text, []byte(byteOrderMark)))
}

func isWhite(c byte) bool {
	return base64Values[c] == space || base64Values[c] == lineBreak
}

// onlyPadding checks that only padding and white space follow from position in
// on, and that they don't follow a single digit or come first. Padding after a
// whole group is surplus and accepted.
func onlyPadding(text []byte, in, digits int) error {
	if in == 0 || digits == 1 || len(bytes.Trim(text[in:], "= \r\n\t")) > 0 {
		return domain.Errorf(domain.TypeError, "photo_base64: want Base64; the padding at byte %d is not at its end", in+1)
	}
	return nil
}

// finishGroup appends the bytes of a last group of fewer than four digits.
func finishGroup(decoded []byte, group uint32, digits int) ([]byte, error) {
	switch digits {
	case 1:
		return nil, domain.Errorf(domain.TypeError, "photo_base64: want Base64; one digit is left over, so its end is missing")
	case 2:
		decoded = append(decoded, byte(group>>4))
	case 3:
		decoded = append(decoded, byte(group>>10), byte(group>>2))
	}
	return decoded, nil
}

func isDataURI(text []byte) bool {
	return len(text) >= len("data:") && bytes.EqualFold(text[:len("data:")], []byte("data:"))
}

// dropDataURI removes the prefix "data:…;base64,".
func dropDataURI(text []byte) ([]byte, error) {
	if !isDataURI(text) {
		return text, nil
	}
	head, _, found := bytes.Cut(text[:min(len(text), maxDataURIHead)], []byte(","))
	if !found || !bytes.HasSuffix(bytes.ToLower(head), []byte(";base64")) {
		return nil, domain.Errorf(domain.TypeError, "photo_base64: want a data URI that begins with data:image/jpeg;base64, or the like")
	}
	return text[len(head)+1:], nil
}
