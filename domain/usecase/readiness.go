package usecase

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Readiness checks whether calls can succeed. It looks up a key, a customer and
// open log entries, and deletes a photo, none of which exist. It stores nothing, so
// it doesn't notice a full disk. The ports must be set.
type Readiness struct {
	Fleets    ports.FleetAuth
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Log       ports.ApiLog
	// ReadOnly skips the check that the database can be written to: calls are
	// refused for now.
	ReadOnly bool
}

// Check returns nil if every backend answers, otherwise all failures, joined. It
// asks all at once, so that one that hangs doesn't delay the others past ctx.
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
			err := r.Photos.Delete(ctx, domain.CustomerRef{}.PhotoKey(), "1") // there is no photo, so no photo with this version
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
				if cause := recover(); cause != nil { // in a goroutine it would end the process
					failures[i] = fmt.Errorf("panic: %v", cause)
				}
			}()
			failures[i] = check()
		})
	}
	running.Wait()
	return errors.Join(failures...)
}

// unless returns nil if err is of the expected Kind, which says that the backend
// looked and found nothing.
func unless(expected domain.Kind, backend string, err error) error {
	if err == nil || errors.Is(err, expected) {
		return nil
	}
	return fmt.Errorf("%s: %w", backend, err)
}
