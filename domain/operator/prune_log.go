package operator

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PruneLog removes old calls from the API log, in batches, so that others are
// logged meanwhile. It may run in any number of processes, and be repeated.
// All fields must be set.
type PruneLog struct {
	Log   ports.ApiLogArchive
	Clock func() time.Time
	Batch int // how many are removed at once
}

// pruneEvery is how far apart Daily prunes: who calls it every hour does so once
// a day, a moment early or not.
const pruneEvery = 23 * time.Hour

// Daily does what Do does, unless Daily has begun to do so today, in any process.
// It ends before another one may begin.
func (p *PruneLog) Daily(ctx context.Context, age time.Duration) (removed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, pruneEvery)
	defer cancel()
	if granted, err := p.Log.ClaimPruning(ctx, pruneEvery); err != nil || !granted {
		return 0, err
	}
	return p.Do(ctx, age)
}

// Do removes the calls that were received longer ago than age, but for those
// that are open, and returns how many it removed, after a failure too. Between
// two batches it rests as long as the first took. It fails with TypeError where
// age is below SettleAfter, as such calls may be under way.
func (p *PruneLog) Do(ctx context.Context, age time.Duration) (removed int, err error) {
	if age < usecase.SettleAfter {
		return 0, domain.Errorf(domain.TypeError, "age: want at least %v, as younger calls may be under way, got %v", usecase.SettleAfter, age)
	}
	before := domain.Instant(p.Clock().Add(-age))
	for {
		begun := p.Clock()
		count, err := p.Log.Prune(ctx, before, p.Batch)
		removed += count
		if err != nil || count < p.Batch {
			return removed, err
		}
		rest(ctx, p.Clock().Sub(begun))
	}
}

func rest(ctx context.Context, duration time.Duration) {
	select {
	case <-time.After(duration):
	case <-ctx.Done():
	}
}
