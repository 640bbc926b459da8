package app

import (
	"cmp"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"sync"
	"syscall"
	"time"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/telemetry"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// How often a server does its regular work. Several replicas may do it at once.
const (
	sweepEvery = time.Hour
	// pruneEvery is how often a server checks whether the log was pruned today, and
	// pruneBatch how many entries are removed at once.
	pruneEvery, pruneBatch = time.Hour, 1000
	// closeTimeout is how long a stop waits for log entries that are still being
	// closed.
	closeTimeout = 5 * time.Second
)

// Handler provides the API as an http.Handler of type *httpapi.Server, made of
// httpapi.Options, which may be decorated. It needs Core.
var Handler = fx.Module("handler", fx.Provide(newOptions, httpapi.New), fx.Invoke(tryAddress))

// Serve is the whole service: Core, Handler and Telemetry, servers on the addresses
// of the Config, a memory limit, and the regular work: settling interrupted calls,
// sweeping the photo store and pruning the log.
var Serve = fx.Module("serve", Core, Handler, Telemetry, fx.Invoke(limitMemory, sayWhatIsServed, sayWhatIsMissing, cleanUpRegularly, pruneRegularly, serveAPI, serveAdmin))

// newOptions serves photos if their store has no addresses of its own.
func newOptions(config Config, b *backends, update *usecase.UpdateCustomerPhoto, photos ports.PhotoStore, signer *httpapi.PhotoSigner) (httpapi.Options, error) {
	options := config.httpOptions()
	options.Update, options.Logger = update, b.logger
	store, err := b.photos()
	if err == nil && store.PhotoAddresser == nil {
		options.Photos, options.PhotoSigner = photos, signer
	}
	return options, err
}

func serveAPI(config Config, b *backends, handler *httpapi.Server, lifecycle fx.Lifecycle, shutdown fx.Shutdowner) error {
	page := httpapi.UpdatePath
	if config.Pages == "on" {
		page = httpapi.PagePath
	}
	api := server{"the API is served", page, "FLEETPHOTO_ADDR", config.Addr, httpapi.HTTPServer(handler, handler.TrustedProxies, b.logger), nil}
	if config.TLSCert != "" {
		certificate, err := newCertificate(config, b.logger)
		if err != nil {
			return err
		}
		api.tls = certificate.tlsConfig()
		appendJob(lifecycle, lookEvery, func(context.Context) { certificate.look() })
	} else if !isLoopback(config.Addr) {
		lifecycle.Append(fx.StartHook(func() {
			b.logger.Info("calls come without TLS: have a proxy terminate it in front of this server, or set " + tlsCertVariable)
		}))
	}
	appendServer(api, b.logger, lifecycle, shutdown)
	return nil
}

func serveAdmin(config Config, b *backends, readiness *usecase.Readiness, watcher *telemetry.Telemetry, lifecycle fx.Lifecycle, shutdown fx.Shutdowner) {
	admin := httpapi.NewAdmin(readiness, watcher.Metrics(), b.logger)
	appendServer(server{"health and metrics are served", httpapi.ReadyPath, "FLEETPHOTO_ADMIN_ADDR", config.AdminAddr, httpapi.AdminServer(admin, b.logger), nil}, b.logger, lifecycle, shutdown)
}

type server struct {
	says     string // when it listens
	page     string // path of the page to open first
	variable string
	addr     string
	http     *http.Server
	tls      *tls.Config // nil: plain HTTP
}

// serve serves until the server is stopped.
func (s server) serve(listener net.Listener) error {
	listener = httpapi.Listen(listener)
	if s.tls == nil {
		return s.http.Serve(listener)
	}
	s.http.TLSConfig = s.tls
	return s.http.ServeTLS(listener, "", "")
}

// url returns the page's address for a browser on this machine.
func (s server) url(listener net.Listener) string {
	scheme := "http"
	if s.tls != nil {
		scheme = "https"
	}
	host, _, _ := net.SplitHostPort(localHost(s.addr)) // validate has checked it
	_, port, _ := net.SplitHostPort(listener.Addr().String())
	return scheme + "://" + net.JoinHostPort(host, port) + s.page
}

// appendServer binds the address on start, which fails if the port is in use. On
// stop it finishes running calls.
func appendServer(s server, logger *slog.Logger, lifecycle fx.Lifecycle, shutdown fx.Shutdowner) {
	lifecycle.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
			if errors.Is(err, syscall.EADDRINUSE) {
				return settingError(s.variable, fmt.Errorf("the address %s is in use by another process; stop that one or choose another", s.addr))
			}
			if err != nil {
				return settingError(s.variable, err)
			}
			logger.Info(s.says, slog.String("url", s.url(listener)), slog.String("address", listener.Addr().String()), slog.String("setting", s.variable))
			go func() {
				if err := s.serve(listener); !errors.Is(err, http.ErrServerClosed) {
					logger.Error("the server stopped by itself", slog.String("cause", err.Error()))
					_ = shutdown.Shutdown(fx.ExitCode(1)) // fails only if it was called before
				}
			}()
			return nil
		},
		OnStop: s.http.Shutdown,
	})
}

