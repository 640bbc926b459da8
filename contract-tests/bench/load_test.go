package bench

import (
	"bufio"
	"encoding/json"
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
)

// takeTurn loads the handler and returns the figures of a call, and how many
// milliseconds each took.
func (h *handler) takeTurn(b *testing.B, database *postgres, connections int) (f figures, took []float64) {
	objectsBefore, bytesBefore := h.allocated(b)
	before, databaseBefore, start := processorTime(h.pid), database.processorTime(b), time.Now()
	took = h.load(b, connections, *turn)
	elapsed := time.Since(start)
	after, databaseAfter := processorTime(h.pid), database.processorTime(b)
	objectsAfter, bytesAfter := h.allocated(b)
	calls := float64(len(took))
	f[cpu], f[databaseCPU] = milliseconds(after-before)/calls, milliseconds(databaseAfter-databaseBefore)/calls
	f[objects], f[kilobytes] = (objectsAfter-objectsBefore)/calls, (bytesAfter-bytesBefore)/calls/1000
	f[rate] = calls / elapsed.Seconds()
	return f, took
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// load has so many connections make calls for so long, all of which must be
// valid, and returns how many milliseconds each call took.
func (h *handler) load(b *testing.B, connections int, long time.Duration) (took []float64) {
	b.Helper()
	took, failed := h.try(b, connections, long)
	if len(failed) > 0 {
		b.Fatalf("%s: %d of %d connections failed, one as %v", h.name, len(failed), connections, failed[0])
	}
	return took
}

// try is load for a server that may refuse calls. A connection ends with its
// first call that fails.
func (h *handler) try(b *testing.B, connections int, long time.Duration) (took []float64, failed []error) {
	b.Helper()
	var mu sync.Mutex
	var running sync.WaitGroup
	end := time.Now().Add(long)
	for range connections {
		c := h.dial(b)
		running.Go(func() {
			defer func() { _ = c.Close() }()
			var err error
			for begun := time.Now(); err == nil && begun.Before(end); begun = time.Now() {
				_, err = c.call(h.requests[h.called.Add(1)%int64(len(h.requests))])
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
	return took, failed
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
	parts := net.Buffers{r.start, r.photo}
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
