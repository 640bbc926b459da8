package contracttests

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoLister proves that what open returns keeps the promises that
// ports.PhotoLister adds to ports.PhotoStore. open returns a port without
// photos, a new one each time; it is called in parallel and closes the port
// through t.Cleanup.
func PhotoLister(t *testing.T, open func(t *testing.T) PhotoRoles) {
	t.Helper()
	prove(t, photoListerClauses(), open)
}

type (
	listerCheck  = check[PhotoRoles]
	listerCall   = call[PhotoRoles]
	listerClause = clause[PhotoRoles]
)

func photoListerClauses() []listerClause {
	key := oddKeys()[0]
	return slices.Concat([]listerClause{
		{
			"list_none", "List of a store without photos yields none, without an error",
			listsPhotos(nil),
		}, {
			"list_each", "List yields every photo, each once, under its key and with its size",
			steps(inStore(putsEach(oddKeys())), listsPhotos(sizesOf(oddKeys())), listsPhotos(sizesOf(oddKeys()))),
		}, {
			"list_after_put", "a photo that was replaced is listed once, with the size that it has now",
			steps(inStore(putsEach(oddKeys())), inStore(puts(key, photoSized(1, 5000))), listsPhotos(sizesOf(oddKeys()[1:], stored{key, 5000}))),
		}, {
			"list_after_delete", "a photo that was deleted isn't listed",
			steps(inStore(putsEach(oddKeys())), inStore(deletes(key)), listsPhotos(sizesOf(oddKeys()[1:])), inStore(puts(key, photoOf(1))), listsPhotos(sizesOf(oddKeys()))),
		}, {
			"list_changed_at", "a photo is listed with the time in UTC when it was put, by the store's clock",
			steps(inStore(puts(key, photoOf(1))), ageOf(key, func(first time.Time) listerCheck {
				return steps(inStore(puts(key, photoOf(2))), ageOf(key, func(second time.Time) listerCheck { return notBefore(first, second) }))
			})),
		}, {
			"list_break", "who breaks a List off can list again, and put and delete",
			steps(inStore(putsEach(oddKeys())), breaksOff, inStore(puts(key, photoOf(1))), breaksOff, inStore(deletes(key)), listsPhotos(sizesOf(oddKeys()[1:]))),
		}, {
			"list_while_changing", "while other photos are put and deleted, List yields every one that isn't, once",
			steps(inStore(putsEach(oddKeys())), listsWhileChanging(oddKeys())),
		}, {
			"list_at_once", "List is safe for concurrent use",
			steps(inStore(putsEach(oddKeys())), atOnce(crowd, func(ctx context.Context, store PhotoRoles, _ int) error {
				return listsPhotos(sizesOf(oddKeys()))(ctx, store)
			})),
		}, {
			"list_cut_off", "a List whose ctx ends yields Unavailable and ends, or yields every photo",
			steps(inStore(putsEach(oddKeys())), cutOff(func(_, ending context.Context, store PhotoRoles, _ int) (done bool, err error) {
				failure := listsPhotos(sizesOf(oddKeys()))(ending, store)
				if failure == nil {
					return true, nil
				}
				return false, failsWith(domain.Unavailable, "List whose ctx ended", failure)
			})),
		}, {
			"list_none_ended_ctx", "a List whose ctx has ended yields Unavailable also where there are no photos",
			forEachEnded(fails(domain.Unavailable, "List with an ended ctx", listsPhotos(nil))),
		},
	}, endedCtx(inStore(putsEach(oddKeys())), listsPhotos(sizesOf(oddKeys())),
		listerCall{"list", listsPhotos(sizesOf(oddKeys()))},
	))
}

// inStore makes a check of a PhotoStore one of a PhotoLister.
func inStore(check photoCheck) listerCheck {
	return func(ctx context.Context, store PhotoRoles) error { return check(ctx, store) }
}

// stored is what a list says of a photo but for its time.
type stored struct {
	key  domain.PhotoKey
	size int64
}

// sizesOf is what putsEach stores, and more, in the order of the keys.
func sizesOf(keys []domain.PhotoKey, more ...stored) []stored {
	for _, key := range keys {
		more = append(more, stored{key, photoOf(1).Info().Size})
	}
	return inOrderOfKeys(more)
}

func inOrderOfKeys(photos []stored) []stored {
	return slices.SortedFunc(slices.Values(photos), func(x, y stored) int { return cmp.Or(cmp.Compare(x.key, y.key), cmp.Compare(x.size, y.size)) })
}

// list returns what List yields, which must end after a failure.
func list(ctx context.Context, store PhotoRoles) (photos []domain.StoredPhoto, err error) {
	for photo, failure := range store.List(ctx) {
		if err != nil {
			return nil, errors.New("List went on after a failure")
		}
		if err = failure; err == nil {
			photos = append(photos, photo)
		}
	}
	return photos, err
}

// listsPhotos checks what List yields, in whatever order.
func listsPhotos(want []stored) listerCheck {
	return func(ctx context.Context, store PhotoRoles) error {
		photos, err := list(ctx, store)
		var got []stored
		for _, photo := range photos {
			got = append(got, stored{photo.Key, photo.Size})
		}
		return lists("List, in the order of the keys", inOrderOfKeys(got), err, want)
	}
}

// ageOf does something with the time of the one photo that is listed.
func ageOf(key domain.PhotoKey, do func(changedAt time.Time) listerCheck) listerCheck {
	return func(ctx context.Context, store PhotoRoles) error {
		photos, err := list(ctx, store)
		if err := yields("how many photos List yields", len(photos), err, 1); err != nil {
			return err
		}
		at := photos[0].ChangedAt
		if at.IsZero() || at.Location() != time.UTC {
			return fmt.Errorf("List of the photo %s: got the time %v, want one in UTC", key, at)
		}
		return do(at)(ctx, store)
	}
}

func notBefore(first, second time.Time) listerCheck {
	return func(context.Context, PhotoRoles) error {
		if second.Before(first) {
			return fmt.Errorf("the time of a photo that was put twice: got %v first and %v then", first, second)
		}
		return nil
	}
}

// breaksOff takes only the first photo that List yields.
func breaksOff(ctx context.Context, store PhotoRoles) error {
	for _, err := range store.List(ctx) {
		return failed("List", err)
	}
	return errors.New("List yields nothing where there are photos")
}

// listsWhileChanging looks for these photos while others come and go.
func listsWhileChanging(keys []domain.PhotoKey) listerCheck {
	other := photoKey(1, 3)
	look := func(ctx context.Context, store ports.PhotoStore) error {
		photos, err := list(ctx, store.(PhotoRoles))
		var got []stored
		for _, photo := range photos {
			if photo.Key != other {
				got = append(got, stored{photo.Key, photo.Size})
			}
		}
		return lists("List while another photo comes and goes", inOrderOfKeys(got), err, sizesOf(keys))
	}
	return inStore(whileReading(look, steps(puts(other, photoOf(1)), puts(other, photoOf(2)), deletes(other))))
}
