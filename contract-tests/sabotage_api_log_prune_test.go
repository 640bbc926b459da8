package contracttests

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilPrune makes an ApiLog with another Prune.
func spoilPrune(prune func(ctx context.Context, good LogRoles, before time.Time, limit int) (int, error)) func() LogRoles {
	return spoilApiLog(func(bad *badApiLog, good LogRoles) {
		bad.prune = func(ctx context.Context, before time.Time, limit int) (int, error) {
			return prune(ctx, good, before, limit)
		}
	})
}

func badPrunes() []apiLogSabotage {
	return []apiLogSabotage{
		{"pruning nothing is an error", []string{"prune_none", "prune_before", "prune_count", "prune_keeps_open", "prune_at_once"}, spoilPrune(func(ctx context.Context, good LogRoles, before time.Time, limit int) (int, error) {
			removed, err := good.Prune(ctx, before, limit)
			if err == nil && removed == 0 {
				err = domain.Errorf(domain.NotFound, "none")
			}
			return removed, err
		})},
		{"entries at the given time are pruned", []string{"prune_before"}, spoilPrune(func(ctx context.Context, good LogRoles, before time.Time, limit int) (int, error) {
			return good.Prune(ctx, before.Add(time.Nanosecond), limit)
		})},
		{"the given time is cut to the microsecond", []string{"prune_before"}, spoilPrune(func(ctx context.Context, good LogRoles, before time.Time, limit int) (int, error) {
			return good.Prune(ctx, before.Truncate(time.Microsecond), limit)
		})},
		{"the newest are pruned first", []string{"prune_oldest_first"}, spoilPruned(func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry {
			entries = newestFirst(slices.DeleteFunc(entries, isOpen))
			return entries[:min(limit, len(entries))]
		})},
		{"open entries are pruned", []string{"prune_keeps_open", "prune_at_once"}, spoilPruned(func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry {
			return entries[:min(limit, len(entries))]
		})},
		{"open entries count towards the limit", []string{"prune_keeps_open"}, spoilPruned(func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry {
			return slices.DeleteFunc(entries[:min(limit, len(entries))], isOpen)
		})},
		{"interrupted entries stay", []string{"prune_every_result"}, spoilPruned(func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry {
			entries = slices.DeleteFunc(entries, func(e domain.ApiLogEntry) bool { return isOpen(e) || e.Outcome.Result == domain.Interrupted })
			return entries[:min(limit, len(entries))]
		})},
		{"one more than limit is pruned", []string{"prune_oldest_first", "prune_count", "prune_at_once"}, spoilPrune(func(ctx context.Context, good LogRoles, before time.Time, limit int) (int, error) {
			removed, err := good.Prune(ctx, before, limit+1)
			return min(removed, limit), err
		})},
		{"Prune returns the limit", []string{"prune_none", "prune_before", "prune_count", "prune_keeps_open", "prune_every_result", "prune_forgets", "prune_ids", "prune_at_once"}, spoilPrune(func(ctx context.Context, good LogRoles, before time.Time, limit int) (int, error) {
			_, err := good.Prune(ctx, before, limit)
			return limit, err
		})},
	}
}

// spoilPruned makes an ApiLog that hides what it prunes: choose gets the entries
// before the given time, the oldest first.
func spoilPruned(choose func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry) func() LogRoles {
	return spoilApiLog(func(bad *badApiLog, good LogRoles) {
		var mu sync.Mutex
		hidden := map[domain.ApiLogID]bool{}
		visible := func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry {
			mu.Lock()
			defer mu.Unlock()
			entries = slices.DeleteFunc(entries, func(e domain.ApiLogEntry) bool { return hidden[e.ID] })
			return entries[:min(limit, len(entries))]
		}
		bad.prune = func(ctx context.Context, before time.Time, limit int) (int, error) {
			entries, err := good.List(ctx, domain.ApiLogFilter{Until: before}, 1000)
			mu.Lock()
			defer mu.Unlock()
			entries = slices.DeleteFunc(entries, func(e domain.ApiLogEntry) bool { return hidden[e.ID] })
			slices.Reverse(entries)
			entries = choose(entries, limit)
			for _, entry := range entries {
				hidden[entry.ID] = true
			}
			return len(entries), err
		}
		bad.list = func(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.List(ctx, filter, 1000)
			return visible(entries, limit), err
		}
		bad.unfinished = func(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.Unfinished(ctx, before, 1000)
			return visible(entries, limit), err
		}
		bad.entry = func(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
			entry, err := good.Entry(ctx, id)
			if err == nil && len(visible([]domain.ApiLogEntry{entry}, 1)) == 0 {
				err = domain.Errorf(domain.NotFound, "removed")
			}
			return entry, err
		}
		bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
			if _, err := bad.entry(ctx, id); err != nil {
				return err
			}
			return good.Close(ctx, id, outcome)
		}
	})
}

func isOpen(entry domain.ApiLogEntry) bool { return entry.Outcome.IsOpen() }

func badPruneRaces() []apiLogSabotage {
	return []apiLogSabotage{
		{"an entry that was pruned can be closed", []string{"prune_forgets"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var pruned sync.Map
			bad.prune = func(ctx context.Context, before time.Time, limit int) (int, error) {
				removed, err := good.Prune(ctx, before, limit)
				pruned.Store(removed > 0, true)
				return removed, err
			}
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				err := good.Close(ctx, id, outcome)
				if _, found := pruned.Load(true); found && errors.Is(err, domain.NotFound) {
					return nil
				}
				return err
			}
		})},
		{"when all is pruned, ids begin anew", []string{"prune_ids"}, spoilApiLog(func(bad *badApiLog, _ LogRoles) {
			bad.prune = func(ctx context.Context, before time.Time, limit int) (int, error) {
				removed, err := bad.LogRoles.Prune(ctx, before, limit)
				if left, _ := bad.LogRoles.List(ctx, domain.ApiLogFilter{}, 1); len(left) == 0 && err == nil {
					bad.LogRoles = memory.NewApiLog()
				}
				return removed, err
			}
		})},
		{"what several prune at once is counted for each", []string{"prune_at_once"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var pruning overlap
			bad.prune = func(ctx context.Context, before time.Time, limit int) (int, error) {
				others, over := pruning.during()
				defer over()
				removed, err := good.Prune(ctx, before, limit)
				if others {
					removed++
				}
				return removed, err
			}
		})},
		{"what is recorded while Prune runs is lost", []string{"prune_at_once"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var pruning atomic.Int32
			bad.prune = func(ctx context.Context, before time.Time, limit int) (int, error) {
				pruning.Add(1)
				defer pruning.Add(-1)
				time.Sleep(time.Millisecond)
				return good.Prune(ctx, before, limit)
			}
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				if pruning.Load() > 0 {
					return lost, nil
				}
				return good.Record(ctx, call, outcome)
			}
		})},
	}
}
