package app

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"runtime"
	"time"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/cli"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// The longest that starting and stopping may take, with migrations and the
// server's last calls.
const (
	waitForBackends = time.Minute
	startTimeout    = 2 * waitForBackends
	stopTimeout     = usecase.SettleAfter
)

// Core provides the four ports, the operators' roles and the use cases, each as its
// own type, on the backends that a Config names. A backend is opened only if
// something in the application needs it. It starts and closes with the application:
//
//	config, err := app.ConfigFromEnvironment()
//	fx.New(app.Core, fx.Supply(config),
//		fx.Decorate(func(store ports.PhotoStore) ports.PhotoStore { return mine{store} }),
//		fx.Invoke(func(update *usecase.UpdateCustomerPhoto) { … }))
//
// If you decorate CustomerRepo or ApiLog to see records or outcomes, decorate
// ports.ChangeRecorder too, which writes both where they are in one database, or
// replace it with nil.
//
// Core takes a Config and optionally a Catalogue and a *slog.Logger. The application
// fails to start if it needs a role that its backend doesn't have.
var Core = fx.Module("core", portsAndRoles, fx.Provide(
	func(c Config) usecase.PhotoReader {
		return photo.NewReader(c.photoLimits(), runtime.GOMAXPROCS(0))
	},
	func(customers ports.CustomerRepo, photos ports.PhotoStore, store domain.PhotoStoreName, log ports.ApiLog, recorder ports.ChangeRecorder) *usecase.ChangePhoto {
		return &usecase.ChangePhoto{Customers: customers, Photos: photos, Store: store, Log: log, Recorder: recorder, Clock: usecase.Now}
	},
	func(fleets ports.FleetAuth, changes *usecase.ChangePhoto, address usecase.PhotoAddress, keys domain.PINKeys, reader usecase.PhotoReader, limits usecase.RateLimits) *usecase.UpdateCustomerPhoto {
		return &usecase.UpdateCustomerPhoto{Fleets: fleets, Changes: changes, Address: address, PINKeys: keys, Reader: reader, Limits: limits}
	},
	rateLimits,
	func(changes *usecase.ChangePhoto) *usecase.Repair { return &usecase.Repair{Changes: changes} },
	func(c Config, fleets ports.FleetAuth, customers ports.CustomerRepo, photos ports.PhotoStore, log ports.ApiLog) *usecase.Readiness {
		return &usecase.Readiness{Fleets: fleets, Customers: customers, Photos: photos, Log: log, ReadOnly: c.readOnly()}
	},
	func(directory ports.FleetDirectory) *operator.Fleets {
		return &operator.Fleets{Directory: directory, Random: rand.Reader, Clock: time.Now}
	},
	func(fleets ports.FleetDirectory, customers ports.CustomerDirectory, key domain.PINKey) *operator.Customers {
		return &operator.Customers{Fleets: fleets, Directory: customers, PINKey: key}
	},
	func(fleets ports.FleetDirectory, customers ports.CustomerDirectory, key domain.PINKey) *operator.ImportCustomers {
		return &operator.ImportCustomers{Fleets: fleets, Customers: customers, PINKey: key}
	},
	func(fleets ports.FleetDirectory, customers ports.CustomerDirectory) *operator.ExportCustomers {
		return &operator.ExportCustomers{Fleets: fleets, Customers: customers}
	},
	func(customers ports.CustomerDirectory, changes *usecase.ChangePhoto) *operator.RemoveCustomer {
		return &operator.RemoveCustomer{Customers: customers, Changes: changes}
	},
	func(c Config, directory ports.CustomerDirectory, customers ports.CustomerRepo, photos ports.PhotoStore, store domain.PhotoStoreName) *operator.VerifyPhotos {
		limits := c.photoLimits()
		limits.MaxDimension, limits.Verify = 0, photo.VerifyDecode
		reader := photo.NewBatchReader(limits, runtime.GOMAXPROCS(0))
		return &operator.VerifyPhotos{Directory: directory, Customers: customers, Photos: photos, Store: store, Reader: reader, Clock: time.Now}
	},
	func(customers ports.CustomerDirectory, lister ports.PhotoLister, photos ports.PhotoStore) *operator.OrphanPhotos {
		return &operator.OrphanPhotos{Customers: customers, Lister: lister, Photos: photos, Clock: time.Now}
	},
	copyPhotos, copyDatabase,
))

