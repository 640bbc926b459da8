package parameters

import (
	"bytes"
	"encoding/hex"
	"net/url"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ParseForm parses a URL-encoded form (WHATWG URL standard, section 5.1) in UTF-8.
// Text that begins like a JSON object is parsed as JSON, as senders forget the
// content type or leave their HTTP client's default, a form; no valid form begins
// like that. The fields alias text, and overwrite it where they are unescaped.
func ParseForm(text []byte) (Fields, error) {
	text, err := withoutMark(text)
	switch {
	case err != nil:
		return Fields{}, err
	case BeginsObject(text):
		return parseJSON(text)
	}
	return parseForm(text)
}

func parseForm(body []byte) (Fields, error) {
	var f Fields
	for len(body) > 0 {
		var pair []byte
		pair, body, _ = bytes.Cut(body, []byte("&"))
		rawName, rawValue, _ := bytes.Cut(pair, []byte("="))
		if len(rawName) > maxFormName {
			continue
		}
		name, err := url.QueryUnescape(string(rawName))
		if err != nil {
			continue
		}
		wanted := f.named(name)
		if wanted == nil {
			continue
		}
		value, err := unescapeForm(name, rawValue)
		if err != nil {
			return f, err
		}
		if err := wanted.set(name, field{text: value}); err != nil {
			return f, err
		}
	}
	return f, nil
}

// maxFormName is longer than any parameter's name with each byte escaped.
const maxFormName = 64

// unescapeForm decodes "%XX" and "+" in place.
func unescapeForm(name string, value []byte) ([]byte, error) {
	escape := bytes.IndexAny(value, "%+")
	if escape < 0 {
		return value, nil
	}
	out := escape
	for in := escape; in < len(value); in++ {
		switch value[in] {
		case '+':
			value[out] = ' '
		case '%':
			if _, err := hex.Decode(value[out:out+1], value[in+1:min(in+3, len(value))]); err != nil || in+2 >= len(value) {
				return nil, domain.Errorf(domain.TypeError, "%s: want two hexadecimal digits after each %%; byte %d has others", name, in+1)
			}
			in += 2
		default:
			value[out] = value[in]
		}
		out++
	}
	return value[:out], nil
}

const byteOrderMark = "\ufeff"

// withoutMark removes a leading byte order mark. It refuses text that begins with
// one of UTF-16, or with an ASCII character in UTF-16.
func withoutMark(text []byte) ([]byte, error) {
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) || bytes.IndexByte(text[:min(len(text), 2)], 0) >= 0 {
		return nil, domain.Errorf(domain.TypeError, "body: want UTF-8, got UTF-16; have your program write UTF-8")
	}
	return bytes.TrimPrefix(text, []byte(byteOrderMark)), nil
}

// BeginsObject reports whether text begins like a JSON object.
func BeginsObject(text []byte) bool {
	text = bytes.TrimPrefix(text, []byte(byteOrderMark))
	return bytes.HasPrefix(bytes.TrimLeft(text, " \t\r\n"), []byte("{"))
}
