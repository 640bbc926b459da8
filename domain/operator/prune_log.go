package operator

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// PruneLog removes old calls from the API log in batches, while others are logged.
// It may run in several processes at once, and be repeated. All fields must be
// set.
type PruneLog struct {
	Log   ports.ApiLogArchive
	Clock func() time.Time
	Batch int // calls removed at once
}

// pruneEvery is the least time between two runs of Daily, which is called every
// hour. An hour less than a day keeps them from moving to a later hour each day.
const pruneEvery = 23 * time.Hour

// Daily is Do, at most once a day over all processes. It ends before another may
// begin.
func (p *PruneLog) Daily(ctx context.Context, age time.Duration) (removed int, err error) {
	ctx, cancel := context.WithTimeout(ctx, pruneEvery)
	defer cancel()
	if granted, err := p.Log.ClaimPruning(ctx, pruneEvery); err != nil || !granted {
		return 0, err
	}
	return p.Do(ctx, age)
}

// Do removes the calls that were received more than age ago, except open ones. It
// returns how many it removed, even if it fails. After each batch it rests as long
// as the batch took. It fails with TypeError if age is below SettleAfter, as such
// calls may not have ended.
func (p *PruneLog) Do(ctx context.Context, age time.Duration) (removed int, err error) {
	if age < usecase.SettleAfter {
		return 0, domain.Errorf(domain.TypeError, "age: want at least %v, as younger calls may not have ended, got %v", usecase.SettleAfter, age)
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
