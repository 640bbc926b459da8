package domain_test

import (
	"errors"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// kindOf is the Kind that a caller is told; empty without an error.
func kindOf(err error) domain.Kind {
	if err == nil {
		return ""
	}
	return domain.AsError(err).Kind
}

// must unwraps what a test takes for granted.
func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// parsed is the whole of what came of a text.
type parsed[T comparable] struct {
	value T
	kind  domain.Kind
}

func checkParse[T comparable](t *testing.T, parse func(string) (T, error), want map[string]parsed[T]) {
	t.Helper()
	for text, want := range want {
		value, err := parse(text)
		if got := (parsed[T]{value, kindOf(err)}); got != want {
			t.Errorf("%q: got %#v, want %#v", text, got, want)
		}
		var known *domain.Error
		if err != nil && !errors.As(err, &known) {
			t.Errorf("%q: %v is no *domain.Error", text, err)
		}
	}
}

// TestIDs: an identifier reads itself from digits, and is a positive integer.
func TestIDs(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]parsed[int64]{
		"1": {value: 1}, "9223372036854775807": {value: 1<<63 - 1}, "0452": {value: 452},
		"0": {kind: domain.TypeError}, "-1": {kind: domain.TypeError}, "9223372036854775808": {kind: domain.TypeError},
		"": {kind: domain.TypeError}, "x": {kind: domain.TypeError}, "1.5": {kind: domain.TypeError},
	} {
		var fleet domain.FleetID
		var customer domain.CustomerID
		for _, err := range []error{fleet.UnmarshalText([]byte(text)), customer.UnmarshalText([]byte(text))} {
			if kindOf(err) != want.kind {
				t.Errorf("%q: got %v, want the kind %q", text, err, string(want.kind))
			}
		}
		if int64(fleet) != want.value || int64(customer) != want.value {
			t.Errorf("%q: got %d and %d, want %d", text, fleet, customer, want.value)
		}
	}
}

func TestOnlyAnOutcomeWithoutResultIsOpen(t *testing.T) {
	t.Parallel()
	for outcome, open := range map[domain.Outcome]bool{
		{}:                           true,
		{Result: domain.Valid}:       false,
		{Result: domain.Failed}:      false,
		{Result: domain.Interrupted}: false,
	} {
		if outcome.IsOpen() != open {
			t.Errorf("%+v: IsOpen is %v, want %v", outcome, !open, open)
		}
	}
}
