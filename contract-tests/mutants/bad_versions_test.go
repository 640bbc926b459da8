package mutants

import (
	"context"
	"fmt"
	"hash/crc32"
	"io"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/photostore"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// now is the version of what is there.
func now(good *memory.PhotoStore, key domain.PhotoKey) domain.PhotoVersion {
	_, version, err := good.Open(context.Background(), key)
	if err != nil {
		return domain.NoPhoto
	}
	return version
}

// ignores takes every version for the right one, but has some.
type ignores struct{ *memory.PhotoStore }

func (b ignores) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, _ domain.PhotoVersion) (domain.PhotoVersion, error) {
	return b.PhotoStore.Put(ctx, key, photo, now(b.PhotoStore, key))
}

func (b ignores) Delete(ctx context.Context, key domain.PhotoKey, _ domain.PhotoVersion) error {
	return b.PhotoStore.Delete(ctx, key, now(b.PhotoStore, key))
}

// comparesLate changes what is there and then looks at the version.
type comparesLate struct{ *memory.PhotoStore }

func (b comparesLate) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	before := now(b.PhotoStore, key)
	version, err := b.PhotoStore.Put(ctx, key, photo, before)
	if err == nil && before != over {
		return "", errConflict
	}
	return version, err
}

func (b comparesLate) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	before := now(b.PhotoStore, key)
	err := b.PhotoStore.Delete(ctx, key, before)
	if err == nil && before != over {
		return errConflict
	}
	return err
}

// comparesFirst looks at the version in one step and changes in another.
type comparesFirst struct{ *memory.PhotoStore }

func (b comparesFirst) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	if now(b.PhotoStore, key) != over {
		return "", errConflict
	}
	time.Sleep(time.Millisecond)
	return b.PhotoStore.Put(ctx, key, photo, now(b.PhotoStore, key))
}

// checksums has versions that are made of the size and a few bits of the photo.
type checksums struct {
	*memory.PhotoStore
	bits uint32
}

func (b checksums) version(jpeg []byte) domain.PhotoVersion {
	return domain.PhotoVersion(fmt.Sprint(len(jpeg), " ", crc32.ChecksumIEEE(jpeg)%b.bits))
}

func (b checksums) held(key domain.PhotoKey) domain.PhotoVersion {
	if jpeg := holds(b.PhotoStore, key); jpeg != nil {
		return b.version(jpeg)
	}
	return domain.NoPhoto
}

func (b checksums) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	held := now(b.PhotoStore, key)
	if b.held(key) != over {
		held = over // which it doesn't know
	}
	_, err := b.PhotoStore.Put(ctx, key, photo, held)
	return b.version(photo.JPEG()), err
}

func (b checksums) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	held := now(b.PhotoStore, key)
	if b.held(key) != over {
		held = over
	}
	return b.PhotoStore.Delete(ctx, key, held)
}

func (b checksums) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	content, _, err := b.PhotoStore.Open(ctx, key)
	return content, b.held(key), err
}

// ownWord has Put return a word that nothing else knows.
type ownWord struct{ *memory.PhotoStore }

func (b ownWord) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	version, err := b.PhotoStore.Put(ctx, key, photo, over)
	return "own " + version, err
}

// dies takes no photo where one was deleted.
type dies struct {
	*memory.PhotoStore
	deleted *sync.Map
}

func (b dies) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	if _, found := b.deleted.Load(key); found {
		return "", errConflict
	}
	return b.PhotoStore.Put(ctx, key, photo, over)
}

func (b dies) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	err := b.PhotoStore.Delete(ctx, key, over)
	if err == nil {
		b.deleted.Store(key, true)
	}
	return err
}

// oneVersion forgets the version of a photo when another one is changed.
type oneVersion struct {
	*memory.PhotoStore
	last *atomic.Value
}

func (b oneVersion) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	if last := b.last.Load(); over != domain.NoPhoto && last != key {
		return "", errConflict
	}
	version, err := b.PhotoStore.Put(ctx, key, photo, over)
	if err == nil {
		b.last.Store(key)
	}
	return version, err
}

var errConflict = domain.Errorf(domain.Conflict, "another version")

func badVersions() []saboteur {
	store := func(defect string, spoil func(good *memory.PhotoStore) ports.PhotoStore, fails ...string) saboteur {
		return sabotage(defect, "PhotoStore", photostore.Clauses(largest), fails, func(*testing.T) photostore.Port {
			return photostore.Port{PhotoStore: spoil(memory.NewPhotoStore())}
		})
	}
	return []saboteur{
		store("versions are ignored", func(good *memory.PhotoStore) ports.PhotoStore { return ignores{good} },
			"version_first_late", "version_put_stale", "version_put_no_word", "version_delete_stale", "version_delete_no_word", "version_delete_none"),
		store("versions are compared after the change", func(good *memory.PhotoStore) ports.PhotoStore { return comparesLate{good} },
			"version_first_late", "version_put_stale", "version_put_no_word", "version_delete_stale", "version_delete_none"),
		store("versions are compared in a step of their own", func(good *memory.PhotoStore) ports.PhotoStore { return comparesFirst{good} },
			"version_first_at_once", "version_put_at_once", "version_put_and_delete_at_once"),
		store("a Put returns another word than Open", func(good *memory.PhotoStore) ports.PhotoStore { return ownWord{good} }, "version_opened", "version_put", "version_delete"),
		store("there is no photo again after a Delete", func(good *memory.PhotoStore) ports.PhotoStore { return dies{good, new(sync.Map)} }, "delete_then_put"),
		store("the store has one version", func(good *memory.PhotoStore) ports.PhotoStore { return oneVersion{good, new(atomic.Value)} }, "version_other_key"),
		store("different photos have one version at times", func(good *memory.PhotoStore) ports.PhotoStore { return checksums{good, 16} }, "version_other_bytes"),
	}
}
