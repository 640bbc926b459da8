package photostore

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// ListerClauses returns those of ports.PhotoLister.
func ListerClauses() []clause.Clause[Port] {
	key := oddKeys()[0]
	return slices.Concat([]clauseOf{
		clause.New(
			"list_none", "List of a store without photos yields none, without an error",
			listsPhotos(nil),
		), clause.New(
			"list_each", "List yields every photo, each once, under its key and with its size",
			clause.Steps(putsEach(oddKeys()), listsPhotos(sizesOf(oddKeys())), listsPhotos(sizesOf(oddKeys()))),
		), clause.New(
			"list_after_put", "a photo that was replaced is listed once, with the size that it has now",
			clause.Steps(putsEach(oddKeys()), puts(key, photoSized(1, 5000)), listsPhotos(sizesOf(oddKeys()[1:], stored{key, 5000}))),
		), clause.New(
			"list_after_delete", "a photo that was deleted isn't listed",
			clause.Steps(putsEach(oddKeys()), deletes(key), listsPhotos(sizesOf(oddKeys()[1:])), puts(key, photoOf(1)), listsPhotos(sizesOf(oddKeys()))),
		), clause.New(
			"list_changed_at", "a photo is listed with the time in UTC when it was put, by the store's clock",
			clause.Steps(puts(key, photoOf(1)), ageOf(key, func(first time.Time) check {
				return clause.Steps(puts(key, photoOf(2)), ageOf(key, func(second time.Time) check { return notBefore(first, second) }))
			})),
		), clause.New(
			"list_break", "who breaks a List off can list again, and put and delete",
			clause.Steps(putsEach(oddKeys()), breaksOff, puts(key, photoOf(1)), breaksOff, deletes(key), listsPhotos(sizesOf(oddKeys()[1:]))),
		), clause.New(
			"list_while_changing", "while other photos are put and deleted, List yields every one that isn't, once",
			clause.Steps(putsEach(oddKeys()), listsWhileChanging(oddKeys())),
		), clause.New(
			"list_at_once", "List is safe for concurrent use",
			clause.Steps(putsEach(oddKeys()), clause.AtOnce(clause.Crowd, func(ctx context.Context, store Port, _ int) error {
				return listsPhotos(sizesOf(oddKeys()))(ctx, store)
			})),
		), clause.New(
			"list_cut_off", "a List whose ctx ends yields Unavailable and ends, or yields every photo",
			clause.Steps(putsEach(oddKeys()), clause.CutOff(func(_, ending context.Context, store Port, _ int) (done bool, err error) {
				failure := listsPhotos(sizesOf(oddKeys()))(ending, store)
				if failure == nil {
					return true, nil
				}
				return false, clause.FailsWith(domain.Unavailable, "List whose ctx ended", failure)
			})),
		), clause.New(
			"list_none_ended_ctx", "a List whose ctx has ended yields Unavailable also where there are no photos",
			clause.ForEachEnded(clause.Fails(domain.Unavailable, "List with an ended ctx", listsPhotos(nil))),
		),
	}, clause.EndedCtx(putsEach(oddKeys()), listsPhotos(sizesOf(oddKeys())),
		ListerCalls()...,
	))
}

// ListerCalls returns a call of each method of ports.PhotoLister.
func ListerCalls() []clause.Call[Port] {
	return []call{{Method: "list", Do: listsPhotos(sizesOf(oddKeys()))}}
}

// stored is what a list says of a photo but for its time.
type stored struct {
	Key  domain.PhotoKey
	Size int64
}

// sizesOf is what putsEach stores, and more, in the order of the keys.
func sizesOf(keys []domain.PhotoKey, more ...stored) []stored {
	for _, key := range keys {
		more = append(more, stored{key, photoOf(1).Info().Size})
	}
	return inOrderOfKeys(more)
}

func inOrderOfKeys(photos []stored) []stored {
	return slices.SortedFunc(slices.Values(photos), func(x, y stored) int { return cmp.Or(cmp.Compare(x.Key, y.Key), cmp.Compare(x.Size, y.Size)) })
}

// list returns what List yields, which must end after a failure.
func list(ctx context.Context, store Port) (photos []domain.StoredPhoto, err error) {
	for photo, failure := range store.List(ctx) {
		if err != nil {
			return nil, errors.New("it went on after a failure")
		}
		if err = failure; err == nil {
			photos = append(photos, photo)
		}
	}
	return photos, err
}

// listsPhotos checks what List yields, in whatever order.
func listsPhotos(want []stored) check {
	return func(ctx context.Context, store Port) error {
		photos, err := list(ctx, store)
		var got []stored
		for _, photo := range photos {
			got = append(got, stored{photo.Key, photo.Size})
		}
		return clause.Lists("List, in the order of the keys", inOrderOfKeys(got), err, want)
	}
}

// ageOf does something with the time of the one photo that is listed.
func ageOf(key domain.PhotoKey, do func(changedAt time.Time) check) check {
	return func(ctx context.Context, store Port) error {
		photos, err := list(ctx, store)
		if err := clause.Yields("how many photos List yields", len(photos), err, 1); err != nil {
			return err
		}
		at := photos[0].ChangedAt
		if at.IsZero() || at.Location() != time.UTC {
			return fmt.Errorf("the time with which the photo %s is listed: got %v, want one in UTC", key, at)
		}
		return do(at)(ctx, store)
	}
}

func notBefore(first, second time.Time) check {
	return func(context.Context, Port) error {
		if second.Before(first) {
			return fmt.Errorf("the time of a photo that was put twice: got %v first and %v then", first, second)
		}
		return nil
	}
}

// breaksOff takes only the first photo that List yields.
func breaksOff(ctx context.Context, store Port) error {
	for _, err := range store.List(ctx) {
		return clause.Failed("List", err)
	}
	return errors.New("the list yields nothing where there are photos")
}

// listsWhileChanging looks for these photos while others come and go.
func listsWhileChanging(keys []domain.PhotoKey) check {
	other := photoKey(1, 3)
	look := func(ctx context.Context, store Port) error {
		photos, err := list(ctx, store)
		var got []stored
		for _, photo := range photos {
			if photo.Key != other {
				got = append(got, stored{photo.Key, photo.Size})
			}
		}
		return clause.Lists("List while another photo comes and goes", inOrderOfKeys(got), err, sizesOf(keys))
	}
	return whileReading(look, clause.Steps(puts(other, photoOf(1)), puts(other, photoOf(2)), deletes(other)))
}
