// Package photostore has the clauses of ports.PhotoStore and of its roles.
//
// Package contracttests imports it; it imports ports and domain.
package photostore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Port is a photo store under test. What a suite doesn't need is nil.
type Port struct {
	ports.PhotoStore
	ports.PhotoLister
	ports.PhotoAddresser
}

type (
	check    = clause.Check[Port]
	call     = clause.Call[Port]
	clauseOf = clause.Clause[Port]
)

// Large is the size of a photo that is large for one.
const Large = 10 << 20

// Clauses returns those of ports.PhotoStore, for a store that has versions. large
// is the size of the largest photo that is put.
func Clauses(large int) []clause.Clause[Port] {
	return slices.Concat(allClauses(large), versionClauses())
}

// UnversionedClauses returns those for a store that has none.
func UnversionedClauses(large int) []clause.Clause[Port] {
	return slices.Concat(allClauses(large), unversionedClauses())
}

func allClauses(large int) []clauseOf {
	key, other := photoKey(689, 1), photoKey(689, 2)
	return slices.Concat(putClauses(photoSized(1, large)), deleteClauses(), openClauses(), []clauseOf{
		clause.New(
			"ended_ctx_unchanged", "the error of a Put and of a Delete whose ctx had ended before says that nothing was changed",
			clause.Steps(puts(key, photoOf(1)), endsUnchanged(puts(key, photoOf(2))), endsUnchanged(puts(other, photoOf(2))), endsUnchanged(deletes(key)), endsUnchanged(deletes(other))),
		),
	}, clause.EndedCtx(puts(key, photoOf(1)), clause.Steps(holdsPhoto(key, photoOf(1)), holdsNoPhoto(other)),
		append(Calls(), call{Method: "put_first", Do: puts(other, photoOf(2))})...))
}

// endsUnchanged makes a change whose ctx has ended.
func endsUnchanged(do check) check {
	return clause.ForEachEnded(func(ctx context.Context, store Port) error {
		const what = "a change with an ended ctx"
		err := do(ctx, store)
		if err := clause.FailsWith(domain.Unavailable, what, err); err != nil {
			return err
		}
		return clause.Yields("whether the error is Unchanged: "+what, domain.AsError(err).Unchanged, nil, true)
	})
}

// Calls returns a call of each method of ports.PhotoStore.
func Calls() []clause.Call[Port] {
	key := photoKey(689, 1)
	return []call{
		{Method: "put", Do: puts(key, photoOf(2))},
		{Method: "delete", Do: deletes(key)},
		{Method: "open", Do: holdsPhoto(key, photoOf(1))},
	}
}

func putClauses(large domain.Photo) []clauseOf {
	key := photoKey(689, 1)
	return []clauseOf{
		clause.New(
			"put_then_open", "Open returns the bytes that were put",
			clause.Steps(puts(key, photoOf(1)), holdsPhoto(key, photoOf(1))),
		), clause.New(
			"put_large", "a photo of 10 MiB, which is large for one, is kept whole",
			clause.Steps(puts(key, large), holdsPhoto(key, large)),
		), clause.New(
			"put_replaces", "Put replaces the photo, the larger by the smaller too",
			clause.Steps(puts(key, photoSized(1, 9000)), puts(key, photoSized(2, 3000)), holdsPhoto(key, photoSized(2, 3000)),
				puts(key, photoSized(3, 6000)), holdsPhoto(key, photoSized(3, 6000))),
		), clause.New(
			"put_repeated", "repeating a Put is harmless",
			clause.Steps(puts(key, photoOf(1)), puts(key, photoOf(1)), puts(key, photoOf(1)), holdsPhoto(key, photoOf(1))),
		), clause.New(
			"put_keeps_no_reference", "Put keeps no reference to the photo: its bytes may be overwritten afterwards",
			clause.Steps(putsAndOverwrites(key, photoOf(1)), holdsPhoto(key, photoOf(1))),
		), clause.New(
			"put_own_key", "each key has a photo of its own: no other fleet's, nor that of a customer whose id begins alike",
			clause.Steps(putsEach(oddKeys()), holdsEach(oddKeys())),
		), clause.New(
			"put_under_readers", "until Put returns, Open yields the previous photo or the new one, never part of one and never none",
			clause.Steps(puts(key, photoOf(1)), whileReading(holdsOneOf(key, photoOf(1), photoOf(2)), putsAlternately(key))),
		), clause.New(
			"put_first_under_readers", "where there was no photo, Open yields none or the new one, never part of one",
			whileReading(holdsOneOf(key, photoOf(1), photoOf(2), noPhoto), clause.Steps(putsAlternately(key), deletes(key))),
		), clause.New(
			"put_own_key_at_once", "Put and Delete are safe for concurrent use",
			clause.AtOnce(clause.Crowd, usesOwnKey),
		), clause.New(
			"put_cut_off", "a Put whose ctx ends fails with Unavailable and leaves the previous photo or the new one, whole; where its error is Unchanged, the previous one for good",
			putsCutOff,
		),
	}
}

