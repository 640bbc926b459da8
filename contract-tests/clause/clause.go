// Package clause runs the clauses of a suite: promises of a port, each with the
// check that an adapter keeps it.
//
// The suites of contract-tests import it, and so may suites for ports of your
// own; it imports domain alone.
package clause

import (
	"context"
	"errors"
	"testing"
	"time"
)

// Clause is one promise of a port and the check that it is kept, for which the
// port is empty.
type Clause[P any] struct {
	Name    string
	Promise string
	Check   Check[P]
}

// New makes a Clause.
func New[P any](name, promise string, check Check[P]) Clause[P] {
	return Clause[P]{name, promise, check}
}

// Check uses a port and says what is wrong with it.
type Check[P any] func(ctx context.Context, port P) error

// Steps makes one check after the other, until one fails.
func Steps[P any](all ...Check[P]) Check[P] {
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

// Prove runs each clause as a subtest on a port of its own.
func Prove[P any](t *testing.T, clauses []Clause[P], open func(t *testing.T) P) {
	t.Helper()
	for _, c := range clauses {
		t.Run(c.Name, func(t *testing.T) {
			t.Parallel()
			if err := c.Run(t.Context(), open(t)); err != nil {
				t.Errorf("%v\nThe promise: %s.", err, c.Promise)
			}
		})
	}
}

// Run checks the clause. It returns even when the port hangs.
func (c Clause[P]) Run(ctx context.Context, port P) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	checked := make(chan error, 1)
	go func() {
		ended := errors.New("the port was not opened") // t.FailNow ends this goroutine
		defer func() { checked <- ended }()
		ended = c.Check(ctx, port)
	}()
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
