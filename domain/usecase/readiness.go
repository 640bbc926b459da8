package usecase

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Readiness tells whether calls can succeed, by asking each backend what a
// call asks, for things that no fleet has. All fields must be set.
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
	content, photos := r.Photos.Open(ctx, domain.CustomerRef{}.PhotoKey())
	if photos == nil {
		photos = content.Close()
	}
	_, log := r.Log.Entry(ctx, 0)
	return errors.Join(
		unless(domain.InvalidHashID, "fleet auth", fleets),
		unless(domain.CustomerNotFound, "customer repo", customers),
		unless(domain.NotFound, "photo store", photos),
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