func deleteClauses() []clauseOf {
	key := photoKey(689, 1)
	return []clauseOf{
		clause.New(
			"delete", "Delete removes the photo",
			clause.Steps(puts(key, photoOf(1)), deletes(key), holdsNoPhoto(key)),
		), clause.New(
			"delete_nothing", "deleting what isn't there is no error, before a Put and after a Delete",
			clause.Steps(deletes(key), puts(key, photoOf(1)), deletes(key), deletes(key), holdsNoPhoto(key)),
		), clause.New(
			"delete_cut_off", "a Delete whose ctx ends fails with Unavailable and leaves the photo or none; where its error is Unchanged, the photo for good",
			deletesCutOff,
		), clause.New(
			"delete_own_key", "Delete removes no other photo: no other fleet's, nor that of a customer whose id begins alike",
			clause.Steps(putsEach(oddKeys()), deletes(oddKeys()[0]), holdsNoPhoto(oddKeys()[0]), holdsEachAfter(oddKeys(), 1)),
		), clause.New(
			"delete_then_put", "after a Delete, Put stores a photo again",
			clause.Steps(puts(key, photoOf(1)), deletes(key), puts(key, photoOf(2)), holdsPhoto(key, photoOf(2))),
		),
	}
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

// puts puts a photo over what is there.
func puts(key domain.PhotoKey, photo domain.Photo) check {
	return func(ctx context.Context, store Port) error {
		_, err := putsOver(key, photo)(ctx, store, held(ctx, store, key))
		return err
	}
}

// deletes deletes what is there.
func deletes(key domain.PhotoKey) check {
	return func(ctx context.Context, store Port) error {
		_, err := deletesOver(key)(ctx, store, held(ctx, store, key))
		return err
	}
}

// read returns what is stored, whole.
func read(ctx context.Context, store Port, key domain.PhotoKey) ([]byte, error) {
	jpeg, _, err := readVersion(ctx, store, key)
	return jpeg, err
}

// readVersion also returns its version.
func readVersion(ctx context.Context, store Port, key domain.PhotoKey) ([]byte, domain.PhotoVersion, error) {
	content, version, err := store.Open(ctx, key)
	if err != nil {
		return nil, "", clause.Failed(fmt.Sprintf("Open(%s)", key), err)
	}
	var data bytes.Buffer
	_, err = data.ReadFrom(content)
	return data.Bytes(), version, errors.Join(clause.Failed("reading", err), clause.Failed("closing", content.Close()))
}

func holdsPhoto(key domain.PhotoKey, want domain.Photo) check {
	return func(ctx context.Context, store Port) error {
		got, err := read(ctx, store, key)
		if err != nil {
			return err
		}
		return clause.SameBytes(fmt.Sprintf("the photo under %s", key), got, want.JPEG())
	}
}

func holdsNoPhoto(key domain.PhotoKey) check {
	return clause.Fails(domain.NotFound, fmt.Sprintf("Open(%s), where there is no photo", key), func(ctx context.Context, store Port) error {
		_, err := read(ctx, store, key)
		return err
	})
}

func putsEach(keys []domain.PhotoKey) check {
	var all []check
	for i, key := range keys {
		all = append(all, puts(key, photoOf(i)))
	}
	return clause.Steps(all...)
}

// holdsEach checks what putsEach has stored.
func holdsEach(keys []domain.PhotoKey) check { return holdsEachAfter(keys, 0) }

// holdsEachAfter does so without the first few.
func holdsEachAfter(keys []domain.PhotoKey, first int) check {
	var all []check
	for i, key := range keys {
		if i >= first {
			all = append(all, holdsPhoto(key, photoOf(i)))
		}
	}
	return clause.Steps(all...)
}
