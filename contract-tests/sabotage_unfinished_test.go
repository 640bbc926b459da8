package contracttests

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilList makes an ApiLog whose Unfinished returns another list.
func spoilList(change func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry) func() LogRoles {
	return spoilApiLog(func(bad *badApiLog, good LogRoles) {
		bad.unfinished = func(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.Unfinished(ctx, before, 1000)
			if err != nil {
				return nil, err
			}
			entries = change(entries, limit)
			return entries[:min(limit, len(entries))], nil
		}
	})
}

// alsoUnfinished makes an ApiLog whose Unfinished returns an entry that it
// should not, once one was closed or recorded with that result.
func alsoUnfinished(add func(bad *badApiLog, good LogRoles, done func(domain.Outcome))) func() LogRoles {
	return spoilApiLog(func(bad *badApiLog, good LogRoles) {
		var interrupted sync.Map
		add(bad, good, func(outcome domain.Outcome) { interrupted.Store(outcome.Result, true) })
		bad.unfinished = func(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.Unfinished(ctx, before, limit)
			if _, found := interrupted.Load(domain.Interrupted); found {
				entries = append(entries, domain.ApiLogEntry{ID: 1})
			}
			return entries, err
		}
	})
}

func badUnfinished() []apiLogSabotage {
	return append(badOrders(),
		apiLogSabotage{"none unfinished is an error", []string{"unfinished_none", "unfinished_without_recorded", "unfinished_without_closed", "prune_forgets"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.unfinished = func(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
				entries, err := good.Unfinished(ctx, before, limit)
				if err == nil && len(entries) == 0 {
					err = domain.Errorf(domain.NotFound, "none")
				}
				return entries, err
			}
		})},
		apiLogSabotage{"what was recorded as interrupted is unfinished", []string{"unfinished_without_recorded"}, alsoUnfinished(func(bad *badApiLog, good LogRoles, done func(domain.Outcome)) {
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				done(outcome)
				return good.Record(ctx, call, outcome)
			}
		})},
		apiLogSabotage{"what was closed as interrupted is unfinished", []string{"unfinished_without_closed"}, alsoUnfinished(func(bad *badApiLog, good LogRoles, done func(domain.Outcome)) {
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				done(outcome)
				return good.Close(ctx, id, outcome)
			}
		})},
		apiLogSabotage{"entries at the given time are unfinished", []string{"unfinished_before"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.unfinished = func(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
				return good.Unfinished(ctx, before.Add(time.Microsecond), limit)
			}
		})},
		apiLogSabotage{"closed entries count towards the limit", []string{"unfinished_limit_counts_open"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var closed sync.Map
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				closed.Store("one", true)
				return good.Close(ctx, id, outcome)
			}
			bad.unfinished = func(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
				if _, found := closed.Load("one"); found {
					limit--
				}
				return good.Unfinished(ctx, before, limit)
			}
		})},
	)
}

func badOrders() []apiLogSabotage {
	return []apiLogSabotage{
		{"Unfinished cuts an address short", []string{"unfinished_whole"}, spoilList(func(entries []domain.ApiLogEntry, _ int) []domain.ApiLogEntry {
			for i := range entries {
				entries[i].Call = withoutZone(entries[i].Call)
			}
			return entries
		})},
		{"the entry that was opened first is first", []string{"unfinished_oldest_first", "unfinished_limit"}, spoilList(func(entries []domain.ApiLogEntry, _ int) []domain.ApiLogEntry {
			slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int { return cmp.Compare(x.ID, y.ID) })
			return entries
		})},
		{"of entries of the same time the last is first", []string{"unfinished_same_time"}, spoilList(func(entries []domain.ApiLogEntry, _ int) []domain.ApiLogEntry {
			slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int {
				return cmp.Or(x.Call.ReceivedAt.Compare(y.Call.ReceivedAt), cmp.Compare(y.ID, x.ID))
			})
			return entries
		})},
		{"the limit is applied before the order", []string{"unfinished_limit"}, spoilList(func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry {
			slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int { return cmp.Compare(x.ID, y.ID) })
			entries = entries[:min(limit, len(entries))]
			slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int { return x.Call.ReceivedAt.Compare(y.Call.ReceivedAt) })
			return entries
		})},
	}
}
