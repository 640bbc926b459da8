package telemetry

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// wantLines compares lines of the metrics.
func wantLines(t *testing.T, watcher *Telemetry, lines ...string) {
	t.Helper()
	text := scrape(t, watcher)
	for _, line := range lines {
		if !strings.Contains("\n"+text, "\n"+line+"\n") {
			name, _, _ := strings.Cut(line, "{")
			name, _, _ = strings.Cut(name, " ")
			t.Errorf("want %s, got\n%s", line, strings.Join(regexp.MustCompile(`(?m)^`+name+`.*$`).FindAllString(text, -1), "\n"))
		}
	}
}

func TestMetricsOfASuccess(t *testing.T) {
	f := newFixture(t, nil)
	body := call(t, testKey, testPhone, testPIN, testPhoto(t, 1000))
	if answer := f.post(t, body); answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
	entry, err := f.backend.ApiLog.Entry(t.Context(), 1)
	check(t, err)
	lines := []string{
		`fleetphoto_calls_total{error="",result="valid"} 1`,
		`fleetphoto_calls_total{error="Internal Error",result="error"} 0`,
		`fleetphoto_call_duration_seconds_count{result="valid"} 1`,
		`fleetphoto_call_duration_seconds_count{result="error"} 0`,
		fmt.Sprintf(`fleetphoto_received_bytes_total %d`, len(body)),
		fmt.Sprintf(`fleetphoto_stored_bytes_total %d`, entry.Outcome.Details.After.Size),
		`fleetphoto_photos_total{format="JPEG",treatment="kept"} 1`,
		`fleetphoto_photos_total{format="JPEG",treatment="normalised"} 0`,
		`fleetphoto_inflight_bytes 0`,
		`fleetphoto_pool_connections{setting="FLEETPHOTO_DATABASE_URL",state="in_use"} 3`,
		`fleetphoto_pool_connections{setting="FLEETPHOTO_DATABASE_URL",state="idle"} 4`,
		`fleetphoto_pool_max_connections{setting="FLEETPHOTO_DATABASE_URL"} 20`,
		`fleetphoto_unfinished_entries 0`,
	}
	for _, stage := range stageNames {
		lines = append(lines, fmt.Sprintf(`fleetphoto_stage_duration_seconds_count{stage="%s"} 1`, stage))
	}
	wantLines(t, f.Telemetry, lines...)
	if text := scrape(t, f.Telemetry); !strings.Contains(text, `fleetphoto_build_info{commit="abc",goversion="go`) || !strings.Contains(text, "\ngo_goroutines ") {
		t.Error("the build or Go's own metrics are missing")
	}
}

// brokenStore is a photo store that doesn't answer.
type brokenStore struct{ ports.PhotoStore }

// Put implements ports.PhotoStore.
func (brokenStore) Put(context.Context, domain.PhotoKey, domain.Photo, domain.PhotoVersion) (domain.PhotoVersion, error) {
	return "", domain.Errorf(domain.Unavailable, "the photo store does not answer")
}

