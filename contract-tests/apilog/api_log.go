// Package apilog has the clauses of ports.ApiLog and of its role.
//
// Package contracttests imports it; it imports ports and domain.
package apilog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"sync/atomic"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Port is what is under test. What a suite doesn't need is nil.
type Port struct {
	ports.ApiLog
	ports.ApiLogArchive
}

type (
	check    = clause.Check[Port]
	call     = clause.Call[Port]
	clauseOf = clause.Clause[Port]
)

// Clauses returns those of ports.ApiLog. What Record and Close store is for
// ArchiveClauses, as a port alone doesn't tell it.
func Clauses() []clause.Clause[Port] {
	stays := withUnfinished(func(opened domain.ApiLogEntry) check {
		return listsUnfinished(10, domain.ApiLogEntry{ID: opened.ID, Call: apiCall(2)})
	})
	return slices.Concat(closeClauses(), unfinishedClauses(), clause.EndedCtx(opensEach(apiCall(2)), stays, calls(withUnfinished)...))
}

// Calls returns a call of each method of ports.ApiLog.
func Calls() []clause.Call[Port] { return calls(withFirst) }

// calls are Calls on an entry that with finds.
func calls(with func(do func(domain.ApiLogEntry) check) check) []call {
	return []call{
		{Method: "record", Do: recordsEach([]domain.ApiCall{apiCall(3)}, outcome(1))},
		{Method: "open", Do: opensEach(apiCall(3))},
		{Method: "close", Do: with(func(entry domain.ApiLogEntry) check { return closes(entry.ID, outcome(1)) })},
		{Method: "unfinished", Do: listsUnfinished(10)},
	}
}

// withFirst does something with an entry that may not be there.
func withFirst(do func(entry domain.ApiLogEntry) check) check { return do(domain.ApiLogEntry{ID: 1}) }

func closeClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"ids", "each Record and each Open returns a positive id of its own, also when they are called at once",
			withOwnIDs(func([]domain.ApiLogID) check { return nothingMore(nil) }),
		), clause.New(
			"open_ids_grow", "of two Open, one of which began after the other had returned, the later one returns the greater id",
			opensInOrder,
		), clause.New(
			"close_twice", "an entry that is closed stays so when it is closed again, without an error",
			withOpen(manyCalls(2), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(closes(opened[0].ID, outcome(1)), closes(opened[0].ID, outcome(2)), listsUnfinished(10, opened[1]))
			}),
		), clause.New(
			"close_recorded", "closing an entry that was recorded is no error",
			recordsThen(func(recorded domain.ApiLogEntry) check { return closes(recorded.ID, outcome(2)) }),
		), clause.New(
			"close_at_once", "Close is safe for concurrent use: of any number of Close of one entry, none fails",
			withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, i int) error {
					return closes(opened[0].ID, outcome(i))(ctx, log)
				}), listsUnfinished(10))
			}),
		), clause.New(
			"close_leaves_others", "Close changes no other entry",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(closes(opened[1].ID, outcome(1)), listsUnfinished(10, opened[0], opened[2]))
			}),
		), clause.New(
			"close_unknown", "Close fails with NotFound where there is no such entry",
			withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(closesNothing(0), closesNothing(-1), closesNothing(opened[0].ID+1000))
			}),
		),
	}
}

// recordsEach records each call with each outcome.
func recordsEach(calls []domain.ApiCall, outcomes ...domain.Outcome) check {
	return withLogged(entriesOf(calls, outcomes...), nothingMore)
}

// recordsThen records a call and does something with its entry.
func recordsThen(do func(recorded domain.ApiLogEntry) check) check {
	return withLogged(entriesOf(manyCalls(1), outcome(1)), func(logged []domain.ApiLogEntry) check { return do(logged[0]) })
}

// closesEach opens an entry for each outcome and closes it.
func closesEach(outcomes []domain.Outcome) check { return withClosed(outcomes, nothingMore) }

// nothingMore ends what is done with entries.
func nothingMore([]domain.ApiLogEntry) check { return clause.Steps[Port]() }

// opensEach opens an entry for each call.
func opensEach(calls ...domain.ApiCall) check {
	return withOpen(calls, nothingMore)
}

