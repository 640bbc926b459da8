//go:build chaos && linux

package usecase

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
)

// The constants of times.go, short enough for tests to wait for.
const (
	CallTimeout = 3 * time.Second
	logTimeout  = time.Second
	RepairEvery = 2 * time.Second
	LateAfter   = 25 * time.Second
)

var (
	stepsMutex sync.Mutex
	stepsLeft  = map[string]int{}
	shift      = mustShift(os.Getenv("FLEETPHOTO_CHAOS_CLOCK"))
)

func mustShift(text string) time.Duration {
	if text == "" {
		return 0
	}
	by, err := time.ParseDuration(text)
	if err != nil {
		panic(err)
	}
	return by
}

// Now is the clock of the use cases, shifted by FLEETPHOTO_CHAOS_CLOCK.
func Now() time.Time { return time.Now().Add(shift) }

// reached kills the process when it reaches a step for the n-th time if
// FLEETPHOTO_CHAOS_STEP is step:n, and stops it if FLEETPHOTO_CHAOS_PAUSE is.
func reached(step string) {
	for variable, signal := range map[string]syscall.Signal{"FLEETPHOTO_CHAOS_STEP": syscall.SIGKILL, "FLEETPHOTO_CHAOS_PAUSE": syscall.SIGSTOP} {
		if !isDue(variable, step) {
			continue
		}
		runtime.LockOSThread() // a signal sent to the calling thread acts before Tgkill returns
		if err := syscall.Tgkill(os.Getpid(), syscall.Gettid(), signal); err != nil {
			panic(fmt.Errorf("%s: %w", variable, err))
		}
		runtime.UnlockOSThread()
	}
}

func isDue(variable, step string) bool {
	name, number, _ := strings.Cut(os.Getenv(variable), ":")
	if name != step {
		return false
	}
	wanted, err := strconv.Atoi(number)
	if err != nil {
		panic(fmt.Errorf("%s: want step:n, got %q", variable, os.Getenv(variable)))
	}
	stepsMutex.Lock()
	defer stepsMutex.Unlock()
	stepsLeft[variable]++
	return stepsLeft[variable] == wanted
}
