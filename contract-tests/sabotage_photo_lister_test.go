package contracttests

import (
	"context"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
)

// badPhotoLister is a good PhotoLister but for the methods that are set.
type badPhotoLister struct {
	PhotoRoles // the good one
	put        func(context.Context, domain.PhotoKey, domain.Photo) error
	delete     func(context.Context, domain.PhotoKey) error
	list       func(context.Context) ([]domain.StoredPhoto, error)
	yield      func(ctx context.Context, yield func(domain.StoredPhoto, error) bool)
}

func (b *badPhotoLister) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	if b.put != nil {
		return b.put(ctx, key, photo)
	}
	return b.PhotoRoles.Put(ctx, key, photo)
}

func (b *badPhotoLister) Delete(ctx context.Context, key domain.PhotoKey) error {
	if b.delete != nil {
		return b.delete(ctx, key)
	}
	return b.PhotoRoles.Delete(ctx, key)
}

func (b *badPhotoLister) List(ctx context.Context) iter.Seq2[domain.StoredPhoto, error] {
	return func(yield func(domain.StoredPhoto, error) bool) {
		if b.yield != nil {
			b.yield(ctx, yield)
			return
		}
		photos, err := b.list(ctx)
		yieldEach(photos, err, yield)
	}
}

// yieldEach yields photos and then a failure, if there is one.
func yieldEach(photos []domain.StoredPhoto, err error, yield func(domain.StoredPhoto, error) bool) {
	for _, photo := range photos {
		if !yield(photo, nil) {
			return
		}
	}
	if err != nil {
		yield(domain.StoredPhoto{}, err)
	}
}

// spoilLister makes a badPhotoLister whose methods spoil sets. They call the
// good ones through good.
func spoilLister(spoil func(bad *badPhotoLister, good PhotoRoles)) func() PhotoRoles {
	return func() PhotoRoles {
		bad := &badPhotoLister{PhotoRoles: memory.NewPhotoStore()}
		bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) { return list(ctx, bad.PhotoRoles) }
		spoil(bad, bad.PhotoRoles)
		return bad
	}
}

// spoilListed makes a PhotoLister that changes what List yields.
func spoilListed(change func(ctx context.Context, photos []domain.StoredPhoto, err error) ([]domain.StoredPhoto, error)) func() PhotoRoles {
	return spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
		bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) {
			photos, err := list(ctx, good)
			return change(ctx, photos, err)
		}
	})
}

func TestPhotoListerClausesCanFail(t *testing.T) {
	t.Parallel()
	proveClauses(t, photoListerClauses(), append(badPhotoLists(), badPhotoListsAfterCtx()...))
}

type photoListerSabotage = sabotage[PhotoRoles]

