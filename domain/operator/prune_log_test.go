package operator_test

import (
	"context"
	"errors"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// batches notes how many each Prune removed, and fails from the one with this
// number on.
type batches struct {
	*memory.ApiLog
	removed []int
	fails   int // 0: never
}

func (b *batches) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	if b.fails != 0 && len(b.removed)+1 >= b.fails {
		return 0, domain.Errorf(domain.Unavailable, "the log is away")
	}
	count, err := b.ApiLog.Prune(ctx, before, limit)
	b.removed = append(b.removed, count)
	return count, err
}

func TestPruneLog(t *testing.T) {
	t.Parallel()
	const age = 90 * 24 * time.Hour
	for _, test := range []struct {
		name  string
		old   int // entries that are to go
		fails int
		want  []int // removed by each batch of 3
	}{
		{"nothing", 0, 0, []int{0}},
		{"less than a batch", 2, 0, []int{2}},
		{"whole batches", 6, 0, []int{3, 3, 0}},
		{"batches and a rest", 7, 0, []int{3, 3, 1}},
		{"a failure on the way", 7, 3, []int{3, 3}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			log := &batches{ApiLog: memory.New().ApiLog, fails: test.fails}
			for range test.old {
				usecasetest.Must(log.Record(t.Context(), domain.ApiCall{ReceivedAt: start.Add(-age - 1)}, domain.Outcome{Result: domain.Valid}))
			}
			usecasetest.Must(log.Record(t.Context(), domain.ApiCall{ReceivedAt: start.Add(-age)}, domain.Outcome{Result: domain.Valid}))
			usecasetest.Must(log.Open(t.Context(), domain.ApiCall{ReceivedAt: start.Add(-2 * age)}))

			prune := operator.PruneLog{Log: log, Clock: func() time.Time { return start }, Batch: 3}
			removed, err := prune.Do(t.Context(), age)
			if removed != min(test.old, 3*len(test.want)) || !slices.Equal(log.removed, test.want) || errors.Is(err, domain.Unavailable) != (test.fails != 0) {
				t.Errorf("got %d by %v, %v, want %v", removed, log.removed, err, test.want)
			}
			if left := usecasetest.Must(log.List(t.Context(), domain.ApiLogFilter{}, 100)); len(left) != 2+test.old-removed {
				t.Errorf("%d are left", len(left))
			}
		})
	}
}

// TestPruneLogDaily: whoever comes second on a day leaves the calls to whoever
// came first.
func TestPruneLogDaily(t *testing.T) {
	t.Parallel()
	now := start
	log := memory.NewApiLog(func() time.Time { return now })
	prune := operator.PruneLog{Log: log, Clock: func() time.Time { return now }, Batch: 10}
	for i, want := range []int{1, 0, 2} { // at once, 12 hours later, and again
		usecasetest.Must(log.Record(t.Context(), domain.ApiCall{}, domain.Outcome{Result: domain.Valid}))
		if removed, err := prune.Daily(t.Context(), time.Hour); removed != want || err != nil {
			t.Errorf("time %d: got %d, %v, want %d", i, removed, err, want)
		}
		now = now.Add(12 * time.Hour)
	}
}

func TestPruneLogLeavesYoungCalls(t *testing.T) {
	t.Parallel()
	log := &batches{ApiLog: memory.New().ApiLog}
	prune := operator.PruneLog{Log: log, Clock: time.Now, Batch: 1}
	if removed, err := prune.Do(t.Context(), usecase.SettleAfter-1); removed != 0 || !errors.Is(err, domain.TypeError) || log.removed != nil {
		t.Errorf("got %d, %v", removed, err)
	}
}

// TestPruneLogRests: a long batch is followed by a long rest, which ctx ends.
func TestPruneLogRests(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	log := memory.New().ApiLog
	for range 2 {
		usecasetest.Must(log.Record(ctx, domain.ApiCall{}, domain.Outcome{Result: domain.Valid}))
	}
	now := start
	prune := operator.PruneLog{Log: log, Batch: 1, Clock: func() time.Time {
		if now = now.Add(time.Hour); now.Sub(start) == 3*time.Hour { // the first batch is done
			cancel()
		}
		return now
	}}
	if removed, err := prune.Do(ctx, usecase.SettleAfter); removed != 1 || !errors.Is(err, domain.Unavailable) {
		t.Errorf("got %d, %v, want 1 and an end", removed, err)
	}
}
