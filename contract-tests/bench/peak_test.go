package bench

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"time"
)

// BenchmarkPeak prints how much memory a server takes at most while many
// connections send it large photos that are rotated. Calls that it can't finish
// in time, which it refuses, have taken their memory too.
func BenchmarkPeak(b *testing.B) {
	const connections, long = 64, 10 * time.Second
	w := workloads[len(workloads)-1]
	w.settings = []string{"FLEETPHOTO_MAX_INFLIGHT_BYTES=1GiB"} // so that all are let in
	table := "| on | photo | connections | handler | calls | refused | peak-MB |\n|---|---|---:|---|---:|---:|---:|\n"
	eachBackend(b, func(b *testing.B, s stage) {
		for _, h := range s.start(b, w) {
			took, refused := h.try(b, connections, long)
			if len(refused) > 0 {
				b.Logf("%s: refused, for instance: %v", h.name, refused[0])
			}
			peak := peakMemory(b, h.pid)
			b.Run(h.name, func(b *testing.B) {
				b.ReportMetric(0, "ns/op") // hides it
				b.ReportMetric(peak, "peak-MB")
			})
			table += fmt.Sprintf("| %s | %s | %d | %s | %d | %d | %.0f |\n", s.backend, w.name, connections, h.name, len(took), len(refused), peak)
		}
	})
	fmt.Printf("\n%s\n", table)
}

// peakMemory returns how many megabytes of a process were resident at most.
func peakMemory(b *testing.B, pid int) (megabytes float64) {
	b.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	must(b, err)
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	_, err = fmt.Sscan(rest, &megabytes)
	must(b, err)
	return megabytes * 1024 / 1e6
}
