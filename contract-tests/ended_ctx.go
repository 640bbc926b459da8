package contracttests

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// call is a call of one method, named as clauses are.
type call[P any] struct {
	method string
	do     check[P]
}

// endedCtx makes, for each call, a clause that gives it a ctx that has ended,
// and one about what the errors tell. given is done before the call and
// unchanged after it.
func endedCtx[P any](given, unchanged check[P], calls ...call[P]) []clause[P] {
	var clauses []clause[P]
	for _, c := range calls {
		clauses = append(clauses, clause[P]{
			name:    c.method + "_ended_ctx",
			promise: "a call whose ctx has ended fails with Unavailable and changes nothing",
			check: steps(given, forEachEnded(func(ctx context.Context, port P) error {
				return failsWith(domain.Unavailable, "with an ended ctx, "+c.method, c.do(ctx, port))
			}), unchanged),
		})
	}
	return append(clauses, clause[P]{
		name:    "public_text",
		promise: "a public text names no host, path or secret, so it doesn't repeat the error's cause",
		check: steps(given, func(ctx context.Context, port P) error {
			for _, c := range calls {
				if err := forEachEnded(keepsCause(c))(ctx, port); err != nil {
					return err
				}
			}
			return nil
		}),
	})
}

// forEachEnded makes a call with each way in which a ctx ends.
func forEachEnded[P any](call check[P]) check[P] {
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

// keepsCause fails when the error of the call tells its cause to everyone.
// What else is right or wrong with the error is for other clauses.
func keepsCause[P any](c call[P]) check[P] {
	return func(ctx context.Context, port P) error {
		var known *domain.Error
		if !errors.As(c.do(ctx, port), &known) || known.Cause == nil {
			return nil
		}
		if strings.Contains(known.Public, known.Cause.Error()) {
			return fmt.Errorf("%s: the public text %q repeats the cause %q", c.method, known.Public, textOf(known.Cause))
		}
		return nil
	}
}

// cutOff makes a call again and again, each time with a ctx that ends a moment
// later, until the call succeeds: so ctx ends at each point at which the port
// looks at it. attempt makes the nth call, on things of its own, and checks
// what it left; done says that the call succeeded.
func cutOff[P any](attempt func(ctx, ending context.Context, port P, n int) (done bool, err error)) check[P] {
	const most = 10_000
	return func(ctx context.Context, port P) error {
		for n, asks := 1, 0; asks < most; n, asks = n+1, asks+1+asks/8 {
			ending, cancel := newFuse(ctx, asks)
			done, err := attempt(ctx, ending, port, n)
			cancel()
			if done || err != nil {
				return err
			}
		}
		return fmt.Errorf("a call failed although its ctx had not ended: it was asked %d times", most)
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
