package operator

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Customers manages the customers of fleets. All fields must be set.
type Customers struct {
	Fleets    ports.FleetDirectory
	Directory ports.CustomerDirectory
	PINKey    domain.PINKey
}

// Add adds a customer to a fleet; pin may be blank. It fails with NotFound if the
// fleet doesn't exist, with TypeError if no call could have this phone number, and
// with Conflict if the fleet already has this id or phone number.
func (c *Customers) Add(ctx context.Context, ref domain.CustomerRef, phone domain.DialledPhone, pin domain.PIN) error {
	number, err := c.toStore(ctx, ref.Fleet, phone)
	if err != nil {
		return err
	}
	return addCustomer(ctx, c.Directory, domain.CustomerImport{Ref: ref, Phone: number, PIN: c.PINKey.Hash(ref, pin)})
}

// toStore returns phone in the form that is stored for customers of the fleet.
func (c *Customers) toStore(ctx context.Context, id domain.FleetID, phone domain.DialledPhone) (domain.PhoneNumber, error) {
	fleet, err := findFleet(ctx, c.Fleets, id)
	if err != nil {
		return 0, err
	}
	return phone.ToStore(fleet.Country)
}

// FindByPhone returns the customer that a call with this number finds. It fails
// with NotFound if the fleet doesn't exist, and otherwise like usecase.FindByPhone.
func FindByPhone(ctx context.Context, fleets ports.FleetDirectory, customers ports.CustomerRepo, id domain.FleetID, phone domain.DialledPhone) (domain.Customer, error) {
	fleet, err := findFleet(ctx, fleets, id)
	if err != nil {
		return domain.Customer{}, err
	}
	return usecase.FindByPhone(ctx, customers, fleet, phone)
}

// Set changes a customer's phone number and PIN; nil leaves one as it is, and a
// blank pin removes it. It fails with CustomerNotFound, with Conflict if another
// customer of the fleet has the phone number, and with TypeError like Add.
func (c *Customers) Set(ctx context.Context, ref domain.CustomerRef, phone *domain.DialledPhone, pin *domain.PIN) error {
	change := domain.CustomerChange{KeepPIN: pin == nil}
	if phone != nil {
		var err error
		if change.Phone, err = c.toStore(ctx, ref.Fleet, *phone); err != nil {
			return err
		}
	}
	if pin != nil {
		change.PIN = c.PINKey.Hash(ref, *pin)
	}
	return c.Directory.SetCustomer(ctx, ref, change)
}

// addCustomer adds a customer. It fails with Conflict if the fleet already has the
// id or phone number.
func addCustomer(ctx context.Context, directory ports.CustomerDirectory, added domain.CustomerImport) error {
	added.New = true
	results, err := directory.ImportCustomers(ctx, []domain.CustomerImport{added})
	if err == nil && results[0] != domain.Added {
		err = domain.Errorf(domain.Conflict, "fleet %d already has a customer with this id or phone number", added.Ref.Fleet)
	}
	return err
}
