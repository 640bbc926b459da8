// Package testserver makes servers of this module for the HTTP suite: with the
// fleets and customers that its cases ask for, on backends of the test's own.
//
// Only tests of contract-tests import it.
package testserver

import (
	"context"
	"io"
	"log/slog"
	"net/http"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// What the server knows, by the names of the suite's target.
const (
	APIKey        = "TEST1TEST1TEST1TEST1TEST1"
	DisabledKey   = "TEST2TEST2TEST2TEST2TEST2"
	otherKey      = "TEST3TEST3TEST3TEST3TEST3"
	RequirePINKey = "TEST4TEST4TEST4TEST4TEST4"
	Phone         = "447700900123"
	LockPhone     = "447700900124"
	NoPINPhone    = "447700900125"
	OtherPhone    = "447700900999"
	PIN           = "1234"
	MaxPhotoBytes = 200_000
	MaxPixels     = 10_000
)

// Backends is what a server stands on, and what it is given its fleets and
// customers through. They are empty.
type Backends struct {
	Fleets interface {
		ports.FleetAuth
		ports.FleetDirectory
	}
	Customers interface {
		ports.CustomerRepo
		ports.CustomerDirectory
	}
	Log      ports.ApiLog
	Recorder ports.ChangeRecorder // nil: there is none
	Photos   ports.PhotoStore
}

// Memory returns backends in memory.
func Memory() Backends {
	b := memory.New()
	return Backends{b.FleetAuth, b.CustomerRepo, b.ApiLog, b.ChangeRecorder(), b.PhotoStore}
}

// New makes a server.
func New(t testing.TB, b Backends) http.Handler {
	t.Helper()
	if err := seed(t.Context(), b, pinKey(t)); err != nil {
		t.Fatal(err)
	}
	return On(t, b)
}

func pinKey(t testing.TB) domain.PINKey {
	t.Helper()
	key, err := domain.NewPINKey(make([]byte, domain.MinPINKeyBytes))
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// On makes a server on backends that have the fleets and customers of New.
func On(t testing.TB, b Backends) http.Handler {
	t.Helper()
	options := httpapi.Options{
		Update: &usecase.UpdateCustomerPhoto{
			Fleets: b.Fleets, PINKeys: domain.PINKeys{Current: pinKey(t)},
			Changes: &usecase.ChangePhoto{Customers: b.Customers, Photos: b.Photos, Store: "test", Log: b.Log, Recorder: b.Recorder, Clock: time.Now},
			Reader:  photo.NewReader(photo.Limits{MaxBytes: MaxPhotoBytes, MaxPixels: MaxPixels}, 2),
		},
		MaxInflightBytes: 64 << 20, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
	}
	if store, is := b.Photos.(ports.PhotoAddresser); is && store.URL(domain.CustomerRef{}.PhotoKey()) != "" {
		options.Update.Address = func(_ context.Context, key domain.PhotoKey) (string, error) { return store.URL(key), nil }
	} else {
		options.Photos = b.Photos
	}
	return httpapi.New(options)
}

func seed(ctx context.Context, b Backends, pinKey domain.PINKey) error {
	for _, f := range []struct {
		fleet domain.Fleet
		key   string
	}{
		{domain.Fleet{ID: 689, Name: "Live"}, APIKey},
		{domain.Fleet{ID: 690, Name: "Off", Disabled: true}, DisabledKey},
		{domain.Fleet{ID: 691, Name: "Other"}, otherKey},
		{domain.Fleet{ID: 692, Name: "Strict", RequirePIN: true}, RequirePINKey},
	} {
		key, err := domain.ParseAPIKey(f.key)
		if err != nil {
			return err
		}
		if err := b.Fleets.AddFleet(ctx, f.fleet, domain.FleetKey{Hash: key.Hash(), Label: domain.FirstKey}); err != nil {
			return err
		}
	}
	for _, c := range []struct {
		ref        domain.CustomerRef
		phone, pin string
	}{
		{domain.CustomerRef{Fleet: 689, Customer: 452733}, Phone, PIN},
		{domain.CustomerRef{Fleet: 689, Customer: 452734}, LockPhone, PIN},
		{domain.CustomerRef{Fleet: 689, Customer: 452735}, NoPINPhone, ""},
		{domain.CustomerRef{Fleet: 691, Customer: 452733}, OtherPhone, PIN},
		{domain.CustomerRef{Fleet: 692, Customer: 452733}, Phone, PIN},
	} {
		phone, err := domain.ParsePhoneNumber(c.phone)
		if err != nil {
			return err
		}
		pin, err := domain.ParseNewPIN(c.pin)
		if err != nil {
			return err
		}
		if _, err := b.Customers.ImportCustomers(ctx, []domain.CustomerImport{{Ref: c.ref, Phone: phone, PIN: pinKey.Hash(c.ref, pin)}}); err != nil {
			return err
		}
	}
	return nil
}
