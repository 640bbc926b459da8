package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"time"

	"go.uber.org/dig"
	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The longest that starting and stopping may take: migrations and the server's
// last calls included.
const (
	waitForBackends = time.Minute
	startTimeout    = 2 * waitForBackends
	stopTimeout     = usecase.SettleAfter
)

// coreModule provides the use cases on the backends that the configuration chose.
var coreModule = fx.Module("core", fx.Provide(
	openBackends,
	func(b *backends, c *Config) *usecase.UpdateCustomerPhoto {
		return &usecase.UpdateCustomerPhoto{
			Fleets: b.fleets, Customers: b.customers, Photos: b.photos, Log: b.log, Address: b.address,
			PINKey: b.pinKey, Reader: photo.NewReader(c.photoLimits(), runtime.GOMAXPROCS(0)), Clock: time.Now,
		}
	},
	func(b *backends) *usecase.Repair {
		return &usecase.Repair{Customers: b.customers, Photos: b.photos, Log: b.log, Clock: time.Now}
	},
	func(b *backends) *operator.Fleets {
		return &operator.Fleets{Directory: b.directory.fleets, Random: rand.Reader, Clock: time.Now}
	},
	func(b *backends) *operator.Customers {
		return &operator.Customers{Fleets: b.directory.fleets, Directory: b.directory.customers, PINKey: b.pinKey}
	},
	func(b *backends) *operator.ImportCustomers {
		return &operator.ImportCustomers{Fleets: b.directory.fleets, Customers: b.directory.customers, PINKey: b.pinKey}
	},
	func(b *backends) *operator.ExportCustomers {
		return &operator.ExportCustomers{Fleets: b.directory.fleets, Customers: b.directory.customers}
	},
	func(b *backends) *operator.RemoveCustomer {
		return &operator.RemoveCustomer{Customers: b.directory.customers, Photos: b.photos, Log: b.log, Clock: time.Now}
	},
	func(b *backends) *usecase.Readiness {
		return &usecase.Readiness{Fleets: b.fleets, Customers: b.customers, Photos: b.photos, Log: b.log}
	},
))

// serveModule repairs what a crash left and serves the API and the admin address.
var serveModule = fx.Module("serve",
	fx.Provide(openTelemetry),
	fx.Invoke(sayWhatIsMissing, cleanUpRegularly, serveAPI, serveAdmin),
)

// environment is what the commands get from outside.
type environment struct {
	config    *Config
	catalogue Catalogue
	logger    *slog.Logger
	errOut    io.Writer // where logger writes
	waiting   waiting
}

// application makes an fx application of the core and more.
func (e environment) application(more ...fx.Option) *fx.App {
	return fx.New(
		fx.NopLogger,
		fx.StartTimeout(startTimeout), fx.StopTimeout(stopTimeout),
		fx.Supply(e.config, e.catalogue, e.waiting, e.logger),
		coreModule, fx.Options(more...),
	)
}

// run starts an application, does f and stops it. A ctx that ends doesn't cut
// off the start, as what had started by then would not be stopped.
func (e environment) run(ctx context.Context, application *fx.App, f func(context.Context) error) error {
	if err := application.Err(); err != nil {
		return dig.RootCause(err)
	}
	starting, cancel := context.WithTimeout(context.WithoutCancel(ctx), application.StartTimeout())
	defer cancel()
	if err := application.Start(starting); err != nil {
		return fmt.Errorf("start: %w", dig.RootCause(err))
	}
	err := f(ctx)
	stopping, cancel := context.WithTimeout(context.WithoutCancel(ctx), application.StopTimeout())
	defer cancel()
	return errors.Join(err, application.Stop(stopping))
}

// do starts the backends, fills target from the core and does f.
func do[T any](ctx context.Context, e environment, f func(context.Context, T) error) error {
	var target T
	application := e.application(fx.Populate(&target))
	return e.run(ctx, application, func(ctx context.Context) error { return f(ctx, target) })
}
