package postgres

import (
	"context"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
)

// turns are who may change a photo: one at a time of each customer, and a
// number of them in all. Who waits does so in memory, without a connection.
// Among processes the customer's row decides.
type turns struct {
	slots chan struct{}

	mu     sync.Mutex
	queues map[domain.CustomerRef]*queue
}

// queue is one customer's: who sends to turn has its turn until it receives from it.
type queue struct {
	turn  chan struct{}
	users int // who wait or have the turn; guarded by turns.mu
}

func newTurns(most int) *turns {
	return &turns{slots: make(chan struct{}, most), queues: map[domain.CustomerRef]*queue{}}
}

// take waits for the customer's turn, then for a slot, until ctx ends.
func (t *turns) take(ctx context.Context, ref domain.CustomerRef) (leave func(), err error) {
	q := t.join(ref)
	if err := send(ctx, q.turn); err != nil {
		t.part(ref, q)
		return nil, err
	}
	if err := send(ctx, t.slots); err != nil {
		<-q.turn
		t.part(ref, q)
		return nil, err
	}
	return func() { <-t.slots; <-q.turn; t.part(ref, q) }, nil
}

func (t *turns) join(ref domain.CustomerRef) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[ref]
	if q == nil {
		q = &queue{turn: make(chan struct{}, 1)}
		t.queues[ref] = q
	}
	q.users++
	return q
}

func (t *turns) part(ref domain.CustomerRef, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.queues, ref)
	}
}

func send(ctx context.Context, to chan<- struct{}) error {
	select {
	case to <- struct{}{}:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
