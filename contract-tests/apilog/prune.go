package apilog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func pruneClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"prune_none", "Prune of a port without entries removes none, without an error",
			prunes(late, 10, 0),
		), clause.New(
			"prune_before", "Prune removes the entries of calls received before the given time, not at it",
			withLogged(entriesOf(manyCalls(3), EveryResult()[0]), func(all []domain.ApiLogEntry) check {
				at := all[1].Call.ReceivedAt
				return clause.Steps(
					prunes(all[0].Call.ReceivedAt, 10, 0), holdsEntries(all...),
					prunes(at, 10, 1), hasNoEntry(all[0].ID), holdsEntries(all[1:]...),
					prunes(at.Add(time.Nanosecond), 10, 1), hasNoEntry(all[1].ID), holdsEntries(all[2]),
				)
			}),
		), clause.New(
			"prune_oldest_first", "Prune removes at most limit entries, the oldest first, in whatever order they were logged",
			withLogged(entriesOf([]domain.ApiCall{apiCall(3), apiCall(1), apiCall(4), apiCall(2)}, outcome(1)), func(all []domain.ApiLogEntry) check {
				return clause.Steps(
					prunes(late, 1, 1), holdsLog(all[0], all[2], all[3]),
					prunes(late, 2, 2), holdsLog(all[2]),
				)
			}),
		), clause.New(
			"prune_count", "Prune returns how many it removed: fewer than limit where none is left",
			withLogged(entriesOf(slices.Repeat([]domain.ApiCall{apiCall(1)}, 5), outcome(1)), func([]domain.ApiLogEntry) check {
				return clause.Steps(prunes(late, 0, 0), prunes(late, -1, 0), prunes(late, 2, 2), prunes(late, 2, 2), prunes(late, 2, 1), prunes(late, 2, 0), holdsLog())
			}),
		), clause.New(
			"prune_keeps_open", "entries that are open stay, and don't count towards the limit",
			withLogged(slices.Concat(entriesOf(manyCalls(3), domain.Outcome{}), entriesOf([]domain.ApiCall{apiCall(4)}, outcome(1))), func(all []domain.ApiLogEntry) check {
				return clause.Steps(prunes(late, 1, 1), holdsLog(all[:3]...), prunes(late, 10, 0), holdsLog(all[:3]...), listsUnfinished(10, all[:3]...))
			}),
		), clause.New(
			"prune_every_result", "Prune removes entries that were recorded and that were closed, whatever their outcome",
			clause.Steps(recordsEach(manyCalls(1), EveryResult()...), closesEach(EveryResult()), prunes(late, 10, 2*len(EveryResult())), holdsLog()),
		), clause.New(
			"prune_forgets", "an entry that is removed is there for no method",
			withLogged(entriesOf(manyCalls(1), outcome(1)), func(all []domain.ApiLogEntry) check {
				return clause.Steps(prunes(late, 10, 1), hasNoEntry(all[0].ID), closesNothing(all[0].ID), holdsLog(), listsUnfinished(10))
			}),
		), clause.New(
			"prune_ids", "the ids that are removed don't come again",
			withLogged(entriesOf(manyCalls(3), outcome(1)), func(removed []domain.ApiLogEntry) check {
				return clause.Steps(prunes(late, 10, 3), withLogged(filtered(), func(added []domain.ApiLogEntry) check { return idsDiffer(removed, added) }))
			}),
		), clause.New(
			"prune_at_once", "Prune is safe for concurrent use: of any number at once, each entry is removed and counted once, and what is logged meanwhile stays",
			withLogged(slices.Concat(entriesOf(slices.Repeat(manyCalls(8), 8), outcome(1)), entriesOf(manyCalls(2), domain.Outcome{})), prunesAtOnce),
		), clause.New(
			"claim_every", "ClaimPruning grants the first claim, and none that comes sooner than every after one that it granted",
			clause.Steps(claims(time.Hour, true), claims(time.Hour, false), claims(0, true), claims(time.Hour, false), claims(0, true)),
		), clause.New(
			"claim_refused", "a claim that isn't granted doesn't put off the next one",
			claimsUntilGranted,
		), clause.New(
			"claim_at_once", "of any number of ClaimPruning at once it grants one",
			claimsAtOnce,
		),
	}
}

