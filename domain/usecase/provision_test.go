package usecase_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"reflect"
	"strings"
	"testing"
	"testing/iotest"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

func newProvision(random io.Reader) (*usecase.Provision, *memory.Backend) {
	backend := memory.New()
	return &usecase.Provision{Fleets: backend.FleetAuth, Customers: backend.CustomerRepo, PINKey: pinKey, Random: random, Clock: func() time.Time { return start }}, backend
}

func TestAddFleet(t *testing.T) {
	t.Parallel()
	fleet := domain.Fleet{ID: ourFleet, Name: "Yellow", Disabled: true}
	provision, backend := newProvision(bytes.NewReader(append(make([]byte, 25), bytes.Repeat([]byte{1}, 25)...)))
	key, err := provision.AddFleet(t.Context(), fleet, domain.FirstKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := backend.FleetAuth.Authenticate(t.Context(), key.Hash()); err != nil || got != (domain.Caller{Fleet: fleet, Key: domain.FirstKey}) {
		t.Errorf("the key belongs to %+v, %v, want %+v", got, err, fleet)
	}
	second, err := provision.AddFleet(t.Context(), domain.Fleet{ID: ourFleet, Name: "Green"}, domain.FirstKey)
	if !errors.Is(err, domain.Conflict) {
		t.Errorf("the same id again: got %v", err)
	}
	if _, err := backend.FleetAuth.Authenticate(t.Context(), second.Hash()); !errors.Is(err, domain.InvalidHashID) {
		t.Errorf("a key of no fleet: got %v", err)
	}
	if fleets, err := backend.FleetAuth.Fleets(t.Context()); err != nil || !reflect.DeepEqual(fleets, []domain.Fleet{fleet}) {
		t.Errorf("the fleets are %+v, %v", fleets, err)
	}
}

func TestAddFleetNeedsRandomness(t *testing.T) {
	t.Parallel()
	provision, backend := newProvision(iotest.ErrReader(io.ErrNoProgress))
	if key, err := provision.AddFleet(t.Context(), domain.Fleet{ID: ourFleet}, domain.FirstKey); !errors.Is(err, io.ErrNoProgress) || key != (domain.APIKey{}) {
		t.Errorf("got %v, want no key and the source's failure", err)
	}
	if fleets, err := backend.FleetAuth.Fleets(t.Context()); err != nil || len(fleets) != 0 {
		t.Errorf("the fleets are %+v, %v", fleets, err)
	}
}

func TestAddCustomer(t *testing.T) {
	t.Parallel()
	provision, backend := newProvision(strings.NewReader(strings.Repeat("a", 25) + strings.Repeat("b", 25)))
	for _, id := range []domain.FleetID{ourFleet, otherFleet} {
		if _, err := provision.AddFleet(t.Context(), domain.Fleet{ID: id}, domain.FirstKey); err != nil {
			t.Fatal(err)
		}
	}
	elsewhere := domain.CustomerRef{Fleet: otherFleet, Customer: customer.Customer}
	for _, test := range []struct {
		name  string
		ref   domain.CustomerRef
		phone domain.PhoneNumber
		pin   domain.PIN
		want  domain.Kind
	}{
		{"with a PIN", customer, phone, rightPIN, ""},
		{"without a PIN", pinless, pinlessPhone, domain.PIN{}, ""},
		{"the same id and phone in another fleet", elsewhere, phone, rightPIN, ""},
		{"the same id", customer, 1, rightPIN, domain.Conflict},
		{"the same phone", domain.CustomerRef{Fleet: ourFleet, Customer: 9}, phone, rightPIN, domain.Conflict},
		{"a fleet that doesn't exist", domain.CustomerRef{Fleet: 404, Customer: 9}, 9, rightPIN, domain.NotFound},
	} {
		err := provision.AddCustomer(t.Context(), test.ref, test.phone, test.pin)
		if (err == nil) != (test.want == "") || err != nil && domain.AsError(err).Kind != test.want {
			t.Errorf("%s: got %v, want %q", test.name, err, string(test.want))
		}
		found, err := backend.CustomerRepo.FindByPhone(t.Context(), test.ref.Fleet, test.phone)
		want := domain.Customer{Ref: test.ref, Phone: test.phone, PIN: pinKey.Hash(test.ref, test.pin)}
		if test.want == "" && (err != nil || found != want) {
			t.Errorf("%s: found %+v, %v, want %+v", test.name, found, err, want)
		}
		if test.want != "" && found.Ref == test.ref {
			t.Errorf("%s: it was added", test.name)
		}
	}
}

// fleetless is a FleetAuth that is down.
type fleetless struct{ ports.FleetAuth }

func (fleetless) Fleets(context.Context) ([]domain.Fleet, error) { return nil, down() }

func TestAddCustomerNeedsTheFleets(t *testing.T) {
	t.Parallel()
	provision, _ := newProvision(nil)
	provision.Fleets = fleetless{}
	if err := provision.AddCustomer(t.Context(), customer, phone, rightPIN); !errors.Is(err, domain.Unavailable) {
		t.Errorf("got %v, want %q", err, string(domain.Unavailable))
	}
}
