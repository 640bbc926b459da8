package files

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"syscall"

	"github.com/fleetphoto/fleetphoto/domain"
)

// uncertain is the error of a change that may have been made.
type uncertain struct{ error }

func (u uncertain) Unwrap() error { return u.error }

// tried returns the error of a rename or a removal as uncertain, unless the
// system refused the operation. A missing file is no refusal: a network file
// system may have retried an operation that had succeeded.
func tried(err error) error {
	for _, refusal := range []error{nil, fs.ErrPermission, syscall.EROFS, syscall.ENOSPC, syscall.EDQUOT} {
		if errors.Is(err, refusal) {
			return err
		}
	}
	return uncertain{err}
}

// translateChange is translate for a change. The error is Unchanged, unless err
// is uncertain.
func translateChange(action string, err error) error {
	if err == nil {
		return nil
	}
	known := domain.AsError(translate(action, err))
	if maybe := (uncertain{}); errors.As(err, &maybe) {
		return known
	}
	return known.AsUnchanged()
}

// translate converts err, the error of action, into a domain.Error. Nil and a
// domain.Error stay as they are.
func translate(action string, err error) error {
	if known := new(domain.Error); err == nil || errors.As(err, &known) {
		return err
	}
	cause := fmt.Errorf("files: %s: %w", action, err)
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return domain.Errorf(domain.Unavailable, "the call was given up before it was done; try again").WithCause(cause)
	}
	return domain.Errorf(domain.Unavailable, "the photo store doesn't answer as it should; try again later").WithCause(cause)
}
