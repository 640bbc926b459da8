package operator_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

func TestAddCustomer(t *testing.T) {
	t.Parallel()
	fleets, backend := newFleets(strings.NewReader(strings.Repeat("a", 25) + strings.Repeat("b", 25)))
	customers := operator.Customers{Fleets: backend.FleetAuth, Directory: backend.CustomerRepo, PINKey: pinKey}
	for _, id := range []domain.FleetID{ourFleet, otherFleet} {
		if _, err := fleets.Add(t.Context(), domain.Fleet{ID: id}, domain.FirstKey); err != nil {
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
		{"the same id", customer, 447700900001, rightPIN, domain.Conflict},
		{"the same phone", domain.CustomerRef{Fleet: ourFleet, Customer: 9}, phone, rightPIN, domain.Conflict},
		{"too short a phone", domain.CustomerRef{Fleet: ourFleet, Customer: 9}, 123456, rightPIN, domain.TypeError},
		{"a fleet that doesn't exist", domain.CustomerRef{Fleet: 404, Customer: 9}, 447700900009, rightPIN, domain.NotFound},
	} {
		err := customers.Add(t.Context(), test.ref, number(test.phone), test.pin)
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

// fleetless is a FleetDirectory that is down.
type fleetless struct{ ports.FleetDirectory }

func (fleetless) Fleets(context.Context) ([]domain.Fleet, error) { return nil, down() }

func TestAddCustomerNeedsTheFleets(t *testing.T) {
	t.Parallel()
	customers := operator.Customers{Fleets: fleetless{}, Directory: memory.New().CustomerRepo, PINKey: pinKey}
	if err := customers.Add(t.Context(), customer, number(phone), rightPIN); !errors.Is(err, domain.Unavailable) {
		t.Errorf("got %v, want %q", err, string(domain.Unavailable))
	}
}
