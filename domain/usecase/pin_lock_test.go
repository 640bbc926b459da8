package usecase_test

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// guess sends these PINs, one after the other, and returns what each came to.
func (w *world) guess(pins ...domain.PIN) []string {
	w.T.Helper()
	var results []string
	for _, pin := range pins {
		request := w.Request()
		request.PIN = pin
		_, err := w.Update.Do(w.T.Context(), request)
		result := "valid"
		if err != nil {
			known := domain.AsError(err)
			result = strings.TrimSuffix(fmt.Sprintf("%s %v", string(known.Kind), known.RetryAfter), " 0s")
		}
		results = append(results, result)
	}
	return results
}

func TestPINLock(t *testing.T) {
	t.Parallel()
	const invalid, locked = "Invalid PIN", "PIN Locked 15m0s"
	five := slices.Repeat([]domain.PIN{wrongPIN}, 5)
	for _, test := range []struct {
		name   string
		before []domain.PIN
		wait   time.Duration
		pin    domain.PIN
		want   string
	}{
		{"four wrong, then right", five[:4], 0, rightPIN, "valid"},
		{"five wrong, then wrong", five, 0, wrongPIN, locked},
		{"five wrong, then right", five, 0, rightPIN, locked},
		{"five wrong, then none", five, 0, domain.PIN{}, "valid"},
		{"four wrong, right, four wrong, then right", slices.Concat(five[:4], []domain.PIN{rightPIN}, five[:4]), 0, rightPIN, "valid"},
		{"four wrong, one without, then wrong", slices.Concat(five[:4], []domain.PIN{{}}), 0, wrongPIN, invalid},
		{"four wrong, one without, wrong, then right", slices.Concat(five[:4], []domain.PIN{{}, wrongPIN}), 0, rightPIN, locked},
		{"a microsecond before the end", five, domain.PINLockDuration - time.Microsecond, rightPIN, "PIN Locked 1µs"},
		{"at the end, right", five, domain.PINLockDuration, rightPIN, "valid"},
		{"at the end, wrong", five, domain.PINLockDuration, wrongPIN, invalid},
	} {
		w := newWorld(t)
		w.guess(test.before...)
		w.Clock.Advance(test.wait)
		if got := w.guess(test.pin)[0]; got != test.want {
			t.Errorf("%s: got %s, want %s", test.name, got, test.want)
		}
	}
}

// TestBlankPINsAreNotCounted where the fleet requires the PIN: nobody guessed.
func TestBlankPINsAreNotCounted(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.requirePIN()
	blank := slices.Repeat([]domain.PIN{{}}, domain.MaxWrongPINs+1)
	want := append(slices.Repeat([]string{"Invalid PIN"}, len(blank)), "valid")
	if got := w.guess(append(blank, rightPIN)...); !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// requirePIN has our fleet require it.
func (w *world) requirePIN() { w.T.Helper(); w.setFleet(domain.Fleet{RequirePIN: true}) }

// setFleet replaces what is known of our fleet.
func (w *world) setFleet(fleet domain.Fleet) {
	w.T.Helper()
	fleet.ID = ourFleet
	if err := w.Backend.FleetAuth.SetFleet(w.T.Context(), fleet); err != nil {
		w.T.Fatal(err)
	}
}

func TestParallelGuessesDoNotOutrunTheLock(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	var results [40]string
	var all sync.WaitGroup
	for i := range results {
		all.Go(func() { results[i] = w.guess(wrongPIN)[0] })
	}
	all.Wait()
	slices.Sort(results[:])
	want := slices.Concat(slices.Repeat([]string{"Invalid PIN"}, 5), slices.Repeat([]string{"PIN Locked 15m0s"}, 35))
	if !slices.Equal(results[:], want) {
		t.Errorf("got %q", results)
	}
}
