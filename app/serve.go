package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/telemetry"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// How often open entries are looked for, and what killed processes left. Any
// number of replicas may do so at once.
const (
	repairEvery = 3 * time.Minute
	sweepEvery  = time.Hour
)

// serveAPI serves the API from start to stop. It serves the photos too where
// their store has no address of its own.
func serveAPI(config *Config, b *backends, update *usecase.UpdateCustomerPhoto, watcher *telemetry.Telemetry, logger *slog.Logger, lifecycle fx.Lifecycle, shutdown fx.Shutdowner) error {
	origins, err := config.corsOrigins()
	if err != nil {
		return err
	}
	options := httpapi.Options{
		Update: update, MaxInflightBytes: int64(config.MaxInflight), FailureStatus: config.failureStatus(),
		Pages: config.Pages == "on", Prefill: config.Prefill, CORSOrigins: origins, Logger: logger,
	}
	if !b.ownAddress {
		options.Photos = b.photos
	}
	appendServer(server{"FLEETPHOTO_ADDR", config.Addr, watched(options, watcher)}, logger, lifecycle, shutdown)
	return nil
}

func serveAdmin(config *Config, readiness *usecase.Readiness, watcher *telemetry.Telemetry, logger *slog.Logger, lifecycle fx.Lifecycle, shutdown fx.Shutdowner) {
	admin := httpapi.NewAdmin(readiness, watcher.Metrics(), logger)
	appendServer(server{"FLEETPHOTO_ADMIN_ADDR", config.AdminAddr, admin}, logger, lifecycle, shutdown)
}

type server struct {
	variable string
	addr     string
	handler  http.Handler
}

// appendServer binds the address on start, so that a port in use stops the
// start, and finishes the calls that run on stop.
func appendServer(s server, logger *slog.Logger, lifecycle fx.Lifecycle, shutdown fx.Shutdowner) {
	running := httpapi.HTTPServer(s.handler, logger)
	lifecycle.Append(fx.Hook{
		OnStart: func(ctx context.Context) error {
			listener, err := new(net.ListenConfig).Listen(ctx, "tcp", s.addr)
			if errors.Is(err, syscall.EADDRINUSE) {
				return settingError(s.variable, fmt.Errorf("the address %s is in use by another process; stop that one or choose another", s.addr))
			}
			if err != nil {
				return settingError(s.variable, err)
			}
			logger.Info("listening", slog.String("address", listener.Addr().String()), slog.String("setting", s.variable))
			go func() {
				if err := running.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
					logger.Error("the server stopped by itself", slog.String("cause", err.Error()))
					_ = shutdown.Shutdown(fx.ExitCode(1)) // fails only when it is under way already
				}
			}()
			return nil
		},
		OnStop: running.Shutdown,
	})
}

// cleanUpRegularly settles what was cut off, at start and every few minutes,
// and has the photo store swept every hour.
func cleanUpRegularly(repair *usecase.Repair, b *backends, logger *slog.Logger, lifecycle fx.Lifecycle) {
	ctx, cancel := context.WithCancel(context.Background())
	var jobs sync.WaitGroup
	lifecycle.Append(fx.StartStopHook(
		func() {
			jobs.Go(func() { every(ctx, repairEvery, func() { repairOnce(ctx, repair, logger) }) })
			if b.sweep != nil {
				jobs.Go(func() { every(ctx, sweepEvery, func() { sweepOnce(ctx, b, logger) }) })
			}
		},
		func() { cancel(); jobs.Wait() },
	))
}

// every does job now and then again and again, until ctx ends.
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

func sweepOnce(ctx context.Context, b *backends, logger *slog.Logger) {
	if err := b.sweep(ctx); err != nil && ctx.Err() == nil {
		logger.Warn("the photo store could not be swept", slog.String("cause", err.Error()))
	}
}

func repairOnce(ctx context.Context, repair *usecase.Repair, logger *slog.Logger) {
	report, err := repair.Do(ctx)
	if report.Settled() > 0 {
		logger.Info("settled calls that were cut off", slog.Int("done", report.Done),
			slog.Int("interrupted", report.Interrupted), slog.Int("corrected", report.Corrected))
	}
	if err != nil && ctx.Err() == nil {
		logger.Warn("some calls that were cut off could not be settled yet", slog.String("cause", err.Error()))
	}
}

// sayWhatIsMissing tells a new operator what to do first.
func sayWhatIsMissing(b *backends, logger *slog.Logger, lifecycle fx.Lifecycle) {
	lifecycle.Append(fx.StartHook(func(ctx context.Context) error {
		fleets, err := b.directory.fleets.Fleets(ctx)
		if err == nil && len(fleets) == 0 {
			logger.Warn("there is no fleet yet, so every call is refused; add one with: fleetphoto fleet add 689")
		}
		return err
	}))
}
