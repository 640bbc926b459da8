package memory

import (
	"bytes"
	"context"
	"io"
	"iter"
	"maps"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoStore is a ports.PhotoStore in memory, without an address of its own.
type PhotoStore struct {
	mu     sync.RWMutex
	photos map[domain.PhotoKey]stored
}

// stored is a photo; its bytes are never changed.
type stored struct {
	jpeg []byte
	at   time.Time
}

var (
	_ ports.PhotoStore  = (*PhotoStore)(nil)
	_ ports.PhotoLister = (*PhotoStore)(nil)
)

// NewPhotoStore makes a PhotoStore without photos.
func NewPhotoStore() *PhotoStore {
	return &PhotoStore{photos: map[domain.PhotoKey]stored{}}
}

// Put implements ports.PhotoStore.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	if err := ended(ctx, "put photo"); err != nil {
		return err
	}
	own := bytes.Clone(photo.JPEG())
	s.mu.Lock()
	defer s.mu.Unlock()
	s.photos[key] = stored{own, time.Now()}
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
	return readSeekNopCloser{bytes.NewReader(photo.jpeg)}, nil
}

// List implements ports.PhotoLister.
func (s *PhotoStore) List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error] {
	return func(yield func(domain.StoredPhoto, error) bool) {
		s.mu.RLock()
		photos := maps.Clone(s.photos)
		s.mu.RUnlock()
		err := ended(ctx, "list photos")
		for key, photo := range photos {
			if err = ended(ctx, "list photos"); err != nil {
				break
			}
			if !yield(domain.StoredPhoto{Key: key, Size: int64(len(photo.jpeg)), ChangedAt: photo.at.UTC()}, nil) {
				return
			}
		}
		if err != nil {
			yield(domain.StoredPhoto{}, err)
		}
	}
}

type readSeekNopCloser struct{ io.ReadSeeker }

func (readSeekNopCloser) Close() error { return nil }
