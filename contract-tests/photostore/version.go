package photostore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// noWord are versions that no store has a photo under.
var noWord = []domain.PhotoVersion{domain.UnknownVersion, domain.Unversioned, "1", "x", `"x"`, "none "}

// versionClauses are those of a store that has versions.
func versionClauses() []clauseOf {
	key := photoKey(689, 1)
	a, b, c := photoOf(1), photoOf(2), photoOf(3)
	return []clauseOf{
		clause.New(
			"version_first", "Put over NoPhoto stores a photo where there is none",
			clause.Steps(changesOver(domain.NoPhoto, putsOver(key, a)), holdsPhoto(key, a), deletes(key), changesOver(domain.NoPhoto, putsOver(key, b)), holdsPhoto(key, b)),
		), clause.New(
			"version_first_late", "Put over NoPhoto fails with Conflict where there is a photo, which stays",
			clause.Steps(puts(key, a), conflicts(domain.NoPhoto, putsOver(key, b)), holdsPhoto(key, a), conflicts(domain.NoPhoto, putsOver(key, a)), holdsPhoto(key, a)),
		), clause.New(
			"version_opened", "Open yields the version that Put returned",
			withPut(key, a, func(v domain.PhotoVersion) check { return clause.Steps(holdsVersion(key, v), holdsVersion(key, v)) }),
		), clause.New(
			"version_put", "Put over the version that Put returned replaces the photo",
			withPut(key, a, func(v domain.PhotoVersion) check {
				return clause.Steps(changesOver(v, putsOver(key, b)), holdsPhoto(key, b))
			}),
		), clause.New(
			"version_put_stale", "Put over a version that was replaced or deleted fails with Conflict, and changes nothing",
			withPut(key, a, func(old domain.PhotoVersion) check {
				return withPut(key, b, func(now domain.PhotoVersion) check {
					return clause.Steps(conflicts(old, putsOver(key, c)), holdsPhoto(key, b), conflicts(old, putsOver(key, b)), holdsVersion(key, now),
						deletes(key), conflicts(now, putsOver(key, c)), conflicts(old, putsOver(key, c)), holdsNoPhoto(key))
				})
			}),
		), clause.New(
			"version_put_no_word", "Put over what is no version fails with Conflict, and changes nothing, with a photo and without",
			clause.Steps(forEachNoWord(func(v domain.PhotoVersion) check { return conflicts(v, putsOver(key, b)) }), holdsNoPhoto(key),
				puts(key, a), forEachNoWord(func(v domain.PhotoVersion) check { return conflicts(v, putsOver(key, b)) }), holdsPhoto(key, a)),
		), clause.New(
			"version_delete", "Delete over the version that Put returned removes the photo",
			withPut(key, a, func(v domain.PhotoVersion) check {
				return clause.Steps(changesOver(v, deletesOver(key)), holdsNoPhoto(key))
			}),
		), clause.New(
			"version_delete_stale", "Delete over a version that was replaced fails with Conflict, and changes nothing; where there is no photo, it may return nil",
			withPut(key, a, func(old domain.PhotoVersion) check {
				return withPut(key, b, func(now domain.PhotoVersion) check {
					return clause.Steps(conflicts(old, deletesOver(key)), holdsPhoto(key, b), holdsVersion(key, now),
						deletes(key), deletesNothing(now, key), deletesNothing(old, key))
				})
			}),
		), clause.New(
			"version_delete_no_word", "Delete over what is no version fails with Conflict, and changes nothing; where there is no photo, it may return nil",
			clause.Steps(forEachNoWord(func(v domain.PhotoVersion) check { return deletesNothing(v, key) }),
				puts(key, a), forEachNoWord(func(v domain.PhotoVersion) check { return conflicts(v, deletesOver(key)) }), holdsPhoto(key, a)),
		), clause.New(
			"version_delete_none", "Delete over NoPhoto is no error where there is none, and fails with Conflict where there is a photo, which stays",
			clause.Steps(changesOver(domain.NoPhoto, deletesOver(key)), puts(key, a), conflicts(domain.NoPhoto, deletesOver(key)), holdsPhoto(key, a)),
		), clause.New(
			"version_other_key", "what is changed under other keys leaves the version",
			withPut(key, a, func(v domain.PhotoVersion) check {
				return clause.Steps(puts(photoKey(689, 2), a), puts(photoKey(690, 1), b), deletes(photoKey(690, 1)), changesOver(v, putsOver(key, c)), holdsPhoto(key, c))
			}),
		), clause.New(
			"version_other_bytes", "different photos under one key have different versions, however soon they come, and none is a word of package domain",
			versionsDiffer(key),
		), clause.New(
			"version_same_bytes", "a version may come again only with the same photo",
			withPut(key, a, func(first domain.PhotoVersion) check {
				return withPut(key, b, func(other domain.PhotoVersion) check {
					return withPut(key, a, func(again domain.PhotoVersion) check {
						if again == first {
							return clause.Steps(conflicts(other, putsOver(key, c)), changesOver(first, putsOver(key, c)), holdsPhoto(key, c))
						}
						return clause.Steps(conflicts(other, putsOver(key, c)), conflicts(first, putsOver(key, c)), holdsPhoto(key, a))
					})
				})
			}),
		), clause.New(
			"version_of_what_is_read", "the version that Open yields is that of the photo that is read, whatever is put meanwhile",
			versionsUnderReaders(key),
		), clause.New(
			"version_first_at_once", "of any number of Put over NoPhoto at once one succeeds, and its photo stays",
			func(ctx context.Context, store Port) error { return putsOverAtOnce(ctx, store, key, domain.NoPhoto) },
		), clause.New(
			"version_put_at_once", "of any number of Put over one version at once one succeeds, and its photo stays",
			withPut(key, photoOf(clause.Crowd), func(v domain.PhotoVersion) check {
				return func(ctx context.Context, store Port) error { return putsOverAtOnce(ctx, store, key, v) }
			}),
		), clause.New(
			"version_put_and_delete_at_once", "of any number of Put and Delete over one version at once one Put succeeds, and its photo stays, or Delete alone",
			clause.Steps(slices.Repeat([]check{withPut(key, photoOf(clause.Crowd), func(v domain.PhotoVersion) check { return changesAtOnce(key, v) }), deletes(key)}, 4)...),
		),
	}
}