// cleanUpRegularly settles interrupted calls at start and every few minutes, and
// sweeps the photo store every hour.
func cleanUpRegularly(repair *usecase.Repair, b *backends, lifecycle fx.Lifecycle) error {
	photos, err := b.photos()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(context.Background())
	var jobs sync.WaitGroup
	lifecycle.Append(fx.StartStopHook(
		func() {
			if !b.config.readOnly() {
				jobs.Go(func() { every(ctx, usecase.RepairEvery, func() { repairOnce(ctx, repair, b.logger) }) })
			}
			if photos.Sweep != nil {
				jobs.Go(func() { every(ctx, sweepEvery, func() { sweepOnce(ctx, photos.Sweep, b.logger) }) })
			}
		},
		func(ctx context.Context) {
			cancel()
			jobs.Wait()
			ctx, cancel := context.WithTimeout(ctx, closeTimeout)
			defer cancel()
			repair.Changes.Wait(ctx)
		},
	))
	return nil
}

// pruneRegularly prunes the log if configured.
func pruneRegularly(config Config, b *backends, lifecycle fx.Lifecycle) error {
	if config.LogRetention == 0 || config.readOnly() {
		return nil
	}
	backend, err := b.log()
	if err != nil {
		return err
	}
	log, err := offered(backend, func(b Backend) ports.ApiLogArchive { return b.ApiLogArchive })
	if err != nil {
		return err
	}
	prune := &operator.PruneLog{Log: log, Clock: time.Now, Batch: pruneBatch}
	appendJob(lifecycle, pruneEvery, func(ctx context.Context) { pruneOnce(ctx, prune, time.Duration(config.LogRetention), b.logger) })
	return nil
}

// appendJob runs job from start to stop, once an interval.
func appendJob(lifecycle fx.Lifecycle, interval time.Duration, job func(context.Context)) {
	ctx, cancel := context.WithCancel(context.Background())
	var jobs sync.WaitGroup
	lifecycle.Append(fx.StartStopHook(
		func() { jobs.Go(func() { every(ctx, interval, func() { job(ctx) }) }) },
		func() { cancel(); jobs.Wait() },
	))
}

func pruneOnce(ctx context.Context, prune *operator.PruneLog, age time.Duration, logger *slog.Logger) {
	removed, err := prune.Daily(ctx, age)
	if removed > 0 {
		logger.Info("removed old calls from the API log", slog.Int("removed", removed))
	}
	if err != nil && ctx.Err() == nil {
		logger.Warn("old calls could not be removed from the API log", slog.String("cause", err.Error()))
	}
}

// every runs job at once and then once an interval, until ctx ends.
func every(ctx context.Context, interval time.Duration, job func()) {
	ticker := time.NewTicker(interval)
	defer ticker.Stop()
	for {
		job()
		select {
		case <-ticker.C:
		case <-ctx.Done():
			return
		}
	}
}

func sweepOnce(ctx context.Context, sweep func(context.Context) error, logger *slog.Logger) {
	if err := sweep(ctx); err != nil && ctx.Err() == nil {
		logger.Warn("the photo store could not be swept", slog.String("cause", err.Error()))
	}
}

func repairOnce(ctx context.Context, repair *usecase.Repair, logger *slog.Logger) {
	report, err := repair.Do(ctx)
	if report != (usecase.RepairReport{}) {
		logger.Info("settled interrupted calls", slog.Int("done", report.Done), slog.Int("interrupted", report.Interrupted),
			slog.Int("looked_at", report.LookedAt), slog.Int("corrected", report.Corrected), slog.Int("deleted", report.Deleted))
	}
	if err != nil && ctx.Err() == nil {
		logger.Warn("some interrupted calls could not be settled yet", slog.String("cause", err.Error()))
	}
}

// sayWhatIsServed logs the version and the backends.
func sayWhatIsServed(b *backends, lifecycle fx.Lifecycle) error {
	fleets, fleetsErr := b.fleets()
	customers, customersErr := b.customers()
	log, logErr := b.log()
	photos, photosErr := b.photos()
	lifecycle.Append(fx.StartHook(func() {
		on := []any{slog.String("version", version()), slog.String("database", customers.name())}
		if fleets != customers {
			on = append(on, slog.String("fleets", fleets.name()))
		}
		if log != customers {
			on = append(on, slog.String("api_log", log.name()))
		}
		b.logger.Info("fleetphoto starts", append(on, slog.String("photo_store", photos.name()), slog.String("memory_limit", size(debug.SetMemoryLimit(-1))))...)
		if b.config.readOnly() {
			b.logger.Warn(readOnlyVariable + " is on: calls get 503, photos are served, and this server changes nothing in the database")
		}
		if photos.PhotoAddresser == nil && b.config.PhotoURL == "public" && !photos.Ephemeral {
			b.logger.Info("photos are public: anyone who guesses a fleet's and a customer's number can see one; FLEETPHOTO_PHOTO_URL=signed prevents that")
		}
	}))
	return cmp.Or(fleetsErr, customersErr, logErr, photosErr)
}

// sayWhatIsMissing logs what a new operator has to do first.
func sayWhatIsMissing(b *backends, lifecycle fx.Lifecycle) error {
	backend, err := b.fleets()
	if err != nil || backend.FleetDirectory == nil {
		return err
	}
	lifecycle.Append(fx.StartHook(func(ctx context.Context) error {
		fleets, err := backend.FleetDirectory.Fleets(ctx)
		if err == nil && len(fleets) == 0 {
			b.logger.Warn("there is no fleet yet, so every call is refused; add one with: fleetphoto fleet add 689")
		}
		return err
	}))
	return nil
}
