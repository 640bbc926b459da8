package gocloud

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"

	"gocloud.dev/blob"
)

// Other versions of this program read the marker too: it stays as it is.
const (
	markerName = "fleetphoto-store.txt"
	markerText = "fleetphoto reads this file to tell a photo that is missing from a bucket that is: leave it here.\n"
)

// Start proves that objects can be written, read and deleted, or says in a
// sentence for the operator why not. It fails with domain.Unavailable where the
// same Start may succeed later, as the server doesn't answer.
func (s *PhotoStore) Start(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	if s.connection == nil {
		connection, err := s.connect(ctx)
		if err != nil {
			return s.explain("", err)
		}
		s.connection = connection
	}
	if err := s.write(ctx, markerName, []byte(markerText), "text/plain"); err != nil {
		return err
	}
	if err := s.readMarker(ctx); err != nil {
		return err
	}
	probe := "fleetphoto-probe-" + rand.Text() + ".txt" // its own: others start at the same time
	if err := s.write(ctx, probe, []byte(markerText), "text/plain"); err != nil {
		return err
	}
	if err := s.remove(ctx, probe); err != nil && !errors.Is(err, errMissing) {
		return err
	}
	_, err := s.download(ctx, probe) // which is gone
	status, _ := answer(err)
	s.hides = status == http.StatusForbidden
	return nil
}

// Close gives back what Start took. Photos that are open stay readable.
func (s *PhotoStore) Close() error {
	if s.connection == nil {
		return nil
	}
	return s.connection.Close()
}

// write uses Upload, with a reader that can't fail half way: NewWriter and
// WriteAll panic in azureblob when a write fails. One buffer, larger than the
// data, makes it one request: nothing has to be put together or left behind.
func (s *PhotoStore) write(ctx context.Context, name string, data []byte, contentType string) error {
	return s.explain(s.rights.write, s.connection.Upload(ctx, s.prefix+name, bytes.NewReader(data), &blob.WriterOptions{
		ContentType: contentType, CacheControl: s.cacheControl, BufferSize: len(data) + 1, MaxConcurrency: 1,
	}))
}

// read fails with errMissing where there is no such object.
func (s *PhotoStore) read(ctx context.Context, name string) ([]byte, error) {
	data, err := s.download(ctx, name)
	if !s.perhapsMissing(err) {
		return data, s.explain(s.rights.read, err)
	}
	if err := s.readMarker(ctx); err != nil {
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s", errMissing, brief(err))
}

func (s *PhotoStore) readMarker(ctx context.Context) error {
	text, err := s.download(ctx, markerName)
	if err == nil && string(text) != markerText {
		return fmt.Errorf("%s holds in %s something else than was written there; correct the URL or start again", s.name, markerName)
	}
	return s.explain(s.rights.read, err)
}

// remove fails with errMissing where there is no such object. It looks for the
// object where the deletion was refused: so it is where there is none.
func (s *PhotoStore) remove(ctx context.Context, name string) error {
	err := s.connection.Delete(ctx, s.prefix+name)
	if s.perhapsMissing(err) {
		_, readErr := s.read(ctx, name)
		if status, _ := answer(err); readErr != nil || status == http.StatusNotFound {
			return readErr // nil: another call has put it since
		}
	}
	return s.explain(s.rights.remove, err)
}

func (s *PhotoStore) download(ctx context.Context, name string) ([]byte, error) {
	reader, err := s.connection.NewReader(ctx, s.prefix+name, nil)
	if err != nil {
		return nil, err
	}
	data, err := readAll(reader, reader.Size(), maxObjectBytes)
	if closeErr := reader.Close(); err == nil {
		err = closeErr
	}
	return data, err
}

// readAll reads everything from reader, of which size bytes are announced, and
// fails with errTooLarge after limit bytes.
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
