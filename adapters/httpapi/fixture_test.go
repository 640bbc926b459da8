package httpapi

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	testKey   = "TEST1TEST1TEST1TEST1TEST1"
	testPhone = "447700900123"
	testPIN   = "1234"
)

var testCustomer = domain.CustomerRef{Fleet: 689, Customer: 452733}

// fixture is a server with in-memory backends, one fleet and one customer.
type fixture struct {
	*Server
	backend *memory.Backend
	log     *bytes.Buffer
}

func newFixture(t testing.TB, change ...func(*Options)) *fixture {
	t.Helper()
	backend := memory.New()
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
	f := &fixture{backend: backend, log: &bytes.Buffer{}}
	options := Options{
		Update: &usecase.UpdateCustomerPhoto{
			Fleets: backend.FleetAuth,
			Changes: &usecase.ChangePhoto{
				Customers: backend.CustomerRepo, Photos: backend.PhotoStore, Store: "memory", Log: backend.ApiLog, Recorder: backend.ChangeRecorder(), Clock: time.Now,
			},
			PINKeys: domain.PINKeys{Current: pinKey}, Reader: photo.NewReader(photo.Limits{MaxBytes: 1 << 20, MaxPixels: 1 << 20}, 2),
		},
		Photos: backend.PhotoStore, MaxInflightBytes: 64 << 20,
		Logger: slog.New(slog.NewJSONHandler(f.log, nil)),
	}
	for _, c := range change {
		c(&options)
	}
	f.Server = New(options)
	return f
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// testJPEG makes a real JPEG of the given size.
func testJPEG(t testing.TB, width, height int) []byte {
	t.Helper()
	picture := image.NewRGBA(image.Rect(0, 0, width, height))
	for i := range width * height {
		picture.Set(i%width, i/width, color.RGBA{uint8(i), uint8(i / width), 99, 255})
	}
	var out bytes.Buffer
	check(t, jpeg.Encode(&out, picture, nil))
	return out.Bytes()
}

func callJSON(t testing.TB, photo string) []byte {
	t.Helper()
	body, err := json.Marshal(map[string]any{
		"api_key": testKey, "phone_number": 447700900123, "customer_pin": 1234, "photo_base64": photo,
	})
	check(t, err)
	return body
}

// post sends body and returns the answer.
func (f *fixture) post(t testing.TB, contentType string, body io.Reader) *httptest.ResponseRecorder {
	t.Helper()
	request := httptest.NewRequestWithContext(context.Background(), http.MethodPost, UpdatePath, body)
	request.Header.Set("Content-Type", contentType)
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, request)
	return recorder
}

// stored returns the bytes of the customer's photo; nil: there is none.
func (f *fixture) stored(t testing.TB) []byte {
	t.Helper()
	var store ports.PhotoStore = f.backend.PhotoStore
	content, _, err := store.Open(context.Background(), testCustomer.PhotoKey())
	if err != nil {
		return nil
	}
	data, err := io.ReadAll(content)
	check(t, err)
	return data
}

func encode(data []byte) string { return base64.StdEncoding.EncodeToString(data) }
