package mutants

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/apilog"
	"github.com/fleetphoto/fleetphoto/domain"
)

// badUnfinished has an Unfinished of its own.
type badUnfinished struct {
	*memory.ApiLog
	unfinished unfinished
}

type unfinished func(ctx context.Context, good *memory.ApiLog, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error)

func (b badUnfinished) Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	return b.unfinished(ctx, b.ApiLog, olderThan, after, limit)
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
	unfinished := func(defect, fails string, unfinished unfinished) saboteur {
		return sabotage(defect, "ApiLog", apilog.Clauses(), []string{fails}, func(*testing.T) apilog.Port {
			return apilog.Port{ApiLog: badUnfinished{memory.NewApiLog(time.Now), unfinished}}
		})
	}
	return []saboteur{
		unfinished("no entries are an error", "unfinished_none", func(ctx context.Context, good *memory.ApiLog, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.Unfinished(ctx, olderThan, after, limit)
			if all, _ := good.List(context.WithoutCancel(ctx), domain.ApiLogFilter{}, 1); err == nil && all == nil {
				err = errNone
			}
			return entries, err
		}),
		unfinished("a label's letters are lost", "unfinished_whole", func(ctx context.Context, good *memory.ApiLog, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.Unfinished(ctx, olderThan, after, limit)
			for i, entry := range entries {
				entries[i].Call.Key = domain.KeyLabel(strings.ReplaceAll(string(entry.Call.Key), "ö", "o"))
			}
			return entries, err
		}),
		unfinished("entries have no age", "unfinished_older_than", func(ctx context.Context, good *memory.ApiLog, _ time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
			return good.Unfinished(ctx, 0, after, limit)
		}),
		unfinished("old entries are those of old calls", "unfinished_own_clock", func(ctx context.Context, good *memory.ApiLog, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.Unfinished(ctx, 0, after, limit)
			return slices.DeleteFunc(entries, func(e domain.ApiLogEntry) bool { return olderThan > 0 && time.Since(e.Call.ReceivedAt) <= olderThan }), err
		}),
		unfinished("entries come in the order of their calls", "unfinished_order", func(ctx context.Context, good *memory.ApiLog, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.Unfinished(ctx, olderThan, after, limit)
			slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int { return x.Call.ReceivedAt.Compare(y.Call.ReceivedAt) })
			return entries, err
		}),
		sabotage("three entries come in the order of their ids", "ApiLogArchive", apilog.ArchiveClauses(), []string{"list_newest_first"}, func(*testing.T) apilog.Port {
			bad := byID{memory.NewApiLog(time.Now)}
			return apilog.Port{ApiLog: bad, ApiLogArchive: bad}
		}),
	}
}
