package postgres

import (
	"fmt"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fleetphoto/fleetphoto/domain"
)

// TestStatementsAreTraced within a traced call alone, without their values.
func TestStatementsAreTraced(t *testing.T) {
	rawURL := newURL(t)
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	db := started(t, rawURL)
	fleet := domain.Fleet{ID: 689, Name: "a secret name"}
	key := domain.FleetKey{Hash: domain.APIKeyHash{1}, Label: domain.FirstKey}
	must(t, db.FleetAuth().AddFleet(t.Context(), fleet, key))
	if got := exporter.GetSpans(); len(got) > 0 {
		t.Errorf("outside a traced call there are the spans %v", got)
	}

	ctx, call := provider.Tracer("test").Start(t.Context(), "call")
	_, err := db.FleetAuth().Authenticate(ctx, key.Hash)
	must(t, err)
	must(t, db.FleetAuth().SetFleet(ctx, fleet))
	call.End()
	found := map[string]bool{}
	for _, span := range exporter.GetSpans() {
		found[span.Name] = true
		if span.SpanContext.TraceID() != call.SpanContext().TraceID() {
			t.Errorf("%s is not below the call", span.Name)
		}
	}
	all := fmt.Sprint(exporter.GetSpans())
	if !found["SELECT"] || !found["UPDATE"] || !strings.Contains(all, "UPDATE fleets SET") || strings.Contains(all, "secret") {
		t.Errorf("got %v in %s", found, all)
	}
}

// TestConnections counts those that are taken.
func TestConnections(t *testing.T) {
	db := started(t, with(t, newURL(t), "pool_max_conns", "3"))
	conn, err := db.pool.Acquire(t.Context())
	must(t, err)
	defer conn.Release()
	if inUse, _, most := db.Connections(); inUse != 1 || most != 3 {
		t.Errorf("got %d of %d in use, want 1 of 3", inUse, most)
	}
}
