package app

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

const photoURLKeyVariable = "FLEETPHOTO_PHOTO_URL_KEY"

// photoAddress returns the addresses of photos that are configured; nil where
// this server's own are meant, unsigned or without a signer.
func (b *backends) photoAddress(signer *httpapi.PhotoSigner) (usecase.PhotoAddress, error) {
	photos, err := b.photos()
	if err != nil {
		return nil, err
	}
	own, signed, base := photos.PhotoAddresser, b.config.PhotoURL == "signed", b.config.PhotoBaseURL
	if base != "" {
		base = strings.TrimSuffix(base, "/") + "/"
	}
	switch {
	case signed && own != nil && base != "":
		return nil, settingError("FLEETPHOTO_PHOTO_BASE_URL", errors.New("a signed address is the photo store's own; leave this out, or set FLEETPHOTO_PHOTO_URL=public"))
	case signed && own != nil:
		return func(ctx context.Context, key domain.PhotoKey) (string, error) {
			return own.SignedURL(ctx, key, b.config.PhotoURLLifetime)
		}, nil
	case signed && signer != nil:
		base = cmp.Or(base, httpapi.PhotosPath)
		return func(_ context.Context, key domain.PhotoKey) (string, error) { return base + signer.Sign(key), nil }, nil
	case !signed && base != "":
		return func(_ context.Context, key domain.PhotoKey) (string, error) { return base + string(key), nil }, nil
	case own == nil:
		return nil, nil
	}
	return func(_ context.Context, key domain.PhotoKey) (string, error) { return own.URL(key), nil }, nil
}

// photoSigner signs the addresses of photos that this server serves; nil where
// they are public, or the store's own.
func (b *backends) photoSigner() (*httpapi.PhotoSigner, error) {
	photos, err := b.photos()
	if err != nil || b.config.PhotoURL != "signed" || photos.PhotoAddresser != nil {
		return nil, err
	}
	from, text, err := b.photoURLKey()
	if err != nil {
		return nil, err
	}
	key, err := parseKey(from, text)
	if err != nil {
		return nil, err
	}
	signer, err := httpapi.NewPhotoSigner(key, b.config.PhotoURLLifetime, time.Now)
	if err != nil {
		return nil, settingError(from, err)
	}
	return signer, nil
}

// photoURLKey returns the configured key, or the one beside the customers'
// embedded database, which a server makes when there is none: unlike the PIN
// key it can be replaced.
func (b *backends) photoURLKey() (from, text string, err error) {
	customers, err := b.customers()
	switch {
	case err != nil:
		return "", "", err
	case b.config.PhotoURLKey != "":
		return photoURLKeyVariable, b.config.PhotoURLKey, nil
	case customers.Ephemeral:
		return photoURLKeyVariable, newKey(), nil
	case customers.PINKeyFile == "":
		return "", "", settingError(photoURLKeyVariable, errors.New("it is missing, and with this database the signed addresses of this server's /photos/ need it; make one for all servers with: openssl rand -hex 32"))
	}
	path := photoURLKeyBeside(customers)
	text, err = keyFile(customers.variable, path, func() error {
		if b.purpose.command {
			return settingError(photoURLKeyVariable, fmt.Errorf("there is no key in %s yet; a server that starts with FLEETPHOTO_PHOTO_URL=signed makes it", path))
		}
		return b.mayMake(context.Background(), customers)
	})
	return photoURLKeyVariable + ", from " + path, text, err
}

func photoURLKeyBeside(customers *opened) string {
	return filepath.Join(filepath.Dir(customers.PINKeyFile), "photo-url.key")
}

// makesPhotoURLKey says whether photoSigner would make the key file.
func (b *backends) makesPhotoURLKey() bool {
	customers, err := b.customers()
	return err == nil && b.config.PhotoURLKey == "" && customers.PINKeyFile != "" && !isThere(photoURLKeyBeside(customers))
}
