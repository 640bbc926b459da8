package telemetry

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"
	semconv "go.opentelemetry.io/otel/semconv/v1.40.0"
	"go.opentelemetry.io/otel/trace"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	route       = "POST /update_customer_photo.json"
	callerTrace = "4bf92f3577b34da6a3ce929d0e0e4736"
	callerSpan  = "00f067aa0ba902b7"
)

// TestSpansOfACall: one for the request, and below it one for each stage.
func TestSpansOfACall(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	f := newFixture(t, exporter)
	if answer := f.post(t, call(t, testKey, testPhone, testPIN, testPhoto(t, 1000))); answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
	spans := f.spans(t, exporter)
	want := []string{route}
	want = append(want, stageNames[:]...)
	slices.Sort(want)
	if got := slices.Sorted(maps.Keys(spans)); !slices.Equal(got, want) {
		t.Fatalf("got the spans %q, want %q", got, want)
	}
	server := spans[route]
	if server.SpanKind != trace.SpanKindServer || server.Parent.IsValid() {
		t.Errorf("got %v below %v, want a server's span below none", server.SpanKind, server.Parent)
	}
	for name, span := range spans {
		if name != route && span.Parent.SpanID() != server.SpanContext.SpanID() {
			t.Errorf("%s is not below the request", name)
		}
		if span.Status.Code != codes.Unset {
			t.Errorf("%s has the status %v", name, span.Status)
		}
	}
	attributes := fmt.Sprint(server.Attributes)
	for _, part := range []string{"/update_customer_photo.json", "200", "kept", "JPEG", "fleetphoto.api_log_id"} {
		if !strings.Contains(attributes, part) {
			t.Errorf("%s is missing from %s", part, attributes)
		}
	}
}

// TestTraceIsContinued by W3C Trace Context, and is named in the answer's log
// entry and line.
func TestTraceIsContinued(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	f := newFixture(t, exporter)
	f.post(t, call(t, testKey, testPhone, testPIN, "delete"), "Traceparent", "00-"+callerTrace+"-"+callerSpan+"-01", "Tracestate", "vendor="+testKey)
	server := f.spans(t, exporter)[route]
	if got := server.SpanContext.TraceID().String(); got != callerTrace || server.Parent.SpanID().String() != callerSpan {
		t.Errorf("got the trace %s below %s, want the caller's", got, server.Parent.SpanID())
	}
	for _, span := range exporter.GetSpans() {
		if state := span.SpanContext.TraceState().String() + span.Parent.TraceState().String(); state != "" {
			t.Errorf("%s passes the caller's tracestate %q on", span.Name, state)
		}
	}
	entry, err := f.backend.ApiLog.Entry(t.Context(), 1)
	check(t, err)
	if entry.Call.Details.TraceID != callerTrace {
		t.Errorf("the API log has the trace %q", entry.Call.Details.TraceID)
	}
	var line struct {
		TraceID string `json:"trace_id"`
	}
	check(t, json.Unmarshal(f.log.Bytes(), &line))
	if line.TraceID != callerTrace {
		t.Errorf("the request's line has the trace %q: %s", line.TraceID, f.log)
	}

	exporter.Reset()
	f.post(t, call(t, testKey, testPhone, testPIN, "delete"), "Traceparent", "00-"+callerTrace+"-"+callerSpan+"-00")
	if spans := f.spans(t, exporter); len(spans) > 0 {
		t.Errorf("a trace that its caller doesn't record got %d spans", len(spans))
	}
}

// TestFailuresInTraces: what a caller did wrong is told by its kind and is no
// error of the service.
func TestFailuresInTraces(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	f := newFixture(t, exporter)
	for range domain.MaxWrongPINs {
		f.post(t, call(t, testKey, testPhone, "1111", "delete"))
	}
	if span := f.spans(t, exporter)[route]; span.Status.Code != codes.Unset || !slices.Contains(span.Attributes, semconv.ErrorTypeKey.String("Invalid PIN")) {
		t.Errorf("a wrong PIN: got %v and %v", span.Status, span.Attributes)
	}
	exporter.Reset()
	f.post(t, call(t, testKey, testPhone, testPIN, "delete"))
	spans := f.spans(t, exporter)
	for _, name := range []string{route, "check_pin"} {
		if span := spans[name]; span.Status.Code != codes.Unset || !slices.Contains(span.Attributes, semconv.ErrorTypeKey.String("PIN Locked")) {
			t.Errorf("%s: got %v and %v", name, span.Status, span.Attributes)
		}
	}
	exporter.Reset()
	f.update.Changes.Photos = nil // a bug
	f.post(t, call(t, testKey, testPhone, "", "delete"))
	if span := f.spans(t, exporter)[route]; span.Status.Code != codes.Error || span.Status.Description != "Internal Error" {
		t.Errorf("a bug: got %v", span.Status)
	}
}

// TestNoSecretsInTraces: whatever came, nothing of it is in a span.
func TestNoSecretsInTraces(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	f := newFixture(t, exporter)
	photo := testPhoto(t, 1000)
	f.post(t, call(t, testKey, testPhone, testPIN, photo))
	f.post(t, call(t, testKey, testPhone, "975386420197", photo))
	f.post(t, call(t, testKey, "447700900999", testPIN, photo))
	f.post(t, call(t, "WRONGWRONGWRONGWRONGWRONG", testPhone, testPIN, photo))
	f.post(t, []byte(testKey))
	for _, path := range []string{"/" + testKey, "/?api_key=" + testKey, "/update_customer_photo.json?api_key=" + testKey, "/photos/" + testKey} {
		request := httptest.NewRequestWithContext(t.Context(), http.MethodGet, path, nil)
		request.Header.Set("User-Agent", testKey)
		f.ServeHTTP(httptest.NewRecorder(), request)
	}
	f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), testKey, "/", nil))
	check(t, f.traces.provider.ForceFlush(t.Context()))
	all, err := json.Marshal(exporter.GetSpans())
	check(t, err)
	if len(exporter.GetSpans()) < 20 {
		t.Fatalf("want the spans of all, got %s", all)
	}
	for _, secret := range []string{testKey, "WRONG", testPhone, "447700900999", `"` + testPIN, "975386420197", photo[:40]} {
		if strings.Contains(string(all), secret) {
			t.Errorf("the spans hold %q:\n%s", secret, all)
		}
	}
}
