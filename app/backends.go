package app

import (
	"context"
	"errors"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// backends are the four ports as the configuration chose them.
type backends struct {
	fleets     ports.FleetAuth
	customers  ports.CustomerRepo
	log        ports.ApiLog
	photos     ports.PhotoStore
	ownAddress bool // the photo store has an address of its own
	ephemeral  bool // fleets or customers end with the process
	pinKey     domain.PINKey
	sweep      func(context.Context) error // the photo store's; nil: it needs none
}

// openBackends opens what each URL names, once for the same URL, and has it
// started and closed with the application.
func openBackends(config *Config, catalogue Catalogue, lifecycle fx.Lifecycle) (*backends, error) {
	o := opening{byURL: map[string]Backend{}, lifecycle: lifecycle}
	fleets := o.database(catalogue, config, "FLEETPHOTO_FLEET_AUTH_URL", config.FleetAuthURL, func(b Backend) bool { return b.FleetAuth != nil })
	customers := o.database(catalogue, config, "FLEETPHOTO_CUSTOMER_REPO_URL", config.CustomerRepoURL, func(b Backend) bool { return b.CustomerRepo != nil })
	log := o.database(catalogue, config, "FLEETPHOTO_API_LOG_URL", config.ApiLogURL, func(b Backend) bool { return b.ApiLog != nil })
	photos := o.open(catalogue.PhotoStores, "FLEETPHOTO_PHOTO_STORE_URL", config.PhotoStoreURL, func(b Backend) bool { return b.PhotoStore != nil })
	if o.err != nil {
		return nil, o.err
	}
	key, err := pinKey(config, customers)
	if err != nil {
		return nil, err
	}
	address, err := photos.PhotoStore.URL(context.Background(), domain.CustomerRef{}.PhotoKey())
	if err != nil {
		return nil, settingError("FLEETPHOTO_PHOTO_STORE_URL", err)
	}
	b := &backends{
		fleets: fleets.FleetAuth, customers: customers.CustomerRepo, log: log.ApiLog, photos: photos.PhotoStore,
		ownAddress: address != "", pinKey: key, sweep: photos.Sweep,
		ephemeral: fleets.Ephemeral || customers.Ephemeral,
	}
	if config.PhotoBaseURL != "" {
		b.photos = basedPhotos{b.photos, config.PhotoBaseURL}
	}
	return b, nil
}

// opening opens backends until the first error.
type opening struct {
	byURL     map[string]Backend
	lifecycle fx.Lifecycle
	err       error
}

// database opens the backend of a port that may have a variable of its own.
func (o *opening) database(catalogue Catalogue, config *Config, variable, rawURL string, offers func(Backend) bool) Backend {
	variable, rawURL = config.databaseURL(variable, rawURL)
	return o.open(catalogue.Databases, variable, rawURL, offers)
}

func (o *opening) open(openers map[string]Opener, variable, rawURL string, offers func(Backend) bool) Backend {
	if o.err != nil {
		return Backend{}
	}
	backend, found := o.byURL[rawURL]
	if !found {
		var err error
		if backend, err = open(openers, rawURL); err != nil {
			o.err = settingError(variable, err)
			return Backend{}
		}
		o.byURL[rawURL] = backend
		o.lifecycle.Append(backend.hook(variable))
	}
	if !offers(backend) {
		o.err = settingError(variable, errors.New("the backend at this URL does not offer this port; choose another"))
	}
	return backend
}

// hook starts and closes b with the application.
func (b Backend) hook(variable string) fx.Hook {
	return fx.Hook{
		OnStart: func(ctx context.Context) error {
			if b.Start == nil {
				return nil
			}
			if err := b.Start(ctx); err != nil {
				_ = b.close() // a hook that failed isn't stopped
				return settingError(variable, err)
			}
			return nil
		},
		OnStop: func(context.Context) error { return b.close() },
	}
}

func (b Backend) close() error {
	if b.Close == nil {
		return nil
	}
	return b.Close()
}

// basedPhotos is a photo store whose photos have their address below base.
type basedPhotos struct {
	ports.PhotoStore
	base string
}

// URL implements ports.PhotoStore.
func (p basedPhotos) URL(_ context.Context, key domain.PhotoKey) (string, error) {
	return p.base + string(key), nil
}
