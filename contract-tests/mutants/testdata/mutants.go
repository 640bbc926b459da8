// Package mutants is a file of package memory while its mutants run.
package mutants

import (
	"context"
	"errors"
	"os"
	"runtime"
	"strconv"
	"sync"
	"sync/atomic"
	"time"
)

func chosenMutant() int {
	n, _ := strconv.Atoi(os.Getenv("FLEETPHOTO_MUTANT"))
	return n
}

var errMutant = errors.New("a mutant failed")

var mutantPauses atomic.Int64

// mutantPause lasts for longer or shorter, so that one call overtakes another.
func mutantPause() { time.Sleep(time.Duration(mutantPauses.Add(5)%7) * time.Millisecond) }

// mutantRunning has the number of methods that run, by their receivers.
var mutantRunning sync.Map

func mutantRuns(on any) (ends func()) {
	running, _ := mutantRunning.LoadOrStore(on, new(atomic.Int64))
	running.(*atomic.Int64).Add(1)
	return func() { running.(*atomic.Int64).Add(-1) }
}

func mutantIsAlone(on any) bool {
	running, _ := mutantRunning.Load(on)
	return running.(*atomic.Int64).Load() == 1
}

// mutantMeets tells whether other methods run for a while.
func mutantMeets(on any) (meets bool) {
	for range 50 {
		meets = meets || !mutantIsAlone(on)
		runtime.Gosched()
	}
	return meets
}

// mutantWaits waits until no other method runs.
func mutantWaits(ctx context.Context, on any) {
	for !mutantIsAlone(on) && ctx.Err() == nil {
		time.Sleep(time.Second)
	}
}

// mutantMutex stands in for a mutex: in a bubble, no time passes while somebody
// waits for a real one.
type mutantMutex struct {
	made sync.Once
	held chan struct{}
}

func (m *mutantMutex) Lock() {
	m.made.Do(func() { m.held = make(chan struct{}, 1) })
	m.held <- struct{}{}
}

func (m *mutantMutex) Unlock() {
	select {
	case <-m.held:
	default:
		panic("unlock of a mutex that isn't locked")
	}
}

func (m *mutantMutex) RLock()   { m.Lock() }
func (m *mutantMutex) RUnlock() { m.Unlock() }
