package contracttests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoStore proves that what open returns keeps the promises of
// ports.PhotoStore. open returns a port without photos, a new one each time;
// it is called in parallel and closes the port through t.Cleanup.
func PhotoStore(t *testing.T, open func(t *testing.T) ports.PhotoStore) {
	t.Helper()
	prove(t, photoStoreClauses(10<<20), open)
}

type (
	photoCheck  = check[ports.PhotoStore]
	photoCall   = call[ports.PhotoStore]
	photoClause = clause[ports.PhotoStore]
)

// photoStoreClauses takes the size of the largest photo that is put.
func photoStoreClauses(large int) []photoClause {
	return slices.Concat(putClauses(photoSized(1, large)), deleteClauses(), openClauses(), photoEndedCtx())
}

func putClauses(large domain.Photo) []photoClause {
	key := photoKey(689, 1)
	return []photoClause{
		{
			"put_then_open", "Open returns the bytes that were put",
			steps(puts(key, photoOf(1)), holdsPhoto(key, photoOf(1))),
		}, {
			"put_large", "a photo of 10 MiB, which is large for one, is kept whole",
			steps(puts(key, large), holdsPhoto(key, large)),
		}, {
			"put_replaces", "Put replaces the photo, the larger by the smaller too",
			steps(puts(key, photoSized(1, 9000)), puts(key, photoSized(2, 3000)), holdsPhoto(key, photoSized(2, 3000)),
				puts(key, photoSized(3, 6000)), holdsPhoto(key, photoSized(3, 6000))),
		}, {
			"put_repeated", "repeating a Put is harmless",
			steps(puts(key, photoOf(1)), puts(key, photoOf(1)), puts(key, photoOf(1)), holdsPhoto(key, photoOf(1))),
		}, {
			"put_keeps_no_reference", "Put keeps no reference to the photo: its bytes may be overwritten afterwards",
			steps(putsAndOverwrites(key, photoOf(1)), holdsPhoto(key, photoOf(1))),
		}, {
			"put_own_key", "each key has a photo of its own: no other fleet's, nor that of a customer whose id begins alike",
			steps(putsEach(oddKeys()), holdsEach(oddKeys())),
		}, {
			"put_under_readers", "until Put returns, Open yields the previous photo or the new one, never part of one and never none",
			steps(puts(key, photoOf(1)), whileReading(holdsOneOf(key, photoOf(1), photoOf(2)), putsAlternately(key))),
		}, {
			"put_first_under_readers", "where there was no photo, Open yields none or the new one, never part of one",
			whileReading(holdsOneOf(key, photoOf(1), photoOf(2), noPhoto), steps(putsAlternately(key), deletes(key))),
		}, {
			"put_at_once", "of any number of Put at once to one key one photo stays, whole",
			putsAtOnce(key),
		}, {
			"put_own_key_at_once", "Put and Delete are safe for concurrent use",
			atOnce(crowd, usesOwnKey),
		}, {
			"put_cut_off", "a Put whose ctx ends fails with Unavailable and leaves the previous photo or the new one, whole",
			cutOff(putCutOff),
		},
	}
}

func deleteClauses() []photoClause {
	key := photoKey(689, 1)
	return []photoClause{
		{
			"delete", "Delete removes the photo",
			steps(puts(key, photoOf(1)), deletes(key), holdsNoPhoto(key)),
		}, {
			"delete_nothing", "deleting what isn't there is no error, before a Put and after a Delete",
			steps(deletes(key), puts(key, photoOf(1)), deletes(key), deletes(key)),
		}, {
			"delete_own_key", "Delete removes no other photo: no other fleet's, nor that of a customer whose id begins alike",
			steps(putsEach(oddKeys()), deletes(oddKeys()[0]), holdsNoPhoto(oddKeys()[0]), holdsEachAfter(oddKeys(), 1)),
		}, {
			"delete_then_put", "after a Delete, Put stores a photo again",
			steps(puts(key, photoOf(1)), deletes(key), puts(key, photoOf(2)), holdsPhoto(key, photoOf(2))),
		},
	}
}

func photoEndedCtx() []photoClause {
	key, other := photoKey(689, 1), photoKey(689, 2)
	return endedCtx(puts(key, photoOf(1)), steps(holdsPhoto(key, photoOf(1)), holdsNoPhoto(other)),
		photoCall{"put", steps(puts(key, photoOf(2)))},
		photoCall{"put_first", puts(other, photoOf(2))},
		photoCall{"delete", deletes(key)},
		photoCall{"open", holdsPhoto(key, photoOf(1))},
	)
}

func photoKey(fleet domain.FleetID, customer domain.CustomerID) domain.PhotoKey {
	return domain.CustomerRef{Fleet: fleet, Customer: customer}.PhotoKey()
}

// oddKeys are keys that a careless adapter takes for one another.
func oddKeys() []domain.PhotoKey {
	return []domain.PhotoKey{
		photoKey(1, 2), photoKey(1, 22), photoKey(1, 222), photoKey(11, 2), photoKey(2, 1), photoKey(1, 1), photoKey(12, 2),
		photoKey(math.MaxInt64, math.MaxInt64), photoKey(math.MaxInt64, math.MaxInt64-1),
	}
}

func puts(key domain.PhotoKey, photo domain.Photo) photoCheck {
	return func(ctx context.Context, store ports.PhotoStore) error {
		return failed(fmt.Sprintf("Put(%s) of %d bytes", key, photo.Info().Size), store.Put(ctx, key, photo))
	}
}

func deletes(key domain.PhotoKey) photoCheck {
	return func(ctx context.Context, store ports.PhotoStore) error {
		return failed(fmt.Sprintf("Delete(%s)", key), store.Delete(ctx, key))
	}
}

// read returns what is stored, whole.
func read(ctx context.Context, store ports.PhotoStore, key domain.PhotoKey) ([]byte, error) {
	content, err := store.Open(ctx, key)
	if err != nil {
		return nil, failed(fmt.Sprintf("Open(%s)", key), err)
	}
	var data bytes.Buffer
	_, err = data.ReadFrom(content)
	return data.Bytes(), errors.Join(failed("reading", err), failed("closing", content.Close()))
}

func holdsPhoto(key domain.PhotoKey, want domain.Photo) photoCheck {
	return func(ctx context.Context, store ports.PhotoStore) error {
		got, err := read(ctx, store, key)
		if err != nil {
			return err
		}
		return sameBytes(fmt.Sprintf("the photo under %s", key), got, want.JPEG())
	}
}

func holdsNoPhoto(key domain.PhotoKey) photoCheck {
	return fails(domain.NotFound, fmt.Sprintf("Open(%s), where there is no photo", key), func(ctx context.Context, store ports.PhotoStore) error {
		_, err := read(ctx, store, key)
		return err
	})
}

func putsEach(keys []domain.PhotoKey) photoCheck {
	var all []photoCheck
	for i, key := range keys {
		all = append(all, puts(key, photoOf(i)))
	}
	return steps(all...)
}

// holdsEach checks what putsEach has stored.
func holdsEach(keys []domain.PhotoKey) photoCheck { return holdsEachAfter(keys, 0) }

// holdsEachAfter does so without the first few.
func holdsEachAfter(keys []domain.PhotoKey, first int) photoCheck {
	var all []photoCheck
	for i, key := range keys {
		if i >= first {
			all = append(all, holdsPhoto(key, photoOf(i)))
		}
	}
	return steps(all...)
}
