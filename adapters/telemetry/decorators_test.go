package telemetry

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"go.opentelemetry.io/otel/codes"
	"go.opentelemetry.io/otel/sdk/trace/tracetest"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// steps are what the ports do on the way of a call, each before its port does it.
type steps map[string]func() error

func (s steps) at(name string) error {
	if act := s[name]; act != nil {
		return act()
	}
	return nil
}

// stepping is a backend's ports and a reader, whose steps a test decides.
type stepping struct {
	ports.FleetAuth
	ports.CustomerRepo
	ports.PhotoStore
	usecase.PhotoReader
	steps steps
}

func (p stepping) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	if err := p.steps.at("Authenticate"); err != nil {
		return domain.Caller{}, err
	}
	return p.FleetAuth.Authenticate(ctx, key)
}

func (p stepping) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	if err := p.steps.at("FindByPhone"); err != nil {
		return domain.Customer{}, err
	}
	return p.CustomerRepo.FindByPhone(ctx, fleet, phone)
}

func (p stepping) TryPIN(context.Context, domain.CustomerRef, domain.OfferedPIN) error {
	return p.steps.at("TryPIN")
}

func (p stepping) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	if err := p.steps.at("ChangePhoto"); err != nil {
		return err
	}
	return p.CustomerRepo.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
		record, err := change(ctx, current, stillLocked)
		if err != nil {
			return record, err
		}
		return record, p.steps.at("store record")
	})
}

func (p stepping) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	if err := p.steps.at("Put"); err != nil {
		return "", err
	}
	return p.PhotoStore.Put(ctx, key, photo, over)
}

func (p stepping) Delete(context.Context, domain.PhotoKey, domain.PhotoVersion) error {
	return p.steps.at("Delete")
}

func (p stepping) Read(ctx context.Context, fleet domain.FleetID, data []byte) (domain.Photo, photo.Reading, error) {
	if err := p.steps.at("Read"); err != nil {
		return domain.Photo{}, photo.Reading{}, err
	}
	return p.PhotoReader.Read(ctx, fleet, data)
}

// steppingLog is the log beside stepping, as both have a method Open.
type steppingLog struct {
	ports.ApiLog
	steps steps
}

func (l steppingLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	if err := l.steps.at("Open entry"); err != nil {
		return 0, err
	}
	return l.ApiLog.Open(ctx, call)
}

func (l steppingLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	if err := l.steps.at("Close entry"); err != nil {
		return err
	}
	return l.ApiLog.Close(ctx, id, outcome)
}

// decorated has f's ports act at steps, below the decorators.
func (f *fixture) decorated(steps steps) {
	below := stepping{f.backend.FleetAuth, f.backend.CustomerRepo, f.backend.PhotoStore, f.update.Reader, steps}
	f.update.Fleets, f.update.Reader = f.FleetAuth(below), f.Reader(below)
	changes := f.update.Changes
	changes.Customers, changes.Photos, changes.Log = f.CustomerRepo(below), f.PhotoStore(below), f.ApiLog(steppingLog{f.backend.ApiLog, steps})
}

// Each step takes a time of its own, and the log and the metrics have each
// stage's own.
func TestStageTimes(t *testing.T) {
	const ms = time.Millisecond
	f := newFixture(t, nil)
	now := time.Now()
	f.clock = func() time.Time { return now }
	acts := steps{}
	for name, took := range map[string]time.Duration{
		"Authenticate": 1 * ms, "FindByPhone": 2 * ms, "TryPIN": 4 * ms, "Read": 16 * ms,
		"Open entry": 32 * ms, "ChangePhoto": 64 * ms, "Put": 128 * ms, "store record": 256 * ms, "Close entry": 512 * ms,
	} {
		acts[name] = func() error { now = now.Add(took + 999); return nil }
	}
	f.decorated(acts)
	if answer := f.post(t, call(t, testKey, testPhone, testPIN, testPhoto(t, 1000))); answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
	entry, err := f.backend.ApiLog.Entry(t.Context(), 1)
	check(t, err)
	wantCall := domain.Timings{Identify: 1 * ms, Find: 2 * ms, CheckPIN: 4 * ms, ReadPhoto: 16 * ms}
	wantOutcome := domain.Timings{OpenEntry: 32 * ms, Wait: 64 * ms, StorePhoto: 128 * ms, StoreRecord: 256 * ms}
	if got := entry.Call.Details.Timings; got != wantCall {
		t.Errorf("up to the entry: got %+v, want %+v", got, wantCall)
	}
	if got := entry.Outcome.Details.Timings; got != wantOutcome {
		t.Errorf("from the entry on: got %+v, want %+v", got, wantOutcome)
	}
	wantLines(t, f.Telemetry,
		`fleetphoto_stage_duration_seconds_count{stage="check_pin"} 1`, `fleetphoto_stage_duration_seconds_sum{stage="check_pin"} 0.004000999`,
		`fleetphoto_stage_duration_seconds_count{stage="close_entry"} 1`, `fleetphoto_stage_duration_seconds_sum{stage="close_entry"} 0.512000999`,
	)
}

