package locks

import (
	"context"
	"sync"
)

// Turns gives one caller at a time the turn of a key. The others wait, in the
// order in which they came. The zero Turns is ready to use. It is safe for
// concurrent use.
type Turns[K comparable] struct {
	mu     sync.Mutex
	queues map[K]*queue
}

// queue is one key's: sending to turn takes the turn, receiving from it gives
// the turn up.
type queue struct {
	turn  chan struct{}
	users int // callers that wait or have the turn; guarded by Turns.mu
}

// Take waits for the key's turn until ctx ends, and then fails with ctx's
// error. leave gives the turn up.
func (t *Turns[K]) Take(ctx context.Context, key K) (leave func(), err error) {
	q := t.join(key)
	select {
	case q.turn <- struct{}{}:
		return func() { <-q.turn; t.part(key, q) }, nil
	case <-ctx.Done():
		t.part(key, q)
		return nil, ctx.Err()
	}
}

func (t *Turns[K]) join(key K) *queue {
	t.mu.Lock()
	defer t.mu.Unlock()
	q := t.queues[key]
	if q == nil {
		q = &queue{turn: make(chan struct{}, 1)}
		if t.queues == nil {
			t.queues = map[K]*queue{}
		}
		t.queues[key] = q
	}
	q.users++
	return q
}

func (t *Turns[K]) part(key K, q *queue) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(t.queues, key)
	}
}

// Len returns how many keys have a turn that is taken or waited for.
func (t *Turns[K]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queues)
}
