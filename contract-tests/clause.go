package contracttests

import (
	"context"
	"errors"
	"testing"
	"time"
)

// clause is one promise of a port and the check that it is kept, for which the
// port is empty.
type clause[P any] struct {
	name    string
	promise string
	check   check[P]
}

// check uses a port and says what is wrong with it.
type check[P any] func(ctx context.Context, port P) error

// steps checks one thing after the other, until one fails.
func steps[P any](all ...check[P]) check[P] {
	return func(ctx context.Context, port P) error {
		for _, step := range all {
			if err := step(ctx, port); err != nil {
				return err
			}
		}
		return nil
	}
}

// patience is how long a check may take before its ctx ends. Only a port that
// hangs comes near it.
const patience = 30 * time.Second

// prove runs each clause as a subtest on a port of its own.
func prove[P any](t *testing.T, clauses []clause[P], open func(t *testing.T) P) {
	t.Helper()
	for _, c := range clauses {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			if err := c.run(t.Context(), open(t)); err != nil {
				t.Errorf("%v\nThe promise: %s.", err, c.promise)
			}
		})
	}
}

// run checks the clause. It comes back even when the port hangs.
func (c clause[P]) run(ctx context.Context, port P) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	checked := make(chan error, 1)
	go func() { checked <- c.check(ctx, port) }()
	select {
	case err := <-checked:
		return err
	case <-ctx.Done():
	}
	select {
	case err := <-checked: // the port noticed that ctx ended
		return err
	case <-time.After(patience):
		return errors.New("a call hangs, and goes on although its ctx has ended")
	}
}
