// Package telemetry shows how the service does: metrics for Prometheus, traces
// by OpenTelemetry.
//
// App and tests import it; it imports usecase, ports and domain. The SDKs of
// both are imported here alone. What a call costs by it is measured in bench_test.go.
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

// flushTimeout bounds how long a stop waits for a collector that doesn't answer.
const flushTimeout = 5 * time.Second

// Options says what is watched.
type Options struct {
	Version, Commit string
	Log             ports.ApiLog    // whose unfinished entries are counted
	Pools           map[string]Pool // by the setting that names the database
	Logger          *slog.Logger
}

// Pool tells how many connections of a pool are in use, idle and allowed.
type Pool func() (inUse, idle, most int)

// Telemetry watches requests, and the stages of calls by decorating the ports.
// It is safe for concurrent use, and so are its decorators.
type Telemetry struct {
	metrics *metrics
	traces  *traces // nil: off
	clock   func() time.Time
}

// Exchange is a request that was answered.
type Exchange struct {
	Route  string // the pattern that matched
	Status int
	Took   time.Duration
	IsCall bool
	Answer usecase.Answer // of a call
	Err    error          // nil: nothing went wrong
}

// Open makes a Telemetry. Traces are sent where the variables OTEL_… say; where
// they say nothing, none are made. It connects to nothing yet. Its error is a
// sentence that names the variable.
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
	// gocloud.dev/blob, and the tracers of the SQL adapters, which know nothing
	// of this package, find the provider in this one place. So do the SDK's own
	// failures their log.
	otel.SetTracerProvider(libraries{TracerProvider: t.traces.provider})
	otel.SetErrorHandler(otel.ErrorHandlerFunc(func(err error) {
		options.Logger.Warn("traces are lost", slog.String("cause", err.Error()))
	}))
	return t, nil
}

// Close sends what is left of the traces, for a few seconds at most.
func (t *Telemetry) Close(ctx context.Context) error {
	if t.traces == nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, flushTimeout)
	defer cancel()
	return t.traces.provider.Shutdown(ctx)
}

// Request begins a request, in the trace that its caller began, if any. The
// request runs with the context that Request returns, and ends with the
// function. The stages that are gone through with that context are the request's.
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

// Inflight has the metrics ask held for the bytes of request bodies.
func (t *Telemetry) Inflight(held func() int64) { t.metrics.inflight(held) }

// Metrics answers with the metrics.
func (t *Telemetry) Metrics() http.Handler { return t.metrics.handler() }
