package apilog

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// ArchiveClauses returns those of ports.ApiLogArchive, and of ports.ApiLog what
// takes an archive to be seen.
func ArchiveClauses() []clause.Clause[Port] {
	return slices.Concat(entryClauses(), outcomeClauses(), listClauses(), filterClauses(), byIDClauses(), saveClauses(), pruneClauses(), archiveEndedCtx())
}

// ArchiveCalls returns a call of each method of ports.ApiLogArchive.
func ArchiveCalls() []clause.Call[Port] { return archiveCalls(withFirst) }

// archiveCalls are ArchiveCalls on an entry that with finds.
func archiveCalls(with func(do func(domain.ApiLogEntry) check) check) []call {
	return []call{
		{Method: "entry", Do: with(func(entry domain.ApiLogEntry) check { return holdsEntries(entry) })},
		{Method: "list", Do: listsLog(domain.ApiLogFilter{}, 10)},
		{Method: "entries", Do: listsByID(0, 10)},
		{Method: "save_entries", Do: savesEntries(100, numbered(1, 2)...)},
		{Method: "remove_entries", Do: removesEntries(1, 2)},
		{Method: "prune", Do: prunes(late, 10, 1)},
		{Method: "claim_pruning", Do: claims(time.Hour, true)},
	}
}

func archiveEndedCtx() []clauseOf {
	given := clause.Steps(recordsEach(manyCalls(1), outcome(1)), opensEach(apiCall(2)))
	unchanged := clause.Steps(
		logsOnly(domain.ApiLogEntry{Call: apiCall(2)}, domain.ApiLogEntry{Call: apiCall(1), Outcome: outcome(1)}),
		withUnfinished(func(opened domain.ApiLogEntry) check { return holdsEntries(opened) }),
	)
	return clause.EndedCtx(given, unchanged, slices.Concat(calls(withUnfinished), archiveCalls(withUnfinished))...)
}

func entryClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"record_round_trip", "Entry returns a call that was recorded, whole",
			recordsAndReads(oddCalls(), outcome(1)),
		), clause.New(
			"record_every_outcome", "Entry returns the outcome that was recorded, whole, whatever it is",
			recordsAndReads([]domain.ApiCall{apiCall(1)}, EveryOutcome()...),
		), clause.New(
			"open_round_trip", "Entry returns a call that was opened, whole and without an outcome",
			withOpen(oddCalls(), func(opened []domain.ApiLogEntry) check { return holdsEntries(opened...) }),
		), clause.New(
			"ids_at_once", "Record and Open are safe for concurrent use: each id is that of its call",
			withOwnIDs(holdsAtOnce),
		), clause.New(
			"entry_unknown", "Entry fails with NotFound",
			clause.Steps(hasNoEntry(0), hasNoEntry(1), withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(hasNoEntry(0), hasNoEntry(-1), hasNoEntry(opened[0].ID+1000))
			})),
		),
	}
}

func outcomeClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"close_every_outcome", "Close gives an open entry its outcome, whole, whatever it is",
			closesAndReads(EveryOutcome()),
		), clause.New(
			"close_twice", "an entry that is closed keeps the outcome that it has, without an error",
			withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) check {
				first := opened[0]
				first.Outcome = outcome(1)
				return clause.Steps(closes(first.ID, outcome(1)), closes(first.ID, outcome(2)), holdsEntries(first))
			}),
		), clause.New(
			"close_settled", "an outcome without a Result is stored whole, and leaves the entry open",
			closesAndReads([]domain.Outcome{{SettledAt: noon}, {SettledAt: late}}),
		), clause.New(
			"close_after_settled", "the outcome that closes an entry takes the place of one without a Result, whole",
			withClosed(slices.Repeat([]domain.Outcome{{SettledAt: noon}}, len(EveryOutcome())), func(settled []domain.ApiLogEntry) check {
				var all []check
				for i, outcome := range EveryOutcome() {
					settled[i].Outcome = outcome
					all = append(all, closes(settled[i].ID, outcome), holdsEntries(settled[i]))
				}
				return clause.Steps(all...)
			}),
		), clause.New(
			"close_closed", "Valid replaces Interrupted, whole, and nothing else replaces the outcome of an entry that is closed",
			withClosed(eachTwice(EveryResult()), closesAgain),
		), clause.New(
			"close_recorded", "an entry that was recorded keeps the outcome that it has, without an error",
			recordsThen(func(recorded domain.ApiLogEntry) check {
				return clause.Steps(closes(recorded.ID, outcome(2)), holdsEntries(recorded))
			}),
		), clause.New(
			"close_at_once", "of any number of Close at once the first one stays",
			withOpen(manyCalls(1), func(opened []domain.ApiLogEntry) check { return closesAtOnce(opened[0]) }),
		), clause.New(
			"close_leaves_others", "Close changes no other entry",
			withOpen(manyCalls(3), func(opened []domain.ApiLogEntry) check {
				return clause.Steps(closes(opened[1].ID, outcome(1)), holdsEntries(opened[0], opened[2]))
			}),
		),
	}
}

