package httpapi

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// mostRanges is how many ranges of a photo one request may ask for.
const mostRanges = 16

// servePhoto serves a stored photo, with the conditions and ranges of RFC 9110.
// Caches must revalidate each time, so that nobody sees a replaced photo or misses
// a new one. Shared caches don't store signed photos.
func (s *Server) servePhoto(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Cache-Control", "no-cache")
	if s.PhotoSigner != nil {
		w.Header().Set("Cache-Control", "private, no-cache")
	}
	content, tag, err := s.openPhoto(r)
	if err != nil {
		s.answerFailure(w, r, err)
		return
	}
	defer func() { _ = content.Close() }() // only read
	s.setPhotoHeaders(w.Header(), tag)
	if strings.Count(r.Header.Get("Range"), ",") >= mostRanges {
		r.Header.Del("Range") // the whole photo is answered; RFC 9110, 14.2, allows it
	}
	http.ServeContent(&refusals{ResponseWriter: w, server: s, request: r}, r, "", time.Time{}, content)
}

// openPhoto returns the photo that a request may see, and its ETag.
func (s *Server) openPhoto(r *http.Request) (io.ReadSeekCloser, string, error) {
	key, err := domain.ParsePhotoKey(strings.TrimPrefix(r.URL.Path, PhotosPath))
	if err != nil {
		return nil, "", err
	}
	if s.PhotoSigner != nil && !s.PhotoSigner.signed(key, r.URL.Query()) {
		return nil, "", errUnsigned()
	}
	content, version, err := s.Photos.Open(r.Context(), key)
	if err != nil {
		return nil, "", err
	}
	tag, err := entityTag(content, version)
	if err != nil {
		_ = content.Close() // only read
		return nil, "", domain.Errorf(domain.Unavailable, "the photo could not be read; try again").WithCause(err)
	}
	return content, tag, nil
}

// entityTag returns the photo's ETag: the SHA-256 of its version, or of its bytes if
// it has no version. The version itself may contain quotation marks or reveal inodes.
func entityTag(content io.ReadSeeker, version domain.PhotoVersion) (string, error) {
	hash := sha256.New()
	var err error
	if version == domain.Unversioned || version == domain.UnknownVersion {
		_, copyErr := io.Copy(hash, content)
		_, seekErr := content.Seek(0, io.SeekStart)
		err = errors.Join(copyErr, seekErr)
	} else {
		_, err = io.WriteString(hash, string(version))
	}
	return fmt.Sprintf(`"%x"`, hash.Sum(nil)), err
}

// setPhotoHeaders lets pages of any origin, such as a dispatcher's, show the photo as
// an image, and keeps it out of search engines. A signed address is never sent as a
// Referer.
func (s *Server) setPhotoHeaders(header http.Header, tag string) {
	header.Set("ETag", tag)
	header.Set("Content-Type", "image/jpeg")
	header.Set("Content-Security-Policy", "sandbox; default-src 'none'")
	header.Set("Cross-Origin-Resource-Policy", "cross-origin")
	header.Set("X-Robots-Tag", "noindex")
	if s.PhotoSigner != nil {
		header.Set("Referrer-Policy", "no-referrer")
	}
}

// refusals answers the failures of http.ServeContent with the envelope.
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
