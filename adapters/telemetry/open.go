// Package telemetry provides metrics for Prometheus and traces for
// OpenTelemetry.
//
// App and tests import it; it imports usecase, ports and domain. No other
// package imports the SDKs of the two. bench_test.go measures what they cost a
// call.
package telemetry

import (
	"context"
	"log/slog"
	"net/http"
	"time"

	"go.opentelemetry.io/otel"

	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// flushTimeout bounds how long Close waits for the collector.
const flushTimeout = 5 * time.Second

// Options describes what is watched.
type Options struct {
	Version, Commit string
	Log             ports.ApiLog    // its unfinished entries are counted
	Pools           map[string]Pool // by the setting that names the database
	Logger          *slog.Logger
}

// Pool returns how many connections of a pool are in use, are idle and are
// allowed.
type Pool func() (inUse, idle, most int)

// Telemetry watches requests and, by decorating the ports, the stages of calls.
// It is safe for concurrent use, and so are its decorators.
type Telemetry struct {
	metrics *metrics
	traces  *traces // nil: off
	clock   func() time.Time
}

// Exchange is an answered request.
type Exchange struct {
	Route  string // the pattern that matched
	Status int
	Took   time.Duration
	IsCall bool
	Answer usecase.Answer // of a call
	Err    error          // nil: success
}

// Open returns a Telemetry. It sends traces where the OTEL_ variables say, and
// makes none if they aren't set. It doesn't connect yet. Its error names the
// variable.
func Open(ctx context.Context, options Options) (*Telemetry, error) {
	exporter, err := newExporter(ctx)
	if err != nil {
		return nil, err
	}
	t := &Telemetry{metrics: newMetrics(options), clock: time.Now}
	if exporter == nil {
		return t, nil
	}
	if t.traces, err = newTraces(ctx, exporter, options.Version); err != nil {
		return nil, err
	}
	// gocloud.dev/blob and the tracers of the SQL adapters don't know this
	// package; they use the global provider. The SDK reports its own failures to
	// the global handler.
	otel.SetTracerProvider(libraries{TracerProvider: t.traces.provider})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		options.Logger.Warn("traces are lost", slog.String("cause", err.Error()))
	}))
	return t, nil
}

// Close sends the remaining traces, within a few seconds.
func (t *Telemetry) Close(ctx context.Context) error {
	if t.traces == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return t.traces.provider.Shutdown(ctx)
}

// Request begins a request, as part of its caller's trace if there is one. The
// request runs with the returned context and ends with the returned function.
// Stages that run with that context belong to the request.
func (t *Telemetry) Request(r *http.Request) (context.Context, func(Exchange)) {
	ctx, times := withTimes(r.Context())
	endSpan := func(Exchange) {}
	if t.traces != nil {
		ctx, endSpan = t.traces.request(ctx, r)
	}
	return ctx, func(e Exchange) {
		endSpan(e)
		t.metrics.exchange(e)
		times.each(t.metrics.stage)
	}
}

// Inflight adds a metric of the bytes of request bodies in memory, which held
// returns.
func (t *Telemetry) Inflight(held func() int64) { t.metrics.inflight(held) }

// Metrics returns a handler that answers with the metrics.
func (t *Telemetry) Metrics() http.Handler { return t.metrics.handler() }
