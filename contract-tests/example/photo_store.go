package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoStore is a ports.PhotoStore on a WebDAV server that replaces files in one
// step, as nginx does, and from which anyone may fetch them. As such a server
// doesn't compare versions, it has none.
type PhotoStore struct {
	base   url.URL
	client http.Client
}

var _ ports.PhotoStore = (*PhotoStore)(nil)

const timeout = 20 * time.Second // shorter than a whole call may take

// Open makes a PhotoStore of webdav://user:password@host/directory without
// asking the server.
func Open(rawURL string) (*PhotoStore, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "webdav" || u.Host == "" || u.RawQuery != "" || u.Fragment != "" {
		return nil, errors.New("want webdav://user:password@host/directory and no parameters") // err repeats the password
	}
	u.Scheme = "http"
	return &PhotoStore{*u, http.Client{Timeout: timeout}}, nil
}

// Put implements ports.PhotoStore. Where the server wants directories to exist
// before what is in them, it makes them and tries again.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, _ domain.PhotoVersion) (domain.PhotoVersion, error) {
	if err := ended(ctx); err != nil {
		return "", err
	}
	jpeg := bytes.Clone(photo.JPEG()) // a request that was given up is read from for a moment longer
	status, _, err := s.do(ctx, http.MethodPut, string(key), jpeg)
	if status == http.StatusConflict || status == http.StatusNotFound {
		for _, directory := range []string{path.Dir(path.Dir(string(key))), path.Dir(string(key))} {
			if _, _, err := s.do(ctx, "MKCOL", directory+"/", nil); err != nil {
				return "", translate(err)
			}
		}
		status, _, err = s.do(ctx, http.MethodPut, string(key), jpeg)
	}
	return domain.Unversioned, expect(status, err, http.StatusOK, http.StatusCreated, http.StatusNoContent)
}

// Delete implements ports.PhotoStore.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey, _ domain.PhotoVersion) error {
	if err := ended(ctx); err != nil {
		return err
	}
	status, _, err := s.do(ctx, http.MethodDelete, string(key), nil)
	return expect(status, err, http.StatusOK, http.StatusNoContent, http.StatusNotFound)
}

// Open implements ports.PhotoStore. It reads all at once, so that what is read
// later is what there was now.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	status, jpeg, err := s.do(ctx, http.MethodGet, string(key), nil)
	if status == http.StatusNotFound {
		return nil, "", domain.Errorf(domain.NotFound, "there is no photo at this address")
	}
	if err := expect(status, err, http.StatusOK); err != nil {
		return nil, "", err
	}
	return content{bytes.NewReader(jpeg)}, domain.Unversioned, nil
}

// URL implements ports.PhotoAddresser.
func (s *PhotoStore) URL(key domain.PhotoKey) string {
	address := s.base.JoinPath(string(key))
	address.User = nil // the password is for writing
	return address.String()
}

// SignedURL implements ports.PhotoAddresser.
func (s *PhotoStore) SignedURL(context.Context, domain.PhotoKey, time.Duration) (string, error) {
	return "", domain.Errorf(domain.Unavailable, "a WebDAV server signs no addresses")
}

// do makes a request and returns the status and the body of the answer. The
// status is 0 where there is an error.
func (s *PhotoStore) do(ctx context.Context, method, name string, body []byte) (int, []byte, error) {
	request, err := http.NewRequestWithContext(ctx, method, s.base.JoinPath(name).String(), bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	response, err := s.client.Do(request)
	if err != nil {
		return 0, nil, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return 0, nil, err
	}
	return response.StatusCode, answer, nil
}

// expect fails unless the status is one of these.
func expect(status int, err error, good ...int) error {
	if err == nil && !slices.Contains(good, status) {
		err = fmt.Errorf("status %d %s", status, http.StatusText(status))
	}
	return translate(err)
}

// ended is the error of a change whose ctx had ended before it began: the server
// was asked for nothing.
func ended(ctx context.Context) error {
	if err := ctx.Err(); err != nil {
		return domain.AsError(translate(err)).AsUnchanged()
	}
	return nil
}

// translate says what callers may know. The cause is for the log alone.
func translate(err error) error {
	if err == nil {
		return nil
	}
	cause := fmt.Errorf("webdav: %w", err)
	return domain.Errorf(domain.Unavailable, "the photo store doesn't answer as it should; try again later").WithCause(cause)
}

// content is an open photo.
type content struct{ io.ReadSeeker }

// Close implements io.Closer.
func (content) Close() error { return nil }
