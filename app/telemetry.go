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

// Telemetry decorates the ports and the API's requests to observe them, in the
// module that includes it and in those below.
var Telemetry = fx.Options(
	fx.Provide(openTelemetry),
	fx.Decorate(
		(*telemetry.Telemetry).FleetAuth, (*telemetry.Telemetry).CustomerRepo, (*telemetry.Telemetry).ChangeRecorder, (*telemetry.Telemetry).PhotoStore, (*telemetry.Telemetry).ApiLog,
		(*telemetry.Telemetry).Reader, watchRequests,
	),
	fx.Invoke(func(watcher *telemetry.Telemetry, server *httpapi.Server) { watcher.Inflight(server.InflightBytes) }),
)

// openTelemetry opens telemetry. It is closed after the servers, so it includes
// their last calls.
func openTelemetry(b *backends, lifecycle fx.Lifecycle) (*telemetry.Telemetry, error) {
	log, logErr := b.log()
	fleets, fleetsErr := b.fleets()
	customers, customersErr := b.customers()
	if err := firstOf(fleetsErr, customersErr, logErr); err != nil {
		return nil, err
	}
	pools := map[string]telemetry.Pool{}
	for _, o := range []*opened{fleets, customers, log} {
		if o.Pool != nil {
			pools[o.variable] = o.Pool
		}
	}
	version, commit, _ := strings.Cut(version(), " ")
	watcher, err := telemetry.Open(context.Background(), telemetry.Options{
		Version: version, Commit: commit, Log: log.ApiLog, Pools: pools, Logger: b.logger,
	})
	if err != nil {
		return nil, err
	}
	lifecycle.Append(fx.StopHook(func(ctx context.Context) {
		if err := watcher.Close(ctx); err != nil {
			b.logger.Warn("the last traces are lost", slog.String("cause", err.Error()))
		}
	}))
	return watcher, nil
}

// watchRequests observes the API's requests.
func watchRequests(options httpapi.Options, watcher *telemetry.Telemetry) httpapi.Options {
	options.Logger, options.Receive = watcher.Logger(options.Logger), watcher.Receive
	options.Observe = func(r *http.Request) (context.Context, func(httpapi.Exchange)) {
		ctx, end := watcher.Request(r)
		return ctx, func(e httpapi.Exchange) { end(telemetry.Exchange(e)) }
	}
	return options
}
