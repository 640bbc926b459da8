package telemetry

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

const (
	testKey   = "TEST1TEST1TEST1TEST1TEST1"
	testPhone = "447700900123"
	testPIN   = "864297531086"
)

var testCustomer = domain.CustomerRef{Fleet: 689, Customer: 452733}

// fixture is a server over memory, with one fleet and one customer, and what
// watches it, if anything does.
type fixture struct {
	*httpapi.Server
	*Telemetry
	backend *memory.Backend
	update  *usecase.UpdateCustomerPhoto
	log     *bytes.Buffer
}

// newFixture makes a fixture of which exporter gets the spans; nil: there are none.
func newFixture(t testing.TB, exporter sdktrace.SpanExporter) *fixture {
	t.Helper()
	backend := memory.New()
	f := newUnwatched(t, backend)
	f.Telemetry = &Telemetry{clock: time.Now, metrics: newMetrics(Options{Version: "v1.2.3", Commit: "abc", Log: backend.ApiLog, Pools: map[string]Pool{
		"FLEETPHOTO_DATABASE_URL": func() (int, int, int) { return 3, 4, 20 },
	}, Logger: slog.New(slog.DiscardHandler)})}
	if exporter != nil {
		var err error
		f.traces, err = newTraces(t.Context(), exporter, "v1.2.3")
		check(t, err)
		t.Cleanup(func() { _ = f.Close(context.Background()) })
	}
	f.update.Fleets, f.update.Reader = f.FleetAuth(f.update.Fleets), f.Reader(f.update.Reader)
	changes := f.update.Changes
	changes.Customers, changes.Photos, changes.Log = f.CustomerRepo(changes.Customers), f.PhotoStore(changes.Photos), f.ApiLog(changes.Log)
	f.Server = httpapi.New(httpapi.Options{
		Update: f.update, Photos: backend.PhotoStore, MaxInflightBytes: 64 << 20, Receive: f.Receive,
		Logger: f.Logger(slog.New(slog.NewJSONHandler(f.log, nil))),
		Observe: func(r *http.Request) (context.Context, func(httpapi.Exchange)) {
			ctx, end := f.Request(r)
			return ctx, func(e httpapi.Exchange) { end(Exchange(e)) }
		},
	})
	f.Inflight(f.InflightBytes)
	return f
}

func newUnwatched(t testing.TB, backend *memory.Backend) *fixture {
	t.Helper()
	pinKey, err := domain.NewPINKey(make([]byte, domain.MinPINKeyBytes))
	check(t, err)
	key, err := domain.ParseAPIKey(testKey)
	check(t, err)
	phone, err := domain.ParsePhoneNumber(testPhone)
	check(t, err)
	pin, err := domain.ParseNewPIN(testPIN)
	check(t, err)
	check(t, backend.FleetAuth.AddFleet(context.Background(), domain.Fleet{ID: 689}, domain.FleetKey{Hash: key.Hash(), Label: domain.FirstKey}))
	_, err = backend.CustomerRepo.ImportCustomers(context.Background(), []domain.CustomerImport{
		{Ref: testCustomer, Phone: phone, PIN: pinKey.Hash(testCustomer, pin)},
	})
	check(t, err)
	f := &fixture{backend: backend, log: &bytes.Buffer{}, update: &usecase.UpdateCustomerPhoto{
		Fleets:  backend.FleetAuth,
		Changes: &usecase.ChangePhoto{Customers: backend.CustomerRepo, Photos: backend.PhotoStore, Store: "memory", Log: backend.ApiLog, Clock: time.Now},
		PINKeys: domain.PINKeys{Current: pinKey}, Reader: photo.NewReader(photo.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20}, 2),
	}}
	f.Server = httpapi.New(httpapi.Options{
		Update: f.update, Photos: backend.PhotoStore, MaxInflightBytes: 64 << 20, Logger: slog.New(slog.NewJSONHandler(f.log, nil)),
	})
	return f
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// call is the parameters of a call as JSON, without those that are "".
func call(t testing.TB, key, phone, pin, photo string) []byte {
	t.Helper()
	parameters := map[string]string{}
	for name, value := range map[string]string{"api_key": key, "phone_number": phone, "customer_pin": pin, "photo_base64": photo} {
		if value != "" {
			parameters[name] = value
		}
	}
	body, err := json.Marshal(parameters)
	check(t, err)
	return body
}

// testPhoto is a JPEG of so many bytes, in Base64.
func testPhoto(t testing.TB, size int) string { return encodeJPEG(t, 20, 10, size) }

func encodeJPEG(t testing.TB, width, height, size int) string {
	t.Helper()
	var out bytes.Buffer
	check(t, jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, width, height)), nil))
	padded := append(out.Bytes(), make([]byte, max(0, size-out.Len()))...)
	return base64.StdEncoding.EncodeToString(padded)
}

// post sends a call with more headers, each after its name.
func (f *fixture) post(t testing.TB, body []byte, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, httpapi.UpdatePath, bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	for i := 0; i < len(headers); i += 2 {
		request.Header.Set(headers[i], headers[i+1])
	}
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, request)
	return recorder
}

// spans returns the spans that have ended, by their names.
func (f *fixture) spans(t testing.TB, exporter *tracetest.InMemoryExporter) map[string]tracetest.SpanStub {
	t.Helper()
	check(t, f.traces.provider.ForceFlush(t.Context()))
	spans := map[string]tracetest.SpanStub{}
	for _, span := range exporter.GetSpans() {
		spans[span.Name] = span
	}
	return spans
}

func scrape(t testing.TB, watcher *Telemetry) string {
	t.Helper()
	recorder := httptest.NewRecorder()
	watcher.Metrics().ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/metrics", nil))
	text, err := io.ReadAll(recorder.Body)
	check(t, err)
	return string(text)
}
