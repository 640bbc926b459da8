package mutants

import (
	"bytes"
	"context"
	"io"
	"iter"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/photostore"
	"github.com/fleetphoto/fleetphoto/domain"
)

// badPut has a Put of its own.
type badPut struct {
	*memory.PhotoStore
	put put
}

type put func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error)

func (b badPut) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	return b.put(ctx, b.PhotoStore, key, photo, over)
}

// badOpen has an Open of its own.
type badOpen struct {
	*memory.PhotoStore
	open func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error)
}

func (b badOpen) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	return b.open(ctx, b.PhotoStore, key)
}

// holds returns what is stored under key; nothing where there is no photo.
func holds(good *memory.PhotoStore, key domain.PhotoKey) []byte {
	content, _, err := good.Open(context.Background(), key)
	if err != nil {
		return nil
	}
	jpeg, _ := io.ReadAll(content) // of memory
	return jpeg
}

// remade is a photo with these bytes.
func remade(photo domain.Photo, jpeg []byte) domain.Photo {
	made, err := domain.NewPhoto(jpeg, photo.Info().Width, photo.Info().Height)
	if err != nil {
		panic(err)
	}
	return made
}

func badPhotos() []saboteur {
	puts := func(defect, fails string, put put) saboteur {
		return sabotage(defect, "PhotoStore", photostore.Clauses(1<<20), []string{fails}, func(*testing.T) photostore.Port {
			return photostore.Port{PhotoStore: badPut{memory.NewPhotoStore(), put}}
		})
	}
	return []saboteur{
		puts("a large photo is cut", "put_large", func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
			return good.Put(ctx, key, remade(photo, photo.JPEG()[:min(512<<10, len(photo.JPEG()))]), over)
		}),
		puts("the end of a larger photo stays", "put_replaces", func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
			old := holds(good, key)
			return good.Put(ctx, key, remade(photo, append(bytes.Clone(photo.JPEG()), old[min(len(old), len(photo.JPEG())):]...)), over)
		}),
		puts("a photo that is there already is refused", "put_repeated", func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
			if bytes.Equal(holds(good, key), photo.JPEG()) {
				return "", errNone
			}
			return good.Put(ctx, key, photo, over)
		}),
		puts("two customers share a key", "put_own_key", func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
			return good.Put(ctx, domain.PhotoKey(strings.ReplaceAll(string(key), "9223372036854775806", "9223372036854775807")), photo, over)
		}),
		puts("a part is stored first", "put_under_readers", func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
			part, err := good.Put(ctx, key, remade(photo, photo.JPEG()[:1000]), over)
			runtime.Gosched()
			if err != nil {
				return "", err
			}
			return good.Put(context.WithoutCancel(ctx), key, photo, part)
		}),
	}
}

// badContent is a large photo that is open, with a Seek or Read of its own.
type badContent struct {
	*bytes.Reader
	now  func() *bytes.Reader // what is stored now
	seek func(b *badContent, offset int64, whence int) (int64, error)
	read func(b *badContent, into []byte) (int, error)
}

func (b *badContent) Seek(offset int64, whence int) (int64, error) {
	if b.seek == nil {
		return b.Reader.Seek(offset, whence)
	}
	return b.seek(b, offset, whence)
}

func (b *badContent) Read(into []byte) (int, error) {
	if b.read == nil {
		return b.Reader.Read(into)
	}
	return b.read(b, into)
}

func (*badContent) Close() error { return nil }

// large is a size that photos have which aren't replaced while they are read.
const large = 128 << 10

// sharedContent is a photo that is open and that several read at once.
type sharedContent struct {
	io.ReadSeekCloser
	mu sync.Mutex
}

func (s *sharedContent) Read(into []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ReadSeekCloser.Read(into)
}

func (s *sharedContent) Seek(offset int64, whence int) (int64, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.ReadSeekCloser.Seek(offset, whence)
}

// content hides all but the methods of a photo that is open.
type content struct{ io.ReadSeekCloser }

