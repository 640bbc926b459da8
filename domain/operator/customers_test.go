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

func TestSetCustomer(t *testing.T) {
	t.Parallel()
	fleets, backend := newFleets(strings.NewReader(strings.Repeat("a", 25)))
	if _, err := fleets.Add(t.Context(), domain.Fleet{ID: ourFleet, Country: 44}, domain.FirstKey); err != nil {
		t.Fatal(err)
	}
	repo := backend.CustomerRepo
	customers := operator.Customers{Fleets: backend.FleetAuth, Directory: repo, PINKey: pinKey}
	added := domain.Customer{Ref: customer, Phone: phone, PIN: pinKey.Hash(customer, rightPIN)}
	if _, err := repo.ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: added.Ref, Phone: added.Phone, PIN: added.PIN}}); err != nil {
		t.Fatal(err)
	}
	newPIN, err := domain.ParseNewPIN("987654")
	if err != nil {
		t.Fatal(err)
	}
	national, err := domain.ParseDialledPhone("07700 900009")
	if err != nil {
		t.Fatal(err)
	}
	const abroad domain.PhoneNumber = 447700900009
	before, short := number(phone), number(9)
	for _, test := range []struct {
		name  string
		phone *domain.DialledPhone
		pin   *domain.PIN
		want  domain.Customer
	}{
		{"the phone number", &national, nil, domain.Customer{Ref: customer, Phone: abroad, PIN: added.PIN}},
		{"the PIN", nil, &newPIN, domain.Customer{Ref: customer, Phone: abroad, PIN: pinKey.Hash(customer, newPIN)}},
		{"no PIN", nil, new(domain.PIN), domain.Customer{Ref: customer, Phone: abroad}},
		{"both", &before, &rightPIN, added},
	} {
		if err := customers.Set(t.Context(), customer, test.phone, test.pin); err != nil {
			t.Errorf("%s: %v", test.name, err)
		}
		if got, err := repo.FindCustomer(t.Context(), customer); err != nil || got != test.want {
			t.Errorf("%s: the customer is %+v, %v, want %+v", test.name, got, err, test.want)
		}
	}
	if err := customers.Set(t.Context(), customer, &short, nil); !errors.Is(err, domain.TypeError) {
		t.Errorf("too short a phone number: got %v", err)
	}
	if err := customers.Set(t.Context(), pinless, &national, nil); !errors.Is(err, domain.CustomerNotFound) {
		t.Errorf("one who doesn't exist: got %v", err)
	}
}
