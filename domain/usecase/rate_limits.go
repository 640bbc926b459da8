package usecase

import (
	"context"
	"errors"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ErrRateLimited is the cause of the error of a call over one of the RateLimits.
var ErrRateLimited = errors.New("over a rate limit")

// RateLimits limits the rate of calls. Calls over a limit have no log entries; an
// implementation reports them in summary. It is safe for concurrent use.
type RateLimits interface {
	// Failure counts a call without a live key against the limit of its address and
	// that of all addresses together. A call from an unknown address, "", may count
	// against the latter alone. Failure returns 0 if the call is within the limits,
	// otherwise the time after which the next one will be.
	Failure(from string) (wait time.Duration)
	// Fleet counts a call with a live key against the limit of its fleet. It
	// returns what Failure does.
	Fleet(fleet domain.FleetID) (wait time.Duration)
}

// limitFailure counts a call without a live key, which fails with cause. It
// returns cause, or another error if the call is over a limit.
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

// limitRefusal counts a call that failed with cause before its key was looked up:
// for its fleet if the key is live, else for its address.
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
