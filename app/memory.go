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

// restMemory is for everything but bodies, images and connections, such as the
// database's pages.
const restMemory = 64 << 20

// gcPercent is the default of GOGC. Most of a large heap is bodies and pictures,
// which the collector needn't scan. With 64 uploads at once, Go's default of 100
// takes about 100 MB more and saves small calls a few percent of CPU time.
const gcPercent = 50

// memory returns the sum of the configured budgets.
func (c Config) memory(processors int) int64 {
	return int64(c.MaxInflight) + c.photoLimits().Memory(processors) + httpapi.ConnectionsMemory + restMemory
}

// memoryBounds are in bytes; math.MaxInt64: none.
type memoryBounds struct{ budgets, environment, cgroup int64 }

// smallest returns the least of the bounds, and what sets it.
func (b memoryBounds) smallest() (bytes int64, by string) {
	// Go's limit doesn't count the program itself, threads and socket buffers.
	cgroup := b.cgroup / 10 * 9
	switch bytes = min(b.budgets, b.environment, cgroup); bytes {
	case b.budgets:
		return bytes, "the settings"
	case b.environment:
		return bytes, "GOMEMLIMIT"
	}
	return bytes, "the cgroup"
}

// limitMemory sets Go's memory limit to what the settings, GOMEMLIMIT and the
// cgroup allow, for as long as the server runs.
func limitMemory(config Config, b *backends, lifecycle fx.Lifecycle) {
	environment := debug.SetMemoryLimit(-1)
	lifecycle.Append(fx.StartStopHook(func() {
		bounds := memoryBounds{config.memory(runtime.GOMAXPROCS(0)), environment, cgroupMemory()}
		bytes, by := bounds.smallest()
		debug.SetMemoryLimit(bytes)
		if bytes < bounds.budgets {
			b.logger.Warn("the settings allow calls more memory than there is; give the process more, or lower FLEETPHOTO_MAX_INFLIGHT_BYTES, FLEETPHOTO_MAX_PIXELS, FLEETPHOTO_MAX_PHOTO_BYTES or GOMAXPROCS",
				slog.String("settings_allow", size(bounds.budgets)), slog.String("there_is", size(bytes)), slog.String("by", by))
		}
	}, func() { debug.SetMemoryLimit(environment) }))
	if os.Getenv("GOGC") == "" {
		var before int
		lifecycle.Append(fx.StartStopHook(func() { before = debug.SetGCPercent(gcPercent) }, func() { debug.SetGCPercent(before) }))
	}
}

// cgroupMemory returns the memory limit of the process's control group.
func cgroupMemory() int64 {
	limit, err := memlimit.FromCgroup()
	if err != nil || limit > math.MaxInt64 { // no limit, or no control groups
		return math.MaxInt64
	}
	return int64(limit)
}

func size(bytes int64) string { return humanize.IBytes(uint64(bytes)) }