// TestMetricsOfFailures: each kind counts for itself.
func TestMetricsOfFailures(t *testing.T) {
	f := newFixture(t, nil)
	photo := testPhoto(t, 1000)
	f.post(t, call(t, "WRONGWRONGWRONGWRONGWRONG", testPhone, "", photo))
	f.post(t, call(t, testKey, "447700900999", "", photo))
	f.post(t, call(t, testKey, testPhone, "", "AAAA"))
	f.post(t, call(t, testKey, testPhone, "", encodeJPEG(t, 2000, 1000, 0)))
	f.post(t, call(t, testKey, testPhone, "", testPhoto(t, 2<<20)))
	for range domain.MaxWrongPINs + 1 {
		f.post(t, call(t, testKey, testPhone, "1111", "delete"))
	}
	f.update.Changes.Photos = brokenStore{f.update.Changes.Photos}
	f.post(t, call(t, testKey, testPhone, "", photo))
	f.update.Changes.Photos = nil // a bug
	f.post(t, call(t, testKey, testPhone, "", photo))
	fleet := domain.Fleet{ID: 689, Disabled: true}
	check(t, f.backend.FleetAuth.SetFleet(t.Context(), fleet))
	f.post(t, call(t, testKey, testPhone, "", photo))
	wantLines(t, f.Telemetry,
		`fleetphoto_calls_total{error="",result="valid"} 0`,
		`fleetphoto_calls_total{error="Invalid Hash ID",result="error"} 1`,
		`fleetphoto_calls_total{error="Fleet Disabled",result="error"} 1`,
		`fleetphoto_calls_total{error="Customer Not Found",result="error"} 1`,
		`fleetphoto_calls_total{error="Type Error",result="error"} 1`,
		`fleetphoto_calls_total{error="Photo Too Large",result="error"} 2`,
		`fleetphoto_calls_total{error="Invalid PIN",result="error"} 5`,
		`fleetphoto_calls_total{error="PIN Locked",result="error"} 1`,
		`fleetphoto_calls_total{error="Service Unavailable",result="error"} 1`,
		`fleetphoto_calls_total{error="Internal Error",result="error"} 1`,
		`fleetphoto_call_duration_seconds_count{result="error"} 14`,
		`fleetphoto_photos_total{format="JPEG",treatment="refused"} 1`,
		`fleetphoto_stored_bytes_total 0`,
	)
}

// brokenLog is an API log that can't be asked.
type brokenLog struct{ ports.ApiLog }

// Unfinished implements ports.ApiLog.
func (brokenLog) Unfinished(context.Context, time.Duration, domain.ApiLogID, int) ([]domain.ApiLogEntry, error) {
	return nil, errors.New("down")
}

// TestUnfinishedEntries: those that Repair would settle count, those of calls
// that may still run don't, and an answer is kept for a while. The age is that of
// the oldest that a Repair has passed over.
func TestUnfinishedEntries(t *testing.T) {
	var ago time.Duration // of the log's clock
	backend := memory.NewAt(func() time.Time { return time.Now().Add(-ago) })
	options := Options{Log: backend.ApiLog, Logger: slog.New(slog.DiscardHandler)}
	open := func(age time.Duration, outcome domain.Outcome) {
		ago = age
		id, err := backend.ApiLog.Open(t.Context(), domain.ApiCall{ReceivedAt: time.Now().Add(-age)})
		check(t, err)
		check(t, backend.ApiLog.Close(t.Context(), id, outcome))
		ago = 0
	}
	watcher := &Telemetry{metrics: newMetrics(options)}
	open(0, domain.Outcome{})
	open(usecase.SettleAfter+time.Second, domain.Outcome{})
	wantLines(t, watcher, "fleetphoto_unfinished_entries 1", "fleetphoto_unsettled_seconds 0")
	open(time.Hour/2, domain.Outcome{SettledAt: time.Now()})
	wantLines(t, watcher, "fleetphoto_unfinished_entries 1")
	for age, outcome := range map[time.Duration]domain.Outcome{
		0: {Result: domain.Valid}, time.Hour / 2: {}, 2 * time.Hour: {SettledAt: time.Now()}, 3 * time.Hour: {Result: domain.Interrupted},
	} {
		open(age, outcome)
	}
	watcher = &Telemetry{metrics: newMetrics(options)}
	wantLines(t, watcher, "fleetphoto_unfinished_entries 4")
	var age float64
	_, text, _ := strings.Cut(scrape(t, watcher), "\nfleetphoto_unsettled_seconds ")
	if _, err := fmt.Sscan(text, &age); err != nil || age < 7200 || age > 7260 {
		t.Errorf("the oldest is %v s old, want two hours and a moment; %v", age, err)
	}

	options.Log = brokenLog{}
	watcher = &Telemetry{metrics: newMetrics(options)}
	if text := scrape(t, watcher); strings.Contains(text, "fleetphoto_unfinished") || !strings.Contains(text, "fleetphoto_calls_total") {
		t.Errorf("a log that doesn't answer gives\n%s", text)
	}
}
