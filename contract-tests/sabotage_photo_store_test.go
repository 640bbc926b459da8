package contracttests

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// badPhotoStore is a good PhotoStore but for the methods that are set.
type badPhotoStore struct {
	ports.PhotoStore // the good one
	put              func(context.Context, domain.PhotoKey, domain.Photo) error
	delete           func(context.Context, domain.PhotoKey) error
	open             func(context.Context, domain.PhotoKey) (io.ReadSeekCloser, error)
}

func (b *badPhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	if b.put != nil {
		return b.put(ctx, key, photo)
	}
	return b.PhotoStore.Put(ctx, key, photo)
}

func (b *badPhotoStore) Delete(ctx context.Context, key domain.PhotoKey) error {
	if b.delete != nil {
		return b.delete(ctx, key)
	}
	return b.PhotoStore.Delete(ctx, key)
}

func (b *badPhotoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
	if b.open != nil {
		return b.open(ctx, key)
	}
	return b.PhotoStore.Open(ctx, key)
}

// spoilPhotoStore makes a badPhotoStore whose methods spoil sets. They call
// the good ones through good.
func spoilPhotoStore(spoil func(bad *badPhotoStore, good ports.PhotoStore)) func() ports.PhotoStore {
	return func() ports.PhotoStore {
		bad := &badPhotoStore{PhotoStore: memory.NewPhotoStore()}
		spoil(bad, bad.PhotoStore)
		return bad
	}
}

func TestPhotoStoreClausesCanFail(t *testing.T) {
	t.Parallel()
	proveClauses(t, photoStoreClauses(1<<20), slices.Concat(badPuts(), badPutsAtOnce(), badDeletes(), badOpens(), badPhotoStoresAfterCtx()))
}

type photoStoreSabotage = sabotage[ports.PhotoStore]

// part is the first size bytes of a photo.
func part(photo domain.Photo, size int) domain.Photo {
	return remade(photo.JPEG()[:min(size, len(photo.JPEG()))])
}

func remade(jpeg []byte) domain.Photo {
	made, err := domain.NewPhoto(jpeg, photoWidth, photoHeight)
	if err != nil {
		panic(err)
	}
	return made
}

// holds says whether there is a photo under key, and which.
func holds(store ports.PhotoStore, key domain.PhotoKey) (jpeg []byte, found bool) {
	jpeg, err := read(context.Background(), store, key)
	return jpeg, err == nil
}

func badPuts() []photoStoreSabotage {
	return []photoStoreSabotage{
		{"the last byte is lost", []string{
			"put_then_open", "put_large", "put_replaces", "put_repeated", "put_keeps_no_reference", "put_own_key", "put_under_readers",
			"put_first_under_readers", "put_at_once", "put_own_key_at_once", "put_cut_off", "delete_own_key", "delete_then_put",
			"open_before_put", "open_before_delete", "open_seek", "open_seek_snapshot", "open_twice", "open_at_once",
			"put_ended_ctx", "put_first_ended_ctx", "delete_ended_ctx", "open_ended_ctx",
		}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				return good.Put(ctx, key, part(photo, len(photo.JPEG())-1))
			}
		})},
		{"a large photo is cut", []string{"put_large"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				return good.Put(ctx, key, part(photo, 512<<10))
			}
		})},
		{"the end of a larger photo stays", []string{"put_replaces"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				old, _ := holds(good, key)
				if size := len(photo.JPEG()); size < len(old) {
					photo = remade(append(bytes.Clone(photo.JPEG()), old[size:]...))
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"a photo that is there already is refused", []string{"put_repeated"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if old, _ := holds(good, key); bytes.Equal(old, photo.JPEG()) {
					return domain.Errorf(domain.Conflict, "there already")
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"the caller's bytes are kept", []string{"put_keeps_no_reference"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			var kept sync.Map
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				err := good.Put(ctx, key, photo)
				if err == nil {
					kept.Store(key, photo.JPEG())
				}
				return err
			}
			bad.open = func(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
				content, err := good.Open(ctx, key)
				if photo, found := kept.Load(key); err == nil && found {
					content = &badContent{ReadSeeker: bytes.NewReader(photo.([]byte))}
				}
				return content, err
			}
		})},
		{"two customers share a key", []string{"put_own_key", "delete_own_key"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				return good.Put(ctx, domain.PhotoKey(strings.ReplaceAll(string(key), "9223372036854775806", "9223372036854775807")), photo)
			}
		})},
	}
}

func badDeletes() []photoStoreSabotage {
	return []photoStoreSabotage{
		{"Delete does nothing", []string{"delete", "delete_own_key", "put_own_key_at_once", "open_before_delete"}, spoilPhotoStore(func(bad *badPhotoStore, _ ports.PhotoStore) {
			bad.delete = func(ctx context.Context, _ domain.PhotoKey) error {
				if ctx.Err() != nil {
					return gaveUp()
				}
				return nil
			}
		})},
		{"deleting nothing is an error", []string{"delete_nothing"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.delete = func(ctx context.Context, key domain.PhotoKey) error {
				if _, found := holds(good, key); !found {
					return domain.Errorf(domain.NotFound, "nothing to delete")
				}
				return good.Delete(ctx, key)
			}
		})},
		{"Delete takes the key for a prefix", []string{"delete_own_key"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.delete = func(ctx context.Context, key domain.PhotoKey) error {
				if key == photoKey(1, 2) {
					_ = good.Delete(ctx, photoKey(1, 222))
				}
				return good.Delete(ctx, key)
			}
		})},
		{"what was deleted once stays away", []string{"delete_then_put", "put_own_key_at_once"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			var deleted sync.Map
			bad.delete = func(ctx context.Context, key domain.PhotoKey) error {
				err := good.Delete(ctx, key)
				if err == nil {
					deleted.Store(key, true)
				}
				return err
			}
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if _, found := deleted.Load(key); found {
					return nil
				}
				return good.Put(ctx, key, photo)
			}
		})},
	}
}

func badPhotoStoresAfterCtx() []photoStoreSabotage {
	return []photoStoreSabotage{
		{"Put doesn't look at ctx where there is a photo", []string{"put_ended_ctx"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if _, found := holds(good, key); found {
					ctx = live(ctx)
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"Put looks at ctx too late where there is no photo", []string{"put_first_ended_ctx"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if _, found := holds(good, key); !found {
					_ = good.Put(live(ctx), key, photo)
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"Delete doesn't look at ctx", []string{"delete_ended_ctx"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.delete = func(ctx context.Context, key domain.PhotoKey) error { return good.Delete(live(ctx), key) }
		})},
		{"Open doesn't look at ctx", []string{"open_ended_ctx"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.open = func(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
				return good.Open(live(ctx), key)
			}
		})},
		{"a cause is public", []string{"public_text"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				return tell(good.Put(ctx, key, photo))
			}
		})},
	}
}

// missing says that err is about a photo that isn't there.
func missing(err error) bool { return errors.Is(err, domain.NotFound) }
