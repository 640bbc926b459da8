package operator

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Customers manages the customers of fleets. All fields must be set.
type Customers struct {
	Fleets    ports.FleetDirectory
	Directory ports.CustomerDirectory
	PINKey    domain.PINKey
}

// Add adds a customer to a fleet; pin may be blank. It fails with NotFound
// where the fleet doesn't exist and with Conflict where the fleet has this id
// or phone number already.
func (c *Customers) Add(ctx context.Context, ref domain.CustomerRef, phone domain.PhoneNumber, pin domain.PIN) error {
	if _, err := findFleet(ctx, c.Fleets, ref.Fleet); err != nil {
		return err
	}
	return addCustomer(ctx, c.Directory, domain.CustomerImport{Ref: ref, Phone: phone, PIN: c.PINKey.Hash(ref, pin)})
}

// addCustomer adds a customer. It fails with Conflict where the fleet has the id
// or the phone number already.
func addCustomer(ctx context.Context, directory ports.CustomerDirectory, added domain.CustomerImport) error {
	added.New = true
	results, err := directory.ImportCustomers(ctx, []domain.CustomerImport{added})
	if err == nil && results[0] != domain.Added {
		err = domain.Errorf(domain.Conflict, "fleet %d has a customer with this id or this phone number already", added.Ref.Fleet)
	}
	return err
}