// TestTimeToReceive: it is a stage, of a call that fails there too.
func TestTimeToReceive(t *testing.T) {
	f := newFixture(t, nil)
	now := time.Now()
	f.clock = func() time.Time { now = now.Add(time.Millisecond); return now }
	for i, body := range []string{string(call(t, testKey, testPhone, testPIN, "delete")), "no JSON"} {
		f.post(t, []byte(body))
		entry, err := f.backend.ApiLog.Entry(t.Context(), domain.ApiLogID(i+1))
		check(t, err)
		if got := entry.Call.Details.Timings.Receive; got != time.Millisecond {
			t.Errorf("%.10s: got %v, want %v", body, got, time.Millisecond)
		}
	}
	wantLines(t, f.Telemetry, `fleetphoto_stage_duration_seconds_count{stage="receive"} 2`)
}

// A stage that fails has its failure, and stages that weren't begun have
// neither a span nor a time.
func TestStagesOfAFailure(t *testing.T) {
	names := []string{"receive", "identify", "find", "check_pin", "read_photo", "open_entry", "wait", "store_photo", "store_record"}
	for failing, want := range map[string]string{
		"Authenticate": "identify", "FindByPhone": "find", "TryPIN": "check_pin", "Read": "read_photo",
		"Open entry": "open_entry", "ChangePhoto": "wait", "Put": "store_photo", "store record": "store_record",
	} {
		exporter := tracetest.NewInMemoryExporter()
		f := newFixture(t, exporter)
		f.decorated(steps{failing: func() error { return domain.Errorf(domain.Unavailable, "down") }})
		f.post(t, call(t, testKey, testPhone, testPIN, testPhoto(t, 1000)))
		spans := f.spans(t, exporter)
		for i, name := range names {
			span, begun := spans[name]
			at := slices.Index(names, want)
			if begun != (i <= at) || (span.Status.Code == codes.Error) != (i == at) {
				t.Errorf("%s fails: %s is begun: %v, with the status %v", failing, name, begun, span.Status)
			}
			count := 0
			if i <= at {
				count = 1
			}
			wantLines(t, f.Telemetry, fmt.Sprintf(`fleetphoto_stage_duration_seconds_count{stage="%s"} %d`, name, count))
		}
	}
}

// What Repair and commands do is no part of a request, and is left alone.
func TestOutsideARequest(t *testing.T) {
	exporter := tracetest.NewInMemoryExporter()
	f := newFixture(t, exporter)
	call := domain.ApiCall{ReceivedAt: time.Unix(1, 0).UTC(), Details: domain.CallDetails{TraceID: "another's", Timings: domain.Timings{Find: 1}}}
	outcome := domain.Outcome{Result: domain.Valid, EndedAt: time.Unix(2, 0).UTC(), Details: domain.OutcomeDetails{Timings: domain.Timings{Wait: 2}}}
	id, err := f.update.Changes.Log.Open(t.Context(), call)
	check(t, err)
	check(t, f.update.Changes.Log.Close(t.Context(), id, outcome))
	if got, err := f.backend.ApiLog.Entry(t.Context(), id); err != nil || got != (domain.ApiLogEntry{ID: id, Call: call, Outcome: outcome}) {
		t.Errorf("got %+v, %v", got, err)
	}
	if spans := f.spans(t, exporter); len(spans) > 0 {
		t.Errorf("got the spans %v", spans)
	}
	wantLines(t, f.Telemetry, `fleetphoto_stage_duration_seconds_count{stage="open_entry"} 0`)
}

