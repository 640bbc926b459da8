package httpapi

import (
	"bytes"
	"net/url"

	"github.com/fleetphoto/fleetphoto/domain"
)

// parseForm reads the parameters from a form (WHATWG URL standard, section
// 5.1). Their texts are unescaped in place, so body's content is lost.
func parseForm(body []byte) (fields, error) {
	var f fields
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

// maxFormName is longer than any name of ours with each byte escaped.
const maxFormName = 64

// unescapeForm decodes "%XX" and "+" in place.
func unescapeForm(name string, value []byte) ([]byte, error) {
	escape := bytes.IndexAny(value, "%+")
	if escape < 0 {
		return value, nil
	}
	out := escape
	for in := escape; in < len(value); in++ {
		c := value[in]
		switch c {
		case '+':
			c = ' '
		case '%':
			if in+2 >= len(value) || !isHex(value[in+1]) || !isHex(value[in+2]) {
				return nil, domain.Errorf(domain.TypeError, "%s: want two hexadecimal digits after each %%; byte %d has others", name, in+1)
			}
			c = hexValue(value[in+1])<<4 | hexValue(value[in+2])
			in += 2
		}
		value[out] = c
		out++
	}
	return value[:out], nil
}

func isHex(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'f'
}

func hexValue(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c | 0x20 - 'a' + 10
}
