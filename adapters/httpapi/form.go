package httpapi

import (
	"bufio"
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

// parseForm parses a form (WHATWG URL standard, section 5.1). It unescapes the
// values in place, which overwrites body.
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

// readMultipart reads the parameters of a multipart form (RFC 7578) straight
// into the body's chunks. Unknown parts are not kept.
func readMultipart(from io.Reader, boundary string, into *body) (fields, error) {
	var f fields
	spans := map[*field][2]int{} // where each part begins and ends in the body
	bounded := newHeadReader(from, boundary)
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
		spans[wanted] = [2]int{start, into.size}
	}
	if err := into.join(); err != nil {
		return fields{}, err
	}
	for wanted, span := range spans {
		wanted.text = into.data[span[0]:span[1]:span[1]]
	}
	return f, nil
}

// Limits of a multipart form. A call has four parts with up to three header lines
// each. The multipart package would accept ten megabytes of headers in 10,000 lines
// and keep them in a map, which the room doesn't count.
const (
	maxParts     = 20
	maxPartHead  = 4 << 10 // bytes
	maxPartLines = 20
)

var (
	errParts    = domain.Errorf(domain.TypeError, "body: want at most %d parts, got more", maxParts)
	errPartHead = domain.Errorf(domain.TypeError, "body: want at most %d bytes and %d lines before the content of a part, got more", maxPartHead, maxPartLines)
)

// headReader passes on a multipart form and bounds what comes before each part's
// content. It fails before it passes on too much.
type headReader struct {
	from      *bufio.Reader
	delimiter []byte // the line feed and the beginning of the line that end a part (RFC 2046, section 5.1.1)
	inHead    bool
	left      int  // bytes that may still come before the part's content
	lines     int  // header lines that may still come
	filled    bool // the current header line isn't blank
	newline   bool // the last byte was a line feed, or none was read
	begun     bool
	object    bool // the body begins like a JSON object
	parts     int
	failed    error // the error of Read, which the multipart package may wrap or replace
}

func newHeadReader(from io.Reader, boundary string) *headReader {
	return &headReader{from: bufio.NewReader(from), delimiter: []byte("\n--" + boundary), left: maxPartHead, newline: true}
}

// Read implements io.Reader.
func (h *headReader) Read(p []byte) (int, error) {
	text, err := h.from.Peek(len(h.delimiter))
	if len(text) == 0 {
		return 0, err
	}
	whole := err != nil // text is all that is left
	text, _ = h.from.Peek(h.from.Buffered())
	if !h.begun {
		h.begun, h.object = true, beginsObject(text)
	}
	if !h.inHead && h.newline && bytes.HasPrefix(text, h.delimiter[1:]) {
		h.inHead, h.filled, h.left, h.lines = true, false, maxPartHead, maxPartLines+1 // one for the delimiter's line
	}
	passed := 0
	if h.inHead {
		passed, err = h.head(text[:min(len(text), len(p))])
	} else {
		passed, err = h.content(text, whole, len(p))
	}
	if err != nil {
		h.failed = err
		return 0, err
	}
	h.newline = text[passed-1] == '\n'
	return h.from.Read(p[:passed])
}

// head returns how many bytes of text belong to the current line of a part's head.
func (h *headReader) head(text []byte) (int, error) {
	if end := bytes.IndexByte(text, '\n'); end >= 0 {
		text = text[:end+1]
	}
	h.filled = h.filled || len(bytes.TrimRight(text, "\r\n")) > 0
	if h.left -= len(text); h.left < 0 {
		return 0, errPartHead
	}
	switch ended := text[len(text)-1] == '\n'; {
	case ended && !h.filled:
		h.inHead, h.left = false, math.MaxInt
	case ended:
		h.filled = false
		if h.lines--; h.lines < 0 {
			return 0, errPartHead
		}
	}
	return len(text), nil
}

// content returns how many bytes of text, up to most, certainly come before the
// next part's head. What comes before the first head has the limit of a head.
func (h *headReader) content(text []byte, whole bool, most int) (int, error) {
	end := len(text) - len(h.delimiter) + 1
	if at := bytes.Index(text, h.delimiter); at >= 0 {
		end = at + 1
	} else if whole {
		end = len(text)
	}
	end = min(end, most)
	if h.left -= end; h.left < 0 {
		return 0, errPartHead
	}
	return end, nil
}

// nextPart returns the next part, or io.EOF after the last one. If there is no
// first part, its error says what came instead.
func (h *headReader) nextPart(parts *multipart.Reader) (*multipart.Part, error) {
	part, err := parts.NextRawPart()
	switch {
	case err == nil && h.parts == maxParts:
		return nil, errParts
	case err == nil:
		h.parts++
	case h.parts == 0 && h.object:
		return nil, domain.Errorf(domain.TypeError, "body: want the parts of a form, got a JSON object; send it as %s", typeJSON)
	case h.failed != nil:
		return nil, h.failed
	case h.parts == 0 && errors.Is(err, io.EOF):
		return nil, domain.Errorf(domain.TypeError, "body: want parts between the boundary that Content-Type names, got none")
	}
	return part, err
}

// checkEncoding refuses a Content-Transfer-Encoding that changes a part's content
// (RFC 2045, section 6), except base64 for the photo, which may be Base64 anyway.
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

// isFile reports whether a part may hold the image itself: it has a file name or a
// binary content type.
func isFile(part *multipart.Part) bool {
	if part.FileName() != "" {
		return true
	}
	mediaType, _, err := mime.ParseMediaType(part.Header.Get("Content-Type"))
	return err == nil && (mediaType == "application/octet-stream" || strings.HasPrefix(mediaType, "image/"))
}
