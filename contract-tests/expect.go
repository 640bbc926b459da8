package contracttests

import (
	"bytes"
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
)

// yields fails when err isn't nil or got isn't want.
func yields[T comparable](what string, got T, err error, want T) error {
	if err == nil && got != want {
		return fmt.Errorf("%s: got %+v, want %+v", what, got, want)
	}
	return failed(what, err)
}

// lists fails when err isn't nil or got hasn't the elements of want, in their
// order. It names the first that is wrong.
func lists[T comparable](what string, got []T, err error, want []T) error {
	if err != nil {
		return failed(what, err)
	}
	for i := range min(len(got), len(want)) {
		if err := yields(fmt.Sprintf("%s: number %d of %d", what, i+1, len(got)), got[i], nil, want[i]); err != nil {
			return err
		}
	}
	return yields(what+": how many", len(got), nil, len(want))
}

// sameBytes fails unless got is want, and says where they part.
func sameBytes(what string, got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("%s: got %d bytes, want %d; byte %d is the first that is wrong", what, len(got), len(want), at)
}

// failed adds what was done to an err that should not be.
func failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s failed: %w", what, err)
}

// failsWith fails unless err, which came of what, is a *domain.Error of this kind.
func failsWith(kind domain.Kind, what string, err error) error {
	var known *domain.Error
	switch {
	case err == nil:
		return fmt.Errorf("%s: got no error, want %q", what, string(kind))
	case !errors.As(err, &known):
		return fmt.Errorf("%s: got the error %q, which is no *domain.Error; want %q", what, textOf(err), string(kind))
	case known.Kind != kind:
		return fmt.Errorf("%s: got an error of kind %q (%w), want %q", what, string(known.Kind), err, string(kind))
	}
	return nil
}

// textOf is what an error says, where it is shown but not handed on.
func textOf(err error) string {
	if err == nil {
		return "no error"
	}
	return err.Error()
}

// fails makes a call that must fail with this kind.
func fails[P any](kind domain.Kind, what string, call check[P]) check[P] {
	return func(ctx context.Context, port P) error {
		return failsWith(kind, what, call(ctx, port))
	}
}
