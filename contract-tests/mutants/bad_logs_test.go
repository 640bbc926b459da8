package mutants

import (
	"cmp"
	"context"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/apilog"
	"github.com/fleetphoto/fleetphoto/domain"
)

// badUnfinished fails where no entry is open, or looks a moment too far.
type badUnfinished struct {
	*memory.ApiLog
	moment time.Duration
}

func (b badUnfinished) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	entries, err := b.ApiLog.Unfinished(ctx, before.Add(b.moment), limit)
	all, _ := b.List(context.WithoutCancel(ctx), domain.ApiLogFilter{}, 1)
	if err == nil && all == nil && b.moment == 0 {
		err = errNone
	}
	return entries, err
}

// byID lists in the order of the ids.
type byID struct{ *memory.ApiLog }

func (b byID) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	entries, err := b.ApiLog.List(ctx, filter, limit)
	if len(entries) == 3 {
		slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int { return cmp.Compare(y.ID, x.ID) })
	}
	return entries, err
}

func badLogs() []saboteur {
	unfinished := func(defect, fails string, moment time.Duration) saboteur {
		return sabotage(defect, "ApiLog", apilog.Clauses(), []string{fails}, func(*testing.T) apilog.Port {
			return apilog.Port{ApiLog: badUnfinished{memory.NewApiLog(), moment}}
		})
	}
	return []saboteur{
		unfinished("no entries are an error", "unfinished_none", 0),
		unfinished("an entry of the time itself is unfinished", "unfinished_before", time.Microsecond),
		sabotage("three entries come in the order of their ids", "ApiLogArchive", apilog.ArchiveClauses(), []string{"list_newest_first"}, func(*testing.T) apilog.Port {
			bad := byID{memory.NewApiLog()}
			return apilog.Port{ApiLog: bad, ApiLogArchive: bad}
		}),
	}
}
