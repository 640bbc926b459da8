package clause

import (
	"context"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Call is a call of one method, named as clauses are.
type Call[P any] struct {
	Method string
	Do     Check[P]
}

// EndedCtx makes, for each call, a clause that gives it a ctx that has ended,
// and one about what the errors tell. given is done before the call and
// unchanged after it.
func EndedCtx[P any](given, unchanged Check[P], calls ...Call[P]) []Clause[P] {
	var clauses []Clause[P]
	for _, c := range calls {
		clauses = append(clauses, New(
			c.Method+"_ended_ctx", "a call whose ctx has ended fails with Unavailable and changes nothing",
			Steps(given, ForEachEnded(func(ctx context.Context, port P) error {
				return FailsWith(domain.Unavailable, "with an ended ctx, "+c.Method, c.Do(ctx, port))
			}), unchanged),
		))
	}
	return append(clauses, New(
		"public_text", "a public text names no host, path or secret, so it doesn't repeat the error's cause",
		Steps(given, ForEachEnded(PublicTexts(calls))),
	))
}

// PublicTexts makes all calls, whatever comes of them, and fails where the
// public text of an error names what is forbidden.
func PublicTexts[P any](calls []Call[P], forbidden ...string) Check[P] {
	return func(ctx context.Context, port P) error {
		for _, c := range calls {
			if err := Public(c.Do(ctx, port), forbidden...); err != nil {
				return fmt.Errorf("%s: %w", c.Method, err)
			}
		}
		return nil
	}
}

// ForEachEnded makes a call with each way in which a ctx ends.
func ForEachEnded[P any](call Check[P]) Check[P] {
	return func(ctx context.Context, port P) error {
		cancelled, cancel := context.WithCancel(ctx)
		cancel()
		expired, cancel := context.WithDeadline(ctx, time.Unix(0, 0))
		defer cancel()
		if err := call(cancelled, port); err != nil {
			return fmt.Errorf("cancelled: %w", err)
		}
		if err := call(expired, port); err != nil {
			return fmt.Errorf("past its deadline: %w", err)
		}
		return nil
	}
}

// Attempts is how many attempts CutOff makes at most.
const Attempts = 80

// CutOff makes a call again and again, each time with a ctx that ends a moment
// later, until the call succeeds: so ctx ends at each point at which the port
// looks at it. attempt makes the nth call, on things of its own, and checks
// what it left; done says that the call succeeded.
func CutOff[P any](attempt func(ctx, ending context.Context, port P, n int) (done bool, err error)) Check[P] {
	return func(ctx context.Context, port P) error {
		asks := 0
		for n := 1; n <= Attempts; n, asks = n+1, asks+1+asks/8 {
			ending, cancel := newFuse(ctx, asks)
			done, err := attempt(ctx, ending, port, n)
			cancel()
			if done || err != nil {
				return err
			}
		}
		return fmt.Errorf("a call failed although its ctx had not ended: it was asked %d times", asks)
	}
}

// fuse is a ctx that ends when it has been asked so often whether it has ended.
type fuse struct {
	context.Context
	end  context.CancelFunc
	left atomic.Int64
}

func newFuse(ctx context.Context, asks int) (context.Context, context.CancelFunc) {
	ending, cancel := context.WithCancel(ctx)
	f := &fuse{Context: ending, end: cancel}
	f.left.Store(int64(asks))
	return f, cancel
}

// Err implements context.Context.
func (f *fuse) Err() error {
	f.burn()
	return f.Context.Err()
}

// Done implements context.Context.
func (f *fuse) Done() <-chan struct{} {
	f.burn()
	return f.Context.Done()
}

func (f *fuse) burn() {
	if f.left.Add(-1) < 0 {
		f.end()
	}
}
