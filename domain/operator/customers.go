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
	return c.Directory.AddCustomer(ctx, domain.Customer{Ref: ref, Phone: phone, PIN: c.PINKey.Hash(ref, pin)})
}
