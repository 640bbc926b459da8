package photo

import (
	"context"
	"errors"
	"math"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// hasTurn reports whether the waiter has a slot.
func (w *waiter) hasTurn() bool {
	select {
	case <-w.turn:
		return true
	default:
		return false
	}
}

// queued is a call of a fleet, in the order of arrival.
type queued struct {
	fleet domain.FleetID
	*waiter
}

// arrive lets fleets join in this order.
func arrive(t *testing.T, turns *turns, fleets ...domain.FleetID) (calls []queued) {
	t.Helper()
	for _, fleet := range fleets {
		calls = append(calls, queued{fleet, must(turns.join(fleet, ask{work: time.Second}))})
	}
	return calls
}

// serve lets the calls give their slots back, the oldest first, until all have
// had one. It returns the fleets in the order of their turns.
func serve(t *testing.T, turns *turns, calls []queued) (order []domain.FleetID) {
	t.Helper()
	var running []queued
	for begin := true; begin || len(running) > 0; begin = false {
		if len(running) > 0 {
			turns.leave(running[0].fleet)
			running = running[1:]
		}
		for i := 0; i < len(calls); {
			if calls[i].hasTurn() {
				order, running = append(order, calls[i].fleet), append(running, calls[i])
				calls = slices.Delete(calls, i, i+1)
			} else {
				i++
			}
		}
	}
	if len(calls) > 0 || len(turns.queues) > 0 {
		t.Errorf("%d calls got no turn, %d fleets are kept", len(calls), len(turns.queues))
	}
	return order
}

func TestTurns(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		slots    int
		arriving []domain.FleetID
		want     []domain.FleetID
	}{
		"one fleet alone has all slots":        {2, []domain.FleetID{1, 1, 1}, []domain.FleetID{1, 1, 1}},
		"a flood and then another fleet":       {1, []domain.FleetID{1, 1, 1, 1, 2, 2}, []domain.FleetID{1, 2, 1, 2, 1, 1}},
		"who has the fewest slots comes first": {3, []domain.FleetID{1, 1, 1, 1, 2, 2, 3}, []domain.FleetID{1, 1, 1, 2, 3, 1, 2}},
		"one flood after another":              {1, []domain.FleetID{1, 1, 1, 2, 2, 2, 3, 3}, []domain.FleetID{1, 2, 3, 1, 2, 3, 1, 2}},
		"two slots and a flood of each of two": {2, []domain.FleetID{1, 1, 1, 1, 2, 2, 2}, []domain.FleetID{1, 1, 2, 1, 2, 1, 2}},
		"nobody":                               {2, nil, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			turns := &turns{free: test.slots, most: ask{time.Hour, math.MaxInt64}}
			if got := serve(t, turns, arrive(t, turns, test.arriving...)); !slices.Equal(got, test.want) {
				t.Errorf("got the order %v, want %v", got, test.want)
			}
			if turns.free != test.slots {
				t.Errorf("%d of %d slots are free", turns.free, test.slots)
			}
		})
	}
}

// Within a fleet, calls are served in the order of arrival.
func TestFirstComeFirstServed(t *testing.T) {
	t.Parallel()
	turns := &turns{free: 1, most: ask{time.Hour, math.MaxInt64}}
	calls := arrive(t, turns, 1, 1, 1, 1)
	for i := range calls {
		for j, call := range calls {
			if call.hasTurn() != (j <= i) {
				t.Errorf("after %d: call %d has its turn: %v", i, j, call.hasTurn())
			}
		}
		turns.leave(1)
	}
}

// However many calls of one fleet wait, a call of another fleet has its turn after
// one image. A flood of calls still gets turns between new fleets.
func TestFlood(t *testing.T) {
	t.Parallel()
	for _, slots := range []int{1, 2, 8} {
		const others = 50
		turns := &turns{free: slots, most: ask{time.Hour, math.MaxInt64}}
		flood := arrive(t, turns, slices.Repeat([]domain.FleetID{1}, 200)...)
		for other := range domain.FleetID(others) {
			call := arrive(t, turns, 2+other)[0]
			turns.leave(1)
			if !call.hasTurn() {
				t.Fatalf("%d slots: the call of fleet %d has no turn after an image", slots, 2+other)
			}
			turns.leave(2 + other)
		}
		for i, call := range flood {
			if call.hasTurn() != (i < slots+others) {
				t.Fatalf("%d slots: call %d of the flood has its turn: %v", slots, i, call.hasTurn())
			}
		}
	}
}

