package httpapi

import (
	"bytes"
	"encoding/hex"
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"net/url"
	"strings"

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

// readMultipart reads the parameters from a multipart form (RFC 7578) straight
// into the buffer, without the parts that aren't ours.
func readMultipart(from io.Reader, boundary string, into *body) (fields, error) {
	var f fields
	ends := map[*field][2]int{} // where each part lies in the buffer, which moves as it grows
	bounded := &headReader{Reader: from}
	parts := multipart.NewReader(bounded, boundary)
	for count := 0; ; count++ {
		bounded.left = maxPartHead
		part, err := parts.NextRawPart()
		bounded.left = math.MaxInt64
		if errors.Is(err, io.EOF) {
			if count == 0 {
				return fields{}, domain.Errorf(domain.TypeError, "body: want parts between the boundary that Content-Type names, got none")
			}
			break
		}
		if err != nil {
			return fields{}, err
		}
		wanted := f.named(part.FormName())
		if wanted == nil {
			if _, err := io.Copy(io.Discard, part); err != nil {
				return fields{}, err
			}
			continue
		}
		if err := wanted.set(part.FormName(), field{file: isFile(part)}); err != nil {
			return fields{}, err
		}
		start := len(into.data)
		if err := into.readAll(part); err != nil {
			return fields{}, err
		}
		ends[wanted] = [2]int{start, len(into.data)}
	}
	for wanted, span := range ends {
		wanted.text = into.data[span[0]:span[1]:span[1]]
	}
	return f, nil
}

// maxPartHead bounds what comes before a part's content. The library takes ten
// megabytes of it, which no budget counts.
const maxPartHead = 64 << 10

// headReader fails after left bytes.
type headReader struct {
	io.Reader
	left int64
}

// Read implements io.Reader.
func (h *headReader) Read(p []byte) (int, error) {
	if h.left <= 0 {
		return 0, domain.Errorf(domain.TypeError, "body: want at most %d bytes before the content of a part, got more", maxPartHead)
	}
	n, err := h.Reader.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	return n, err
}

// isFile tells a part with an image's own bytes from one with text: it has a
// file name, or a type that text doesn't have.
func isFile(part *multipart.Part) bool {
	if part.FileName() != "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	return err == nil && (mediaType == "application/octet-stream" || strings.HasPrefix(mediaType, "image/"))
}
