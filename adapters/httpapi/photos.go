package httpapi

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// servePhoto serves a stored photo, with conditions and ranges as RFC 9110 has
// them. The ETag is the SHA-256 of the photo, and caches must ask each time:
// nobody is shown a photo that was replaced.
func (s *Server) servePhoto(w http.ResponseWriter, r *http.Request) {
	key, err := domain.ParsePhotoKey(strings.TrimPrefix(r.URL.Path, PhotosPath))
	if err != nil {
		s.answerFailure(w, r, err)
		return
	}
	content, _, err := s.Photos.Open(r.Context(), key)
	if err != nil {
		s.answerFailure(w, r, err)
		return
	}
	defer func() { _ = content.Close() }() // it was only read
	hash := sha256.New()
	if _, err = io.Copy(hash, content); err == nil {
		_, err = content.Seek(0, io.SeekStart)
	}
	if err != nil {
		s.answerFailure(w, r, domain.Errorf(domain.Unavailable, "the photo could not be read; try again").WithCause(err))
		return
	}
	w.Header().Set("ETag", fmt.Sprintf(`"%x"`, hash.Sum(nil)))
	w.Header().Set("Cache-Control", "no-cache")
	w.Header().Set("Content-Type", "image/jpeg")
	http.ServeContent(&refusals{ResponseWriter: w, server: s, request: r}, r, "", time.Time{}, content)
}

// refusals gives the refusals of http.ServeContent the envelope.
type refusals struct {
	http.ResponseWriter
	server  *Server
	request *http.Request
	refused bool
}

// WriteHeader implements http.ResponseWriter.
func (r *refusals) WriteHeader(status int) {
	switch status {
	case http.StatusRequestedRangeNotSatisfiable:
		r.refuse(domain.Errorf(rangeNotSatisfiable, "Range: want a range within the photo; its size is in Content-Range"))
	case http.StatusPreconditionFailed:
		r.refuse(domain.Errorf(preconditionFailed, "If-Match: the photo is another one by now"))
	default:
		r.ResponseWriter.WriteHeader(status)
	}
}

// Write implements http.ResponseWriter.
func (r *refusals) Write(p []byte) (int, error) {
	if r.refused {
		return len(p), nil
	}
	return r.ResponseWriter.Write(p)
}

func (r *refusals) refuse(err error) {
	r.refused = true
	r.Header().Del("Content-Length")
	r.server.answerFailure(r.ResponseWriter, r.request, err)
}
