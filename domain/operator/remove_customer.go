package operator

import (
	"context"
	"errors"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// RemoveCustomer removes a customer together with the photo. All fields must
// be set.
type RemoveCustomer struct {
	Customers ports.CustomerDirectory
	Photos    ports.PhotoStore
	Log       ports.ApiLog
	Clock     func() time.Time
}

// Do deletes the photo, then the customer, and logs both as one call. When Do
// returns nil, all is gone, durably. It fails with CustomerNotFound, and
// otherwise as UpdateCustomerPhoto.Do: a repeat is safe, and Repair settles
// what was cut off.
func (r *RemoveCustomer) Do(ctx context.Context, ref domain.CustomerRef) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usecase.CallTimeout)
	defer cancel()
	customer, err := r.Customers.FindCustomer(ctx, ref)
	if err != nil {
		return err
	}
	call := domain.ApiCall{
		ReceivedAt: domain.Instant(r.Clock()), Fleet: ref.Fleet, Customer: ref.Customer,
		Phone: customer.Phone.Masked(), Operation: domain.RemoveCustomer,
	}
	id, err := r.Log.Open(ctx, call)
	if err != nil {
		return err
	}
	asked := false
	err = r.Customers.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
		asked = true
		return r.Photos.Delete(ctx, ref.PhotoKey())
	})
	if err != nil && asked {
		return domain.Errorf(domain.Unavailable, "the removal of customer %d was cut off; repeat it", ref.Customer).WithCause(err)
	}
	if err != nil {
		known := domain.AsError(err)
		failed := domain.Outcome{Result: domain.Failed, Error: known.Kind, Detail: known.Public, EndedAt: domain.Instant(r.Clock())}
		return errors.Join(err, r.Log.Close(ctx, id, failed))
	}
	// All is gone, and that is the answer. If closing fails, the entry waits for Repair.
	_ = r.Log.Close(ctx, id, domain.Outcome{
		Result: domain.Valid, EndedAt: domain.Instant(r.Clock()), Details: domain.OutcomeDetails{Before: customer.Photo.Info},
	})
	return nil
}
