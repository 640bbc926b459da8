package telemetry

import (
	"cmp"
	"context"
	"net/http"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/propagation"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	service = "fleetphoto" // unless OTEL_SERVICE_NAME is set
	scope   = "github.com/fleetphoto/fleetphoto"
)

// traces makes the spans of requests and stages. No attribute holds a query, a
// path that isn't a route, a key, a PIN, a phone number or the text of an
// error: the log has the causes, under the same trace id.
type traces struct {
	provider *sdktrace.TracerProvider
	tracer   trace.Tracer
}

func newTraces(ctx context.Context, exporter sdktrace.SpanExporter, version string) (*traces, error) {
	about, err := resource.New(ctx, resource.WithTelemetrySDK(),
		resource.WithAttributes(semconv.ServiceName(service), semconv.ServiceVersion(version)), resource.WithFromEnv())
	if err != nil {
		return nil, err
	}
	batches := &together{SpanProcessor: sdktrace.NewBatchSpanProcessor(exporter)}
	provider := sdktrace.NewTracerProvider(sdktrace.WithSpanProcessor(batches), sdktrace.WithResource(about))
	return &traces{provider: provider, tracer: provider.Tracer(scope, trace.WithInstrumentationVersion(version))}, nil
}

// request begins the span of a request, in the trace that its header
// traceparent names, if any. It reads no other header: a caller's text, such as
// tracestate and baggage, must not go out with the spans.
func (t *traces) request(ctx context.Context, r *http.Request) (context.Context, func(Exchange)) {
	ctx = propagation.TraceContext{}.Extract(ctx, propagation.MapCarrier{"traceparent": r.Header.Get("Traceparent")})
	method := knownMethod(r.Method)
	ctx, span := t.tracer.Start(ctx, cmp.Or(method, "HTTP"), trace.WithSpanKind(trace.SpanKindServer))
	return ctx, func(e Exchange) {
		defer span.End()
		if !span.IsRecording() {
			return
		}
		span.SetName(cmp.Or(method, "HTTP") + " " + e.Route)
		span.SetAttributes(semconv.HTTPRequestMethodKey.String(cmp.Or(method, "_OTHER")), semconv.HTTPRoute(e.Route), semconv.HTTPResponseStatusCode(e.Status))
		if e.IsCall {
			span.SetAttributes(callAttributes(e)...)
		}
		fail(span, e.Err)
	}
}

func callAttributes(e Exchange) []attribute.KeyValue {
	call := e.Answer.Call
	return []attribute.KeyValue{
		attribute.Int64("fleetphoto.api_log_id", int64(e.Answer.ApiLogID)),
		attribute.Int64("fleetphoto.fleet", int64(call.Fleet)),
		attribute.String("fleetphoto.operation", string(call.Operation)),
		attribute.Int64("fleetphoto.body_bytes", call.Details.BodyBytes),
		attribute.String("fleetphoto.format", call.Details.Format),
		attribute.String("fleetphoto.treatment", string(call.Details.Treatment)),
	}
}

// knownMethod returns the method if it is a usual one of HTTP; any other may
// hold any text.
func knownMethod(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	}
	return ""
}

// stage begins the span of a stage, if the request's span is recorded.
func (t *traces) stage(ctx context.Context, s stage) (context.Context, func(error)) {
	if !trace.SpanFromContext(ctx).IsRecording() {
		return ctx, func(error) {}
	}
	ctx, span := t.tracer.Start(ctx, s.String())
	return ctx, func(err error) {
		fail(span, err)
		span.End()
	}
}

// fail records the Kind of err. By the conventions of OpenTelemetry, a caller's
// mistake is no error of the service.
func fail(span trace.Span, err error) {
	if err == nil {
		return
	}
	kind := domain.AsError(err).Kind
	span.SetAttributes(semconv.ErrorTypeKey.String(string(kind)))
	if kind == domain.Unavailable || kind == domain.Internal {
		span.SetStatus(codes.Error, string(kind))
	}
}
