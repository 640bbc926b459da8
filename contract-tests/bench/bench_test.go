// Package bench measures a call over HTTP against a bare handler, which does the
// same job by hand: the floor that a quick handler costs. `task bench` runs it,
// and `task bench-tables` writes docs/performance.md from what it prints. The
// module in peers measures other programs.
//
// Nothing imports it.
package bench

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"

	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// The settings of a run, after `go test ./contract-tests/bench -args`.
var (
	runs     = flag.Int("runs", 6, "how often each handler takes its turn")
	turn     = flag.Duration("turn", time.Second, "how long a turn is")
	outFile  = flag.String("out", "", "write the figures into this file too")
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

// product is the name of this tree's handler.
const product = "fleetphoto"

// startHandlers starts the bare handler, this tree's product and those of the
// flag on a backend.
func startHandlers(t testing.TB, v variant, backend string, newDatabase func() string) (started []*handler) {
	t.Helper()
	own, err := os.Executable()
	must(t, err)
	programs := []program{{product, own, asCommand}}
	if !v.crowded {
		programs = append([]program{{asBare, own, asBare}}, programs...)
	}
	for path := range strings.SplitSeq(*binaries, ",") {
		if path != "" {
			programs = append(programs, program{filepath.Base(path), path, asCommand})
		}
	}
	for _, p := range programs {
		database, photos := "sqlite://fleetphoto.db", "file://photos"
		switch backend {
		case onMemory:
			database, photos = "memory://", "memory://"
		case onPostgres:
			database = newDatabase()
		case onS3:
			database, photos = newDatabase(), servers.S3(t)
		}
		started = append(started, start(t, p, backend, database, photos, v))
	}
	return started
}

// TestHandlersDoTheSame has the handlers store a photo and replace it, and
// checks what they store.
func TestHandlersDoTheSame(t *testing.T) {
	t.Parallel()
	inMemory := func(v *variant) { v.on, v.customers = []string{onMemory}, 1 }
	all := []variant{base.with("backend", "sqlite", func(v *variant) { v.on = []string{onSQLite} }),
		base.with("backend", "postgres", func(v *variant) { v.on = []string{onPostgres} }),
		base.with("backend", "s3", func(v *variant) { v.on = []string{onS3} })}
	for _, v := range cases {
		if v.factor == "body" || v.factor == "treatment" && !v.crowded {
			all = append(all, v.with(v.factor, v.level, inMemory))
		}
	}
	for _, v := range all {
		t.Run(v.String(), func(t *testing.T) {
			t.Parallel()
			for _, h := range startHandlers(t, v, v.on[0], func() string { return servers.Postgres(t) }) {
				h.check(t, v)
			}
		})
	}
}

// check has a handler store both photos of a customer.
func (h *handler) check(t testing.TB, v variant) {
	t.Helper()
	c := h.dial(t)
	defer func() { _ = c.Close() }()
	for n, photo := range v.photo.photos() {
		answer, err := c.call(h.request(n * v.customers))
		must(t, err)
		v.photo.checkStored(t, h, photo, fetch(t, answer.URL))
	}
}

// BenchmarkCall measures the cases. In each the handlers take turns, so that
// what else the machine does disturbs them alike.
func BenchmarkCall(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("processor time and memory are read from Linux's /proc")
	}
	begun, out := time.Now(), openOut(b)
	var database *postgres
	for _, v := range cases {
		b.Run(v.String(), func(b *testing.B) {
			b.ReportMetric(0, "ns/op") // hides it
			var handlers []*handler
			for _, backend := range v.on {
				if database == nil && (backend == onPostgres || backend == onS3) {
					database = startPostgres(out.b)
				}
				handlers = append(handlers, startHandlers(b, v, backend, func() string { return database.newDatabase(b) })...)
			}
			if database != nil {
				database.settle(b)
			}
			measure(b, v, handlers, database, out)
		})
	}
	fmt.Printf("\nThe whole took %v.\n", time.Since(begun).Round(time.Second))
}

// output is where the figures go.
type output struct {
	b      *testing.B
	writer *benchfmt.Writer
	config []benchfmt.Config
}

func openOut(b *testing.B) output {
	b.Helper()
	to := io.Writer(os.Stdout)
	if *outFile != "" {
		must(b, os.MkdirAll(filepath.Dir(*outFile), 0o755))
		file, err := os.Create(*outFile)
		must(b, err)
		b.Cleanup(func() { must(b, file.Close()) })
		to = io.MultiWriter(to, file)
	}
	return output{b, benchfmt.NewWriter(to), machine()}
}

// machine says when, where and of which commit something is measured.
func machine() (config []benchfmt.Config) {
	commit, _ := exec.Command("git", "describe", "--always", "--dirty", "--abbrev=10", "--exclude=*").Output() // fails outside of a checkout
	processors, _ := os.ReadFile("/proc/cpuinfo")
	_, cpu, _ := strings.Cut(string(processors), "model name\t: ")
	cpu, _, _ = strings.Cut(cpu, "\n")
	memory, _ := os.ReadFile("/proc/meminfo")
	var kB int
	_, _ = fmt.Sscanf(string(memory), "MemTotal: %d", &kB)
	for _, c := range []struct{ key, value string }{
		{"date", time.Now().UTC().Format(time.DateOnly)}, {"commit", string(bytes.TrimSpace(commit))},
		{"machine", fmt.Sprintf("%d × %s, %d GB, %s %s", runtime.NumCPU(), cpu, (kB+1<<19)>>20, runtime.GOOS, runtime.Version())},
		{"turns", fmt.Sprintf("%d of %v", *runs, *turn)},
	} {
		config = append(config, benchfmt.Config{Key: c.key, Value: []byte(c.value), File: true})
	}
	return config
}

// measure has the handlers take turns, and writes the figures of each.
func measure(b *testing.B, v variant, handlers []*handler, database *postgres, out output) {
	b.Helper()
	const warmUp = 500 * time.Millisecond
	for _, h := range handlers {
		if !v.crowded {
			h.check(b, v)
		}
		h.load(b, v, warmUp)
	}
	for round := range *runs {
		figures := make([][]benchfmt.Value, len(handlers))
		calls := make([]int, len(handlers))
		for i := range handlers {
			at := (i + round) % len(handlers)
			figures[at], calls[at] = handlers[at].takeTurn(b, v, database)
		}
		for at, h := range handlers {
			bare := slices.IndexFunc(handlers, func(other *handler) bool { return other.as == asBare && other.backend == h.backend })
			if bare >= 0 && h.as != asBare {
				figures[at] = append(figures[at], benchfmt.Value{Value: figures[at][0].Value / figures[bare][0].Value, Unit: "x-bare"})
			}
			name := fmt.Sprintf("Call/%s/on=%s/by=%s", v, h.backend, h.name)
			must(b, out.writer.Write(&benchfmt.Result{Config: out.config, Name: benchfmt.Name(name), Iters: calls[at], Values: figures[at]}))
		}
	}
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

var errNoCalls = errors.New("not one call was answered")