func badContents() []saboteur {
	opens := func(defect, fails string, bad badContent) saboteur {
		return sabotage(defect, "PhotoStore", photostore.Clauses(largest), []string{fails}, func(*testing.T) photostore.Port {
			return photostore.Port{PhotoStore: badOpen{memory.NewPhotoStore(), func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
				opened, version, err := good.Open(ctx, key)
				if jpeg := holds(good, key); err == nil && len(jpeg) > large {
					spoilt := bad
					spoilt.Reader, spoilt.now = bytes.NewReader(jpeg), func() *bytes.Reader { return bytes.NewReader(holds(good, key)) }
					return content{&spoilt}, version, nil
				}
				return opened, version, err
			}}}
		})
	}
	return []saboteur{
		opens("a Put changes what is open", "open_before_put", badContent{read: func(b *badContent, into []byte) (int, error) {
			if now := b.now(); now.Len() > 0 {
				at, _ := b.Reader.Seek(0, io.SeekCurrent) // never fails
				b.Reader = now
				_, _ = b.Reader.Seek(at, io.SeekStart)
			}
			return b.Reader.Read(into)
		}}),
		opens("a seek back opens the photo again", "open_seek_snapshot", badContent{seek: func(b *badContent, offset int64, whence int) (int64, error) {
			b.Reader = b.now()
			return b.Reader.Seek(offset, whence)
		}}),
		opens("a seek is relative to the start alone", "open_seek", badContent{seek: func(b *badContent, offset int64, whence int) (int64, error) {
			if whence == io.SeekCurrent {
				whence = io.SeekStart
			}
			return b.Reader.Seek(offset, whence)
		}}),
		sabotage("an Open rewinds what is open", "PhotoStore", photostore.Clauses(largest), []string{"open_twice"}, func(*testing.T) photostore.Port {
			var last atomic.Pointer[sharedContent]
			return photostore.Port{PhotoStore: badOpen{memory.NewPhotoStore(), func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
				opened, version, err := good.Open(ctx, key)
				if err != nil || len(holds(good, key)) <= large {
					return opened, version, err
				}
				shared := &sharedContent{ReadSeekCloser: opened}
				if other := last.Swap(shared); other != nil {
					_, _ = other.Seek(0, io.SeekStart)
				}
				return shared, version, nil
			}}}
		}),
		sabotage("there is an empty photo of nobody", "PhotoStore", photostore.Clauses(largest), []string{"open_nothing"}, func(*testing.T) photostore.Port {
			return photostore.Port{PhotoStore: badOpen{memory.NewPhotoStore(), func(ctx context.Context, good *memory.PhotoStore, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
				if (key == domain.CustomerRef{}.PhotoKey()) {
					return content{&badContent{Reader: bytes.NewReader(nil)}}, "x", nil
				}
				return good.Open(ctx, key)
			}}}
		}),
	}
}

// badList has a List that spoils each photo, or yields none while others list.
type badList struct {
	*memory.PhotoStore
	spoil   func(*domain.StoredPhoto)
	running *atomic.Int32
}

func (b badList) List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error] {
	return func(yield func(domain.StoredPhoto, error) bool) {
		others := b.running.Add(1) > 1
		defer b.running.Add(-1)
		runtime.Gosched()
		if others && b.spoil == nil {
			return
		}
		for photo, err := range b.PhotoStore.List(ctx) {
			if b.spoil != nil {
				b.spoil(&photo)
			}
			if !yield(photo, err) {
				return
			}
		}
	}
}

// missesMany doesn't list the photo of customer 1 of fleet 1 when many were put.
type missesMany struct {
	*memory.PhotoStore
	puts *atomic.Int32
}

func (b missesMany) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	b.puts.Add(1)
	return b.PhotoStore.Put(ctx, key, photo, over)
}

func (b missesMany) List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error] {
	const many = 20
	return func(yield func(domain.StoredPhoto, error) bool) {
		for photo, err := range b.PhotoStore.List(ctx) {
			missed := b.puts.Load() > many && photo.Key == domain.CustomerRef{Fleet: 1, Customer: 1}.PhotoKey()
			if !missed && !yield(photo, err) {
				return
			}
		}
	}
}

func badLists() []saboteur {
	lists := func(defect, fails string, spoil func(*domain.StoredPhoto)) saboteur {
		return sabotage(defect, "PhotoLister", photostore.ListerClauses(), []string{fails}, func(*testing.T) photostore.Port {
			bad := badList{memory.NewPhotoStore(), spoil, new(atomic.Int32)}
			return photostore.Port{PhotoStore: bad, PhotoLister: bad}
		})
	}
	return []saboteur{
		lists("the time is that of another zone", "list_changed_at", func(photo *domain.StoredPhoto) {
			photo.ChangedAt = photo.ChangedAt.In(time.FixedZone("elsewhere", 60*60))
		}),
		sabotage("a photo is missed when others come and go", "PhotoLister", photostore.ListerClauses(), []string{"list_while_changing"}, func(*testing.T) photostore.Port {
			bad := missesMany{memory.NewPhotoStore(), new(atomic.Int32)}
			return photostore.Port{PhotoStore: bad, PhotoLister: bad}
		}),
		lists("of several lists at once one yields nothing", "list_at_once", nil),
	}
}
