package contracttests

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PhotoAddresser proves that what open returns keeps the promises of
// ports.PhotoAddresser. open returns a port without photos, a new one each
// time; it is called in parallel and closes the port through t.Cleanup.
func PhotoAddresser(t *testing.T, open func(t *testing.T) ports.PhotoAddresser) {
	t.Helper()
	prove(t, photoAddresserClauses(), open)
}

func photoAddresserClauses() []clause[ports.PhotoAddresser] {
	return []clause[ports.PhotoAddresser]{
		{
			"url_own_key", "each key has a public address of its own",
			addressesDiffer(func(_ context.Context, store ports.PhotoAddresser, key domain.PhotoKey) (string, error) {
				return store.URL(key), nil
			}),
		}, {
			"signed_url_own_key", "each key has a signed address of its own, whether or not there is a photo",
			addressesDiffer(func(ctx context.Context, store ports.PhotoAddresser, key domain.PhotoKey) (string, error) {
				return store.SignedURL(ctx, key, time.Minute)
			}),
		}, {
			"signed_url_ended_ctx", "SignedURL fails with Unavailable when ctx has ended",
			fails(domain.Unavailable, "SignedURL with an ended ctx", func(ctx context.Context, store ports.PhotoAddresser) error {
				ctx, cancel := context.WithCancel(ctx)
				cancel()
				_, err := store.SignedURL(ctx, photoKey(689, 1), time.Minute)
				return err
			}),
		},
	}
}

func addressesDiffer(address func(context.Context, ports.PhotoAddresser, domain.PhotoKey) (string, error)) check[ports.PhotoAddresser] {
	return func(ctx context.Context, store ports.PhotoAddresser) error {
		keyOf := map[string]domain.PhotoKey{}
		for _, key := range oddKeys() {
			got, err := address(ctx, store, key)
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
