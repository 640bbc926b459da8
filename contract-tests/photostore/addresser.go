package photostore

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// AddresserClauses returns those of ports.PhotoAddresser.
func AddresserClauses() []clause.Clause[Port] {
	key := photoKey(689, 1)
	return []clauseOf{
		clause.New(
			"url_own_key", "each key has a public address of its own",
			addressesDiffer(func(_ context.Context, store Port, key domain.PhotoKey) (string, error) {
				return store.URL(key), nil
			}),
		), clause.New(
			"signed_url_own_key", "each key has a signed address of its own, whether or not there is a photo; where nothing can be signed, SignedURL fails with Unavailable",
			addressesDiffer(signs),
		), clause.New(
			"signed_url_fetch", "anyone may fetch the photo under its signed address",
			clause.Steps(puts(key, photoOf(1)), fetchesSigned(key, photoOf(1))),
		), clause.New(
			"signed_url_ended_ctx", "SignedURL fails with Unavailable when ctx has ended",
			clause.ForEachEnded(clause.Fails(domain.Unavailable, "SignedURL with an ended ctx", func(ctx context.Context, store Port) error {
				_, err := signs(ctx, store, key)
				return err
			})),
		),
	}
}

func signs(ctx context.Context, store Port, key domain.PhotoKey) (string, error) {
	return store.SignedURL(ctx, key, time.Minute)
}

// addressesDiffer compares the addresses of several photos, unless there are
// none as nothing can be signed.
func addressesDiffer(address func(context.Context, Port, domain.PhotoKey) (string, error)) check {
	return func(ctx context.Context, store Port) error {
		keyOf := map[string]domain.PhotoKey{}
		for _, key := range oddKeys() {
			got, err := address(ctx, store, key)
			if errors.Is(err, domain.Unavailable) {
				continue
			}
			if err != nil || got == "" {
				return fmt.Errorf("the address of %s: got %q, %w", key, got, err)
			}
			if other, taken := keyOf[got]; taken {
				return fmt.Errorf("the addresses of %s and %s: got %q for both", key, other, got)
			}
			keyOf[got] = key
		}
		return nil
	}
}

// fetchesSigned fetches a photo under its signed address, unless there is none
// as nothing can be signed.
func fetchesSigned(key domain.PhotoKey, want domain.Photo) check {
	return func(ctx context.Context, store Port) error {
		address, err := signs(ctx, store, key)
		if errors.Is(err, domain.Unavailable) {
			return nil
		}
		if err != nil {
			return clause.Failed("SignedURL", err)
		}
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, address, nil)
		if err != nil {
			return clause.Failed("a request to the signed address", err)
		}
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			return clause.Failed("a request to the signed address", err)
		}
		defer func() { _ = response.Body.Close() }() // it was only read
		got, err := io.ReadAll(response.Body)
		if err := clause.Yields("the status at the signed address", response.StatusCode, err, http.StatusOK); err != nil {
			return err
		}
		return clause.SameBytes("the photo at the signed address", got, want.JPEG())
	}
}
