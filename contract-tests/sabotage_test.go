package contracttests

import (
	"context"
	"errors"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// sabotage is a port with one defect, and the clauses that notice it. All
// others must hold for it.
type sabotage[P any] struct {
	defect  string
	noticed []string
	port    func() P
}

// proveClauses shows that each clause can fail, and fails for its promise alone.
func proveClauses[P any](t *testing.T, clauses []clause[P], saboteurs []sabotage[P]) {
	t.Helper()
	unnoticed := map[string]bool{}
	for _, c := range clauses {
		if c.promise == "" || unnoticed[c.name] {
			t.Errorf("clause %q has no promise, or its name twice", c.name)
		}
		unnoticed[c.name] = true
	}
	for _, s := range saboteurs {
		for _, name := range s.noticed {
			delete(unnoticed, name)
		}
		t.Run(s.defect, func(t *testing.T) {
			t.Parallel()
			s.prove(t, clauses)
		})
	}
	for name := range unnoticed {
		t.Errorf("clause %q has no saboteur", name)
	}
}

func (s sabotage[P]) prove(t *testing.T, clauses []clause[P]) {
	var broken []string
	for _, c := range clauses {
		if err := inBubble(t, c, s.port); err != nil {
			t.Logf("%s: %v", c.name, err)
			broken = append(broken, c.name)
		}
	}
	want := slices.Sorted(slices.Values(s.noticed))
	if slices.Sort(broken); !slices.Equal(broken, want) {
		t.Errorf("the clauses that notice it: got %q, want %q", broken, want)
	}
}

// inBubble runs a clause where time passes when all goroutines wait: a port
// that hangs takes no time, and a saboteur that sleeps lets all others go first.
func inBubble[P any](t *testing.T, c clause[P], port func() P) (err error) {
	synctest.Test(t, func(t *testing.T) { err = c.run(t.Context(), port()) })
	return err
}

// overlap notices calls that are made at once.
type overlap struct{ calls atomic.Int32 }

// during says whether there were others since this call began; over ends it.
func (o *overlap) during() (others bool, over func()) {
	before := o.calls.Add(1)
	time.Sleep(time.Millisecond)
	return before > 1 || o.calls.Load() > 1, func() { time.Sleep(time.Millisecond); o.calls.Add(-1) }
}

// live is ctx as if it never ended.
func live(ctx context.Context) context.Context { return context.WithoutCancel(ctx) }

// endsMeanwhile says that ctx had not ended when it was first asked.
func endsMeanwhile(ctx context.Context) bool {
	ended := ctx.Err() != nil
	return !ended && ctx.Err() != nil
}

func gaveUp() error { return domain.Errorf(domain.Unavailable, "the call was given up") }

// tell makes the cause of an error public.
func tell(err error) error {
	var known *domain.Error
	if !errors.As(err, &known) || known.Cause == nil {
		return err
	}
	return domain.Errorf(known.Kind, "failed: %v", known.Cause).WithCause(known.Cause)
}