func prunes(before time.Time, limit, want int) check {
	return func(ctx context.Context, log Port) error {
		got, err := log.Prune(ctx, before, limit)
		return clause.Yields(fmt.Sprintf("Prune(%v, %d)", before, limit), got, err, want)
	}
}

func claims(every time.Duration, want bool) check {
	return func(ctx context.Context, log Port) error {
		got, err := log.ClaimPruning(ctx, every)
		return clause.Yields(fmt.Sprintf("ClaimPruning(%v)", every), got, err, want)
	}
}

// claimsUntilGranted claims again and again, far more often than every.
func claimsUntilGranted(ctx context.Context, log Port) error {
	const every = 200 * time.Millisecond
	if err := claims(every, true)(ctx, log); err != nil {
		return err
	}
	for range 1000 {
		time.Sleep(every / 40)
		if granted, err := log.ClaimPruning(ctx, every); granted || err != nil {
			return err
		}
	}
	return fmt.Errorf("ClaimPruning(%v), again and again: want one to be granted", every)
}

// claimsAtOnce claims many times at once.
func claimsAtOnce(ctx context.Context, log Port) error {
	var granted atomic.Int64
	err := clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, _ int) error {
		got, err := log.ClaimPruning(ctx, time.Hour)
		if got {
			granted.Add(1)
		}
		return err
	})(ctx, log)
	return clause.Yields("how many ClaimPruning at once were granted", granted.Load(), err, 1)
}

// holdsLog checks that there are these entries and no others.
func holdsLog(want ...domain.ApiLogEntry) check {
	return listsLog(domain.ApiLogFilter{}, len(want)+10, newestFirst(want)...)
}

func idsDiffer(removed, added []domain.ApiLogEntry) check {
	return func(context.Context, Port) error {
		for _, entry := range added {
			if slices.ContainsFunc(removed, func(e domain.ApiLogEntry) bool { return e.ID == entry.ID }) {
				return fmt.Errorf("the id of an entry that was removed, %d, came again", entry.ID)
			}
		}
		return nil
	}
}

// prunesAtOnce prunes what is closed of all while others record, open and close.
func prunesAtOnce(all []domain.ApiLogEntry) check {
	closed := slices.DeleteFunc(slices.Clone(all), func(e domain.ApiLogEntry) bool { return e.Outcome.IsOpen() })
	open := all[len(closed):]
	return func(ctx context.Context, log Port) error {
		var removed atomic.Int64
		kept := make([]domain.ApiLogEntry, clause.Crowd)
		errs := clause.Together(2*clause.Crowd, func(i int) (err error) {
			if i%2 == 1 {
				kept[i/2], err = logsLate(ctx, log, i)
				return err
			}
			count, err := log.Prune(ctx, late, 5)
			removed.Add(int64(count))
			return err
		})
		if err := errors.Join(errs...); err != nil {
			return clause.Failed("Prune, Record, Open and Close at once", err)
		}
		rest, err := log.Prune(ctx, late, len(all))
		if err := clause.Yields("how many entries all Prune at once and one more removed", int(removed.Load())+rest, err, len(closed)); err != nil {
			return err
		}
		return holdsLog(append(kept, open...)...)(ctx, log)
	}
}

// logsLate records, or opens and closes, a call that isn't to be pruned.
func logsLate(ctx context.Context, log Port, i int) (entry domain.ApiLogEntry, err error) {
	entry = domain.ApiLogEntry{Call: apiCall(i), Outcome: outcome(i)}
	entry.Call.ReceivedAt = late.Add(time.Duration(i) * time.Microsecond)
	if i%4 == 1 {
		entry.ID, err = log.Record(ctx, entry.Call, entry.Outcome)
		return entry, err
	}
	if entry.ID, err = log.Open(ctx, entry.Call); err != nil {
		return entry, err
	}
	return entry, log.Close(ctx, entry.ID, entry.Outcome)
}
