package httpapi

import (
	"bytes"
	"cmp"
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
// into the body's chunks, without the parts that aren't ours.
func readMultipart(from io.Reader, boundary string, into *body) (fields, error) {
	var f fields
	ends := map[*field][2]int{} // where each part lies in the body
	bounded := &headReader{Reader: from}
	parts := multipart.NewReader(bounded, boundary)
	for {
		part, err := bounded.nextPart(parts)
		if errors.Is(err, io.EOF) {
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
		if err := cmp.Or(checkEncoding(part), wanted.set(part.FormName(), field{file: isFile(part)})); err != nil {
			return fields{}, err
		}
		start := into.size
		if err := into.fill(part); err != nil {
			return fields{}, err
		}
		ends[wanted] = [2]int{start, into.size}
	}
	if err := into.join(); err != nil {
		return fields{}, err
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
	left   int64
	begun  bool
	object bool // the body begins as a JSON object does
	parts  int
}

// Read implements io.Reader.
func (h *headReader) Read(p []byte) (int, error) {
	if h.left <= 0 {
		return 0, domain.Errorf(domain.TypeError, "body: want at most %d bytes before the content of a part, got more", maxPartHead)
	}
	n, err := h.Reader.Read(p[:min(int64(len(p)), h.left)])
	h.left -= int64(n)
	if !h.begun {
		h.begun, h.object = n > 0, beginsObject(p[:n])
	}
	return n, err
}

// nextPart returns the next of parts, or io.EOF behind the last one. It says
// what came instead of the first.
func (h *headReader) nextPart(parts *multipart.Reader) (*multipart.Part, error) {
	h.left = maxPartHead
	part, err := parts.NextRawPart()
	h.left = math.MaxInt64
	switch {
	case err == nil:
		h.parts++
	case h.parts == 0 && h.object:
		return nil, domain.Errorf(domain.TypeError, "body: want the parts of a form, got a JSON object; send it as %s", typeJSON)
	case h.parts == 0 && errors.Is(err, io.EOF):
		return nil, domain.Errorf(domain.TypeError, "body: want parts between the boundary that Content-Type names, got none")
	}
	return part, err
}

// checkEncoding refuses a Content-Transfer-Encoding that changes a part's
// content (RFC 2045, section 6), but for a photo's Base64, which is read anyway.
func checkEncoding(part *multipart.Part) error {
	encoding := part.Header.Get("Content-Transfer-Encoding")
	switch strings.ToLower(strings.TrimSpace(encoding)) {
	case "", "7bit", "8bit", "binary":
		return nil
	case "base64":
		if part.FormName() == fieldPhoto {
			return nil
		}
	}
	return domain.Errorf(domain.TypeError, "%s: want a part without Content-Transfer-Encoding, got %q", part.FormName(), clip(encoding))
}

// isFile tells a part that may have an image's own bytes from one with text: it
// has a file name, or a type that text doesn't have.
func isFile(part *multipart.Part) bool {
	if part.FileName() != "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	return err == nil && (mediaType == "application/octet-stream" || strings.HasPrefix(mediaType, "image/"))
}
