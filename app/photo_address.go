package app

import (
	"context"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// addressed returns the addresses of photos that are configured; nil where this
// server's own are meant.
func addressed(config *Config, photos Backend) (usecase.PhotoAddress, error) {
	own := photos.PhotoAddresser
	switch {
	case config.PhotoURL == "signed" && own == nil:
		return nil, settingError("FLEETPHOTO_PHOTO_URL", fmt.Errorf("the store that %s names signs no addresses; want public here, or another store", photoStoreVariable))
	case config.PhotoURL == "signed":
		return func(ctx context.Context, key domain.PhotoKey) (string, error) {
			return own.SignedURL(ctx, key, config.PhotoURLLifetime)
		}, nil
	case config.PhotoBaseURL != "":
		return func(_ context.Context, key domain.PhotoKey) (string, error) {
			return config.PhotoBaseURL + string(key), nil
		}, nil
	case own == nil:
		return nil, nil
	}
	return func(_ context.Context, key domain.PhotoKey) (string, error) { return own.URL(key), nil }, nil
}

// tryAddress finds out on start, rather than in a call, that nothing can be signed.
func tryAddress(ctx context.Context, address usecase.PhotoAddress) error {
	if _, err := address(ctx, domain.CustomerRef{}.PhotoKey()); err != nil {
		return settingError("FLEETPHOTO_PHOTO_URL", err)
	}
	return nil
}
