package operator

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// RemoveCustomer removes a customer and the customer's photo. All fields must be
// set.
type RemoveCustomer struct {
	Customers ports.CustomerDirectory
	Changes   *usecase.ChangePhoto
}

// Do deletes the photo, then the customer, and logs both as one call. Once Do
// returns nil, both are durably gone. It fails with CustomerNotFound, and otherwise
// like usecase.ChangePhoto.Remove: it may be repeated, and Repair settles what was
// interrupted.
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
