package httpapi

import (
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The content types that a call may have.
const (
	typeJSON      = "application/json"
	typeForm      = "application/x-www-form-urlencoded"
	typeMultipart = "multipart/form-data"
)

// errMediaType is the cause when a call has none of the three content types.
var errMediaType = errors.New("unsupported media type")

// bodyOverhead is what a body may hold beside the photo's Base64.
const bodyOverhead = 64 << 10

// MaxBodyBytes returns the limit of a request body for photos of up to
// maxPhotoBytes: Base64 adds a third, and escapes and line breaks may add half
// as much again.
func MaxBodyBytes(maxPhotoBytes int64) int64 { return 2*maxPhotoBytes + bodyOverhead }

// readCall reads a request's parameters. They alias the borrowed body, which
// the caller releases when they aren't used any more; it may be nil.
func (s *Server) readCall(r *http.Request) (usecase.Request, *body, error) {
	request := usecase.Request{From: remoteHost(r)}
	mediaType, parameters, err := contentType(r)
	if err != nil {
		return request, nil, err
	}
	if r.ContentLength > s.maxBody {
		return request, nil, s.bodyTooLarge()
	}
	into, err := s.bodies.borrow(r.ContentLength)
	if err != nil {
		return request, nil, err
	}
	found, err := readFields(r.Body, mediaType, parameters["boundary"], into)
	if err != nil {
		return request, into, s.bodyError(err)
	}
	request, err = found.request(request.From)
	return request, into, err
}

func readFields(from io.Reader, mediaType, boundary string, into *body) (fields, error) {
	if mediaType == typeMultipart {
		return readMultipart(from, boundary, into)
	}
	if err := into.readAll(from); err != nil {
		return fields{}, err
	}
	if mediaType == typeJSON {
		return parseJSON(into.data)
	}
	return parseForm(into.data)
}

// contentType returns which of the three types the request has.
func contentType(r *http.Request) (mediaType string, parameters map[string]string, err error) {
	unsupported := func(format string, args ...any) error {
		return domain.Errorf(domain.TypeError, format, args...).WithCause(errMediaType)
	}
	if encoding := r.Header.Get("Content-Encoding"); encoding != "" && !strings.EqualFold(encoding, "identity") {
		return "", nil, unsupported("Content-Encoding: want none, as compressed bodies are not read, got %q", clip(encoding))
	}
	header := r.Header.Get("Content-Type")
	if header == "" {
		return "", nil, unsupported("Content-Type: it is missing; want %s, %s or %s", typeJSON, typeForm, typeMultipart)
	}
	mediaType, parameters, err = mime.ParseMediaType(header)
	switch {
	case err != nil || mediaType != typeJSON && mediaType != typeForm && mediaType != typeMultipart:
		return "", nil, unsupported("Content-Type: want %s, %s or %s, got %q", typeJSON, typeForm, typeMultipart, clip(header))
	case mediaType == typeMultipart && parameters["boundary"] == "":
		return "", nil, unsupported("Content-Type: %s needs its boundary; let your HTTP client write this header", typeMultipart)
	}
	return mediaType, parameters, nil
}

// bodyError tells why a body could not be read or understood.
func (s *Server) bodyError(err error) error {
	var tooLarge *http.MaxBytesError
	var known *domain.Error
	switch {
	case errors.As(err, &tooLarge):
		return s.bodyTooLarge()
	case errors.As(err, &known):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return domain.Errorf(domain.TypeError, "body: it did not arrive within %v", ReadTimeout).WithCause(err)
	}
	broken := domain.Errorf(domain.TypeError, "body: it ended before it was whole, or its multipart boundaries are broken")
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return broken.WithCause(err)
	}
	return broken // what the parser says may repeat a key, and causes are logged
}

func (s *Server) bodyTooLarge() error {
	return domain.Errorf(domain.PhotoTooLarge, "body: want at most %d bytes, for a photo of at most %d bytes, got more", s.maxBody, s.maxPhoto)
}

// clip bounds a header's value that an error repeats.
func clip(text string) string {
	const most = 60
	if len(text) <= most {
		return text
	}
	return fmt.Sprintf("%s…", text[:most])
}
