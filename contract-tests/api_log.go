package contracttests

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ApiLog proves that what open returns keeps the promises of ports.ApiLog.
// open returns a port without entries, a new one each time; it is called in
// parallel and closes the port through t.Cleanup.
func ApiLog(t *testing.T, open func(t *testing.T) LogRoles) {
	t.Helper()
	prove(t, apiLogClauses(), open)
}

type (
	logCheck  = check[LogRoles]
	logCall   = call[LogRoles]
	logClause = clause[LogRoles]
)

func apiLogClauses() []logClause {
	return slices.Concat(entryClauses(), closeClauses(), unfinishedClauses(), listClauses(), filterClauses(), pruneClauses(), logEndedCtx())
}

func entryClauses() []logClause {
	return []logClause{
		{
			"record_round_trip", "Entry returns a call that was recorded, whole",
			recordsEach(oddCalls(), outcome(1)),
		}, {
			"record_every_outcome", "Entry returns the outcome that was recorded, whole, whatever it is",
			recordsEach([]domain.ApiCall{apiCall(1)}, everyOutcome()...),
		}, {
			"open_round_trip", "Entry returns a call that was opened, whole and without an outcome",
			opensEach(oddCalls()...),
		}, {
			"ids", "each Record and each Open returns a positive id of its own, also when they are called at once",
			ownIDs,
		}, {
			"entry_unknown", "Entry fails with NotFound",
			steps(hasNoEntry(0), hasNoEntry(1), withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) logCheck {
				return steps(hasNoEntry(0), hasNoEntry(-1), hasNoEntry(opened[0].ID+1000))
			})),
		},
	}
}

func closeClauses() []logClause {
	return []logClause{
		{
			"close_every_outcome", "Close gives an open entry its outcome, whole, whatever it is",
			closesEach(everyOutcome()),
		}, {
			"close_twice", "an entry that is closed keeps the outcome that it has, without an error",
			withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) logCheck {
				first := opened[0]
				first.Outcome = outcome(1)
				return steps(closes(first.ID, outcome(1)), closes(first.ID, outcome(2)), holdsEntries(first))
			}),
		}, {
			"close_recorded", "an entry that was recorded keeps the outcome that it has, without an error",
			closesRecorded,
		}, {
			"close_at_once", "of any number of Close at once the first one stays",
			withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) logCheck { return closesAtOnce(opened[0]) }),
		}, {
			"close_leaves_others", "Close changes no other entry",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) logCheck {
				return steps(closes(opened[1].ID, outcome(1)), holdsEntries(opened[0], opened[2]))
			}),
		}, {
			"close_unknown", "Close fails with NotFound where there is no such entry",
			withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) logCheck {
				return steps(closesNothing(0), closesNothing(-1), closesNothing(opened[0].ID+1000))
			}),
		},
	}
}

func logEndedCtx() []logClause {
	given := steps(recordsEach(manyCalls(1), outcome(1)), opensEach(apiCall(2)))
	logged := logsOnly(domain.ApiLogEntry{Call: apiCall(2)}, domain.ApiLogEntry{Call: apiCall(1), Outcome: outcome(1)})
	unchanged := steps(logged, withUnfinished(func(opened domain.ApiLogEntry) logCheck {
		return steps(holdsEntries(opened), listsUnfinished(late, 10, opened))
	}))
	return endedCtx(given, unchanged,
		logCall{"record", recordsEach([]domain.ApiCall{apiCall(3)}, outcome(1))},
		logCall{"open", opensEach(apiCall(3))},
		logCall{"close", withUnfinished(func(opened domain.ApiLogEntry) logCheck { return closes(opened.ID, outcome(1)) })},
		logCall{"unfinished", listsUnfinished(noon, 10)},
		logCall{"entry", withUnfinished(func(opened domain.ApiLogEntry) logCheck { return holdsEntries(opened) })},
		logCall{"list", logged},
		logCall{"prune", prunes(late, 10, 1)},
	)
}

func recordsEach(calls []domain.ApiCall, outcomes ...domain.Outcome) logCheck {
	return func(ctx context.Context, log LogRoles) error {
		for _, call := range calls {
			for _, outcome := range outcomes {
				id, err := log.Record(ctx, call, outcome)
				if err != nil {
					return failed(fmt.Sprintf("Record(%+v, %+v)", call, outcome), err)
				}
				if err := holdsEntries(domain.ApiLogEntry{ID: id, Call: call, Outcome: outcome})(ctx, log); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

// opens opens an entry and returns it as it should be.
func opens(ctx context.Context, log LogRoles, call domain.ApiCall) (domain.ApiLogEntry, error) {
	id, err := log.Open(ctx, call)
	return domain.ApiLogEntry{ID: id, Call: call}, failed(fmt.Sprintf("Open(%+v)", call), err)
}

func opensEach(calls ...domain.ApiCall) logCheck {
	return withOpen(calls, func(opened []domain.ApiLogEntry) logCheck { return holdsEntries(opened...) })
}

// withOpen opens an entry for each call, in their order, and does something
// with them.
func withOpen(calls []domain.ApiCall, do func(opened []domain.ApiLogEntry) logCheck) logCheck {
	return func(ctx context.Context, log LogRoles) error {
		var opened []domain.ApiLogEntry
		for _, call := range calls {
			entry, err := opens(ctx, log, call)
			if err != nil {
				return err
			}
			opened = append(opened, entry)
		}
		return do(opened)(ctx, log)
	}
}

// withUnfinished does something with the one entry that is open. It finds it
// even when ctx has ended.
func withUnfinished(do func(opened domain.ApiLogEntry) logCheck) logCheck {
	return func(ctx context.Context, log LogRoles) error {
		entries, err := log.Unfinished(context.WithoutCancel(ctx), late, 10)
		if err := yields("the number of entries that Unfinished returns", len(entries), err, 1); err != nil {
			return err
		}
		return do(entries[0])(ctx, log)
	}
}

func closes(id domain.ApiLogID, outcome domain.Outcome) logCheck {
	return func(ctx context.Context, log LogRoles) error {
		return failed(fmt.Sprintf("Close(%d, %+v)", id, outcome), log.Close(ctx, id, outcome))
	}
}

func holdsEntries(entries ...domain.ApiLogEntry) logCheck {
	return func(ctx context.Context, log LogRoles) error {
		for _, want := range entries {
			got, err := log.Entry(ctx, want.ID)
			if err := yields(fmt.Sprintf("Entry(%d)", want.ID), got, err, want); err != nil {
				return err
			}
		}
		return nil
	}
}

func hasNoEntry(id domain.ApiLogID) logCheck {
	return fails(domain.NotFound, fmt.Sprintf("Entry(%d)", id), func(ctx context.Context, log LogRoles) error {
		_, err := log.Entry(ctx, id)
		return err
	})
}
