package ratelimit

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"reflect"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// world is Limits with a clock that a test sets.
type world struct {
	*Limits
	now time.Time
	log bytes.Buffer
}

func newWorld(failures, fleets float64, log ports.ApiLog) *world {
	w := &world{now: time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)}
	w.Limits = New(Options{
		FailureRate: failures, FleetRate: fleets, Log: log, Clock: func() time.Time { return w.now },
		Logger: slog.New(slog.NewTextHandler(&w.log, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
			if a.Key == slog.TimeKey {
				return slog.Attr{}
			}
			return a
		}})),
	})
	return w
}

// passed is how many of so many calls at once are let through.
func passed(calls int, take func() time.Duration) (passed int) {
	for range calls {
		if take() == 0 {
			passed++
		}
	}
	return passed
}

func TestFailuresOfAnAddress(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0, nil)
	fail := func() time.Duration { return w.Failure("203.0.113.5") }
	if got := passed(1000, fail); got != FailureBurst {
		t.Errorf("of the first %d passed, want %d", got, FailureBurst)
	}
	if wait := fail(); wait <= 999*time.Millisecond || wait > time.Second+time.Microsecond {
		t.Errorf("the wait is %v, want a second", wait)
	}
	for _, step := range []struct {
		later time.Duration
		want  int
	}{{fail(), 1}, {999 * time.Millisecond, 0}, {time.Millisecond, 1}, {3 * time.Second, 3}, {time.Hour, FailureBurst}} {
		w.now = w.now.Add(step.later)
		if got := passed(100, fail); got != step.want {
			t.Errorf("%v later %d passed, want %d", step.later, got, step.want)
		}
	}
}

// TestWhoCountsTogether: who is over the limit takes nobody else along.
func TestWhoCountsTogether(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0, nil)
	for _, limited := range []string{"203.0.113.5", "2001:db8:1:2::3"} {
		passed(100, func() time.Duration { return w.Failure(limited) })
	}
	for from, want := range map[string]int{
		"203.0.113.5": 0, "::ffff:203.0.113.5": 0, "203.0.113.6": FailureBurst,
		"2001:db8:1:2:ffff::1": 0, "2001:db8:1:2::3%eth0": 0, "2001:db8:1:3::3": FailureBurst,
		"": 100, "@": 100, // unknown
	} {
		if got := passed(100, func() time.Duration { return w.Failure(from) }); got != want {
			t.Errorf("%q: %d passed, want %d", from, got, want)
		}
	}
}

func TestFleets(t *testing.T) {
	t.Parallel()
	w := newWorld(0, 2.5, nil)
	for _, fleet := range []domain.FleetID{689, 690} {
		if got := passed(100, func() time.Duration { return w.Fleet(fleet) }); got != 25 {
			t.Errorf("fleet %d: %d passed at once, want 25", fleet, got)
		}
	}
	w.now = w.now.Add(2 * time.Second)
	if got := passed(100, func() time.Duration { return w.Fleet(689) }); got != 5 {
		t.Errorf("%d passed after 2 s, want 5", got)
	}
	if got := passed(100, func() time.Duration { return w.Failure("203.0.113.5") }); got != 100 {
		t.Errorf("of what isn't limited, %d of 100 passed", got)
	}
	slow := newWorld(0, 0.01, nil)
	if got := passed(100, func() time.Duration { return slow.Fleet(689) }); got != 1 {
		t.Errorf("%d passed at a low rate, want 1", got)
	}
}

// TestAMillionAddresses: what is kept is bounded; who fails on stays limited,
// however many others come, as long as those are fewer than are kept.
func TestAMillionAddresses(t *testing.T) {
	t.Parallel()
	w := newWorld(1, 0, nil)
	w.total = rate.NewLimiter(rate.Inf, 0)
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	passed(FailureBurst, func() time.Duration { return w.Failure("203.0.113.5") })
	var address [4]byte
	for i := range uint32(1_000_000) {
		binary.BigEndian.PutUint32(address[:], i)
		from := netip.AddrFrom4(address).String()
		for range 1 + i%8/7*FailureBurst { // some over their limit
			w.Failure(from)
		}
		if i%(mostKept/2) == 0 && w.Failure("203.0.113.5") == 0 {
			t.Fatalf("an address that went on failing was forgotten after %d others", i)
		}
	}
	runtime.GC()
	runtime.ReadMemStats(&after)
	if kept, told := w.failures.kept.Len(), len(w.failures.refused); kept != mostKept || told > mostTold+1 {
		t.Errorf("%d buckets and %d tallies are kept, want %d and at most %d", kept, told, mostKept, mostTold+1)
	}
	t.Logf("%.1f MB for %d addresses", float64(after.HeapAlloc-before.HeapAlloc)/1e6, mostKept)
	runtime.KeepAlive(w)
}

