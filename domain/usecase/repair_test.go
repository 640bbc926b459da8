package usecase_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

func TestRepairSettles(t *testing.T) {
	t.Parallel()
	gone := domain.CustomerRef{Fleet: ourFleet, Customer: 404}
	for _, test := range []struct {
		name   string
		kill   func(*world)
		report usecase.RepairReport
		want   state
	}{
		{"nothing", func(*world) {}, usecase.RepairReport{}, stateOf("old", "old by 1", "")},
		{"a call cut off before its change", func(w *world) { w.OpenEntry(customer, start) }, usecase.RepairReport{LookedAt: 1, Interrupted: 1}, stateOf("old", "old by 1", "interrupted")},
		{"a put without its record", func(w *world) { w.OpenEntry(customer, start); w.Store(newPhoto) }, usecase.RepairReport{LookedAt: 1, Interrupted: 1, Corrected: 1}, stateOf("new", "new by 0", "interrupted")},
		{"a delete without its record", func(w *world) { w.OpenEntry(customer, start); w.Store(nil) }, usecase.RepairReport{LookedAt: 1, Interrupted: 1, Corrected: 1}, stateOf("none", "none by 0", "interrupted")},
		{"a whole change", func(w *world) {
			record := w.Record(customer)
			record.ChangedBy = w.OpenEntry(customer, start)
			w.SetRecord(record)
		}, usecase.RepairReport{Done: 1}, stateOf("old", "old by 2", "valid")},
		{"a record of a photo that is gone", func(w *world) { w.OpenEntry(customer, start); w.Store(nil); w.OpenEntry(customer, start) }, usecase.RepairReport{LookedAt: 2, Interrupted: 2, Corrected: 1}, stateOf("none", "none by 0", "interrupted; interrupted")},
		{"a customer who is gone", func(w *world) { w.OpenEntry(gone, start) }, usecase.RepairReport{LookedAt: 1, Interrupted: 1}, stateOf("old", "old by 1", "interrupted")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.kill(w)
			for _, want := range []usecase.RepairReport{test.report, {}, {}} { // repeated, it finds nothing
				if got, err := w.Settle(); err != nil || got != want {
					t.Errorf("got %+v, %v, want %+v", got, err, want)
				}
				if got := w.State(); got != test.want {
					t.Errorf("left is %+v, want %+v", got, test.want)
				}
			}
			w.CheckSettled()
		})
	}
}

func TestRepairSaysWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.OpenEntry(customer, start)
	w.Store(newPhoto)
	first := start.Add(usecase.SettleAfter + time.Microsecond)
	if _, err := w.Look(usecase.SettleAfter + 999*time.Nanosecond); err != nil {
		t.Fatal(err)
	}
	if got := w.Record(customer).ChangedAt; got != first {
		t.Errorf("the record was changed at %v, want %v", got, first)
	}
	if got, want := w.Entries()[1].Outcome, (domain.Outcome{SettledAt: first}); got != want {
		t.Errorf("the entry is %+v, want %+v", got, want)
	}
	if _, err := w.Look(usecase.LateAfter); err != nil {
		t.Fatal(err)
	}
	want := domain.Outcome{Result: domain.Interrupted, EndedAt: first.Add(usecase.LateAfter + time.Microsecond)}
	if got := w.Entries()[1].Outcome; got != want {
		t.Errorf("the entry ended with %+v, want %+v", got, want)
	}
}

func TestSettleAfterIsLongerThanAnyCall(t *testing.T) {
	t.Parallel()
	if usecase.SettleAfter < 4*usecase.CallTimeout {
		t.Errorf("a call of two halves may take %v, and Repair waits %v", 2*usecase.CallTimeout, usecase.SettleAfter)
	}
}

func TestRepairLeavesYoungEntries(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.OpenEntry(customer, start.Add(time.Hour)) // another clock
	for _, test := range []struct {
		pause  time.Duration
		report usecase.RepairReport
		left   string
	}{
		{usecase.SettleAfter, usecase.RepairReport{}, "open"},
		{time.Microsecond, usecase.RepairReport{LookedAt: 1}, "open"},
		{time.Microsecond, usecase.RepairReport{}, "open"},
		{usecase.LateAfter - usecase.SettleAfter - 2*time.Microsecond, usecase.RepairReport{}, "open"},
		{time.Microsecond, usecase.RepairReport{Interrupted: 1}, "interrupted"},
	} {
		w.Clock.Advance(test.pause)
		report, err := w.Repair.Do(t.Context())
		if err != nil || report != test.report {
			t.Errorf("after another %v: got %+v, %v, want %+v", test.pause, report, err, test.report)
		}
		if want := (stateOf("old", "old by 1", test.left)); w.State() != want {
			t.Errorf("after another %v: left is %+v, want %+v", test.pause, w.State(), want)
		}
	}
}

