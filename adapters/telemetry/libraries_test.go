package telemetry

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/codes"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
)

// TestLibraries: the known ones make spans within a call, without the texts of
// errors; everything else makes none.
func TestLibraries(t *testing.T) {
	t.Parallel()
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	through := libraries{TracerProvider: provider}
	known := through.Tracer(tracedLibraries()[0])
	_, alone := known.Start(context.Background(), "a probe's")
	alone.End()

	ctx, call := provider.Tracer(scope).Start(context.Background(), "call")
	_, other := through.Tracer("some SDK").Start(ctx, "GET https://example.com/?sig=secret")
	other.End()
	below, span := known.Start(ctx, "Upload")
	_, deeper := known.Start(below, "NewWriter")
	deeper.End()
	span.RecordError(errors.New("sig=secret"))
	span.SetStatus(codes.Error, "sig=secret")
	span.SetAttributes(attribute.String("gocdk_error", "sig=secret"), attribute.String("gocdk_status", "Unknown"))
	span.End()
	call.End()

	spans := exporter.GetSpans()
	if len(spans) != 3 || spans[0].Name != "NewWriter" || spans[1].Name != "Upload" {
		t.Fatalf("got %v", spans)
	}
	if spans[0].Parent.SpanID() != spans[1].SpanContext.SpanID() || spans[1].Parent.SpanID() != spans[2].SpanContext.SpanID() {
		t.Error("they are not one below the other")
	}
	if got := fmt.Sprint(spans); strings.Contains(got, "secret") || spans[1].Status.Code != codes.Error || !strings.Contains(got, "gocdk_status") {
		t.Errorf("got %s", got)
	}
}