// A fleet whose queue is too long is refused. Other fleets are not, and neither is
// a call whose fleet has nothing waiting.
func TestQueueTooLong(t *testing.T) {
	t.Parallel()
	turns := &turns{free: 1, most: ask{3 * time.Second, 100}}
	calls := arrive(t, turns, 1, 1, 1, 1)
	if _, err := turns.join(1, ask{work: time.Second}); !errors.Is(err, errQueue) {
		t.Errorf("with three seconds of work waiting: got %v, want a refusal", err)
	}
	others := arrive(t, turns, 2, 3)
	turns.giveUp(1, calls[2].waiter)
	large := must(turns.join(1, ask{work: time.Minute}))
	if _, err := turns.join(1, ask{}); !errors.Is(err, errQueue) {
		t.Errorf("with a minute of work waiting: got %v, want a refusal", err)
	}
	others = append(others, queued{4, must(turns.join(4, ask{bytes: 60}))})
	full := must(turns.join(4, ask{bytes: 40}))
	if _, err := turns.join(4, ask{bytes: 1}); !errors.Is(err, errQueue) {
		t.Errorf("with the most bytes waiting: got %v, want a refusal", err)
	}
	turns.giveUp(4, full)
	others = append(others, queued{4, must(turns.join(4, ask{bytes: 40}))})
	calls = append(slices.Delete(calls, 2, 3), others...)
	got := serve(t, turns, append(calls, queued{1, large}))
	if want := []domain.FleetID{1, 2, 3, 4, 1, 4, 1, 1}; !slices.Equal(got, want) {
		t.Errorf("got the order %v, want %v", got, want)
	}
}

// A call that gives up leaves no place in the queue, no slot and no memory, even if
// its turn has just come.
func TestGiveUp(t *testing.T) {
	t.Parallel()
	turns := &turns{free: 1, most: ask{time.Hour, math.MaxInt64}}
	ended, end := context.WithCancel(t.Context())
	end()
	if err := turns.take(ended, 1, ask{}); !errors.Is(err, context.Canceled) || turns.free != 1 || len(turns.queues) != 0 {
		t.Errorf("a call that has ended: got %v, %d slots free, %d fleets kept", err, turns.free, len(turns.queues))
	}
	calls := arrive(t, turns, 1, 2, 2, 1)
	turns.giveUp(2, calls[1].waiter)
	turns.giveUp(1, calls[0].waiter) // it has a slot
	if !calls[2].hasTurn() || calls[3].hasTurn() {
		t.Errorf("fleet 2 has its turn: %v, fleet 1: %v", calls[2].hasTurn(), calls[3].hasTurn())
	}
	turns.giveUp(1, calls[3].waiter)
	turns.leave(2)
	if turns.free != 1 || len(turns.queues) != 0 {
		t.Errorf("%d slots are free, %d fleets kept", turns.free, len(turns.queues))
	}
}

// Concurrent calls of many fleets, some of which give up, never share a slot.
func TestTurnsAtOnce(t *testing.T) {
	t.Parallel()
	const slots = 3
	turns := &turns{free: slots, most: ask{time.Hour, math.MaxInt64}}
	var calls sync.WaitGroup
	taken := make(chan struct{}, slots)
	for i := range 600 {
		ctx, cancel := context.WithCancel(t.Context())
		calls.Go(func() {
			defer cancel()
			fleet := domain.FleetID(i % 7)
			if err := turns.take(ctx, fleet, ask{work: time.Second}); err != nil {
				return
			}
			defer turns.leave(fleet)
			select {
			case taken <- struct{}{}:
				<-taken
			default:
				t.Error("more calls have a slot than there are slots")
			}
		})
		if i%3 == 0 {
			calls.Go(cancel)
		}
	}
	calls.Wait()
	if turns.free != slots || len(turns.queues) != 0 {
		t.Errorf("%d slots are free, %d fleets kept", turns.free, len(turns.queues))
	}
}
