package usecase

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Readiness tells whether calls can succeed, by asking each backend what a
// call asks, for things that no fleet has. It stores nothing, so it doesn't
// notice a full disk. All fields must be set.
type Readiness struct {
	Fleets    ports.FleetAuth
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Log       ports.ApiLog
}

// Check returns nil when every backend answers, or each failure, joined.
func (r *Readiness) Check(ctx context.Context) error {
	_, fleets := r.Fleets.Authenticate(ctx, domain.APIKeyHash{})
	_, customers := r.Customers.FindByPhone(ctx, 0, 0)
	locks := r.Customers.ResetPINLock(ctx, domain.CustomerRef{})
	nobodys := domain.CustomerRef{}.PhotoKey()
	content, photos := r.Photos.Open(ctx, nobodys)
	if photos == nil {
		photos = content.Close()
	}
	deletion := r.Photos.Delete(ctx, nobodys)
	_, log := r.Log.Entry(ctx, 0)
	return errors.Join(
		unless(domain.InvalidHashID, "fleet auth", fleets),
		unless(domain.CustomerNotFound, "customer repo", customers),
		unless(domain.CustomerNotFound, "customer repo, writing", locks),
		unless(domain.NotFound, "photo store", photos),
		unless(domain.NotFound, "photo store, deleting", deletion),
		unless(domain.NotFound, "API log", log),
	)
}

// unless drops the failure that says that the backend looked and found nothing.
func unless(expected domain.Kind, backend string, err error) error {
	if err == nil || errors.Is(err, expected) {
		return nil
	}
	return fmt.Errorf("%s: %w", backend, err)
}
