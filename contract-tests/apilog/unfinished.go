package apilog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func unfinishedClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"unfinished_none", "Unfinished of a port without entries returns none, without an error",
			listsUnfinished(late, 10),
		), clause.New(
			"unfinished_whole", "Unfinished returns the open entries, whole",
			withOpen(oddCalls(), func(opened []domain.ApiLogEntry) check { return listsUnfinished(late, 100, opened...) }),
		), clause.New(
			"unfinished_without_recorded", "Unfinished returns no entry that was recorded",
			clause.Steps(recordsEach(manyCalls(2), everyResult()...), listsUnfinished(late, 100)),
		), clause.New(
			"unfinished_without_closed", "Unfinished returns no entry that is closed, whatever its outcome",
			clause.Steps(closesEach(everyResult()), listsUnfinished(late, 100)),
		), clause.New(
			"unfinished_before", "Unfinished returns the entries of calls received before the given time, not at it",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				at := opened[1].Call.ReceivedAt
				return clause.Steps(
					listsUnfinished(at.Add(-time.Microsecond), 10, opened[0]),
					listsUnfinished(at, 10, opened[0]),
					listsUnfinished(at.Add(time.Nanosecond), 10, opened[:2]...),
					listsUnfinished(at.Add(time.Microsecond), 10, opened[:2]...),
				)
			}),
		), clause.New(
			"unfinished_oldest_first", "Unfinished returns the oldest call first, in whatever order they were opened",
			withOpen([]domain.ApiCall{apiCall(2), apiCall(3), apiCall(1)}, func(opened []domain.ApiLogEntry) check {
				return listsUnfinished(late, 10, opened[2], opened[0], opened[1])
			}),
		), clause.New(
			"unfinished_same_time", "entries received at the same time come in the order of their ids",
			withOpen(slices.Repeat([]domain.ApiCall{apiCall(1)}, clause.Crowd), func(opened []domain.ApiLogEntry) check {
				slices.SortFunc(opened, func(x, y domain.ApiLogEntry) int { return int(x.ID - y.ID) })
				return listsUnfinished(late, 2*clause.Crowd, opened...)
			}),
		), clause.New(
			"unfinished_limit", "Unfinished returns at most limit entries, and those are the oldest; none where limit is below 1",
			withOpen([]domain.ApiCall{apiCall(3), apiCall(1), apiCall(2)}, func(opened []domain.ApiLogEntry) check {
				return clause.Steps(listsUnfinished(late, 1, opened[1]), listsUnfinished(late, 2, opened[1], opened[2]),
					listsUnfinished(late, 3, opened[1], opened[2], opened[0]), listsUnfinished(late, 0), listsUnfinished(late, -1))
			}),
		), clause.New(
			"unfinished_at_once", "Unfinished is safe for concurrent use",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, _ int) error {
					return listsUnfinished(late, 10, opened...)(ctx, log)
				})
			}),
		), clause.New(
			"unfinished_limit_counts_open", "entries that are closed don't count towards the limit",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(closes(opened[0].ID, outcome(1)), listsUnfinished(late, 1, opened[1]))
			}),
		),
	}
}

func listsUnfinished(before time.Time, limit int, want ...domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		got, err := log.Unfinished(ctx, before, limit)
		return clause.Lists(fmt.Sprintf("Unfinished(%v, %d)", before, limit), got, err, want)
	}
}
