// Package bench measures a call over HTTP against a bare handler, which does the
// same job by hand: the floor that a quick handler costs. `task bench` runs it.
//
// An image library that needs cgo, such as govips, is compared by a module
// outside this one: a benchmark in which the library and photo.Reader take
// turns with the same bytes.
//
// Nothing imports it.
package bench

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// The settings of a run, after `go test ./contract-tests/bench -args`.
var (
	rounds   = flag.Int("rounds", 15, "how often each handler takes its turn")
	turn     = flag.Duration("turn", 400*time.Millisecond, "how long a turn is")
	binaries = flag.String("binary", "", "more commands to measure beside this tree's: absolute paths, with commas between them")
)

func TestMain(m *testing.M) {
	switch {
	case os.Getenv(asBare) != "":
		log.Fatal(serveBare(context.Background()))
	case os.Getenv(asCommand) != "":
		os.Exit(app.Main(context.Background(), os.Args[1:], app.Adapters()))
	}
	os.Exit(servers.Main(m))
}

var backends = []string{"memory", "sqlite", "postgres"}

// startHandlers starts the bare handler, this tree's product and those of the
// flag, the products once for each way to verify a photo.
func startHandlers(t testing.TB, w workload, backend string, newDatabase func() string) []*handler {
	t.Helper()
	if backend != "postgres" {
		newDatabase = func() string {
			return map[string]string{"memory": "memory://", "sqlite": "sqlite://fleetphoto.db"}[backend]
		}
	}
	own, err := os.Executable()
	must(t, err)
	started := []*handler{start(t, program{"bare", own, asBare}, newDatabase(), w)}
	products := []program{{"fleetphoto", own, asCommand}}
	for path := range strings.SplitSeq(*binaries, ",") {
		if path != "" {
			products = append(products, program{filepath.Base(path), path, asCommand})
		}
	}
	for _, p := range products {
		for _, verify := range w.verifications() {
			started = append(started, start(t, program{p.name + "/" + verify, p.path, p.as}, newDatabase(), w, "FLEETPHOTO_VERIFY="+verify))
		}
	}
	return started
}

// TestHandlersDoTheSame has the handlers store a photo and replace it, and
// checks what they store.
func TestHandlersDoTheSame(t *testing.T) {
	kept, rotated := workloads[0], workloads[slices.IndexFunc(workloads, func(w workload) bool { return w.rotated })]
	for _, test := range []struct {
		backend string
		workload
	}{{"memory", kept}, {"memory", rotated}, {"sqlite", kept}, {"postgres", kept}} {
		t.Run(test.backend+"/"+test.name, func(t *testing.T) {
			t.Parallel()
			for _, h := range startHandlers(t, test.workload, test.backend, func() string { return servers.Postgres(t) }) {
				h.check(t, test.workload)
			}
		})
	}
}

// check has a handler store both photos of a customer.
func (h *handler) check(t testing.TB, w workload) {
	t.Helper()
	c := h.dial(t)
	defer func() { _ = c.Close() }()
	for n, photo := range w.photos() {
		answer, err := c.call(h.requests[n*len(h.requests)/2])
		must(t, err)
		w.checkStored(t, h, photo, fetch(t, answer.URL))
	}
}

// What is measured.
const (
	cpu = iota
	overBare
	databaseCPU
	objects
	kilobytes
	rate
	p50
	p99
	columns
)

var units = [columns]struct{ name, format string }{
	{"cpu-ms/call", "%.3f"}, {"x-bare", "%.2f"}, {"db-cpu-ms/call", "%.3f"}, {"allocs/call", "%.0f"},
	{"kB/call", "%.0f"}, {"calls/s", "%.0f"}, {"p50-ms", "%.2f"}, {"p99-ms", "%.2f"},
}

type figures [columns]float64

// stage is a backend for a benchmark's handlers.
type stage struct {
	backend  string
	database *postgres // nil: the backend is another
}

// start starts the handlers for a workload, each of which shows that it stores
// what it owes.
func (s stage) start(b *testing.B, w workload) []*handler {
	b.Helper()
	handlers := startHandlers(b, w, s.backend, func() string { return s.database.newDatabase(b) })
	for _, h := range handlers {
		h.check(b, w)
	}
	return handlers
}

// eachBackend runs a benchmark on each backend.
func eachBackend(b *testing.B, run func(b *testing.B, s stage)) {
	b.Helper()
	if runtime.GOOS != "linux" {
		b.Skip("processor time and memory are read from Linux's /proc")
	}
	for _, backend := range backends {
		b.Run(backend, func(b *testing.B) {
			s := stage{backend: backend}
			if backend == "postgres" {
				s.database = startPostgres(b)
			}
			run(b, s)
		})
	}
}

// BenchmarkCall has the handlers take turns, so that what else the machine does
// disturbs them alike, and prints their figures as a table too.
func BenchmarkCall(b *testing.B) {
	table := "| on | photo | connections | handler |"
	for _, unit := range units {
		table += " " + unit.name + " |"
	}
	table += "\n|---|---|---:|---|" + strings.Repeat("---:|", columns) + "\n"
	eachBackend(b, func(b *testing.B, s stage) {
		for _, w := range workloads {
			b.Run(w.name, func(b *testing.B) {
				handlers := s.start(b, w)
				for _, connections := range []int{1, 8} {
					b.Run(fmt.Sprintf("connections=%d", connections), func(b *testing.B) {
						for i, f := range measure(b, handlers, s.database, connections) {
							b.Run(handlers[i].name, f.report)
							table += fmt.Sprintf("| %s | %s | %d | %s |%v\n", s.backend, w.name, connections, handlers[i].name, f)
						}
					})
				}
			})
		}
	})
	fmt.Printf("\n%s\n", table)
}

// String is the cells of a table.
func (f figures) String() (cells string) {
	for i, unit := range units {
		cells += fmt.Sprintf(" "+unit.format+" |", f[i])
	}
	return cells
}

// report says what was measured before.
func (f figures) report(b *testing.B) {
	b.ReportMetric(0, "ns/op") // hides it
	for i, unit := range units {
		b.ReportMetric(f[i], unit.name)
	}
}

// measure returns the figures of each handler, the first of which is the bare
// one: medians of its turns.
func measure(b *testing.B, handlers []*handler, database *postgres, connections int) []figures {
	const warmUp = 300 * time.Millisecond
	turns, took := make([][columns][]float64, len(handlers)), make([][]float64, len(handlers))
	for _, h := range handlers {
		h.load(b, connections, warmUp)
	}
	for round := range *rounds {
		for i := range handlers {
			at := (i + round) % len(handlers)
			f, times := handlers[at].takeTurn(b, database, connections)
			for column := range columns {
				turns[at][column] = append(turns[at][column], f[column])
			}
			took[at] = append(took[at], times...)
		}
		for at := range handlers {
			turns[at][overBare][round] = turns[at][cpu][round] / turns[0][cpu][round]
		}
	}
	medians := make([]figures, len(handlers))
	for at := range handlers {
		for column := range columns {
			medians[at][column] = quantile(turns[at][column], 0.5)
		}
		medians[at][p50], medians[at][p99] = quantile(took[at], 0.5), quantile(took[at], 0.99)
	}
	return medians
}

// quantile returns the value that the fraction q of all doesn't exceed.
func quantile(values []float64, q float64) float64 {
	values = slices.Sorted(slices.Values(values))
	return values[int(q*float64(len(values)-1))]
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
