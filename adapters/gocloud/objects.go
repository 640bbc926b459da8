package gocloud

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"strings"
	"sync/atomic"

	"github.com/fleetphoto/fleetphoto/domain"
)

// etags is the regular expression of an ETag without quotes. It excludes "*",
// which as a condition matches any.
const etags = `[!#-)+-~][!#-~]*`

// version returns the version for an ETag, which some servers quote or mark as
// weak.
func version(etag *string) domain.PhotoVersion {
	if etag == nil {
		return ""
	}
	return domain.PhotoVersion(strings.Trim(strings.TrimPrefix(*etag, "W/"), `"`))
}

// conditions returns the headers If-Match and If-None-Match of a change over a
// version.
func conditions(over domain.PhotoVersion) (match, noneMatch *string) {
	switch over {
	case domain.Unversioned:
		return nil, nil
	case domain.NoPhoto:
		return nil, new("*")
	default:
		return new(`"` + string(over) + `"`), nil
	}
}

// write fails with errConflict, and changes nothing, if the object has another
// version than over.
func (s *PhotoStore) write(ctx context.Context, name string, data []byte, contentType string, over domain.PhotoVersion) (version domain.PhotoVersion, err error) {
	err = s.change(ctx, s.rights.write, name, over, func(ctx context.Context) (err error) {
		version, err = s.connection.put(ctx, object{s.prefix + name, contentType, s.cacheControl, data}, over)
		if err == nil && !matches(s.connection.versions, string(version)) {
			err = errNotStore
		}
		return err
	})
	if err != nil {
		return "", err
	}
	return version, nil
}

// remove fails with errConflict, and changes nothing, if the object has another
// version than over. Over domain.Unversioned, it fails with errMissing if there
// is no object.
func (s *PhotoStore) remove(ctx context.Context, name string, over domain.PhotoVersion) error {
	return s.change(ctx, s.rights.remove, name, over, func(ctx context.Context) error {
		return s.connection.remove(ctx, s.prefix+name, over)
	})
}

// change runs one change and explains its error. Nothing was changed if the SDK
// got no connection, or if the answer is a refusal.
func (s *PhotoStore) change(ctx context.Context, right, name string, over domain.PhotoVersion, change func(context.Context) error) error {
	var asked atomic.Bool
	err := change(httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{GotConn: func(httptrace.GotConnInfo) { asked.Store(true) }}))
	status, code := answer(err)
	refused := status/100 == 4 && status != http.StatusRequestTimeout && status != http.StatusTooManyRequests // a retry may get these after the first request succeeded
	explained := s.explain(right, err)
	switch {
	case err == nil:
		return nil
	case conflicts(status, code):
		return errConflict
	case over != domain.NoPhoto && (over != domain.Unversioned || right == s.rights.remove) && s.perhapsMissing(err):
		explained = s.lookFor(ctx, name, over, status, explained)
	}
	return changeError{explained, status, refused || !asked.Load() || refusedToken(err)}
}

// lookFor finds out whether a refusal is about a missing object or another
// version. If not, it returns explained.
func (s *PhotoStore) lookFor(ctx context.Context, name string, over domain.PhotoVersion, status int, explained error) error {
	_, _, err := s.read(ctx, name)
	switch {
	case err != nil && !errors.Is(err, errMissing):
		return err
	case err == nil && status != http.StatusNotFound:
		return explained
	case over != domain.Unversioned:
		return errConflict
	}
	return errMissing // even if another call has put it since
}

// check fails with errConflict if the object has another version than over.
func (s *PhotoStore) check(ctx context.Context, name string, over domain.PhotoVersion) error {
	_, version, err := s.read(ctx, name)
	switch {
	case errors.Is(err, errMissing):
		version = domain.NoPhoto
	case err != nil:
		return changeError{error: err, unchanged: true}
	}
	if version != over {
		return errConflict
	}
	return nil
}

// read fails with errMissing if there is no such object.
func (s *PhotoStore) read(ctx context.Context, name string) ([]byte, domain.PhotoVersion, error) {
	data, version, err := s.download(ctx, name)
	if !s.perhapsMissing(err) {
		return data, version, s.explain(s.rights.read, err)
	}
	if err := s.readMarker(ctx); err != nil {
		return nil, "", err
	}
	return nil, "", fmt.Errorf("%w: %s", errMissing, brief(err))
}

func (s *PhotoStore) readMarker(ctx context.Context) error {
	text, _, err := s.download(ctx, markerName)
	if err == nil && string(text) != markerText {
		return fmt.Errorf("%s holds a %s that fleetphoto didn't write; correct the URL or start again", s.name, markerName)
	}
	return s.explain(s.rights.read, err)
}

func (s *PhotoStore) download(ctx context.Context, name string) ([]byte, domain.PhotoVersion, error) {
	object, err := s.connection.get(ctx, s.prefix+name)
	if err != nil {
		return nil, "", err
	}
	data, err := readAll(object, object.size, maxObjectBytes)
	if closeErr := object.Close(); err == nil {
		err = closeErr
	}
	if err == nil && !matches(s.connection.versions, string(object.version)) {
		err = errNotStore
	}
	return data, object.version, err
}

// readAll reads all of reader; size is the announced length. It fails with
// errTooLarge above limit bytes.
func readAll(reader io.Reader, size, limit int64) ([]byte, error) {
	if size > limit {
		return nil, errTooLarge
	}
	var read bytes.Buffer
	read.Grow(int(max(size, 0)) + bytes.MinRead)
	if _, err := read.ReadFrom(io.LimitReader(reader, limit+1)); err != nil {
		return nil, err
	}
	if int64(read.Len()) > limit {
		return nil, errTooLarge
	}
	return read.Bytes(), nil
}
