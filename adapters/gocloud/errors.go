package gocloud

import (
	"context"
	"errors"
	"fmt"

	"gocloud.dev/gcerrors"

	"github.com/fleetphoto/fleetphoto/domain"
)

// errTooLarge says that an object is larger than any photo: this product didn't store it.
var errTooLarge = fmt.Errorf("the object is larger than %d bytes", maxObjectBytes)

// translate makes a domain.Error of what gocloud says, and
// nil of nil. Whoever looks for a photo asks missing first: elsewhere
// something missing is a failure like any other.
func translate(action string, err error) error {
	if err == nil {
		return nil
	}
	cause := fmt.Errorf("gocloud: %s: %w", action, err)
	switch {
	case errors.Is(err, errTooLarge):
		return domain.Errorf(domain.Internal, "the stored photo can't be what was put there; report this").WithCause(cause)
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
		return domain.Errorf(domain.Unavailable, "the call was given up before it was done; try again").WithCause(cause)
	default:
		return domain.Errorf(domain.Unavailable, "the photo store doesn't answer as it should; try again later").WithCause(cause)
	}
}

// missing says that err is about an object that isn't there.
func missing(err error) bool { return errors.Is(err, gcerrors.ErrNotFound) }

func noPhoto(err error) error {
	return domain.Errorf(domain.NotFound, "there is no photo at this address").WithCause(err)
}

// noSignature makes err, which came of signing an address, Unavailable.
func noSignature(err error) error {
	if err == nil || errors.As(err, new(*domain.Error)) {
		return err
	}
	return domain.Errorf(domain.Unavailable, "the photo store signs no address; try again later").WithCause(err)
}
