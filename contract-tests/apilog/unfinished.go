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
			listsUnfinished(10),
		), clause.New(
			"unfinished_whole", "Unfinished returns the open entries, whole",
			withOpen(oddCalls(), func(opened []domain.ApiLogEntry) check { return listsUnfinished(100, opened...) }),
		), clause.New(
			"unfinished_without_recorded", "Unfinished returns no entry that was recorded",
			clause.Steps(recordsEach(manyCalls(2), EveryResult()...), listsUnfinished(100)),
		), clause.New(
			"unfinished_without_closed", "Unfinished returns no entry that is closed, whatever its outcome",
			clause.Steps(closesEach(EveryResult()), listsUnfinished(100)),
		), clause.New(
			"unfinished_older_than", "Unfinished returns the entries that were opened longer than olderThan ago, and no younger ones",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(listsUnfinished(10, opened...), listsOlder(time.Hour, 0, 10), listsOlder(0, 0, 10, opened...))
			}),
		), clause.New(
			"unfinished_own_clock", "it is by the log's own clock that entries get older, whenever their calls were received",
			withOpen(receivedFarAway(), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(listsUnfinished(10, opened...), listsOlder(time.Hour, 0, 10))
			}),
		), clause.New(
			"unfinished_order", "Unfinished returns the entries in the order of their ids, whenever their calls were received",
			withOpen(slices.Concat(receivedFarAway(), manyCalls(clause.Crowd)), func(opened []domain.ApiLogEntry) check {
				return listsUnfinished(2*clause.Crowd, opened...)
			}),
		), clause.New(
			"unfinished_after", "Unfinished returns the entries whose ids are greater than after, whether or not there is such an entry",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(closes(opened[1].ID, outcome(1)), listsUnfinished(10, opened[0], opened[2]),
					listsOlder(0, opened[0].ID-1, 10, opened[0], opened[2]), listsOlder(0, opened[0].ID, 10, opened[2]), listsOlder(0, opened[1].ID, 10, opened[2]),
					listsOlder(0, opened[0].ID, 1, opened[2]), listsOlder(0, opened[2].ID, 10), listsOlder(0, opened[2].ID+1000, 10), listsOlder(0, -1, 1, opened[0]))
			}),
		), clause.New(
			"unfinished_limit", "Unfinished returns at most limit entries, and those are the first; none where limit is below 1",
			withOpen([]domain.ApiCall{apiCall(3), apiCall(1), apiCall(2)}, func(opened []domain.ApiLogEntry) check {
				return clause.Steps(listsUnfinished(1, opened[0]), listsUnfinished(2, opened[:2]...),
					listsUnfinished(3, opened...), listsUnfinished(0), listsUnfinished(-1))
			}),
		), clause.New(
			"unfinished_at_once", "Unfinished is safe for concurrent use",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, _ int) error {
					return listsUnfinished(10, opened...)(ctx, log)
				})
			}),
		), clause.New(
			"unfinished_limit_counts_open", "entries that are closed don't count towards the limit",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(closes(opened[0].ID, outcome(1)), listsUnfinished(1, opened[1]))
			}),
		), clause.New(
			"unfinished_settled", "an entry that was closed with an outcome without a Result is open, with SettledAt, until it gets another one",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				settled, again := opened[1], opened[1]
				settled.Outcome.SettledAt, again.Outcome.SettledAt = noon, late
				return clause.Steps(closes(settled.ID, settled.Outcome), listsUnfinished(10, opened[0], settled, opened[2]),
					closes(again.ID, again.Outcome), listsUnfinished(10, opened[0], again, opened[2]), closes(again.ID, outcome(1)), listsUnfinished(10, opened[0], opened[2]))
			}),
		),
	}
}

// receivedFarAway are calls that were received long after or before they are logged.
func receivedFarAway() []domain.ApiCall {
	calls := manyCalls(3)
	for i, year := range []int{2999, 1971, 1970} {
		calls[i].ReceivedAt = time.Date(year, time.March, 29, 12, 0, 0, 1000, time.UTC)
	}
	return calls
}

// listsUnfinished checks what Unfinished returns of all ages.
func listsUnfinished(limit int, want ...domain.ApiLogEntry) check {
	return listsOlder(0, 0, limit, want...)
}

// listsOlder looks when the log's clock has moved on, as what was opened just now
// isn't older than that.
func listsOlder(olderThan time.Duration, after domain.ApiLogID, limit int, want ...domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) (err error) {
		const looks, pause = 20, time.Millisecond
		for range looks {
			time.Sleep(pause)
			got, failure := log.Unfinished(ctx, olderThan, after, limit)
			if err = clause.Lists(fmt.Sprintf("Unfinished(%v, %d, %d)", olderThan, after, limit), got, failure, want); err == nil || failure != nil {
				return err
			}
		}
		return err
	}
}