// portsAndRoles provides the ports and roles of the configured backends.
var portsAndRoles = fx.Provide(
	newBackends,
	from((*backends).fleets, func(b Backend) ports.FleetAuth { return b.FleetAuth }),
	from((*backends).fleets, func(b Backend) ports.FleetDirectory { return b.FleetDirectory }),
	from((*backends).customers, func(b Backend) ports.CustomerRepo { return b.CustomerRepo }),
	(*backends).customerDirectory,
	(*backends).fleetCustomers,
	from((*backends).customers, func(b Backend) ports.PINKeyBinder { return b.PINKeyBinder }),
	from((*backends).log, func(b Backend) ports.ApiLog { return b.ApiLog }),
	from((*backends).log, func(b Backend) ports.ApiLogArchive { return b.ApiLogArchive }),
	from((*backends).photos, func(b Backend) ports.PhotoStore { return b.PhotoStore }),
	from((*backends).photos, func(b Backend) ports.PhotoAddresser { return b.PhotoAddresser }),
	from((*backends).photos, func(b Backend) ports.PhotoLister { return b.PhotoLister }),
	(*backends).photoStoreName,
	(*backends).changeRecorder,
	(*backends).photoSigner,
	(*backends).photoAddress,
	(*backends).boundPINKeys,
	func(keys domain.PINKeys) domain.PINKey { return keys.Current },
)

// from returns a constructor of a role of a backend.
func from[R any](backend func(*backends) (*opened, error), role func(Backend) R) func(*backends) (R, error) {
	return func(b *backends) (R, error) {
		o, err := backend(b)
		if err != nil {
			var none R
			return none, err
		}
		return offered(o, role)
	}
}

// copyPhotos copies between the stores that a command names.
func copyPhotos(b *backends, between cli.CopyBetween, directory ports.CustomerDirectory, customers ports.CustomerRepo, log ports.ApiLog, recorder ports.ChangeRecorder) (*operator.CopyPhotos, error) {
	from, fromErr := b.open(b.catalogue.PhotoStores, "--from", between.From)
	to, toErr := b.open(b.catalogue.PhotoStores, "--to", between.To)
	if err := firstOf(fromErr, toErr); err != nil {
		return nil, err
	}
	lister, err := offered(to, func(b Backend) ports.PhotoLister { return b.PhotoLister })
	if err != nil {
		return nil, err
	}
	changes := func(o *opened) *usecase.ChangePhoto {
		return &usecase.ChangePhoto{Customers: customers, Photos: o.PhotoStore, Store: o.PhotoStoreName, Log: log, Recorder: recorder, Clock: usecase.Now}
	}
	changesTo := changes(to)
	return &operator.CopyPhotos{
		Directory: directory, From: from.PhotoStore, To: changesTo,
		Repairs: []*usecase.Repair{{Changes: changes(from), Again: true}, {Changes: changesTo, Again: true}},
		Orphans: &operator.OrphanPhotos{Customers: directory, Lister: lister, Photos: to.PhotoStore, Clock: time.Now},
	}, nil
}

