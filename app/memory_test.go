package app

import (
	"math"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
)

func TestMemoryBounds(t *testing.T) {
	t.Parallel()
	const none, mib = math.MaxInt64, 1 << 20
	for name, test := range map[string]struct {
		bounds memoryBounds
		bytes  int64
		by     string
	}{
		"the settings alone":         {memoryBounds{700 * mib, none, none}, 700 * mib, "the settings"},
		"more is allowed":            {memoryBounds{700 * mib, 701 * mib, 800 * mib}, 700 * mib, "the settings"},
		"GOMEMLIMIT is the smallest": {memoryBounds{700 * mib, 500 * mib, 600 * mib}, 500 * mib, "GOMEMLIMIT"},
		"the cgroup is the smallest": {memoryBounds{700 * mib, 500 * mib, 500 * mib}, 450 * mib, "the cgroup"},
		"nine tenths of the cgroup":  {memoryBounds{700 * mib, none, 770 * mib}, 693 * mib, "the cgroup"},
	} {
		if bytes, by := test.bounds.smallest(); bytes != test.bytes || by != test.by {
			t.Errorf("%s: got %d by %s, want %d by %s", name, bytes, by, test.bytes, test.by)
		}
	}
}

// The budgets are what is configured, and grow with it.
func TestConfigMemory(t *testing.T) {
	t.Parallel()
	config := Config{MaxInflight: 320 << 20, MaxPhotoBytes: 10 << 20, MaxPixels: 50_000_000}
	larger := config
	larger.MaxPixels *= 2
	for _, test := range []struct {
		config     Config
		processors int
		want       int64
	}{
		{config, 1, 320<<20 + 64e6 + 190e6 + httpapi.ConnectionsMemory + restMemory},
		{config, 4, 320<<20 + 4*64e6 + 190e6 + httpapi.ConnectionsMemory + restMemory},
		{larger, 1, 320<<20 + 64e6 + 380e6 + httpapi.ConnectionsMemory + restMemory},
	} {
		if got := test.config.memory(test.processors); got != test.want {
			t.Errorf("%d pixels on %d processors: got %d, want %d", test.config.MaxPixels, test.processors, got, test.want)
		}
	}
}

// A server has the limit that it says, and warns where that is less than its
// settings allow calls to take.
func TestServeLimitsMemory(t *testing.T) {
	t.Parallel()
	const warning = "the settings allow calls more memory than there is"
	for _, test := range []struct {
		settings, limited string
		warned            bool
		metric            string
	}{
		{"GOMEMLIMIT=300MiB", `"there_is":"300 MiB","by":"GOMEMLIMIT"`, true, "go_gc_gomemlimit_bytes 3.145728e+08\n"},
		{"GOMAXPROCS=1", `"memory_limit":"`, false, "go_gc_gogc_percent 50\n"},
		{"GOMAXPROCS=1 GOGC=75", `"memory_limit":"`, false, "go_gc_gogc_percent 75\n"},
	} {
		server := serve(t, t.TempDir(), strings.Fields(test.settings)...)
		_, metrics := fetch(t, server.admin+"/metrics")
		if !strings.Contains(server.logged, test.limited) || strings.Contains(server.logged, warning) != test.warned || !strings.Contains(string(metrics), test.metric) {
			t.Errorf("%s: logged is\n%s\nwant %s, a warning: %v, and the metric %s", test.settings, server.logged, test.limited, test.warned, test.metric)
		}
	}
}
