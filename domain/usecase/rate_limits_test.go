package usecase_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// limits let so many failures of each address and so many calls of each fleet through.
type limits struct {
	failures, calls int
	asked           []string
}

const wait = 7 * time.Second

func (l *limits) Failure(from string) time.Duration {
	l.asked = append(l.asked, "failure of "+from)
	l.failures--
	return map[bool]time.Duration{true: wait}[l.failures < 0]
}

func (l *limits) Fleet(fleet domain.FleetID) time.Duration {
	l.asked = append(l.asked, fmt.Sprintf("call of %d", fleet))
	l.calls--
	return map[bool]time.Duration{true: wait}[l.calls < 0]
}

// TestRateLimits: who is asked for which call, what is logged, and that a call
// with a live key passes, whatever its address did.
func TestRateLimits(t *testing.T) {
	t.Parallel()
	const none, many = 0, 100
	outsider, ours, disabled := "failure of "+from, fmt.Sprintf("call of %d", ourFleet), fmt.Sprintf("call of %d", disabledFleet)
	badType := domain.Errorf(domain.TypeError, "phone_number: want digits")
	do := func(change func(*world, *usecase.Request)) func(*world) (usecase.Answer, error) {
		return func(w *world) (usecase.Answer, error) {
			request := w.Request()
			change(w, &request)
			return w.Update.Do(t.Context(), request)
		}
	}
	refuse := func(change func(*world, *usecase.Request)) func(*world) (usecase.Answer, error) {
		return func(w *world) (usecase.Answer, error) {
			request := usecase.Request{From: from}
			change(w, &request)
			return w.Update.Refuse(t.Context(), request, badType)
		}
	}
	noKey := func(*world, *usecase.Request) {}
	wrongKey := func(_ *world, r *usecase.Request) {
		r.APIKey = usecasetest.Must(domain.ParseAPIKey(strings.Repeat("0", 25)))
	}
	liveKey := func(w *world, r *usecase.Request) { r.APIKey = w.Keys[ourFleet] }
	keyOfDisabled := func(w *world, r *usecase.Request) { r.APIKey = w.Keys[disabledFleet] }
	for _, test := range []struct {
		name            string
		failures, calls int
		call            func(*world) (usecase.Answer, error)
		asked           string
		want            domain.Kind // empty: valid
		fleet           domain.FleetID
	}{
		{"a live key", none, many, do(liveKey), ours, "", ourFleet},
		{"a live key of a fleet over its limit", many, none, do(liveKey), ours, domain.TooManyRequests, ourFleet},
		{"a wrong key", many, none, do(wrongKey), outsider, domain.InvalidHashID, 0},
		{"a wrong key too many", none, many, do(wrongKey), outsider, domain.TooManyRequests, 0},
		{"a disabled fleet", none, many, do(keyOfDisabled), disabled, domain.FleetDisabled, disabledFleet},
		{"a disabled fleet over its limit", many, none, do(keyOfDisabled), disabled, domain.TooManyRequests, disabledFleet},

		{"unreadable without a key", many, none, refuse(noKey), outsider, domain.TypeError, 0},
		{"unreadable without a key too often", none, many, refuse(noKey), outsider, domain.TooManyRequests, 0},
		{"unreadable with a wrong key", many, none, refuse(wrongKey), outsider, domain.TypeError, 0},
		{"unreadable with a wrong key too often", none, many, refuse(wrongKey), outsider, domain.TooManyRequests, 0},
		{"unreadable with a live key", none, many, refuse(liveKey), ours, domain.TypeError, ourFleet},
		{"unreadable with the key of a fleet over its limit", many, none, refuse(liveKey), ours, domain.TooManyRequests, ourFleet},
		{"unreadable of a disabled fleet", none, many, refuse(keyOfDisabled), disabled, domain.TypeError, disabledFleet},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			asked := &limits{failures: test.failures, calls: test.calls}
			w.Update.Limits = asked
			answer, err := test.call(w)
			known := domain.AsError(err)
			limited := test.want == domain.TooManyRequests
			switch {
			case !slices.Equal(asked.asked, []string{test.asked}):
				t.Errorf("asked was %q, want %q", asked.asked, test.asked)
			case (err != nil) != (test.want != "") || err != nil && known.Kind != test.want:
				t.Errorf("got %v, want %s", err, test.want)
			case limited != errors.Is(err, usecase.ErrRateLimited) || limited && (known.RetryAfter != wait || !known.Unchanged):
				t.Errorf("got %+v", known)
			case limited != (answer.ApiLogID == 0) || limited != (len(w.Entries()) == 1):
				t.Errorf("the answer has the id %d, and the log %d entries", answer.ApiLogID, len(w.Entries()))
			case answer.Call.Fleet != test.fleet || !limited && w.Entries()[1].Call.Fleet != test.fleet:
				t.Errorf("the call is of the fleet %d, want %d", answer.Call.Fleet, test.fleet)
			}
		})
	}
}

// TestRefuseWhileKeysCannotBeLookedUp: what is answered stays, and no address is blamed.
func TestRefuseWhileKeysCannotBeLookedUp(t *testing.T) {
	t.Parallel()
	for _, what := range []string{fails, breaks, panics} {
		w := newWorld(t)
		asked := &limits{}
		w.Update.Limits = asked
		w.Steps.Reset(map[string]func() error{"Authenticate": acting(what, nil)})
		answer, err := w.Update.Refuse(t.Context(), w.Request(), domain.Errorf(domain.TypeError, "phone_number: want digits"))
		if got := told(answer, err); got != "Type Error, 2" || len(asked.asked) > 0 {
			t.Errorf("%s: got %s, %v; asked was %q", what, got, err, asked.asked)
		}
	}
}