// recordsAndReads records each call with each outcome, and reads what was recorded.
func recordsAndReads(calls []domain.ApiCall, outcomes ...domain.Outcome) check {
	return withLogged(entriesOf(calls, outcomes...), func(logged []domain.ApiLogEntry) check { return holdsEntries(logged...) })
}

// closesAndReads gives an open entry each outcome, and reads what was stored.
func closesAndReads(outcomes []domain.Outcome) check {
	return withClosed(outcomes, func(closed []domain.ApiLogEntry) check { return holdsEntries(closed...) })
}

// eachTwice has each outcome as often as there are outcomes, and once more.
func eachTwice(outcomes []domain.Outcome) (all []domain.Outcome) {
	for _, outcome := range outcomes {
		all = append(all, slices.Repeat([]domain.Outcome{outcome}, len(outcomes)+1)...)
	}
	return all
}

// closesAgain gives each entry of eachTwice another outcome: every Result, and none.
func closesAgain(closed []domain.ApiLogEntry) check {
	others := append(EveryResult(), domain.Outcome{})
	var all []check
	for i, entry := range closed {
		other := others[i%len(others)]
		other.SettledAt, other.Details = noon, domain.OutcomeDetails{Before: photoInfo(7)}
		if all = append(all, closes(entry.ID, other)); entry.Outcome.Result == domain.Interrupted && other.Result == domain.Valid {
			entry.Outcome = other
		}
		all = append(all, holdsEntries(entry), closes(entry.ID, outcome(9)), holdsEntries(entry))
	}
	return clause.Steps(all...)
}

func holdsEntries(entries ...domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		for _, want := range entries {
			got, err := log.Entry(ctx, want.ID)
			if err := clause.Yields(fmt.Sprintf("Entry(%d)", want.ID), got, err, want); err != nil {
				return err
			}
		}
		return nil
	}
}

func hasNoEntry(id domain.ApiLogID) check {
	return clause.Fails(domain.NotFound, fmt.Sprintf("Entry(%d)", id), func(ctx context.Context, log Port) error {
		_, err := log.Entry(ctx, id)
		return err
	})
}

// holdsAtOnce checks what ownIDs has written.
func holdsAtOnce(ids []domain.ApiLogID) check {
	var want []domain.ApiLogEntry
	for i, id := range ids {
		entry := domain.ApiLogEntry{ID: id, Call: apiCall(i)}
		if i%2 == 1 {
			entry.Outcome = outcome(i)
		}
		want = append(want, entry)
	}
	return holdsEntries(want...)
}

// closesAtOnce closes an entry many times at once, each time with another
// outcome. Whoever is done reads the entry: it is closed by then, so all must
// read the same.
func closesAtOnce(opened domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		read := make([]domain.ApiLogEntry, clause.Crowd)
		errs := clause.Together(clause.Crowd, func(i int) (err error) {
			if err = closes(opened.ID, outcome(i))(ctx, log); err == nil {
				read[i], err = log.Entry(ctx, opened.ID)
			}
			return err
		})
		if err := cmp.Or(errs...); err != nil {
			return clause.Failed("Close and Entry at once", err)
		}
		for _, entry := range read[1:] {
			if err := clause.Yields("Entry after a Close, while others close it too", entry, nil, read[0]); err != nil {
				return err
			}
		}
		for i := range clause.Crowd {
			if opened.Outcome = outcome(i); clause.Diff(opened, read[0]) == "" {
				return nil
			}
		}
		return fmt.Errorf("the entry after %d Close at once: got the outcome %q, which is none of theirs", clause.Crowd, read[0].Outcome.Detail)
	}
}
