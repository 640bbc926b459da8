package operator

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// RemoveCustomer removes a customer together with the photo. All fields must
// be set.
type RemoveCustomer struct {
	Customers ports.CustomerDirectory
	Changes   *usecase.ChangePhoto
}

// Do deletes the photo, then the customer, and logs both as one call. When Do
// returns nil, all is gone, durably. It fails with CustomerNotFound, and
// otherwise as usecase.ChangePhoto.Remove: a repeat is safe, and Repair settles
// what was cut off.
func (r *RemoveCustomer) Do(ctx context.Context, ref domain.CustomerRef) error {
	finding, cancel := context.WithTimeout(context.WithoutCancel(ctx), usecase.CallTimeout)
	defer cancel()
	customer, err := r.Customers.FindCustomer(finding, ref)
	if err != nil {
		return err
	}
	_, err = r.Changes.Remove(ctx, r.Customers, domain.ApiCall{
		ReceivedAt: domain.Instant(r.Changes.Clock()), Fleet: ref.Fleet, Customer: ref.Customer,
		Phone: customer.Phone.Masked(), Operation: domain.RemoveCustomer,
	})
	return err
}
