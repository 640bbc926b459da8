package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"testing"

	collectorpb "go.opentelemetry.io/proto/otlp/collector/trace/v1"
	tracepb "go.opentelemetry.io/proto/otlp/trace/v1"
	"google.golang.org/protobuf/proto"
)

// collector takes traces by OTLP over HTTP.
type collector struct {
	*httptest.Server
	mutex   sync.Mutex
	service string
	spans   []*tracepb.Span
}

func newCollector(t *testing.T) *collector {
	c := &collector{}
	c.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		var export collectorpb.ExportTraceServiceRequest
		if err != nil || r.URL.Path != "/v1/traces" || proto.Unmarshal(body, &export) != nil {
			http.Error(w, "not OTLP", http.StatusBadRequest)
			return
		}
		c.add(&export)
		w.Header().Set("Content-Type", "application/x-protobuf")
	}))
	t.Cleanup(c.Close)
	return c
}

func (c *collector) add(export *collectorpb.ExportTraceServiceRequest) {
	c.mutex.Lock()
	defer c.mutex.Unlock()
	for _, resource := range export.ResourceSpans {
		for _, attribute := range resource.Resource.Attributes {
			if attribute.Key == "service.name" {
				c.service = attribute.Value.GetStringValue()
			}
		}
		for _, scope := range resource.ScopeSpans {
			c.spans = append(c.spans, scope.Spans...)
		}
	}
}

// below tells whether a span has a parent of this name.
func (c *collector) below(name, parent string) bool {
	return slices.ContainsFunc(c.spans, func(span *tracepb.Span) bool {
		return span.Name == name && slices.ContainsFunc(c.spans, func(above *tracepb.Span) bool {
			return above.Name == parent && bytes.Equal(above.SpanId, span.ParentSpanId)
		})
	})
}

// TestTracesAreSent over OTLP once a variable says where to: the request, its
// stages, and below them statements and the blob.
func TestTracesAreSent(t *testing.T) {
	t.Parallel()
	to := newCollector(t)
	directory := t.TempDir()
	form := newFleet(t, directory)
	server := serve(t, directory, "OTEL_EXPORTER_OTLP_ENDPOINT="+to.URL, "FLEETPHOTO_PHOTO_STORE_URL=mem://")
	a, err := postForm(server.api, withPhoto(form, base64.StdEncoding.EncodeToString(demoPhoto)))
	if err != nil || a.Result != "valid" {
		t.Fatalf("got %+v, %v", a, err)
	}
	fetch(t, server.admin+"/readyz")
	log := server.stop(t)
	const route = "POST /update_customer_photo.json"
	for name, parent := range map[string]string{
		"identify": route, "store_photo": route, "gocloud.dev/blob.NewWriter": "store_photo",
		"SELECT": "find", "INSERT": "open_entry", "UPDATE": route,
	} {
		if !to.below(name, parent) {
			t.Errorf("there is no span %s below %s", name, parent)
		}
	}
	all := fmt.Sprint(to.spans)
	if !strings.Contains(all, "INSERT INTO api_log") {
		t.Errorf("no span has the statement's text: %s", all)
	}
	line := requestLine(t, log, "request")
	for _, secret := range []string{form.Get("api_key"), form.Get("phone_number"), "1234\""} {
		if strings.Contains(all, secret) {
			t.Errorf("the spans hold %q", secret)
		}
	}
	for _, span := range to.spans {
		if len(span.ParentSpanId) == 0 && span.Name != route || fmt.Sprintf("%x", span.TraceId) != line["trace_id"] {
			t.Errorf("%s is in another trace than the one that the request's line names: %v", span.Name, line)
		}
	}
	if to.service != "fleetphoto" {
		t.Errorf("the service is called %q", to.service)
	}
}

// requestLine returns the first line with this message.
func requestLine(t *testing.T, log, message string) map[string]any {
	t.Helper()
	for text := range strings.Lines(log) {
		var line map[string]any
		if json.Unmarshal([]byte(text), &line) == nil && line["msg"] == message {
			return line
		}
	}
	t.Fatalf("no line says %q:\n%s", message, log)
	return nil
}

// TestCollectorIsDown: calls succeed, and the server says so and stops.
func TestCollectorIsDown(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	server := serve(t, directory, "OTEL_EXPORTER_OTLP_ENDPOINT=http://"+freeAddress(t))
	if a, err := postForm(server.api, withPhoto(form, "delete")); err != nil || a.Result != "valid" {
		t.Errorf("got %+v, %v", a, err)
	}
	if log := server.stop(t); !strings.Contains(log, "traces are lost") && !strings.Contains(log, "the last traces are lost") {
		t.Errorf("got %s", log)
	}
}

func TestUnusableTelemetry(t *testing.T) {
	t.Parallel()
	out, err := command(t, t.TempDir(), []string{"OTEL_EXPORTER_OTLP_ENDPOINT=collector:4317"}, "serve").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "OTEL_EXPORTER_OTLP_ENDPOINT: want a URL such as") {
		t.Errorf("got %v %s", err, out)
	}
}

// TestMetricsAreServed on the admin address alone.
func TestMetricsAreServed(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	server := serve(t, directory)
	if a, err := postForm(server.api, withPhoto(form, "delete")); err != nil || a.Result != "valid" {
		t.Errorf("got %+v, %v", a, err)
	}
	status, text := fetch(t, server.admin+"/metrics")
	for _, line := range []string{`fleetphoto_calls_total{error="",result="valid"} 1`, "fleetphoto_unfinished_entries 0", "fleetphoto_inflight_bytes 0"} {
		if !strings.Contains(string(text), "\n"+line+"\n") || status != http.StatusOK {
			t.Errorf("status %d, and %s is missing from\n%s", status, line, text)
		}
	}
	if status, _ := fetch(t, server.api+"/metrics"); status != http.StatusNotFound {
		t.Errorf("the API's address answers %d", status)
	}
}
