package contracttests

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

func unfinishedClauses() []logClause {
	return []logClause{
		{
			"unfinished_none", "Unfinished of a port without entries returns none, without an error",
			listsUnfinished(late, 10),
		}, {
			"unfinished_whole", "Unfinished returns the open entries, whole",
			withOpen(oddCalls(), func(opened []domain.ApiLogEntry) logCheck { return listsUnfinished(late, 100, opened...) }),
		}, {
			"unfinished_without_recorded", "Unfinished returns no entry that was recorded",
			steps(recordsEach(manyCalls(2), everyResult()...), listsUnfinished(late, 100)),
		}, {
			"unfinished_without_closed", "Unfinished returns no entry that is closed, whatever its outcome",
			steps(closesEach(everyResult()), listsUnfinished(late, 100)),
		}, {
			"unfinished_before", "Unfinished returns the entries of calls received before the given time, not at it",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) logCheck {
				at := opened[1].Call.ReceivedAt
				return steps(
					listsUnfinished(at.Add(-time.Microsecond), 10, opened[0]),
					listsUnfinished(at, 10, opened[0]),
					listsUnfinished(at.Add(time.Nanosecond), 10, opened[:2]...),
					listsUnfinished(at.Add(time.Microsecond), 10, opened[:2]...),
				)
			}),
		}, {
			"unfinished_oldest_first", "Unfinished returns the oldest call first, in whatever order they were opened",
			withOpen([]domain.ApiCall{apiCall(2), apiCall(3), apiCall(1)}, func(opened []domain.ApiLogEntry) logCheck {
				return listsUnfinished(late, 10, opened[2], opened[0], opened[1])
			}),
		}, {
			"unfinished_same_time", "entries received at the same time come in the order of their ids",
			withOpen(slices.Repeat([]domain.ApiCall{apiCall(1)}, crowd), func(opened []domain.ApiLogEntry) logCheck {
				slices.SortFunc(opened, func(x, y domain.ApiLogEntry) int { return int(x.ID - y.ID) })
				return listsUnfinished(late, 2*crowd, opened...)
			}),
		}, {
			"unfinished_limit", "Unfinished returns at most limit entries, and those are the oldest",
			withOpen([]domain.ApiCall{apiCall(3), apiCall(1), apiCall(2)}, func(opened []domain.ApiLogEntry) logCheck {
				return steps(listsUnfinished(late, 1, opened[1]), listsUnfinished(late, 2, opened[1], opened[2]),
					listsUnfinished(late, 3, opened[1], opened[2], opened[0]))
			}),
		}, {
			"unfinished_limit_counts_open", "entries that are closed don't count towards the limit",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) logCheck {
				return steps(closes(opened[0].ID, outcome(1)), listsUnfinished(late, 1, opened[1]))
			}),
		},
	}
}

func listsUnfinished(before time.Time, limit int, want ...domain.ApiLogEntry) logCheck {
	return func(ctx context.Context, log LogRoles) error {
		got, err := log.Unfinished(ctx, before, limit)
		return lists(fmt.Sprintf("Unfinished(%v, %d)", before, limit), got, err, want)
	}
}
