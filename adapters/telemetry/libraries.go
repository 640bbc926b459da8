package telemetry

import (
	"context"
	"slices"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/trace"
	"go.opentelemetry.io/otel/trace/noop"
)

// tracedLibraries returns the libraries whose spans are recorded. Cloud SDKs
// record too much, such as whole URLs with their queries.
func tracedLibraries() []string {
	return []string{"gocloud.dev/blob", "github.com/exaring/otelpgx", "github.com/fleetphoto/fleetphoto/adapters/sqlite"}
}

// libraries is the provider for the libraries below the adapters. It records
// spans only within a call: probes and repairs would fill the collector with
// traces of one span. It omits the texts of errors, which may contain signed
// URLs.
type libraries struct{ trace.TracerProvider }

// Tracer implements trace.TracerProvider.
func (l libraries) Tracer(name string, options ...trace.TracerOption) trace.Tracer {
	if !slices.Contains(tracedLibraries(), name) {
		return noop.NewTracerProvider().Tracer(name)
	}
	return libraryTracer{l.TracerProvider.Tracer(name, options...)}
}

type libraryTracer struct{ trace.Tracer }

// Start implements trace.Tracer.
func (t libraryTracer) Start(ctx context.Context, name string, options ...trace.SpanStartOption) (context.Context, trace.Span) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, noop.Span{}
	}
	ctx, span := t.Tracer.Start(ctx, name, options...)
	quiet := quietSpan{span}
	return trace.ContextWithSpan(ctx, quiet), quiet
}

// quietSpan keeps the texts of errors out of a span.
type quietSpan struct{ trace.Span }

// RecordError implements trace.Span.
func (quietSpan) RecordError(error, ...trace.EventOption) {}

// SetStatus implements trace.Span.
func (s quietSpan) SetStatus(code codes.Code, _ string) { s.Span.SetStatus(code, "") }

// SetAttributes implements trace.Span.
func (s quietSpan) SetAttributes(attributes ...attribute.KeyValue) {
	s.Span.SetAttributes(slices.DeleteFunc(slices.Clone(attributes), func(a attribute.KeyValue) bool { return a.Key == "gocdk_error" })...)
}
