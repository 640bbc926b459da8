package contracttests

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func badPutsAtOnce() []photoStoreSabotage {
	return []photoStoreSabotage{
		{"Put deletes before it writes", []string{"put_under_readers"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if ctx.Err() == nil {
					_ = good.Delete(live(ctx), key)
					time.Sleep(time.Millisecond)
					ctx = live(ctx)
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"Put writes a part first", []string{"put_under_readers", "put_first_under_readers"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if ctx.Err() == nil {
					_ = good.Put(live(ctx), key, part(photo, 1000))
					time.Sleep(time.Millisecond)
					ctx = live(ctx)
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"Put writes a part first where there is nothing", []string{"put_first_under_readers"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if _, found := holds(good, key); !found && ctx.Err() == nil {
					_ = good.Put(live(ctx), key, part(photo, 1000))
					time.Sleep(time.Millisecond)
					ctx = live(ctx)
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"photos put at once are cut", []string{"put_at_once", "put_own_key_at_once"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			var putting overlap
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				others, over := putting.during()
				defer over()
				if others {
					photo = part(photo, 1000)
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"photos deleted at once stay", []string{"put_own_key_at_once"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			var deleting overlap
			bad.delete = func(ctx context.Context, key domain.PhotoKey) error {
				others, over := deleting.during()
				defer over()
				if others {
					return nil
				}
				return good.Delete(ctx, key)
			}
		})},
		{"what was written is kept when ctx ends meanwhile", []string{"put_cut_off"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if endsMeanwhile(ctx) {
					_ = good.Put(live(ctx), key, part(photo, 1000))
				}
				return good.Put(ctx, key, photo)
			}
		})},
		{"a Put whose ctx ends meanwhile is no error", []string{"put_cut_off"}, spoilPhotoStore(func(bad *badPhotoStore, good ports.PhotoStore) {
			bad.put = func(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
				if endsMeanwhile(ctx) {
					return nil
				}
				return good.Put(ctx, key, photo)
			}
		})},
	}
}
