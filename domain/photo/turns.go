package photo

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// errQueue refuses a fleet that has too much waiting.
var errQueue = errors.New("the fleet's queue is full")

// turns lends slots to fleets in turn. A free slot goes to the waiting fleet
// with the fewest slots; among several, to the one that gave a slot back longest
// ago; within a fleet, to the first in the queue. A fleet that neither has a
// slot nor waits takes no memory.
type turns struct {
	most ask // how much of one fleet may wait before more is refused

	mu     sync.Mutex
	free   int
	queues []*queue // a fleet goes to the end when it arrives and when it gives a slot back
}

type queue struct {
	fleet   domain.FleetID
	has     int // slots
	waiting []*waiter
	asked   ask // total of waiting
}

// ask is the size of one or several waiting images.
type ask struct {
	work  time.Duration // estimated decoding time
	bytes int64         // of the files
}

type waiter struct {
	ask
	turn chan struct{} // closed when it is the waiter's turn
}

// take waits for a slot, which leave gives back. It fails with errQueue at once
// if the fleet's queue is full, and with ctx's error when ctx ends.
func (t *turns) take(ctx context.Context, fleet domain.FleetID, one ask) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	w, err := t.join(fleet, one)
	if err != nil {
		return err
	}
	select {
	case <-w.turn:
		return nil
	case <-ctx.Done():
		t.giveUp(fleet, w)
		return ctx.Err()
	}
}

func (t *turns) join(fleet domain.FleetID, one ask) (*waiter, error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queueOf(fleet)
	if q == nil {
		q = &queue{fleet: fleet}
		t.queues = append(t.queues, q)
	}
	if len(q.waiting) > 0 && (q.asked.work >= t.most.work || q.asked.bytes+one.bytes > t.most.bytes) {
		return nil, errQueue
	}
	w := &waiter{one, make(chan struct{})}
	q.waiting = append(q.waiting, w)
	q.asked.work += one.work
	q.asked.bytes += one.bytes
	t.give()
	return w, nil
}

// giveUp leaves the queue, or gives the slot back if its turn has just come.
func (t *turns) giveUp(fleet domain.FleetID, w *waiter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queueOf(fleet)
	if i := slices.Index(q.waiting, w); i >= 0 {
		q.remove(i)
		t.forget(q)
		return
	}
	t.giveBack(q)
}

func (t *turns) leave(fleet domain.FleetID) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.giveBack(t.queueOf(fleet))
}

func (t *turns) giveBack(q *queue) {
	q.has--
	t.free++
	i := slices.Index(t.queues, q)
	t.queues = append(slices.Delete(t.queues, i, i+1), q)
	t.forget(q)
	t.give()
}

// forget drops a fleet that neither has a slot nor waits.
func (t *turns) forget(q *queue) {
	if q.has == 0 && len(q.waiting) == 0 {
		t.queues = slices.DeleteFunc(t.queues, func(other *queue) bool { return other == q })
	}
}

// give gives the free slots to the fleets whose turn it is.
func (t *turns) give() {
	for next := t.next(); t.free > 0 && next != nil; next = t.next() {
		t.free--
		next.has++
		close(next.waiting[0].turn)
		next.remove(0)
	}
}

func (q *queue) remove(i int) {
	q.asked.work -= q.waiting[i].work
	q.asked.bytes -= q.waiting[i].bytes
	q.waiting = slices.Delete(q.waiting, i, i+1)
}

func (t *turns) next() (next *queue) {
	for _, q := range t.queues {
		if len(q.waiting) > 0 && (next == nil || q.has < next.has) {
			next = q
		}
	}
	return next
}

func (t *turns) queueOf(fleet domain.FleetID) *queue {
	i := slices.IndexFunc(t.queues, func(q *queue) bool { return q.fleet == fleet })
	if i < 0 {
		return nil
	}
	return t.queues[i]
}
