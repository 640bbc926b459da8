//go:build chaos

package chaos_test

import (
	"cmp"
	"fmt"
	"math"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/anishathalye/porcupine"
)

// outcome is what a caller knows of a call.
type outcome int

const (
	unknown      outcome = iota // it may have been carried out, or may be later
	acknowledged                // it was answered as valid
	unchanged                   // it was answered that nothing was changed
)

// call is a call that changes a customer's photo. Times are since the history began.
type call struct {
	customer   int
	replica    *replica
	photo      digest // empty: it deletes
	start, end time.Duration
	outcome    outcome
	left       bool   // the client left before an answer, and the process lived
	id         int64  // its api_log_id; 0: none came
	detail     string // what the failure said
}

// read is a photo that somebody saw.
type read struct {
	customer   int
	photo      digest // empty: there was none
	start, end time.Duration
}

// history is all that clients know.
type history struct {
	begun time.Time
	mu    sync.Mutex
	calls []call
	reads []read
}

func (h *history) now() time.Duration { return time.Since(h.begun) }

func (h *history) add(c call) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.calls = append(h.calls, c)
}

func (h *history) size() int {
	h.mu.Lock()
	defer h.mu.Unlock()
	return len(h.calls)
}

// acknowledgedSince looks among the calls beyond the first seen for one that began
// after a fault, and returns its end, or 0, and how many it has seen.
func (h *history) acknowledgedSince(seen int, f fault) (at time.Duration, all int) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.calls[seen:] {
		if c.start > f.end && c.outcome == acknowledged && (f.replica == nil || f.replica == c.replica) {
			return c.end, 0
		}
	}
	return 0, len(h.calls)
}

func (h *history) addRead(r read) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.reads = append(h.reads, r)
}

func (h *history) of(customer int) (calls []call, reads []read) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, c := range h.calls {
		if c.customer == customer {
			calls = append(calls, c)
		}
	}
	for _, r := range h.reads {
		if r.customer == customer {
			reads = append(reads, r)
		}
	}
	return calls, reads
}

// write is a call as the model sees it; sure: it was carried out.
type write struct {
	photo digest
	sure  bool
}

// register is one customer's photo. A write that isn't sure may do nothing; an
// operation that isn't a write is a read.
var register = porcupine.NondeterministicModel{
	Init: func() []any { return []any{digest("")} },
	Step: func(state, input, output any) []any {
		w, is := input.(write)
		switch {
		case !is && state == output:
			return []any{state}
		case !is:
			return nil
		case w.sure:
			return []any{w.photo}
		}
		return []any{state, w.photo}
	},
	DescribeOperation: func(input, output any) string {
		w, is := input.(write)
		if !is {
			return fmt.Sprintf("read %.6s", output)
		}
		return fmt.Sprintf("write %.6s, sure: %v", w.photo, w.sure)
	},
}

// last returns the end of the time in which a call took effect, if ever. Where
// its end isn't known, it can't replace a change that began after its answer, or
// its process's death, and that was acknowledged: it is before that one's before.
func (c call) last(calls []call, before func(call) time.Duration) time.Duration {
	if c.outcome == acknowledged {
		return c.end
	}
	end := time.Duration(math.MaxInt64)
	for _, later := range calls {
		if later.outcome == acknowledged && later.start > c.end && !c.left {
			end = min(end, before(later))
		}
	}
	return end
}

// contradiction returns what no order explains in which each of the customer's
// calls took effect at once and which left final; empty: there is such an order.
func (h *history) contradiction(customer int, final digest) string {
	calls, reads := h.of(customer)
	end := h.now()
	left := read{customer, final, end, end}
	seen := []read{left}
	for _, r := range append(reads, left) {
		c, wrong := sender(r, calls)
		if wrong != "" {
			return wrong
		}
		if c.outcome == acknowledged { // any other photo may be late, and Repair may delete it again
			seen = append(seen, r)
		}
	}
	if wrong := unexplained(calls, final); wrong != "" {
		return wrong
	}
	return linearize(calls, seen)
}

