package client_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"errors"
	"image"
	"image/jpeg"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strconv"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// The keys, phones and PINs of newServer.
const (
	liveKey     = "TEST1TEST1TEST1TEST1TEST1"
	disabledKey = "TEST2TEST2TEST2TEST2TEST2"

	livePhone   = 447700900123
	lockPhone   = 447700900124 // its PIN is for wrong guesses
	downPhone   = 447700900125 // the photo store is down for it
	bugPhone    = 447700900126 // the photo store panics for it
	unusedPhone = 447700900999

	livePIN  = 1234
	wrongPIN = 4321

	maxPhotoBytes = 20_000
)

// newServer serves newHandler and returns its base URL.
func newServer(t testing.TB, change ...func(*httpapi.Options)) string {
	t.Helper()
	handler, err := newHandler(context.Background(), change...)
	check(t, err)
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// newHandler returns a Server with in-memory backends.
func newHandler(ctx context.Context, change ...func(*httpapi.Options)) (http.Handler, error) {
	b := memory.New()
	pinKey, keyErr := domain.NewPINKey(make([]byte, domain.MinPINKeyBytes))
	pin, pinErr := domain.ParseNewPIN(strconv.Itoa(livePIN))
	err := errors.Join(keyErr, pinErr)
	for key, fleet := range map[string]domain.Fleet{liveKey: {ID: 689}, disabledKey: {ID: 690, Disabled: true}} {
		parsed, keyErr := domain.ParseAPIKey(key)
		err = errors.Join(err, keyErr, b.FleetAuth.AddFleet(ctx, fleet, domain.FleetKey{Hash: parsed.Hash(), Label: domain.FirstKey}))
	}
	for _, phone := range []domain.PhoneNumber{livePhone, lockPhone, downPhone, bugPhone} {
		_, added := b.CustomerRepo.ImportCustomers(ctx, []domain.CustomerImport{{Ref: customer(phone), Phone: phone, PIN: pinKey.Hash(customer(phone), pin)}})
		err = errors.Join(err, added)
	}
	options := httpapi.Options{
		Update: &usecase.UpdateCustomerPhoto{
			Fleets:  b.FleetAuth,
			Changes: &usecase.ChangePhoto{Customers: b.CustomerRepo, Photos: brokenPhotos{b.PhotoStore}, Store: "memory", Log: b.ApiLog, Clock: time.Now},
			PINKeys: domain.PINKeys{Current: pinKey}, Reader: photo.NewReader(photo.Limits{MaxBytes: maxPhotoBytes, MaxPixels: 10_000}, 2),
		},
		Photos: b.PhotoStore, MaxInflightBytes: 64 << 20, Logger: slog.New(slog.DiscardHandler),
	}
	for _, c := range change {
		c(&options)
	}
	return httpapi.New(options), err
}

func customer(phone domain.PhoneNumber) domain.CustomerRef {
	return domain.CustomerRef{Fleet: 689, Customer: domain.CustomerID(phone % 1000)}
}

// brokenPhotos is down for one customer and has a bug for another.
type brokenPhotos struct{ ports.PhotoStore }

func (b brokenPhotos) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	switch key {
	case customer(downPhone).PhotoKey():
		return "", domain.Errorf(domain.Unavailable, "the store is down")
	case customer(bugPhone).PhotoKey():
		panic("a bug")
	}
	return b.PhotoStore.Put(ctx, key, photo, over)
}

// picture returns a JPEG that the server stores unchanged.
func picture(t testing.TB, size int) []byte {
	t.Helper()
	var out bytes.Buffer
	check(t, jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, size, size)), nil))
	return out.Bytes()
}

func encode(data []byte) string { return base64.StdEncoding.EncodeToString(data) }

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
