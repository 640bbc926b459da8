package photostore

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// putsAndOverwrites puts a copy of photo and then spoils it.
func putsAndOverwrites(key domain.PhotoKey, photo domain.Photo) check {
	return func(ctx context.Context, store Port) error {
		lent := bytes.Clone(photo.JPEG())
		copied, err := domain.NewPhoto(lent, photoWidth, photoHeight)
		if err == nil {
			err = puts(key, copied)(ctx, store)
		}
		clear(lent)
		return err
	}
}

// putsAlternately puts one photo and then another.
func putsAlternately(key domain.PhotoKey) check {
	return clause.Steps(puts(key, photoOf(2)), puts(key, photoOf(1)))
}

// holdsOneOf checks that one of these photos is stored, whole. noPhoto allows
// for none.
func holdsOneOf(key domain.PhotoKey, allowed ...domain.Photo) check {
	return func(ctx context.Context, store Port) error {
		got, err := read(ctx, store, key)
		if err != nil && !errors.Is(err, domain.NotFound) {
			return err
		}
		for _, photo := range allowed {
			if bytes.Equal(got, photo.JPEG()) && (err != nil) == (photo.JPEG() == nil) {
				return nil
			}
		}
		return errors.Join(fmt.Errorf("got %d bytes under %s, which are none of the photos that may be there", len(got), key), err)
	}
}

// whileReading writes again and again while several readers look many times.
func whileReading(look, write check) check {
	const rounds, readers, looks = 8, 4, 16
	lookRepeatedly := func(ctx context.Context, store Port, _ int) error {
		return clause.Steps(slices.Repeat([]check{look}, looks)...)(ctx, store)
	}
	round := func(ctx context.Context, store Port) error {
		looked := make(chan error, 1)
		go func() { looked <- clause.AtOnce(readers, lookRepeatedly)(ctx, store) }()
		for {
			if err := write(ctx, store); err != nil {
				return errors.Join(err, <-looked)
			}
			select {
			case err := <-looked:
				return err
			default:
			}
		}
	}
	return clause.Steps(slices.Repeat([]check{round}, rounds)...)
}

// putsAtOnce is for a store without versions.
func putsAtOnce(key domain.PhotoKey) check {
	var allowed []domain.Photo
	for i := range clause.Crowd {
		allowed = append(allowed, photoOf(i))
	}
	put := func(ctx context.Context, store Port, i int) error {
		return puts(key, allowed[i])(ctx, store)
	}
	return clause.Steps(clause.AtOnce(clause.Crowd, put), holdsOneOf(key, allowed...))
}

func usesOwnKey(ctx context.Context, store Port, i int) error {
	key := photoKey(689, domain.CustomerID(i+1))
	return clause.Steps(puts(key, photoOf(i)), holdsPhoto(key, photoOf(i)), deletes(key), holdsNoPhoto(key),
		puts(key, photoOf(i+1)), holdsPhoto(key, photoOf(i+1)))(ctx, store)
}

// putsCutOff looks at photos that a Put said it hadn't changed also in the end.
func putsCutOff(ctx context.Context, store Port) error {
	return cutOff(ctx, store, "Put", func(key domain.PhotoKey) check { return puts(key, photoOf(2)) }, photoOf(2))
}

func deletesCutOff(ctx context.Context, store Port) error {
	return cutOff(ctx, store, "Delete", deletes, noPhoto)
}

// cutOff cuts changes off, each of a photo of its own, after which wanted is stored.
func cutOff(ctx context.Context, store Port, method string, change func(domain.PhotoKey) check, wanted domain.Photo) error {
	var unchanged []check
	attempt := func(ctx, ending context.Context, store Port, n int) (done bool, err error) {
		key := photoKey(689, domain.CustomerID(n))
		if err := puts(key, photoOf(1))(ctx, store); err != nil {
			return false, err
		}
		failure := change(key)(ending, store)
		switch {
		case failure == nil:
			return true, holdsOneOf(key, wanted)(ctx, store)
		case domain.AsError(failure).Unchanged:
			unchanged = append(unchanged, holdsPhoto(key, photoOf(1)))
		}
		return false, errors.Join(clause.FailsWith(domain.Unavailable, method+" whose ctx ended", failure), holdsOneOf(key, photoOf(1), wanted)(ctx, store))
	}
	if err := clause.CutOff(attempt)(ctx, store); err != nil {
		return err
	}
	return clause.Steps(unchanged...)(ctx, store)
}