// Whatever fails in a Repair: it says so, nothing is made worse, and the next one settles the rest.
func TestRepairFailsAtEachStep(t *testing.T) {
	t.Parallel()
	left := stateOf("new", "old by 1", "open")
	corrected := stateOf("new", "new by 0", "open")
	closed := stateOf("new", "new by 0", "interrupted")
	for name, want := range map[string]state{
		"Unfinished": left, "Unfinished, done": left, "ChangePhoto": left,
		"Open photo": left, "Open photo, done": left, "read photo": left, "read photo, done": left, "close photo": left, "close photo, done": left,
		"store record": left, "ChangePhoto, done": corrected, "Close entry": corrected, "Close entry, done": closed,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.OpenEntry(customer, start)
			w.Store(newPhoto)
			w.Steps.Reset(map[string]func() error{name: down})
			report, err := w.Settle()
			if !errors.Is(err, domain.Unavailable) || report != (usecase.RepairReport{}) {
				t.Errorf("got %+v, %v, want nothing settled and %q", report, err, string(domain.Unavailable))
			}
			if got := w.State(); got != want {
				t.Errorf("left is %+v, want %+v", got, want)
			}
			w.Steps.Reset(nil)
			if _, err := w.Settle(); err != nil || w.State() != closed {
				t.Errorf("the next Repair: %v leaves %+v, want %+v", err, w.State(), closed)
			}
		})
	}
}

// stuck is a repository that fails for one customer.
type stuck struct {
	ports.CustomerRepo
	customer domain.CustomerRef
}

func (s stuck) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	if ref == s.customer {
		return down()
	}
	return s.CustomerRepo.ChangePhoto(ctx, ref, change)
}

func TestRepairBatches(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name                  string
		before, cannot, after int // entries that can be settled, that can't, that can, in this order
	}{
		{"a batch less one", 99, 0, 0},
		{"a batch", 100, 0, 0},
		{"a batch and one", 101, 0, 0},
		{"many batches", 350, 0, 0},
		{"one entry that can't be settled", 0, 1, 3},
		{"one that can't, and batches", 0, 1, 250},
		{"one that can't in the middle", 120, 1, 120},
		{"many that can't, and batches", 30, 99, 150},
		{"only such as can't", 0, 250, 0},
		{"a batch that can't, before others", 0, 100, 1},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Changes.Customers = stuck{w.Changes.Customers, pinless}
			received := start
			open := func(ref domain.CustomerRef, n int) {
				for range n {
					received = received.Add(time.Microsecond)
					w.OpenEntry(ref, received)
				}
			}
			open(customer, test.before)
			open(pinless, test.cannot)
			open(customer, test.after)
			w.Clock.Advance(time.Minute)
			report, err := w.Settle()
			n := test.before + test.after
			if want := (usecase.RepairReport{LookedAt: n, Interrupted: n}); report != want {
				t.Errorf("got %+v, want %+v", report, want)
			}
			if (test.cannot > 0) != errors.Is(err, domain.Unavailable) || err != nil && !strings.HasPrefix(err.Error(), fmt.Sprintf("%d calls can't be settled yet, ", test.cannot)) {
				t.Errorf("%d can't be settled: got %v", test.cannot, err)
			}
			for _, entry := range w.Entries() {
				if want := entry.Call.Customer == pinless.Customer; entry.Outcome.IsOpen() != want {
					t.Fatalf("entry %d of customer %d: open is %v, want %v", entry.ID, entry.Call.Customer, !want, want)
				}
			}
		})
	}
}

func TestTwoRepairsAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 150 {
		w.OpenEntry(customer, start)
	}
	w.Store(newPhoto)
	w.Clock.Advance(usecase.LateAfter + time.Microsecond)
	var reports [4]usecase.RepairReport
	var all sync.WaitGroup
	for i := range reports {
		all.Go(func() {
			var err error
			if reports[i], err = w.Repair.Do(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	w.CheckSettled()
	corrected, settled := 0, 0
	for _, report := range reports {
		corrected += report.Corrected
		settled += report.Settled()
	}
	if corrected != 1 || settled < 150 {
		t.Errorf("corrected were %d, settled %d: %+v", corrected, settled, reports)
	}
	if got := w.Record(customer).ChangedBy; got != 0 {
		t.Errorf("the record was changed by %d", got)
	}
}

func TestRepairStopsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for range 3 {
		w.OpenEntry(customer, start)
	}
	ctx, cancel := context.WithCancel(t.Context())
	w.Steps.Reset(map[string]func() error{"Unfinished, done": func() error { cancel(); return nil }})
	w.Clock.Advance(usecase.SettleAfter + time.Microsecond)
	report, err := w.Repair.Do(ctx)
	if !errors.Is(err, context.Canceled) || report.Settled() != 0 {
		t.Errorf("got %+v, %v", report, err)
	}
	if want := (stateOf("old", "old by 1", "open; open; open")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
}

func TestRepairReportSettled(t *testing.T) {
	t.Parallel()
	if got := (usecase.RepairReport{Done: 2, Interrupted: 3, Corrected: 1}).Settled(); got != 5 {
		t.Errorf("got %d, want 5", got)
	}
}
