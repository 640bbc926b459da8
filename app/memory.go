package app

import (
	"log/slog"
	"math"
	"os"
	"runtime"
	"runtime/debug"

	"github.com/KimMachineGun/automemlimit/memlimit"
	"github.com/dustin/go-humanize"
	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
)

// restMemory is what a server takes beside bodies, images and connections: what
// calls work with, the database's pages.
const restMemory = 64 << 20

// gcPercent is how much the heap may grow before it is collected, where GOGC
// isn't set. Most of a large heap is bodies and pictures, which the collector doesn't
// look into: with 64 uploads at once Go's own 100 takes some 100 MB more, and saves
// calls with small photos a few percent of their processor time.
const gcPercent = 50

// memory is the most that the configured budgets add up to.
func (c Config) memory(processors int) int64 {
	return int64(c.MaxInflight) + c.photoLimits().Memory(processors) + httpapi.ConnectionsMemory + restMemory
}

// memoryBounds are in bytes; math.MaxInt64: none.
type memoryBounds struct{ budgets, environment, cgroup int64 }

// smallest returns the least of the bounds, and who sets it.
func (b memoryBounds) smallest() (bytes int64, by string) {
	// The rest is for what Go's limit doesn't count: the program itself, threads, sockets' buffers.
	cgroup := b.cgroup / 10 * 9
	switch bytes = min(b.budgets, b.environment, cgroup); bytes {
	case b.budgets:
		return bytes, "the settings"
	case b.environment:
		return bytes, "GOMEMLIMIT"
	}
	return bytes, "the cgroup"
}

// limitMemory has garbage collected, while the server runs, before the process
// grows beyond what the settings, GOMEMLIMIT and the cgroup allow.
func limitMemory(config Config, b *backends, lifecycle fx.Lifecycle) {
	environment := debug.SetMemoryLimit(-1)
	lifecycle.Append(fx.StartStopHook(func() {
		bounds := memoryBounds{config.memory(runtime.GOMAXPROCS(0)), environment, cgroupMemory()}
		bytes, by := bounds.smallest()
		debug.SetMemoryLimit(bytes)
		if bytes < bounds.budgets {
			b.logger.Warn("the settings allow calls to take more memory than there is; allow the process more, or lower FLEETPHOTO_MAX_INFLIGHT_BYTES, FLEETPHOTO_MAX_PIXELS, FLEETPHOTO_MAX_PHOTO_BYTES or GOMAXPROCS",
				slog.String("settings_allow", size(bounds.budgets)), slog.String("there_is", size(bytes)), slog.String("by", by))
		}
	}, func() { debug.SetMemoryLimit(environment) }))
	if os.Getenv("GOGC") == "" {
		var before int
		lifecycle.Append(fx.StartStopHook(func() { before = debug.SetGCPercent(gcPercent) }, func() { debug.SetGCPercent(before) }))
	}
}

// cgroupMemory is what the process's control group may take.
func cgroupMemory() int64 {
	limit, err := memlimit.FromCgroup()
	if err != nil || limit > math.MaxInt64 { // it has none, or there are no groups here
		return math.MaxInt64
	}
	return int64(limit)
}

func size(bytes int64) string { return humanize.IBytes(uint64(bytes)) }
