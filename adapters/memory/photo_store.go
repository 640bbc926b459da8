package memory

import (
	"bytes"
	"context"
	"io"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoStore is a ports.PhotoStore in memory, without an address of its own.
type PhotoStore struct {
	mu     sync.RWMutex
	photos map[domain.PhotoKey][]byte // each slice is replaced, never changed
}

var _ ports.PhotoStore = (*PhotoStore)(nil)

// NewPhotoStore makes a PhotoStore without photos.
func NewPhotoStore() *PhotoStore {
	return &PhotoStore{photos: map[domain.PhotoKey][]byte{}}
}

// Put implements ports.PhotoStore.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	if err := ended(ctx, "put photo"); err != nil {
		return err
	}
	own := bytes.Clone(photo.JPEG())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.photos[key] = own
	return nil
}

// Delete implements ports.PhotoStore.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey) error {
	if err := ended(ctx, "delete photo"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.photos, key)
	return nil
}

// Open implements ports.PhotoStore.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
	if err := ended(ctx, "open photo"); err != nil {
		return nil, err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	photo, found := s.photos[key]
	if !found {
		return nil, domain.Errorf(domain.NotFound, "there is no photo at this address")
	}
	return readSeekNopCloser{bytes.NewReader(photo)}, nil
}

// URL implements ports.PhotoStore.
func (s *PhotoStore) URL(context.Context, domain.PhotoKey) (string, error) { return "", nil }

type readSeekNopCloser struct{ io.ReadSeeker }

func (readSeekNopCloser) Close() error { return nil }