// TestReport: one entry for each address and fleet, and one line for all.
func TestReport(t *testing.T) {
	t.Parallel()
	log := memory.New().ApiLog
	w := newWorld(1, 0.1, log)
	w.Report(t.Context())
	if w.log.Len() > 0 {
		t.Errorf("told without a reason: %s", &w.log)
	}
	for from, calls := range map[string]int{"203.0.113.5": 4711, "2001:db8:1:2::3": 11, "203.0.113.6": FailureBurst} {
		passed(calls, func() time.Duration { return w.Failure(from) })
	}
	passed(8, func() time.Duration { return w.Fleet(689) })
	w.now = w.now.Add(time.Minute)
	w.Report(t.Context())
	want := map[string]string{
		"203.0.113.5, fleet 0":       "calls that are counted in this entry: 4701. They came without a live API key, from an address that had sent too many such calls",
		"2001:db8:1:2::/64, fleet 0": "calls that are counted in this entry: 1. They came without a live API key, from an address that had sent too many such calls",
		", fleet 689":                "calls that are counted in this entry: 7. They were more than the fleet may send",
	}
	got := map[string]string{}
	entries, err := log.List(t.Context(), domain.ApiLogFilter{Result: domain.Failed, Error: domain.TooManyRequests}, 10)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		got[fmt.Sprintf("%s, fleet %d", e.Call.From, e.Call.Fleet)] = e.Outcome.Detail
		if !e.Call.ReceivedAt.Equal(w.now) || !e.Outcome.EndedAt.Equal(w.now) {
			t.Errorf("got %+v, want the time %v", e, w.now)
		}
	}
	if !reflect.DeepEqual(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
	const line = "level=WARN msg=\"calls were refused by the rate limits\" calls=4709 addresses=2 fleets=1\n"
	if w.Report(t.Context()); w.log.String() != line { // of which there is none more
		t.Errorf("got %s, want %s", &w.log, line)
	}
}

// TestReportIsBounded: the addresses beyond those that are told apart are one.
func TestReportIsBounded(t *testing.T) {
	t.Parallel()
	log := memory.New().ApiLog
	w := newWorld(1, 0, log)
	w.total = rate.NewLimiter(rate.Inf, 0)
	const addresses, refused = mostTold + 500, 3
	for i := range addresses {
		passed(FailureBurst+refused, func() time.Duration { return w.Failure(fmt.Sprintf("10.0.%d.%d", i/256, i%256)) })
	}
	w.Report(t.Context())
	entries, err := log.List(t.Context(), domain.ApiLogFilter{}, 2*addresses)
	if err != nil || len(entries) != mostTold+1 {
		t.Fatalf("got %d entries, %v, want %d", len(entries), err, mostTold+1)
	}
	others := slices.IndexFunc(entries, func(e domain.ApiLogEntry) bool { return e.Call.From == "" })
	if others < 0 || !strings.Contains(entries[others].Outcome.Detail, fmt.Sprintf(" %d. They came without a live API key, after", 500*refused)) {
		t.Errorf("got %+v", entries[max(0, others)])
	}
}

// TestFailuresOfAllAddresses: those that have entries of their own are bounded,
// and the rest is counted in one.
func TestFailuresOfAllAddresses(t *testing.T) {
	t.Parallel()
	log := memory.New().ApiLog
	w := newWorld(1, 0, log)
	next := 0
	fail := func() time.Duration {
		next++
		return w.Failure(fmt.Sprintf("2001:db8:0:%x::1", next))
	}
	if got := passed(2*totalBurst, fail); got != totalBurst {
		t.Errorf("%d passed at once, want %d", got, totalBurst)
	}
	if got := passed(10, func() time.Duration { return w.Failure("") }); got != 0 {
		t.Errorf("%d of unknown addresses passed as well", got)
	}
	if wait := fail(); wait <= 0 || wait > time.Second/totalRate+time.Microsecond {
		t.Errorf("the wait is %v", wait)
	}
	w.now = w.now.Add(2 * time.Second)
	if got := passed(totalBurst, fail); got != 2*totalRate {
		t.Errorf("%d passed 2 s later, want %d", got, 2*totalRate)
	}
	w.Report(t.Context())
	const refused = totalBurst + 10 + 1 + totalBurst - 2*totalRate
	entries, err := log.List(t.Context(), domain.ApiLogFilter{}, 10)
	want := fmt.Sprintf("calls that are counted in this entry: %d. They came without a live API key, after too many such calls from other addresses", refused)
	if err != nil || len(entries) != 1 || entries[0].Call.From != "" || entries[0].Outcome.Detail != want {
		t.Errorf("got %+v, %v, want %q", entries, err, want)
	}
	off := newWorld(0, 0, nil)
	if got := passed(2*totalBurst, func() time.Duration { return off.Failure("203.0.113.5") }); got != 2*totalBurst {
		t.Errorf("without a limit %d passed", got)
	}
}

// TestReportWithoutTheLog names the cause once, and what isn't logged is left to the next one.
func TestReportWithoutTheLog(t *testing.T) {
	t.Parallel()
	const addresses = 20
	log := &brokenLog{ApiLog: memory.New().ApiLog, takes: 7}
	w := newWorld(1, 0.1, log)
	for i := range addresses {
		passed(FailureBurst+2, func() time.Duration { return w.Failure(fmt.Sprintf("203.0.113.%d", i)) })
	}
	passed(1+4, func() time.Duration { return w.Fleet(689) })
	w.Report(t.Context())
	log.takes = 2 * addresses
	w.Report(t.Context())
	w.Report(t.Context())
	const line = "level=WARN msg=\"calls were refused by the rate limits\" "
	want := line + "calls=14 addresses=7 fleets=0 not_yet_logged=30 cause=\"the disk is full\"\n" + line + "calls=30 addresses=13 fleets=1\n"
	if got := w.log.String(); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	if entries, err := log.List(t.Context(), domain.ApiLogFilter{}, 2*addresses); err != nil || len(entries) != addresses+1 {
		t.Errorf("got %d entries, %v, want %d", len(entries), err, addresses+1)
	}
}

// brokenLog takes so many entries.
type brokenLog struct {
	*memory.ApiLog
	takes int
}

func (b *brokenLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	if b.takes--; b.takes < 0 {
		return 0, errors.New("the disk is full")
	}
	return b.ApiLog.Record(ctx, call, outcome)
}
