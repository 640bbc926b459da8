//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"sync"
	"testing"
)

// TestRandom loads two replicas whose clocks are five minutes apart, has random
// faults befall them and their backends, and checks what is left: several times on
// each of sets.
func TestRandom(t *testing.T) {
	var loads sync.Mutex // one at a time loads the machine; the others wait for Repair
	for _, on := range sets {
		t.Run(on.name, func(t *testing.T) {
			t.Parallel()
			var all report
			var mu sync.Mutex
			t.Cleanup(func() {
				fmt.Printf("chaos: on=%q seed=%d %v\n", on.name, *seed, all)
				reports.Store(on.name, all)
			})
			for round := range *rounds {
				t.Run(fmt.Sprint(round), func(t *testing.T) {
					t.Parallel()
					w, faults := loadWithFaults(t, &loads, on.make, on.clients, fmt.Sprint(on.name, round))
					r := w.check()
					r.faults, r.slowest = len(faults), slowestRecovery(faults, w.replicas)
					mu.Lock()
					defer mu.Unlock()
					all.add(r)
				})
			}
		})
	}
}

func loadWithFaults(t *testing.T, loads *sync.Mutex, on func(*testing.T) *backends, clients int, name string) (w *world, faults []fault) {
	t.Helper()
	loads.Lock()
	defer loads.Unlock()
	const customers = 60
	w = newWorld(t, on(t), customers, nil, []string{clock + "5m"})
	hash := fnv.New64()
	_, _ = hash.Write([]byte(name))
	from := func(n uint64) *rand.Rand { return rand.New(rand.NewPCG(uint64(*seed)+hash.Sum64(), n)) }
	loaded, unload := context.WithCancel(t.Context())
	defer unload()
	var load, befalling sync.WaitGroup
	load.Go(func() { w.loadUntil(loaded, clients, from(1).Uint64()) })
	ctx, cancel := context.WithTimeout(t.Context(), *duration)
	defer cancel()
	var mu sync.Mutex
	befall := func(n uint64, causes []cause, most int, r *replica) {
		befalling.Go(func() {
			fs := w.befall(ctx, from(n), causes, most, r)
			mu.Lock()
			defer mu.Unlock()
			faults = append(faults, fs...)
		})
	}
	befall(2, append(w.storeCauses(), w.causes...), 8000, nil)
	for i, r := range w.replicas {
		befall(3+uint64(i), processCauses, 700, r)
	}
	befalling.Wait() // until the service has recovered from the last fault
	unload()
	load.Wait()
	return w, faults
}
