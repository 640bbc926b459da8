package httpapi

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"io"
	"math"
	"mime"
	"mime/multipart"
	"strings"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
)

// readMultipart reads the parameters of a multipart form (RFC 7578) straight
// into the body's chunks. Unknown parts are not kept.
func readMultipart(from io.Reader, boundary string, into *body) (f parameters.Fields, err error) {
	type span struct {
		name       string
		isFile     bool
		start, end int // in the body
	}
	var spans []span
	bounded := newHeadReader(from, boundary)
	parts := multipart.NewReader(bounded, boundary)
	for {
		part, err := bounded.nextPart(parts)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return f, err
		}
		name := part.FormName()
		if !parameters.IsKnown(name) {
			if _, err := io.Copy(io.Discard, part); err != nil {
				return f, err
			}
			continue
		}
		start := into.size
		if err := cmp.Or(checkEncoding(part), into.fill(part)); err != nil {
			return f, err
		}
		spans = append(spans, span{name, isFile(part), start, into.size})
	}
	if err := into.join(); err != nil {
		return f, err
	}
	for _, s := range spans {
		if err := f.SetPart(s.name, parameters.Part{Content: into.data[s.start:s.end:s.end], IsFile: s.isFile}); err != nil {
			return f, err
		}
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
		h.begun, h.object = true, parameters.BeginsObject(text)
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
		if part.FormName() == parameters.Photo {
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
