package telemetry

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"os"
	"strings"

	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
)

// The variables of OpenTelemetry that this package reads. The SDK reads the
// others: headers, certificates, sampler, batches, limits, resource.
const (
	disabledVariable       = "OTEL_SDK_DISABLED"
	exporterVariable       = "OTEL_TRACES_EXPORTER"
	endpointVariable       = "OTEL_EXPORTER_OTLP_ENDPOINT"
	tracesEndpointVariable = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"
	protocolVariable       = "OTEL_EXPORTER_OTLP_PROTOCOL"
	tracesProtocolVariable = "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL"
)

// newExporter returns the exporter of the traces. It is nil unless a variable
// names an endpoint or chooses the default one.
func newExporter(ctx context.Context) (sdktrace.SpanExporter, error) {
	wanted, err := wantsTraces()
	if err != nil || !wanted {
		return nil, err
	}
	variable, protocol := first(tracesProtocolVariable, protocolVariable)
	switch cmp.Or(protocol, "http/protobuf") {
	case "http/protobuf":
		return otlptracehttp.New(ctx)
	case "grpc":
		return otlptracegrpc.New(ctx)
	default:
		return nil, fmt.Errorf("%s: want http/protobuf or grpc, got %q", variable, protocol)
	}
}

func wantsTraces() (bool, error) {
	exporter := os.Getenv(exporterVariable)
	if exporter == "none" || strings.EqualFold(os.Getenv(disabledVariable), "true") {
		return false, nil
	}
	if exporter != "" && exporter != "otlp" {
		return false, fmt.Errorf("%s: want otlp or none, got %q", exporterVariable, exporter)
	}
	variable, endpoint := first(tracesEndpointVariable, endpointVariable)
	if endpoint == "" {
		return exporter != "", nil
	}
	// The SDK would use the default endpoint instead. The error doesn't repeat the
	// value, which may hold a password.
	if u, err := url.Parse(endpoint); err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return false, fmt.Errorf("%s: want a URL such as http://localhost:4318", variable)
	}
	return true, nil
}

// first returns the first of the variables that is set, and its value.
func first(variables ...string) (variable, value string) {
	for _, variable := range variables {
		if value := os.Getenv(variable); value != "" {
			return variable, value
		}
	}
	return "", ""
}
