package app

import (
	"context"
	"errors"
	"log/slog"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

const photoStoreVariable = "FLEETPHOTO_PHOTO_STORE_URL"

// backends are the four ports as the configuration chose them.
type backends struct {
	fleets    ports.FleetAuth
	customers ports.CustomerRepo
	log       ports.ApiLog
	photos    ports.PhotoStore
	directory struct {
		fleets    ports.FleetDirectory
		customers ports.CustomerDirectory
		log       ports.ApiLogArchive
		photos    ports.PhotoLister // nil: the photo store can't list
	}
	address    usecase.PhotoAddress
	ownAddress bool // the photo store has addresses of its own
	ephemeral  bool // fleets or customers end with the process
	pinKey     domain.PINKey
	sweep      func(context.Context) error // the photo store's; nil: it needs none
	opened     []openedBackend             // each once
}

// openBackends opens what each URL names, once for the same URL, and has it
// started and closed with the application.
func openBackends(config *Config, catalogue Catalogue, waiting waiting, logger *slog.Logger, lifecycle fx.Lifecycle) (*backends, error) {
	o := opening{config: config, byURL: map[string]Backend{}}
	fleets, customers, log := o.databases(catalogue)
	photos := o.photoStore(catalogue)
	if o.err != nil {
		return nil, o.err
	}
	key, err := pinKey(config, customers)
	if err != nil {
		return nil, err
	}
	address, err := addressed(config, photos)
	if err != nil {
		return nil, err
	}
	for _, opened := range o.opened {
		lifecycle.Append(opened.hook(config.Migrate == "on", waiting, logger))
	}
	lifecycle.Append(fx.StartHook(func(ctx context.Context) error { return bindPINKey(ctx, customers.PINKeyBinder, key) }))
	if config.PhotoURL == "signed" {
		lifecycle.Append(fx.StartHook(func(ctx context.Context) error { return tryAddress(ctx, address) }))
	}
	b := &backends{
		fleets: fleets.FleetAuth, customers: customers.CustomerRepo, log: log.ApiLog, photos: photos.PhotoStore,
		address: address, ownAddress: photos.PhotoAddresser != nil, pinKey: key, sweep: photos.Sweep, opened: o.opened,
		ephemeral: fleets.Ephemeral || customers.Ephemeral,
	}
	b.directory.fleets, b.directory.customers = fleets.FleetDirectory, customers.CustomerDirectory
	b.directory.log, b.directory.photos = log.ApiLogArchive, photos.PhotoLister
	return b, nil
}

// opening opens backends until the first error.
type opening struct {
	config *Config
	byURL  map[string]Backend
	opened []openedBackend
	err    error
}

type openedBackend struct {
	Backend
	variable string // that named its URL
}

// databases opens the backends of the ports that may each have a variable of
// their own.
func (o *opening) databases(catalogue Catalogue) (fleets, customers, log Backend) {
	fleets = o.database(catalogue, "FLEETPHOTO_FLEET_AUTH_URL", o.config.FleetAuthURL, func(b Backend) bool { return b.FleetAuth != nil })
	customers = o.database(catalogue, "FLEETPHOTO_CUSTOMER_REPO_URL", o.config.CustomerRepoURL, func(b Backend) bool { return b.CustomerRepo != nil })
	return fleets, customers, o.apiLog(catalogue)
}

func (o *opening) apiLog(catalogue Catalogue) Backend {
	return o.database(catalogue, "FLEETPHOTO_API_LOG_URL", o.config.ApiLogURL, func(b Backend) bool { return b.ApiLog != nil })
}

func (o *opening) database(catalogue Catalogue, variable, rawURL string, offers func(Backend) bool) Backend {
	variable, rawURL = o.config.databaseURL(variable, rawURL)
	return o.open(catalogue.Databases, variable, rawURL, offers)
}

func (o *opening) photoStore(catalogue Catalogue) Backend {
	return o.open(catalogue.PhotoStores, photoStoreVariable, o.config.PhotoStoreURL, func(b Backend) bool { return b.PhotoStore != nil })
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
		o.opened = append(o.opened, openedBackend{backend, variable})
	}
	if !offers(backend) {
		o.err = settingError(variable, errors.New("the backend at this URL does not offer this port; choose another"))
	}
	return backend
}
