package usecase

import (
	"context"
	"errors"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ErrRateLimited is the cause where a call is over one of the RateLimits.
var ErrRateLimited = errors.New("over a rate limit")

// RateLimits says which calls are too many, and tells of them together: they
// have no log entries of their own. It is safe for concurrent use.
type RateLimits interface {
	// Failure counts a call from this address that has no live key, and bounds
	// those of all addresses, too. Unless it returns 0, the call is over a limit,
	// and the next one won't be after that time. Calls from an unknown address, "",
	// may be over no limit of its own.
	Failure(from string) (wait time.Duration)
	// Fleet counts a call with a live key of this fleet, and returns as Failure.
	Fleet(fleet domain.FleetID) (wait time.Duration)
}

// limitFailure returns cause, why a call from an address without a live key
// fails, or what it fails by where that happens too often.
func (u *UpdateCustomerPhoto) limitFailure(from string, cause error) error {
	if u.Limits == nil {
		return cause
	}
	if wait := u.Limits.Failure(from); wait > 0 {
		return limited(wait, "too many calls without a live api_key came from this address, or from all; correct this one, and send it after that: %s", domain.AsError(cause).Public)
	}
	return cause
}

func (u *UpdateCustomerPhoto) limitFleet(fleet domain.FleetID) error {
	if u.Limits == nil {
		return nil
	}
	if wait := u.Limits.Fleet(fleet); wait > 0 {
		return limited(wait, "the fleet sends more calls than it may; send this one again when Retry-After has passed")
	}
	return nil
}

// limitRefusal counts a call that failed by cause before its key was looked up.
// The key may be live, and such a call is its fleet's affair.
func (u *UpdateCustomerPhoto) limitRefusal(ctx context.Context, key domain.APIKey, call *domain.ApiCall, cause error) error {
	if key == (domain.APIKey{}) {
		return u.limitFailure(call.From, cause)
	}
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	_, err := u.identifyFleet(ctx, key, call)
	return err
}

func limited(wait time.Duration, format string, args ...any) error {
	err := domain.Errorf(domain.TooManyRequests, format, args...).WithCause(ErrRateLimited)
	err.RetryAfter = wait
	return err
}