// entriesOf has an entry of each call with each outcome, without ids.
func entriesOf(calls []domain.ApiCall, outcomes ...domain.Outcome) []domain.ApiLogEntry {
	var entries []domain.ApiLogEntry
	for _, call := range calls {
		for _, outcome := range outcomes {
			entries = append(entries, domain.ApiLogEntry{Call: call, Outcome: outcome})
		}
	}
	return entries
}

// withLogged opens or records each of the entries, in their order, and does
// something with them as they are then.
func withLogged(entries []domain.ApiLogEntry, do func(logged []domain.ApiLogEntry) check) check {
	return func(ctx context.Context, log Port) error {
		logged := slices.Clone(entries)
		for i, entry := range logged {
			var err error
			if entry.Outcome.IsOpen() {
				logged[i].ID, err = log.Open(ctx, entry.Call)
			} else {
				logged[i].ID, err = log.Record(ctx, entry.Call, entry.Outcome)
			}
			if err != nil {
				return clause.Failed("Open or Record", err)
			}
		}
		return do(logged)(ctx, log)
	}
}

// withOpen opens an entry for each call, in their order, and does something
// with them.
func withOpen(calls []domain.ApiCall, do func(opened []domain.ApiLogEntry) check) check {
	return withLogged(entriesOf(calls, domain.Outcome{}), do)
}

// withClosed opens an entry for each outcome, closes it and does something with
// the entries as they are then.
func withClosed(outcomes []domain.Outcome, do func(closed []domain.ApiLogEntry) check) check {
	return withOpen(manyCalls(len(outcomes)), func(entries []domain.ApiLogEntry) check {
		var each []check
		for i, outcome := range outcomes {
			each = append(each, closes(entries[i].ID, outcome))
			entries[i].Outcome = outcome
		}
		return clause.Steps(append(each, do(entries))...)
	})
}

// withUnfinished does something with the one entry that is open. It finds it
// even when ctx has ended.
func withUnfinished(do func(opened domain.ApiLogEntry) check) check {
	return func(ctx context.Context, log Port) error {
		time.Sleep(time.Millisecond) // it is older then
		entries, err := log.Unfinished(context.WithoutCancel(ctx), 0, 0, 10)
		if err := clause.Yields("the number of entries that Unfinished returns", len(entries), err, 1); err != nil {
			return err
		}
		return do(entries[0])(ctx, log)
	}
}

func closes(id domain.ApiLogID, outcome domain.Outcome) check {
	return func(ctx context.Context, log Port) error {
		return clause.Failed(fmt.Sprintf("Close(%d) with %q", id, string(outcome.Result)), log.Close(ctx, id, outcome))
	}
}

func closesNothing(id domain.ApiLogID) check {
	return clause.Fails(domain.NotFound, fmt.Sprintf("Close(%d), which is no entry", id), closes(id, outcome(1)))
}

// withOwnIDs opens and records calls at once, in turn, looks for an id that
// isn't positive or comes twice, and does something with them.
func withOwnIDs(do func(ids []domain.ApiLogID) check) check {
	return func(ctx context.Context, log Port) error {
		ids := make([]domain.ApiLogID, 2*clause.Crowd)
		errs := clause.Together(len(ids), func(i int) (err error) {
			if i%2 == 0 {
				ids[i], err = log.Open(ctx, apiCall(i))
			} else {
				ids[i], err = log.Record(ctx, apiCall(i), outcome(i))
			}
			return err
		})
		if err := cmp.Or(errs...); err != nil {
			return clause.Failed("Record and Open at once", err)
		}
		seen := map[domain.ApiLogID]bool{}
		for _, id := range ids {
			if id <= 0 || seen[id] {
				return fmt.Errorf("the ids of %d calls at once: got %v, want positive ones, each once", len(ids), ids)
			}
			seen[id] = true
		}
		return do(ids)(ctx, log)
	}
}

// opensInOrder opens entries one after the other, and many such rows at once.
func opensInOrder(ctx context.Context, log Port) error {
	const each = 4
	var greatest atomic.Int64 // of what has been returned so far
	return clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, i int) error {
		for range each {
			before := greatest.Load()
			id, err := log.Open(ctx, apiCall(i))
			if err != nil {
				return clause.Failed("Open", err)
			}
			if int64(id) <= before {
				return fmt.Errorf("opening: got the id %d, although another one had returned %d before it began", id, before)
			}
			for before < int64(id) && !greatest.CompareAndSwap(before, int64(id)) {
				before = greatest.Load()
			}
		}
		return nil
	})(ctx, log)
}
