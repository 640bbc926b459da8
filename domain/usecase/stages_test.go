package usecase_test

import (
	"context"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Each port takes a time of its own, and each stage is told its port's.
func TestStageTimes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	takes := map[string]time.Duration{
		"Authenticate": time.Millisecond, "FindByPhone": 2 * time.Millisecond, "CountPINAttempt": 4 * time.Millisecond,
		"ResetPINLock": 8 * time.Millisecond, "Open entry": 16 * time.Millisecond, "ChangePhoto": 32 * time.Millisecond,
		"Put": 64 * time.Millisecond, "store record": 128 * time.Millisecond, "Close entry": 256 * time.Millisecond,
	}
	acts := map[string]func() error{}
	for name, took := range takes {
		acts[name] = func() error { w.Clock.Advance(took); return nil }
	}
	w.Steps.Reset(acts)
	var told []string
	w.Update.Observe = func(ctx context.Context, stage domain.Stage) (context.Context, func(time.Duration, error)) {
		told = append(told, stage.String())
		return ctx, func(_ time.Duration, err error) { told = append(told, fmt.Sprintf("%v, %v", stage, err)) }
	}
	request := w.Request()
	request.Details.Stages[domain.Receive] = time.Second
	if _, err := w.Update.Do(t.Context(), request); err != nil {
		t.Fatal(err)
	}

	entry := w.Entries()[1]
	before := domain.StageTimes{domain.Receive: time.Second, domain.Identify: time.Millisecond, domain.Find: 2 * time.Millisecond, domain.CheckPIN: 12 * time.Millisecond}
	after := domain.StageTimes{
		domain.OpenEntry: 16 * time.Millisecond, domain.Wait: 32 * time.Millisecond,
		domain.StorePhoto: 64 * time.Millisecond, domain.StoreRecord: 128 * time.Millisecond,
	}
	if got := entry.Call.Details.Stages; got != before {
		t.Errorf("up to the entry: got %v, want %v", got, before)
	}
	if got := entry.Outcome.Details.Stages; got != after {
		t.Errorf("from the entry on: got %v, want %v", got, after)
	}
	var want []string
	for _, stage := range domain.Stages()[1:] { // Receive is over
		want = append(want, stage.String(), stage.String()+", <nil>")
	}
	if !slices.Equal(told, want) {
		t.Errorf("told is %q, want %q", told, want)
	}
}

// A stage that fails is told its failure, and none that wasn't begun is told.
func TestStagesOfAFailure(t *testing.T) {
	t.Parallel()
	for failing, want := range map[string]string{
		"Authenticate": "identify", "FindByPhone": "find", "CountPINAttempt": "check_pin", "Open entry": "open_entry",
		"ChangePhoto": "wait", "Put": "store_photo", "store record": "store_record",
	} {
		w := newWorld(t)
		w.Steps.Reset(map[string]func() error{failing: down})
		var begun, failed []string
		w.Update.Observe = func(ctx context.Context, stage domain.Stage) (context.Context, func(time.Duration, error)) {
			begun = append(begun, stage.String())
			return ctx, func(_ time.Duration, err error) {
				if err != nil {
					failed = append(failed, stage.String())
				}
			}
		}
		if _, err := w.Update.Do(t.Context(), w.Request()); err == nil {
			t.Errorf("%s: the call succeeds", failing)
		}
		if last := slices.DeleteFunc(begun, func(name string) bool { return name == "close_entry" }); !slices.Equal(failed, []string{want}) || last[len(last)-1] != want {
			t.Errorf("%s: failed is %q, begun %q, want %q last and alone", failing, failed, begun, want)
		}
	}
}

func TestStagesHaveNames(t *testing.T) {
	t.Parallel()
	names := map[string]bool{}
	for _, stage := range domain.Stages() {
		names[stage.String()] = true
	}
	if len(names) != len(domain.StageTimes{}) || names[""] {
		t.Errorf("the stages are %v", domain.Stages())
	}
}