// unexplained says why no call left final: in each order an acknowledged one came
// later. For a register that is only read in the end this is exact.
func unexplained(calls []call, final digest) string {
	latest := time.Duration(-1) // in the beginning there is no photo
	for _, c := range calls {
		if c.photo == final && c.outcome != unchanged {
			latest = max(latest, c.last(calls, func(c call) time.Duration { return c.start }))
		}
	}
	for _, c := range calls {
		if c.outcome == acknowledged && c.start >= latest {
			return fmt.Sprintf("%s is left, which no call can have left after %v; call %d, which began later, was acknowledged%s", short(final), latest, c.id, told(calls))
		}
	}
	return ""
}

// undecided is what a history says that is too long to be searched.
const undecided = "undecided"

// linearize has porcupine find an order that explains all that was seen, the
// first of reads in the end.
func linearize(calls []call, reads []read) string {
	var operations []porcupine.Operation
	first := map[digest]time.Duration{} // when each photo was seen first
	for _, r := range reads {
		operations = append(operations, porcupine.Operation{Output: r.photo, Call: int64(r.start), Return: int64(r.end)})
		if end, is := first[r.photo]; !is || r.end < end {
			first[r.photo] = r.end
		}
	}
	for _, c := range calls {
		seen, is := first[c.photo]
		if c.outcome == unchanged || c.photo != "" && !is && c.isNeedless(calls) {
			continue
		}
		// It may be seen until the next one is stored, and not only until that one began.
		end := c.last(calls, func(c call) time.Duration { return c.end })
		if is && c.photo != "" {
			end = min(end, seen) // which porcupine would find out, slowly
		}
		operations = append(operations, porcupine.Operation{
			Input: write{c.photo, c.outcome == acknowledged}, Call: int64(c.start), Return: int64(end),
		})
	}
	const patience = 20 * time.Second
	switch result, info := porcupine.CheckOperationsVerbose(register.ToModel(), operations, patience); result {
	case porcupine.Ok:
		return ""
	case porcupine.Unknown:
		return undecided
	default:
		return fmt.Sprintf("no order of its calls explains all that was seen; it is drawn in %s%s", drawn(info), told(calls))
	}
}

// isNeedless says that a call whose photo nobody saw makes no difference: it may
// have done nothing, or was replaced at once by one that was made meanwhile.
func (c call) isNeedless(calls []call) bool {
	return c.outcome == unknown || slices.ContainsFunc(calls, func(other call) bool {
		return other.outcome == acknowledged && other.start > c.start && other.end < c.end
	})
}

// sender returns the call that sent a photo which was seen, or what is wrong with it.
func sender(r read, calls []call) (c call, wrong string) {
	if r.photo == "" {
		return call{outcome: acknowledged}, ""
	}
	sent := slices.IndexFunc(calls, func(c call) bool { return c.photo == r.photo && c.start < r.end })
	switch {
	case sent < 0:
		return c, fmt.Sprintf("%v was seen and never sent", short(r.photo))
	case calls[sent].outcome == unchanged:
		return c, fmt.Sprintf("%v was seen, and its call %d was told that nothing was changed", short(r.photo), calls[sent].id)
	}
	return calls[sent], ""
}

func short(d digest) string {
	if d == "" {
		return "no photo"
	}
	return "photo " + string(d[:6])
}

// told are the last calls that may have changed something.
func told(calls []call) (text string) {
	const last = 12
	calls = slices.DeleteFunc(slices.Clone(calls), func(c call) bool { return c.outcome == unchanged })
	slices.SortFunc(calls, func(a, b call) int { return cmp.Compare(a.end, b.end) })
	for _, c := range calls[max(0, len(calls)-last):] {
		text += fmt.Sprintf("\n  %v to %v: call %d of %s, %s: %v %s", c.start, c.end, c.id, c.replica.name, short(c.photo), c.outcome, c.detail)
	}
	return text
}

// drawn returns the path of a page that shows the history.
func drawn(info porcupine.LinearizationInfo) string {
	file, err := os.CreateTemp("", "chaos-history-*.html")
	if err != nil {
		return err.Error()
	}
	defer func() { _ = file.Close() }()
	if err := porcupine.Visualize(register.ToModel(), info, file); err != nil {
		return err.Error()
	}
	return file.Name()
}

func (o outcome) String() string { return [...]string{"unknown", "acknowledged", "unchanged"}[o] }
