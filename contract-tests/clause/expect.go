package clause

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Yields fails when err isn't nil or got isn't want, and names what differs.
func Yields[T any](what string, got T, err error, want T) error {
	if err != nil {
		return Failed(what, err)
	}
	if difference := Diff(got, want); difference != "" {
		return fmt.Errorf("%s: %s", what, difference)
	}
	return nil
}

// Lists fails when err isn't nil or got hasn't the elements of want, in their
// order. It names the first that is wrong.
func Lists[T any](what string, got []T, err error, want []T) error {
	if err != nil {
		return Failed(what, err)
	}
	for i := range min(len(got), len(want)) {
		if err := Yields(fmt.Sprintf("%s: number %d of %d", what, i+1, len(got)), got[i], nil, want[i]); err != nil {
			return err
		}
	}
	return Yields(what+": how many", len(got), nil, len(want))
}

// SameBytes fails unless got is want, and says where they part.
func SameBytes(what string, got, want []byte) error {
	if bytes.Equal(got, want) {
		return nil
	}
	at := 0
	for at < min(len(got), len(want)) && got[at] == want[at] {
		at++
	}
	return fmt.Errorf("%s: got %d bytes, want %d; byte %d is the first that is wrong", what, len(got), len(want), at)
}

// Failed adds what was done to an err that should be nil.
func Failed(what string, err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%s failed: %w", what, err)
}

// FailsWith fails unless err, which came of what, is a *domain.Error of this kind.
func FailsWith(kind domain.Kind, what string, err error) error {
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

// Fails makes a call that must fail with this kind.
func Fails[P any](kind domain.Kind, what string, call Check[P]) Check[P] {
	return func(ctx context.Context, port P) error {
		return FailsWith(kind, what, call(ctx, port))
	}
}

// PassesOn fails unless got is the error want, as it is: not as the cause of
// another *domain.Error.
func PassesOn(what string, got, want error) error {
	var known *domain.Error
	if !errors.Is(got, want) || errors.As(got, &known) && !errors.Is(want, known) {
		return fmt.Errorf("%s: got the error %q, want %q as it is", what, textOf(got), textOf(want))
	}
	return nil
}

// Public fails where the public text of err names what is forbidden, such as a
// host, a path or a password, or repeats the error's cause. What is no
// *domain.Error has no public text.
func Public(err error, forbidden ...string) error {
	var known *domain.Error
	if !errors.As(err, &known) {
		return nil
	}
	if known.Cause != nil {
		forbidden = append([]string{known.Cause.Error()}, forbidden...)
	}
	for _, word := range forbidden {
		if word != "" && strings.Contains(strings.ToLower(known.Public), strings.ToLower(word)) {
			return fmt.Errorf("the public text %q names %q", known.Public, word)
		}
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
