package app

import (
	"context"
	"log/slog"
	"net/http"
	"strings"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/telemetry"
)

// openTelemetry opens what watches the server. It is closed after the servers,
// so that their last calls are told of.
func openTelemetry(b *backends, logger *slog.Logger, lifecycle fx.Lifecycle) (*telemetry.Telemetry, error) {
	pools := map[string]telemetry.Pool{}
	for _, opened := range b.opened {
		if opened.Pool != nil {
			pools[opened.variable] = opened.Pool
		}
	}
	version, commit, _ := strings.Cut(version(), " ")
	watcher, err := telemetry.Open(context.Background(), telemetry.Options{
		Version: version, Commit: commit, Log: b.log, Pools: pools, Logger: logger,
	})
	if err != nil {
		return nil, err
	}
	lifecycle.Append(fx.StopHook(func(ctx context.Context) {
		if err := watcher.Close(ctx); err != nil {
			logger.Warn("the last traces are lost", slog.String("cause", err.Error()))
		}
	}))
	return watcher, nil
}

// watched makes the API's server, which watcher watches.
func watched(options httpapi.Options, watcher *telemetry.Telemetry) *httpapi.Server {
	update := *options.Update
	update.Fleets, update.Customers = watcher.FleetAuth(update.Fleets), watcher.CustomerRepo(update.Customers)
	update.Photos, update.Log = watcher.PhotoStore(update.Photos), watcher.ApiLog(update.Log)
	update.Reader = watcher.Reader(update.Reader)
	options.Update, options.Logger, options.Receive = &update, watcher.Logger(options.Logger), watcher.Receive
	options.Observe = func(r *http.Request) (context.Context, func(httpapi.Exchange)) {
		ctx, end := watcher.Request(r)
		return ctx, func(e httpapi.Exchange) { end(telemetry.Exchange(e)) }
	}
	server := httpapi.New(options)
	watcher.Inflight(server.InflightBytes)
	return server
}
