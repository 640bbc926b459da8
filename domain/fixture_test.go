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

// checkID checks a constructor of positive identifiers.
func checkID[T ~int64](t *testing.T, make func(int64) (T, error)) {
	t.Helper()
	for id, want := range map[int64]parsed[T]{
		1:         {value: 1},
		1<<63 - 1: {value: 1<<63 - 1},
		0:         {kind: domain.TypeError},
		-1:        {kind: domain.TypeError},
		-1 << 63:  {kind: domain.TypeError},
	} {
		value, err := make(id)
		if got := (parsed[T]{value, kindOf(err)}); got != want {
			t.Errorf("%d: got %#v, want %#v", id, got, want)
		}
	}
}

func TestIDs(t *testing.T) {
	t.Parallel()
	checkID(t, domain.NewFleetID)
	checkID(t, domain.NewCustomerID)
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
