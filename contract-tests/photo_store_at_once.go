package contracttests

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// putsAndOverwrites puts a copy of photo and then spoils it.
func putsAndOverwrites(key domain.PhotoKey, photo domain.Photo) photoCheck {
	return func(ctx context.Context, store ports.PhotoStore) error {
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
func putsAlternately(key domain.PhotoKey) photoCheck {
	return steps(puts(key, photoOf(2)), puts(key, photoOf(1)))
}

// holdsOneOf checks that one of these photos is stored, whole. noPhoto allows
// for none.
func holdsOneOf(key domain.PhotoKey, allowed ...domain.Photo) photoCheck {
	return func(ctx context.Context, store ports.PhotoStore) error {
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
func whileReading(look, write photoCheck) photoCheck {
	const rounds, readers, looks = 8, 4, 16
	lookRepeatedly := func(ctx context.Context, store ports.PhotoStore, _ int) error {
		return steps(slices.Repeat([]photoCheck{look}, looks)...)(ctx, store)
	}
	round := func(ctx context.Context, store ports.PhotoStore) error {
		looked := make(chan error, 1)
		go func() { looked <- atOnce(readers, lookRepeatedly)(ctx, store) }()
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
	return steps(slices.Repeat([]photoCheck{round}, rounds)...)
}

func putsAtOnce(key domain.PhotoKey) photoCheck {
	var allowed []domain.Photo
	for i := range crowd {
		allowed = append(allowed, photoOf(i))
	}
	put := func(ctx context.Context, store ports.PhotoStore, i int) error {
		return puts(key, allowed[i])(ctx, store)
	}
	return steps(atOnce(crowd, put), holdsOneOf(key, allowed...))
}

func usesOwnKey(ctx context.Context, store ports.PhotoStore, i int) error {
	key := photoKey(689, domain.CustomerID(i+1))
	return steps(puts(key, photoOf(i)), holdsPhoto(key, photoOf(i)), deletes(key), holdsNoPhoto(key),
		puts(key, photoOf(i+1)), holdsPhoto(key, photoOf(i+1)))(ctx, store)
}

func putCutOff(ctx, ending context.Context, store ports.PhotoStore, n int) (done bool, err error) {
	key := photoKey(689, domain.CustomerID(n))
	if err := puts(key, photoOf(1))(ctx, store); err != nil {
		return false, err
	}
	if failure := puts(key, photoOf(2))(ending, store); failure != nil {
		return false, errors.Join(failsWith(domain.Unavailable, "Put whose ctx ended", failure),
			holdsOneOf(key, photoOf(1), photoOf(2))(ctx, store))
	}
	return true, holdsPhoto(key, photoOf(2))(ctx, store)
}