// unversionedClauses are those of a store that has no versions.
func unversionedClauses() []clauseOf {
	key := photoKey(689, 1)
	words := append([]domain.PhotoVersion{domain.NoPhoto}, noWord...)
	var all []check
	for i, v := range words {
		all = append(all, isUnversioned(putsOver(key, photoOf(i)), v), holdsPhoto(key, photoOf(i)), holdsVersion(key, domain.Unversioned),
			changesOver(v, deletesOver(key)), holdsNoPhoto(key), changesOver(v, deletesOver(key)), isUnversioned(putsOver(key, photoOf(i)), v))
	}
	return []clauseOf{
		clause.New(
			"unversioned", "a store without versions returns Unversioned for each photo, and takes every version for the right one",
			clause.Steps(all...),
		), clause.New(
			"put_at_once", "of any number of Put at once to one key one photo stays, whole",
			putsAtOnce(key),
		),
	}
}

// change is a Put or a Delete over a version.
type change func(ctx context.Context, store Port, over domain.PhotoVersion) (domain.PhotoVersion, error)

func putsOver(key domain.PhotoKey, photo domain.Photo) change {
	return func(ctx context.Context, store Port, over domain.PhotoVersion) (domain.PhotoVersion, error) {
		version, err := store.Put(ctx, key, photo, over)
		return version, clause.Failed(fmt.Sprintf("Put(%s) of %d bytes over the version %q", key, photo.Info().Size, over), err)
	}
}

func deletesOver(key domain.PhotoKey) change {
	return func(ctx context.Context, store Port, over domain.PhotoVersion) (domain.PhotoVersion, error) {
		return domain.NoPhoto, clause.Failed(fmt.Sprintf("Delete(%s) over the version %q", key, over), store.Delete(ctx, key, over))
	}
}

func changesOver(over domain.PhotoVersion, do change) check {
	return func(ctx context.Context, store Port) error {
		_, err := do(ctx, store, over)
		return err
	}
}

func isUnversioned(put change, over domain.PhotoVersion) check {
	return func(ctx context.Context, store Port) error {
		version, err := put(ctx, store, over)
		return clause.Yields("the version that Put returned", version, err, domain.Unversioned)
	}
}

// conflicts makes a change over a version that isn't there.
func conflicts(over domain.PhotoVersion, do change) check {
	return func(ctx context.Context, store Port) error {
		_, err := do(ctx, store, over)
		return isConflict(fmt.Sprintf("a change over the version %q, which isn't there", over), err)
	}
}

// deletesNothing deletes, over a version of which there is no photo any more.
func deletesNothing(over domain.PhotoVersion, key domain.PhotoKey) check {
	return func(ctx context.Context, store Port) error {
		if changesOver(over, deletesOver(key))(ctx, store) == nil {
			return holdsNoPhoto(key)(ctx, store)
		}
		return clause.Steps(conflicts(over, deletesOver(key)), holdsNoPhoto(key))(ctx, store)
	}
}

func isConflict(what string, err error) error {
	return errors.Join(clause.FailsWith(domain.Conflict, what, err), clause.Public(err))
}

