package app

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// basedPhotos is a photo store whose photos have their address below base.
type basedPhotos struct {
	ports.PhotoStore
	base string
}

// URL implements ports.PhotoStore.
func (p basedPhotos) URL(_ context.Context, key domain.PhotoKey) (string, error) {
	return p.base + string(key), nil
}

// signedPhotos is a photo store whose photos have signed addresses.
type signedPhotos struct {
	ports.PhotoStore
	sign     func(context.Context, domain.PhotoKey, time.Duration) (string, error)
	lifetime time.Duration
}

// URL implements ports.PhotoStore.
func (p signedPhotos) URL(ctx context.Context, key domain.PhotoKey) (string, error) {
	address, err := p.sign(ctx, key, p.lifetime)
	if err != nil && !errors.As(err, new(*domain.Error)) {
		err = domain.Errorf(domain.Unavailable, "the photo store signs no address; try again later").WithCause(err)
	}
	return address, err
}

// addressed returns the photo store with the addresses that are configured, and
// whether it serves its photos itself.
func addressed(config *Config, photos Backend) (store ports.PhotoStore, own bool, err error) {
	if config.PhotoURL == "signed" {
		if photos.SignedURL == nil {
			return nil, false, settingError("FLEETPHOTO_PHOTO_URL", fmt.Errorf("the store that %s names signs no addresses; want public here, or another store", photoStoreVariable))
		}
		return signedPhotos{photos.PhotoStore, photos.SignedURL, config.PhotoURLLifetime}, true, nil
	}
	address, err := photos.PhotoStore.URL(context.Background(), domain.CustomerRef{}.PhotoKey())
	if err != nil {
		return nil, false, settingError(photoStoreVariable, err)
	}
	if config.PhotoBaseURL != "" {
		return basedPhotos{photos.PhotoStore, config.PhotoBaseURL}, address != "", nil
	}
	return photos.PhotoStore, address != "", nil
}

// tryAddress finds out on start, rather than in a call, that nothing can be signed.
func tryAddress(ctx context.Context, photos ports.PhotoStore) error {
	if _, err := photos.URL(ctx, domain.CustomerRef{}.PhotoKey()); err != nil {
		return settingError("FLEETPHOTO_PHOTO_URL", err)
	}
	return nil
}
