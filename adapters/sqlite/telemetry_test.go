package sqlite

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
	exporter := tracetest.NewInMemoryExporter()
	provider := sdktrace.NewTracerProvider(sdktrace.WithSyncer(exporter))
	before := otel.GetTracerProvider()
	otel.SetTracerProvider(provider)
	t.Cleanup(func() { otel.SetTracerProvider(before) })
	db := started(t, newURL(t))
	fleet := domain.Fleet{ID: 689, Name: "a secret name"}
	key := domain.FleetKey{Hash: domain.APIKeyHash{1}, Label: domain.FirstKey}
	if err := db.FleetAuth().AddFleet(t.Context(), fleet, key); err != nil {
		t.Fatal(err)
	}
	if _, err := db.FleetAuth().Authenticate(t.Context(), key.Hash); err != nil { // is prepared from then on
		t.Fatal(err)
	}
	if got := exporter.GetSpans(); len(got) > 0 {
		t.Errorf("outside a traced call there are the spans %v", got)
	}

	ctx, call := provider.Tracer("test").Start(t.Context(), "call")
	if _, err := db.FleetAuth().Authenticate(ctx, key.Hash); err != nil {
		t.Fatal(err)
	}
	if err := db.FleetAuth().SetFleet(ctx, fleet); err != nil {
		t.Fatal(err)
	}
	call.End()
	found := map[string]bool{}
	for _, span := range exporter.GetSpans() {
		found[span.Name] = true
		if span.Name != "call" && span.Parent.SpanID() != call.SpanContext().SpanID() {
			t.Errorf("%s is not below the call", span.Name)
		}
	}
	all := fmt.Sprint(exporter.GetSpans())
	if !found["SELECT"] || !found["BEGIN"] || !found["UPDATE"] || !found["COMMIT"] || !strings.Contains(all, "UPDATE fleets SET") || strings.Contains(all, "secret") {
		t.Errorf("got %v in %s", found, all)
	}
}