func badPhotoLists() []photoListerSabotage {
	return []photoListerSabotage{
		{"no photos are an error", []string{"list_none"}, spoilListed(func(_ context.Context, photos []domain.StoredPhoto, err error) ([]domain.StoredPhoto, error) {
			if err == nil && len(photos) == 0 {
				err = domain.Errorf(domain.Unavailable, "no photos")
			}
			return photos, err
		})},
		{"a photo of the greatest ids is listed twice", []string{
			"list_each", "list_after_put", "list_after_delete", "list_break", "list_while_changing", "list_at_once", "list_cut_off", "list_ended_ctx",
		}, spoilListed(func(_ context.Context, photos []domain.StoredPhoto, err error) ([]domain.StoredPhoto, error) {
			for _, photo := range photos {
				if photo.Key.Customer().Customer > 1<<62 {
					return append(photos, photo), err
				}
			}
			return photos, err
		})},
		{"a photo is listed with the size that it had first", []string{"list_after_put"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			var sizes sync.Map
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				sizes.LoadOrStore(key, photo.Info().Size)
				return good.Put(ctx, key, photo)
			}
			bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) {
				photos, err := list(ctx, good)
				for i := range photos {
					size, _ := sizes.Load(photos[i].Key)
					photos[i].Size = size.(int64)
				}
				return photos, err
			}
		})},
		{"a photo that was deleted is listed until it is put again", []string{"list_after_delete", "list_break"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			var deleted sync.Map
			bad.delete = func(ctx context.Context, key domain.PhotoKey) error {
				deleted.Store(key, true)
				return good.Delete(ctx, key)
			}
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				deleted.Delete(key)
				return good.Put(ctx, key, photo)
			}
			bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) {
				photos, err := list(ctx, good)
				deleted.Range(func(key, _ any) bool {
					photos = append(photos, domain.StoredPhoto{Key: key.(domain.PhotoKey)})
					return true
				})
				return photos, err
			}
		})},
		{"the time is that of another zone", []string{"list_changed_at"}, spoilListed(func(_ context.Context, photos []domain.StoredPhoto, err error) ([]domain.StoredPhoto, error) {
			for i := range photos {
				photos[i].ChangedAt = photos[i].ChangedAt.In(time.FixedZone("elsewhere", 60*60))
			}
			return photos, err
		})},
		{"who breaks a List off leaves it locked", []string{"list_break"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			var locked atomic.Bool
			bad.yield = func(ctx context.Context, yield func(domain.StoredPhoto, error) bool) {
				if locked.Load() {
					yield(domain.StoredPhoto{}, gaveUp())
					return
				}
				for photo, err := range good.List(ctx) {
					if !yield(photo, err) {
						locked.Store(true)
						return
					}
				}
			}
		})},
	}
}

func badPhotoListsAfterCtx() []photoListerSabotage {
	return []photoListerSabotage{
		{"while a photo is put, another one isn't listed", []string{"list_while_changing"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			var putting atomic.Int32
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				putting.Add(1)
				defer putting.Add(-1)
				time.Sleep(time.Millisecond)
				return good.Put(ctx, key, photo)
			}
			bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) {
				time.Sleep(time.Microsecond)
				photos, err := list(ctx, good)
				if putting.Load() > 0 && len(photos) > 0 {
					photos = photos[1:]
				}
				return photos, err
			}
		})},
		{"of several lists at once one is empty", []string{"list_at_once", "list_while_changing"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			var listing overlap
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				time.Sleep(time.Millisecond) // lets those list who wait
				return good.Put(ctx, key, photo)
			}
			bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) {
				others, over := listing.during()
				defer over()
				if others {
					return nil, nil
				}
				return list(ctx, good)
			}
		})},
		{"the list just ends when ctx ends meanwhile", []string{"list_cut_off"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			bad.yield = func(ctx context.Context, yield func(domain.StoredPhoto, error) bool) {
				early := ctx.Err() == nil
				for photo, err := range good.List(ctx) {
					if err != nil && early || !yield(photo, err) {
						return
					}
				}
			}
		})},
		{"List looks at ctx only where there are photos", []string{"list_none_ended_ctx"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) {
				if photos, err := list(live(ctx), good); len(photos) == 0 {
					return photos, err
				}
				return list(ctx, good)
			}
		})},
		{"List doesn't look at ctx", []string{"list_ended_ctx", "list_none_ended_ctx"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			bad.list = func(ctx context.Context) ([]domain.StoredPhoto, error) { return list(live(ctx), good) }
		})},
		{"List goes on after a failure", []string{"list_ended_ctx", "list_none_ended_ctx", "list_cut_off"}, spoilLister(func(bad *badPhotoLister, good PhotoRoles) {
			bad.yield = func(ctx context.Context, yield func(domain.StoredPhoto, error) bool) {
				photos, err := list(ctx, good)
				if err != nil && !yield(domain.StoredPhoto{}, err) {
					return
				}
				yieldEach(photos, err, yield)
			}
		})},
		{"a cause is public", []string{"public_text"}, spoilListed(func(_ context.Context, photos []domain.StoredPhoto, err error) ([]domain.StoredPhoto, error) {
			return photos, tell(err)
		})},
	}
}