func forEachNoWord(do func(domain.PhotoVersion) check) check {
	var all []check
	for _, v := range noWord {
		all = append(all, do(v))
	}
	return clause.Steps(all...)
}

// withPut puts a photo over what is there and does something with its version.
func withPut(key domain.PhotoKey, photo domain.Photo, do func(version domain.PhotoVersion) check) check {
	return func(ctx context.Context, store Port) error {
		version, err := putsOver(key, photo)(ctx, store, held(ctx, store, key))
		if err != nil {
			return err
		}
		return do(version)(ctx, store)
	}
}

// held returns the version of what is there, also where ctx has ended; NoPhoto
// where the store doesn't tell.
func held(ctx context.Context, store Port, key domain.PhotoKey) domain.PhotoVersion {
	content, version, err := store.Open(context.WithoutCancel(ctx), key)
	if err != nil {
		return domain.NoPhoto
	}
	_ = content.Close() // nothing was read
	return version
}

func holdsVersion(key domain.PhotoKey, want domain.PhotoVersion) check {
	return func(ctx context.Context, store Port) error {
		_, version, err := readVersion(ctx, store, key)
		return clause.Yields(fmt.Sprintf("the version of Open(%s)", key), version, err, want)
	}
}

// versionsDiffer puts photos of one size as fast as it can, over one another and
// after a Delete.
func versionsDiffer(key domain.PhotoKey) check {
	return func(ctx context.Context, store Port) error {
		const photos = 40
		seen := map[domain.PhotoVersion]int{}
		now := domain.NoPhoto
		for i := range photos {
			if i%4 == 3 {
				if err := changesOver(now, deletesOver(key))(ctx, store); err != nil {
					return err
				}
				now = domain.NoPhoto
			}
			version, err := putsOver(key, photoOf(i))(ctx, store, now)
			if err != nil {
				return err
			}
			if slices.Contains([]domain.PhotoVersion{domain.UnknownVersion, domain.NoPhoto, domain.Unversioned}, version) {
				return fmt.Errorf("the version of photo %d: got %q, want the store's own word", i, version)
			}
			if other, found := seen[version]; found {
				return fmt.Errorf("the version of photo %d: got %q, which photo %d had", i, version, other)
			}
			seen[version], now = i, version
		}
		return nil
	}
}

// versionsUnderReaders looks for a version that comes with two photos.
func versionsUnderReaders(key domain.PhotoKey) check {
	return func(ctx context.Context, store Port) error {
		var photoOfVersion sync.Map
		look := func(ctx context.Context, store Port) error {
			jpeg, version, err := readVersion(ctx, store, key)
			if err != nil {
				return err
			}
			if before, found := photoOfVersion.LoadOrStore(version, jpeg); found && !bytes.Equal(before.([]byte), jpeg) {
				return fmt.Errorf("the version %q came with two photos", version)
			}
			return nil
		}
		return clause.Steps(puts(key, photoOf(1)), whileReading(look, putsAlternately(key)))(ctx, store)
	}
}

func putsOverAtOnce(ctx context.Context, store Port, key domain.PhotoKey, over domain.PhotoVersion) error {
	winner, err := clause.OneWins(fmt.Sprintf("a Put over the version %q", over), func(i int) error {
		return changesOver(over, putsOver(key, photoOf(i)))(ctx, store)
	})
	if err != nil {
		return err
	}
	return holdsPhoto(key, photoOf(winner))(ctx, store)
}

// changesAtOnce deletes and puts, in turn. Who deletes what is gone may succeed.
func changesAtOnce(key domain.PhotoKey, over domain.PhotoVersion) check {
	return func(ctx context.Context, store Port) error {
		var puts, deletes []int
		for i, err := range clause.Together(clause.Crowd, func(i int) error {
			if i%2 == 0 {
				return changesOver(over, deletesOver(key))(ctx, store)
			}
			return changesOver(over, putsOver(key, photoOf(i)))(ctx, store)
		}) {
			switch {
			case err != nil:
				if err := isConflict("a change, of which another is made at once", err); err != nil {
					return err
				}
			case i%2 == 0:
				deletes = append(deletes, i)
			default:
				puts = append(puts, i)
			}
		}
		switch {
		case len(puts) == 0 && len(deletes) > 0:
			return holdsNoPhoto(key)(ctx, store)
		case len(puts) == 1 && len(deletes) == 0:
			return holdsPhoto(key, photoOf(puts[0]))(ctx, store)
		}
		return fmt.Errorf("of many Put and Delete over the version %q at once %d and %d succeed, want one Put, or no Put and some Delete", over, len(puts), len(deletes))
	}
}
