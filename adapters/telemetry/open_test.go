package telemetry

import (
	"log/slog"
	"strings"
	"testing"

	"go.opentelemetry.io/otel"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
)

// unset takes this machine's variables of OpenTelemetry away.
func unset(t *testing.T) {
	for _, variable := range []string{disabledVariable, exporterVariable, endpointVariable, tracesEndpointVariable, protocolVariable, tracesProtocolVariable} {
		t.Setenv(variable, "")
	}
}

// TestTracesAreOffUnlessSet: then there is no provider either, so that no
// library makes spans.
func TestTracesAreOffUnlessSet(t *testing.T) {
	unset(t)
	before := otel.GetTracerProvider()
	watcher, err := Open(t.Context(), Options{Log: memory.New().ApiLog, Logger: slog.New(slog.DiscardHandler)})
	check(t, err)
	if watcher.traces != nil || otel.GetTracerProvider() != before {
		t.Error("there are traces")
	}
	check(t, watcher.Close(t.Context()))
	f := newFixture(t, nil)
	f.post(t, call(t, testKey, testPhone, testPIN, "delete"), "Traceparent", "00-"+callerTrace+"-"+callerSpan+"-01")
	entry, err := f.backend.ApiLog.Entry(t.Context(), 1)
	check(t, err)
	if entry.Call.Details.TraceID != "" || strings.Contains(f.log.String(), "trace_id") {
		t.Errorf("got %+v and %s", entry.Call.Details, f.log)
	}
}

func TestVariables(t *testing.T) {
	const here = "http://127.0.0.1:4318"
	for _, test := range []struct {
		name   string
		set    map[string]string
		traces bool
		wrong  string
	}{
		{"nothing", nil, false, ""},
		{"endpoint", map[string]string{endpointVariable: here}, true, ""},
		{"endpoint of traces", map[string]string{tracesEndpointVariable: here + "/v1/traces"}, true, ""},
		{"exporter", map[string]string{exporterVariable: "otlp"}, true, ""},
		{"gRPC", map[string]string{endpointVariable: here, protocolVariable: "grpc"}, true, ""},
		{"the traces' own protocol", map[string]string{endpointVariable: here, protocolVariable: "x", tracesProtocolVariable: "http/protobuf"}, true, ""},
		{"none", map[string]string{endpointVariable: here, exporterVariable: "none"}, false, ""},
		{"disabled", map[string]string{endpointVariable: here, disabledVariable: "TRUE"}, false, ""},
		{"an unknown exporter", map[string]string{exporterVariable: "zipkin"}, false, `OTEL_TRACES_EXPORTER: want otlp or none, got "zipkin"`},
		{"an unknown protocol", map[string]string{endpointVariable: here, protocolVariable: "http/json"}, false, `OTEL_EXPORTER_OTLP_PROTOCOL: want http/protobuf or grpc, got "http/json"`},
		{"no URL", map[string]string{endpointVariable: "user:secret@collector"}, false, "OTEL_EXPORTER_OTLP_ENDPOINT: want a URL such as http://localhost:4318"},
	} {
		t.Run(test.name, func(t *testing.T) {
			unset(t)
			for variable, value := range test.set {
				t.Setenv(variable, value)
			}
			exporter, err := newExporter(t.Context())
			if exporter != nil {
				check(t, exporter.Shutdown(t.Context()))
			}
			if got := exporter != nil; got != test.traces || (err != nil) != (test.wrong != "") || err != nil && err.Error() != test.wrong {
				t.Errorf("got traces: %v and %v, want %v and %q", got, err, test.traces, test.wrong)
			}
		})
	}
}