// copyDatabase copies between the databases that a command names. The other one is
// made where it is missing, without a PIN key: that of the PINs has to be brought.
func copyDatabase(b *backends, copied cli.CopyParts) (*operator.CopyDatabase, error) {
	copying := &operator.CopyDatabase{Parts: copied.Parts}
	from, fromErr := b.database("--from", copied.From)
	to, toErr := b.database("--to", copied.To)
	if err := firstOf(fromErr, toErr); err != nil {
		return nil, err
	}
	switch {
	case b.isAt(to, copied.From):
		return nil, settingError("--to", errors.New("it is the same database as --from; name another"))
	case from.DataFile != "" && !isThere(from.DataFile):
		return nil, settingError("--from", fmt.Errorf("there is no database at %s", from.DataFile))
	case b.isConfigured(to):
		if err := b.config.mayChange(); err != nil {
			return nil, err
		}
	}
	to.isCopy = true
	roles := func(o *opened) (operator.Database, error) {
		database := operator.Database{FleetCustomers: o.FleetCustomers, Log: o.ApiLogArchive}
		var err error
		for _, part := range copied.Parts {
			var roleErr error
			switch part {
			case operator.FleetsPart:
				database.Fleets, roleErr = offered(o, func(b Backend) ports.FleetDirectory { return b.FleetDirectory })
			case operator.CustomersPart:
				database.Customers, roleErr = offered(o, func(b Backend) ports.CustomerDirectory { return b.CustomerDirectory })
				if roleErr == nil {
					database.PINKeys, roleErr = offered(o, func(b Backend) ports.PINKeyBinder { return b.PINKeyBinder })
				}
			case operator.LogPart:
				_, roleErr = offered(o, func(b Backend) ports.ApiLogArchive { return b.ApiLogArchive })
			}
			err = cmp.Or(err, roleErr)
		}
		return database, err
	}
	copying.From, fromErr = roles(from)
	copying.To, toErr = roles(to)
	return copying, firstOf(fromErr, toErr)
}

func (b *backends) photoStoreName() (domain.PhotoStoreName, error) {
	photos, err := b.photos()
	if err != nil {
		return "", err
	}
	return photos.PhotoStoreName, nil
}

// customerDirectory returns the one that looks after the fleets too, where the
// fleets are in the same database.
func (b *backends) customerDirectory() (ports.CustomerDirectory, error) {
	customers, err := b.customers()
	if err != nil {
		return nil, err
	}
	if customers.FleetCustomers != nil && b.housesFleets(customers) {
		return customers.FleetCustomers, nil
	}
	return offered(customers, func(b Backend) ports.CustomerDirectory { return b.CustomerDirectory })
}

func (b *backends) fleetCustomers() (ports.FleetCustomers, error) {
	customers, err := b.customers()
	if err != nil {
		return nil, err
	}
	if !b.housesFleets(customers) {
		return nil, settingError(customers.variable, errors.New("the customers are in another database than the fleets, so that no fleet can be removed in one step with the look for its customers; switch it off instead, with fleet disable"))
	}
	return offered(customers, func(b Backend) ports.FleetCustomers { return b.FleetCustomers })
}

// housesFleets says whether the fleets are in this backend too. It opens nothing.
func (b *backends) housesFleets(customers *opened) bool {
	_, fleets := b.config.databaseURL(fleetAuthVariable, b.config.FleetAuthURL)
	return fleets == customers.rawURL
}

// changeRecorder returns the one of the backend that has both the customers and
// the log; nil where there are two, or it has none.
func (b *backends) changeRecorder() (ports.ChangeRecorder, error) {
	customers, customersErr := b.customers()
	log, logErr := b.log()
	if err := firstOf(customersErr, logErr); err != nil || customers != log {
		return nil, err
	}
	return customers.ChangeRecorder, nil
}

// tryAddress finds out on start, rather than in a call, that nothing can be signed.
func tryAddress(config Config, address usecase.PhotoAddress, lifecycle fx.Lifecycle) {
	if config.PhotoURL != "signed" { // by this server or by the store
		return
	}
	lifecycle.Append(fx.StartHook(func(ctx context.Context) error {
		if _, err := address(ctx, domain.CustomerRef{}.PhotoKey()); err != nil {
			return settingError("FLEETPHOTO_PHOTO_URL", err)
		}
		return nil
	}))
}