// With a recorder, the log is closed in the commit of the record, whose time it
// therefore lacks.
func TestStageTimesWithARecorder(t *testing.T) {
	f := newFixture(t, nil)
	f.update.Changes.Recorder = f.ChangeRecorder(f.backend.ChangeRecorder())
	var asked atomic.Int64 // the clock goes on by a millisecond whenever it is asked
	f.clock = func() time.Time { return time.UnixMilli(asked.Add(1)) }
	f.post(t, call(t, testKey, testPhone, testPIN, testPhoto(t, 1000)))
	entry, err := f.backend.ApiLog.Entry(t.Context(), 1)
	check(t, err)
	after := entry.Outcome.Details.Timings
	if entry.Outcome.Result != domain.Valid || after.OpenEntry == 0 || after.Wait == 0 || after.StorePhoto == 0 || after.StoreRecord != 0 {
		t.Errorf("got %+v", entry.Outcome)
	}
	wantLines(t, f.Telemetry, `fleetphoto_stage_duration_seconds_count{stage="store_record"} 1`, `fleetphoto_stage_duration_seconds_count{stage="close_entry"} 0`)
	if none := f.ChangeRecorder(nil); none != nil {
		t.Errorf("a decorator of none: got %v", none)
	}
}

// TestCallsAtOnce: each call's log entry has its own times, whatever else runs.
func TestCallsAtOnce(t *testing.T) {
	f := newFixture(t, tracetest.NewInMemoryExporter())
	var asked atomic.Int64 // the clock goes on by a millisecond whenever it is asked
	f.clock = func() time.Time { return time.UnixMilli(asked.Add(1)) }
	body := call(t, testKey, testPhone, "", testPhoto(t, 1000))
	const calls = 50
	var all sync.WaitGroup
	for range calls {
		all.Go(func() { f.post(t, body) })
	}
	all.Wait()
	entries, err := f.backend.ApiLog.List(t.Context(), domain.ApiLogFilter{Result: domain.Valid}, 2*calls)
	check(t, err)
	if len(entries) != calls {
		t.Fatalf("%d calls of %d are valid", len(entries), calls)
	}
	for _, entry := range entries {
		before, after := entry.Call.Details.Timings, entry.Outcome.Details.Timings
		for _, took := range []time.Duration{
			before.Receive, before.Identify, before.Find, before.ReadPhoto, after.OpenEntry, after.Wait, after.StorePhoto, after.StoreRecord,
		} {
			if most := time.Duration(asked.Load()) * time.Millisecond; took < time.Millisecond || took > most {
				t.Fatalf("got %+v and %+v, want from 1ms to %v for each stage but the PIN's", before, after, most)
			}
		}
	}
	wantLines(t, f.Telemetry, fmt.Sprintf(`fleetphoto_stage_duration_seconds_count{stage="close_entry"} %d`, calls))
}

// Stages that the log keeps have the same names there.
func TestStagesHaveTheNamesOfTheLog(t *testing.T) {
	var want []string
	for name := range new(domain.Timings).All() {
		want = append(want, name)
	}
	if want = append(want, "close_entry"); !slices.Equal(stageNames[:], want) {
		t.Errorf("got %q, want %q", stageNames, want)
	}
}

// BenchmarkOutsideARequest is what a decorator costs where nothing is taken.
func BenchmarkOutsideARequest(b *testing.B) {
	f := newUnwatched(b, memory.New())
	f.Telemetry = &Telemetry{clock: time.Now}
	photos := f.PhotoStore(stepping{})
	b.ReportAllocs()
	for b.Loop() {
		check(b, photos.Delete(context.Background(), "", ""))
	}
}
