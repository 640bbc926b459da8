package locks

import (
	"context"
	"sync"
)

// Turns lets one at a time have the turn of a key, and keeps the others waiting
// in the order in which they came. The zero Turns is ready.
type Turns[K comparable] struct {
	mu     sync.Mutex
	queues map[K]*queue
}

// queue is one key's: who sends to turn has the turn until it receives from it.
type queue struct {
	turn  chan struct{}
	users int // who wait or have the turn; guarded by Turns.mu
}

// Take waits for the key's turn until ctx ends. leave gives it up.
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

// Len returns how many keys somebody waits for or has the turn of.
func (t *Turns[K]) Len() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.queues)
}
