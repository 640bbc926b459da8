//go:build chaos

package chaos_test

import (
	"fmt"
	"testing"
	"time"
)

// report is what came of a test.
type report struct {
	kills, faults, calls, acknowledged, unknown, unchanged int

	lost          int // customers whose photo no order of their calls explains
	disagreements int // customers whose record says something else than the store holds
	toldWrongly   int // calls that the log tells otherwise than their callers were told
	open          int // entries that stayed open
	undecided     int // customers of whom only what is left was explained, as too much was seen

	slowest time.Duration // from the end of a fault to the first acknowledged call
}

func (r *report) add(o report) {
	r.kills, r.faults, r.calls = r.kills+o.kills, r.faults+o.faults, r.calls+o.calls
	r.acknowledged, r.unknown, r.unchanged = r.acknowledged+o.acknowledged, r.unknown+o.unknown, r.unchanged+o.unchanged
	r.lost, r.disagreements, r.toldWrongly = r.lost+o.lost, r.disagreements+o.disagreements, r.toldWrongly+o.toldWrongly
	r.open, r.undecided, r.slowest = r.open+o.open, r.undecided+o.undecided, max(r.slowest, o.slowest)
}

func (r report) String() string {
	return fmt.Sprintf("kills=%d faults=%d calls=%d acknowledged=%d unknown=%d unchanged=%d lost=%d disagreements=%d told_wrongly=%d open=%d undecided=%d slowest_recovery=%v",
		r.kills, r.faults, r.calls, r.acknowledged, r.unknown, r.unchanged, r.lost, r.disagreements, r.toldWrongly, r.open, r.undecided, r.slowest.Round(time.Millisecond))
}

// settle waits until Repair has closed all entries.
func (w *world) settle() (open int) {
	const patience = time.Minute
	if w.store != nil {
		w.store.set(nil)
		w.store.late.Wait()
	}
	for end := time.Now().Add(patience); ; time.Sleep(100 * time.Millisecond) {
		err := w.log.QueryRow("SELECT count(*) FROM api_log WHERE result = ''").Scan(&open)
		if err == nil && open == 0 || time.Now().After(end) {
			return open
		}
	}
}

// check waits until all is settled, compares what clients were told with what is
// kept, and fails the test where they differ.
func (w *world) check() (r report) {
	w.t.Helper()
	r.open = w.settle()
	recorded, err := w.recorded()
	must(w.t, err)
	results, err := w.results()
	must(w.t, err)
	for customer := 1; customer <= w.many; customer++ {
		stored, err := w.stored(customer)
		must(w.t, err)
		if recorded[customer] != stored {
			r.disagreements++
			w.t.Errorf("customer %d: the record says %s, the store holds %s", customer, short(recorded[customer]), short(stored))
		}
		switch wrong := w.history.contradiction(customer, stored); wrong {
		case "":
		case undecided:
			r.undecided++
		default:
			r.lost++
			w.t.Errorf("customer %d: %s", customer, wrong)
		}
	}
	r.count(w.t, &w.history, results, w.log == w.customers)
	for _, replica := range w.replicas {
		r.kills += replica.killed()
	}
	if r.open > 0 {
		w.t.Errorf("%d entries stay open", r.open)
	}
	return r
}

// count counts the calls, and those that the log tells wrongly: an error where
// the log is in the customers' database.
func (r *report) count(t *testing.T, h *history, results map[int64]string, oneDatabase bool) {
	t.Helper()
	for _, c := range h.calls {
		r.calls++
		wanted := map[outcome]*int{acknowledged: &r.acknowledged, unknown: &r.unknown, unchanged: &r.unchanged}
		*wanted[c.outcome]++
		result, logged := results[c.id]
		if c.isTold(h, result, logged) {
			continue
		}
		tell := t.Logf
		if r.toldWrongly++; oneDatabase {
			tell = t.Errorf
		}
		tell("call %d at %v, %s (%s): the log tells %q", c.id, c.end, c.outcome, c.detail, result)
	}
}

// isTold says whether the log tells of a call what its caller was told. That
// nothing was changed it may not have learned from a process that was killed soon.
func (c call) isTold(h *history, result string, logged bool) bool {
	answered := h.begun.Add(c.end)
	switch {
	case c.outcome == acknowledged:
		return result == "valid"
	case c.outcome == unchanged && logged:
		return result == "error" || result == "interrupted" && c.replica.diedWithin(answered, answered.Add(settleAfter))
	}
	return true
}
