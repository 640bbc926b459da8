package bench

import (
	"bufio"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/perf/benchfmt"
)

// takeTurn loads the handler and returns the figures of a call, the processor
// time first, and how many calls there were.
func (h *handler) takeTurn(b *testing.B, v variant, database *postgres) (figures []benchfmt.Value, calls int) {
	b.Helper()
	if h.backend != onPostgres && h.backend != onS3 {
		database = nil
	}
	const resetPeak = "5" // proc(5), clear_refs
	must(b, os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", h.pid), []byte(resetPeak), 0))
	objectsBefore, bytesBefore := h.allocated(b)
	databaseBefore := database.usage(b, h.database)
	before, start := processorTime(h.pid), time.Now()
	took, refused := h.load(b, v, *turn)
	elapsed, used := time.Since(start), processorTime(h.pid)-before
	databaseAfter := database.usage(b, h.database)
	objectsAfter, bytesAfter := h.allocated(b)
	n := float64(len(took))
	add := func(unit string, value float64) { figures = append(figures, benchfmt.Value{Value: value, Unit: unit}) }
	add("cpu-ms/call", milliseconds(used)/n)
	add("calls/s", n/elapsed.Seconds())
	add("p50-ms", quantile(took, 0.5))
	add("p99-ms", quantile(took, 0.99))
	add("allocs/call", (objectsAfter-objectsBefore)/n)
	add("kB/call", (bytesAfter-bytesBefore)/n/1000)
	add("peak-MB", peakMemory(b, h.pid))
	if database != nil {
		add("db-cpu-ms/call", milliseconds(databaseAfter.cpu-databaseBefore.cpu)/n)
		add("db-tx/call", (databaseAfter.transactions-databaseBefore.transactions)/n)
		add("db-wal-B/call", (databaseAfter.wal-databaseBefore.wal)/n)
	}
	if v.crowded {
		add("refused", float64(refused))
	}
	return figures, len(took)
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// load has connections make calls for so long, and returns how many milliseconds
// each took. All must be valid, unless the server is crowded: then a connection
// ends with the first call that is refused.
func (h *handler) load(b *testing.B, v variant, long time.Duration) (took []float64, refused int) {
	b.Helper()
	var mu sync.Mutex
	var failed []error
	var running sync.WaitGroup
	end := time.Now().Add(long)
	for range v.connections {
		c := h.dial(b)
		running.Go(func() {
			defer func() { _ = c.Close() }()
			var err error
			for begun := time.Now(); err == nil && begun.Before(end); begun = time.Now() {
				_, err = c.call(h.request(int(h.called.Add(1))))
				mu.Lock()
				if err != nil {
					failed = append(failed, err)
				} else {
					took = append(took, milliseconds(time.Since(begun)))
				}
				mu.Unlock()
			}
		})
	}
	running.Wait()
	if len(took) == 0 || len(failed) > 0 && !v.crowded {
		b.Fatalf("%s: %d of %d connections failed: %v", h.name, len(failed), v.connections, cmp.Or(errors.Join(failed...), errNoCalls))
	}
	return took, len(failed)
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

// connection costs less than an http.Client, and what it uses the server lacks.
type connection struct {
	net.Conn
	reader *bufio.Reader
}

func (h *handler) dial(t testing.TB) connection {
	t.Helper()
	c, err := net.Dial("tcp", h.api)
	must(t, err)
	return connection{c, bufio.NewReader(c)}
}

type answer struct {
	Result string `json:"result"`
	URL    string `json:"url_customer_picture"`
}

// call makes a call, which must be valid.
func (c connection) call(r request) (a answer, err error) {
	parts := net.Buffers{r.start, r.photo, r.end}
	if _, err = parts.WriteTo(c.Conn); err != nil {
		return a, err
	}
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return a, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	body, err := io.ReadAll(response.Body)
	if err == nil {
		_ = json.Unmarshal(body, &a) // what isn't JSON is not valid
	}
	if err == nil && a.Result != "valid" {
		err = fmt.Errorf("%s: %s", response.Status, body)
	}
	return a, err
}

func fetch(t testing.TB, address string) []byte {
	t.Helper()
	response, err := http.Get(address)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	must(t, err)
	return body
}

const objectsMetric, bytesMetric = "go_memstats_mallocs_total", "go_memstats_alloc_bytes_total"

// allocated returns the objects and bytes that the process has allocated so far.
func (h *handler) allocated(b *testing.B) (objects, bytes float64) {
	b.Helper()
	for line := range strings.Lines(string(fetch(b, "http://"+h.admin+"/metrics"))) {
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), " "); name {
		case objectsMetric:
			objects, _ = strconv.ParseFloat(value, 64)
		case bytesMetric:
			bytes, _ = strconv.ParseFloat(value, 64)
		}
	}
	return objects, bytes
}

// processorTime returns what the threads of a process have used, which Linux
// counts in nanoseconds.
func processorTime(pid int) (sum time.Duration) {
	threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	for _, thread := range threads {
		var used time.Duration
		text, _ := os.ReadFile(thread)
		_, _ = fmt.Sscan(string(text), &used)
		sum += used
	}
	return sum
}
