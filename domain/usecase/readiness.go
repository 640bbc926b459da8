package usecase

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Readiness tells whether calls can succeed, by asking each backend what a
// call asks, for things that no fleet has. It stores nothing, so it doesn't
// notice a full disk. The ports must be set.
type Readiness struct {
	Fleets    ports.FleetAuth
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Log       ports.ApiLog
	// ReadOnly: calls are refused for now, so whether a database may be written to
	// isn't asked.
	ReadOnly bool
}

// Check returns nil when every backend answers, or each failure, joined. It
// asks all at once: one that hangs doesn't make the others look as if they did.
func (r *Readiness) Check(ctx context.Context) error {
	checks := []func() error{
		func() error {
			_, err := r.Fleets.Authenticate(ctx, domain.APIKeyHash{})
			return unless(domain.InvalidHashID, "fleet auth", err)
		},
		func() error {
			_, err := r.Customers.FindByPhone(ctx, 0, 0)
			return unless(domain.CustomerNotFound, "customer repo", err)
		},
		func() error {
			if r.ReadOnly {
				return nil
			}
			err := r.Customers.TryPIN(ctx, domain.CustomerRef{}, domain.OfferedPIN{})
			return unless(domain.CustomerNotFound, "customer repo, writing", err)
		},
		func() error {
			_, err := versionOf(ctx, r.Photos, domain.CustomerRef{}.PhotoKey())
			return unless(domain.NotFound, "photo store", err)
		},
		func() error {
			err := r.Photos.Delete(ctx, domain.CustomerRef{}.PhotoKey(), "1") // a version that no photo there has
			return unless(domain.Conflict, "photo store, deleting", err)
		},
		func() error {
			_, err := r.Log.Unfinished(ctx, LateAfter, 0, 1)
			return unless(domain.NotFound, "API log", err)
		},
	}
	failures := make([]error, len(checks))
	var running sync.WaitGroup
	for i, check := range checks {
		running.Go(func() {
			defer func() {
				if cause := recover(); cause != nil { // or it ends the process
					failures[i] = fmt.Errorf("panic: %v", cause)
				}
			}()
			failures[i] = check()
		})
	}
	running.Wait()
	return errors.Join(failures...)
}

// unless drops the failure that says that the backend looked and found nothing.
func unless(expected domain.Kind, backend string, err error) error {
	if err == nil || errors.Is(err, expected) {
		return nil
	}
	return fmt.Errorf("%s: %w", backend, err)
}
