package contracttests_test

import (
	"math/rand/v2"
	"slices"
	"sync"
	"testing"
)

// crew are the servers that clients call.
type crew struct {
	mu      sync.Mutex
	serving []*process
	calls   map[*process]int // that each has acknowledged since progress began
	changed chan struct{}    // is closed when another server serves
}

// join starts a server and has clients call it.
func (c *crew) join(t *testing.T, p product) *process {
	t.Helper()
	s := p.serve(t)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.serving = append(c.serving, s)
	if c.changed != nil {
		close(c.changed)
		c.changed = nil
	}
	return s
}

// leave has clients leave a server alone, and stops it while their calls run.
func (c *crew) leave(t *testing.T, s *process) {
	t.Helper()
	c.mu.Lock()
	c.serving = slices.DeleteFunc(slices.Clone(c.serving), func(other *process) bool { return other == s })
	c.mu.Unlock()
	s.stop(t)
}

// relieve replaces the servers by as many others, one after the other.
func (c *crew) relieve(t *testing.T, p product) {
	t.Helper()
	for _, s := range slices.Clone(c.serving) {
		c.join(t, p)
		c.leave(t, s)
	}
}

// one returns a server that serves.
func (c *crew) one(random *rand.Rand) *process {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.serving[random.IntN(len(c.serving))]
}

// answered counts a call that a server has acknowledged. The caller holds the lock.
func (c *crew) answered(s *process) {
	if c.calls != nil {
		c.calls[s]++
	}
}

// another returns a channel that is closed when another server serves.
func (c *crew) another() <-chan struct{} {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.changed == nil {
		c.changed = make(chan struct{})
	}
	return c.changed
}

// progress waits until each server has acknowledged some calls more.
func (c *crew) progress(t *testing.T) {
	t.Helper()
	const some = 10
	c.mu.Lock()
	c.calls = map[*process]int{}
	c.mu.Unlock()
	eventually(t, "each server acknowledges calls", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return !slices.ContainsFunc(c.serving, func(s *process) bool { return c.calls[s] < some })
	})
}
