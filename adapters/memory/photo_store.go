package memory

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"io"
	"iter"
	"maps"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoStore is a ports.PhotoStore in memory. Its photos have no addresses.
type PhotoStore struct {
	mu     sync.RWMutex
	photos map[domain.PhotoKey]stored
	puts   int // so far
}

// stored is a photo; its bytes are never changed.
type stored struct {
	jpeg    []byte
	at      time.Time
	version domain.PhotoVersion // empty: there is no photo
}

var (
	_ ports.PhotoStore  = (*PhotoStore)(nil)
	_ ports.PhotoLister = (*PhotoStore)(nil)
)

// NewPhotoStore returns a PhotoStore without photos.
func NewPhotoStore() *PhotoStore {
	return &PhotoStore{photos: map[domain.PhotoKey]stored{}}
}

// Put implements ports.PhotoStore.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (version domain.PhotoVersion, err error) {
	own := bytes.Clone(photo.JPEG())
	err = s.change(ctx, "put photo", key, over, func() {
		s.puts++
		version = domain.PhotoVersion(fmt.Sprint("put ", s.puts))
		s.photos[key] = stored{own, time.Now(), version}
	})
	return version, err
}

// Delete implements ports.PhotoStore.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	return s.change(ctx, "delete photo", key, over, func() { delete(s.photos, key) })
}

// change runs do if the photo under key has the version over.
func (s *PhotoStore) change(ctx context.Context, action string, key domain.PhotoKey, over domain.PhotoVersion, do func()) error {
	if err := ended(ctx, action); err != nil {
		return domain.AsError(err).AsUnchanged()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if held := cmp.Or(s.photos[key].version, domain.NoPhoto); held != over {
		return domain.Errorf(domain.Conflict, "the photo is another one by now").WithCause(fmt.Errorf("%s over version %q: it is %q", action, over, held)).AsUnchanged()
	}
	do()
	return nil
}

// Open implements ports.PhotoStore.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	if err := ended(ctx, "open photo"); err != nil {
		return nil, "", err
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	photo, found := s.photos[key]
	if !found {
		return nil, "", domain.Errorf(domain.NotFound, "there is no photo at this address")
	}
	return readSeekNopCloser{bytes.NewReader(photo.jpeg)}, photo.version, nil
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
