//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"testing"
	"time"
)

// TestRandom loads two replicas whose clocks are five minutes apart, has random
// faults befall them and their backends, and checks what is left.
func TestRandom(t *testing.T) {
	var loads sync.Mutex // one at a time loads the machine; the others wait for Repair
	for _, on := range []struct {
		name string
		make func(*testing.T) *backends
	}{
		{"sqlite+files", sqliteAndFiles},
		{"postgres+s3", postgresAndS3},
		{"postgres+s3, the log elsewhere", logElsewhere},
	} {
		t.Run(on.name, func(t *testing.T) {
			t.Parallel()
			const customers, clients = 60, 24
			w := newWorld(t, on.make(t), customers, nil, []string{clock + "5m"})
			loads.Lock()
			faults := w.loadWithFaults(*load, clients, on.name)
			loads.Unlock()
			r := w.check()
			fmt.Printf("chaos: on=%q seed=%d faults=%d %v slowest_recovery=%v\n",
				on.name, *seed, len(faults), r, w.history.slowestRecovery(faults).Round(time.Millisecond))
		})
	}
}

func (w *world) loadWithFaults(d time.Duration, clients int, name string) []fault {
	hash := fnv.New64()
	_, _ = hash.Write([]byte(name))
	from := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(uint64(*seed)+hash.Sum64(), n)) }
	ctx, cancel := context.WithTimeout(w.t.Context(), d)
	defer cancel()
	var ofProcesses, ofNetwork []fault
	var running sync.WaitGroup
	running.Go(func() { w.loadUntil(ctx, clients, from(1).Uint64()) })
	running.Go(func() { ofProcesses = w.befall(ctx, from(2), processCauses, w.replicas) })
	running.Go(func() { ofNetwork = w.befall(ctx, from(3), w.networkCauses(), nil) })
	running.Wait()
	return append(ofProcesses, ofNetwork...)
}
