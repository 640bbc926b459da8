package contracttests

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilLog makes an ApiLog whose List returns another list: change gets what
// the filter chooses, all of it, the newest first.
func spoilLog(change func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry) func() LogRoles {
	return spoilApiLog(func(bad *badApiLog, good LogRoles) {
		bad.list = func(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
			entries, err := good.List(ctx, filter, 1000)
			if err != nil {
				return nil, err
			}
			entries = change(entries, limit)
			return entries[:min(limit, len(entries))], nil
		}
	})
}

// spoilFilter makes an ApiLog whose List understands a filter as another one.
func spoilFilter(change func(filter *domain.ApiLogFilter)) func() LogRoles {
	return spoilApiLog(func(bad *badApiLog, good LogRoles) {
		bad.list = func(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
			change(&filter)
			return good.List(ctx, filter, limit)
		}
	})
}

func badLists() []apiLogSabotage {
	return []apiLogSabotage{
		{"List of nothing is an error", []string{"list_none", "list_pages", "list_error", "list_combined", "prune_count", "prune_every_result", "prune_forgets"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.list = func(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
				entries, err := good.List(ctx, filter, limit)
				if err == nil && len(entries) == 0 {
					err = domain.Errorf(domain.NotFound, "none")
				}
				return entries, err
			}
		})},
		{"List cuts an address short", []string{"list_whole"}, spoilLog(func(entries []domain.ApiLogEntry, _ int) []domain.ApiLogEntry {
			for i := range entries {
				entries[i].Call = withoutZone(entries[i].Call)
			}
			return entries
		})},
		{"List leaves large sizes out", []string{"list_whole"}, spoilLog(func(entries []domain.ApiLogEntry, _ int) []domain.ApiLogEntry {
			for i := range entries {
				entries[i].Outcome.Details.After.Size = int64(int32(entries[i].Outcome.Details.After.Size))
			}
			return entries
		})},
		{"the entry that was logged last is first", []string{"list_newest_first", "list_whole", "list_limit", "list_pages", "list_fleet", "list_customer", "list_result", "list_error", "list_since", "list_until", "list_combined", "prune_oldest_first", "prune_at_once"}, spoilLog(func(entries []domain.ApiLogEntry, _ int) []domain.ApiLogEntry {
			slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int { return cmp.Compare(y.ID, x.ID) })
			return entries
		})},
		{"of many entries of the same time the one with the smaller id is first", []string{"list_same_time"}, spoilLog(func(entries []domain.ApiLogEntry, _ int) []domain.ApiLogEntry {
			if len(entries) == crowd && entries[0].Call.ReceivedAt.Equal(entries[crowd-1].Call.ReceivedAt) {
				slices.Reverse(entries)
			}
			return entries
		})},
		{"the limit is applied before the order", []string{"list_limit", "list_pages"}, spoilLog(func(entries []domain.ApiLogEntry, limit int) []domain.ApiLogEntry {
			slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int { return cmp.Compare(x.ID, y.ID) })
			return newestFirst(entries[:min(limit, len(entries))])
		})},
		{"Before looks at the time alone", []string{"list_pages"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			filter.Before.ID = 0
		})},
		{"Before yields the entry itself again", []string{"list_pages"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if filter.Before.ID != 0 {
				filter.Before.ID++
			}
		})},
	}
}

func badFilters() []apiLogSabotage {
	return []apiLogSabotage{
		{"Fleet alone is passed over", []string{"list_fleet", "list_none", "list_pages"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if filter.Customer == 0 && filter.Result == "" {
				filter.Fleet = 0
			}
		})},
		{"Customer alone finds customers of other fleets", []string{"list_customer"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if filter.Customer != 0 && filter.Result == "" {
				filter.Fleet = 0
			}
		})},
		{"Interrupted is passed over", []string{"list_result"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if filter.Result == domain.Interrupted {
				filter.Result = ""
			}
		})},
		{"Open chooses what isn't valid", []string{"list_result", "list_combined"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.list = func(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
				if filter.Result != domain.Open {
					return good.List(ctx, filter, limit)
				}
				filter.Result = ""
				entries, err := good.List(ctx, filter, limit)
				return slices.DeleteFunc(entries, func(e domain.ApiLogEntry) bool { return e.Outcome.Result == domain.Valid }), err
			}
		})},
		{"Error chooses all failures", []string{"list_error"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if filter.Error != "" && filter.Since.IsZero() && filter.Until.IsZero() {
				filter.Error, filter.Result = "", domain.Failed
			}
		})},
		{"Since is later", []string{"list_since", "list_combined"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if !filter.Since.IsZero() {
				filter.Since = filter.Since.Add(time.Microsecond)
			}
		})},
		{"Since is cut to the microsecond", []string{"list_since"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			filter.Since = filter.Since.Truncate(time.Microsecond)
		})},
		{"Until is included", []string{"list_until"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if !filter.Until.IsZero() && filter.Since.IsZero() {
				filter.Until = filter.Until.Add(time.Microsecond)
			}
		})},
		{"Until is the time of another zone", []string{"list_until"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			_, offset := filter.Until.Zone()
			filter.Until = filter.Until.Add(time.Duration(offset) * time.Second)
		})},
		{"of a filter with an Error the rest is passed over", []string{"list_combined"}, spoilFilter(func(filter *domain.ApiLogFilter) {
			if filter.Error != "" {
				*filter = domain.ApiLogFilter{Error: filter.Error}
			}
		})},
	}
}

func badLogListsAfterCtx() []apiLogSabotage {
	return []apiLogSabotage{
		{"List doesn't look at ctx", []string{"list_ended_ctx"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.list = func(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
				return good.List(live(ctx), filter, limit)
			}
		})},
		{"Prune looks at ctx too late", []string{"prune_ended_ctx"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.prune = func(ctx context.Context, before time.Time, limit int) (int, error) {
				if ctx.Err() != nil {
					_, _ = good.Prune(live(ctx), before, limit)
				}
				return good.Prune(ctx, before, limit)
			}
		})},
	}
}
