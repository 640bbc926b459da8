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

func byIDClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"entries_none", "Entries of a port without entries returns none, without an error",
			listsByID(0, 10),
		), clause.New(
			"entries_order", "Entries returns the entries, whole, in the order of their ids, whenever their calls were received",
			withLogged(slices.Concat(filtered(), entriesOf(oddCalls(), domain.Outcome{}), entriesOf(manyCalls(1), EveryOutcome()...)), func(all []domain.ApiLogEntry) check {
				return listsByID(0, 1000, all...)
			}),
		), clause.New(
			"entries_after", "Entries begins after the given id, whether or not it exists",
			clause.Steps(savesEntries(0, numbered(5, 7, 20, 36)...), listsByID(-1, 10, numbered(5, 7, 20, 36)...), listsByID(4, 10, numbered(5, 7, 20, 36)...), listsByID(5, 10, numbered(7, 20, 36)...),
				listsByID(6, 10, numbered(7, 20, 36)...), listsByID(7, 10, numbered(20, 36)...), listsByID(35, 10, numbered(36)...), listsByID(36, 10), listsByID(1000, 10)),
		), clause.New(
			"entries_limit", "Entries returns at most limit entries, and those are the next ones; none where limit is below 1",
			clause.Steps(savesEntries(0, numbered(1, 2, 17, 18, 33)...), listsByID(0, 1, numbered(1)...), listsByID(0, 3, numbered(1, 2, 17)...), listsByID(1, 2, numbered(2, 17)...),
				listsByID(0, 5, numbered(1, 2, 17, 18, 33)...), listsByID(0, 0), listsByID(0, -1)),
		),
	}
}

func saveClauses() []clauseOf {
	const large = 1 << 40
	return []clauseOf{
		clause.New(
			"save_entries", "SaveEntries stores entries, whole, each under its id, whatever the call and the outcome and their order",
			clause.Steps(savesEntries(0, oddEntries()...), holdsEntries(oddEntries()...), holdsLog(oddEntries()...)),
		), clause.New(
			"save_entries_replaces", "an entry takes the place of the one with its id, whole, whether open or closed, and leaves others",
			savesOver(),
		), clause.New(
			"save_entries_open", "an open entry that is saved is listed as unfinished, and can be closed",
			clause.Steps(savesEntries(0, opened(numbered(3, 17))...), listsUnfinished(10, opened(numbered(3, 17))...), closes(3, numbered(3)[0].Outcome), holdsLog(append(opened(numbered(17)), numbered(3)...)...)),
		), clause.New(
			"save_entries_age", "an open entry counts as opened when it was saved, also where it was stored before",
			savesAnew,
		), clause.New(
			"save_entries_ids", "Record and Open return ids greater than those saved, than through, and than those before",
			clause.Steps(savesEntries(0), logsAbove(0), savesEntries(100), logsAbove(100), savesEntries(3, numbered(200, 150)...), logsAbove(200), savesEntries(7), savesEntries(0, numbered(250, 9)...),
				logsAbove(250), savesEntries(300, numbered(270)...), logsAbove(300), savesEntries(5), logsAbove(300), savesEntries(0, numbered(large)...), logsAbove(large)),
		), clause.New(
			"save_entries_ids_at_once", "while entries are saved, each Record and each Open returns an id of its own, and a later one a greater id than what was saved",
			savesWhileLogging,
		), clause.New(
			"save_entries_repeated", "repeating a SaveEntries is harmless",
			clause.Steps(savesEntries(50, numbered(1, 2, 3)...), savesEntries(50, numbered(1, 2, 3)...), holdsLog(numbered(1, 2, 3)...), logsAbove(50)),
		), clause.New(
			"save_entries_at_once", "SaveEntries is safe for concurrent use",
			savesAtOnce,
		), clause.New(
			"save_entries_cut_off", "a SaveEntries whose ctx ends fails with Unavailable and stores all or none",
			clause.CutOff(saveCutOff),
		), clause.New(
			"remove_entries", "RemoveEntries removes the entries with these ids, open ones too, and no others; an id without an entry is no error",
			clause.Steps(savesEntries(0, slices.Concat(numbered(1, 2, 3, 20), opened(numbered(4, 5)))...), removesEntries(2, 5, 17, 1000), holdsLog(slices.Concat(numbered(1, 3, 20), opened(numbered(4)))...),
				hasNoEntry(2), hasNoEntry(5), closesNothing(5), listsUnfinished(10, opened(numbered(4))...), removesEntries(), removesEntries(2, 5), removesEntries(1, 20), listsByID(0, 10, append(numbered(3), opened(numbered(4))...)...)),
		), clause.New(
			"remove_entries_ids", "the ids that RemoveEntries removes don't come again",
			clause.Steps(savesEntries(0, numbered(8, 9)...), removesEntries(8, 9), logsAbove(9)),
		), clause.New(
			"remove_entries_at_once", "RemoveEntries is safe for concurrent use",
			clause.Steps(savesEntries(0, numbered(series(2*clause.Crowd)...)...), clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, i int) error {
				id := domain.ApiLogID(2*i + 1)
				return clause.Steps(removesEntries(id, id+2), hasNoEntry(id), holdsEntries(numbered(id+1)...), listsByID(id, 1, numbered(id+1)...))(ctx, log)
			})),
		), clause.New(
			"remove_entries_cut_off", "a RemoveEntries whose ctx ends fails with Unavailable and removes all or none",
			clause.CutOff(removeCutOff),
		),
	}
}

// numbered are entries with these ids that differ in all.
func numbered(ids ...domain.ApiLogID) []domain.ApiLogEntry {
	var entries []domain.ApiLogEntry
	for _, id := range ids {
		entries = append(entries, domain.ApiLogEntry{ID: id, Call: apiCall(int(id % 1000)), Outcome: outcome(int(id % 1000))})
	}
	return entries
}

// series are the ids from 1 to n.
func series(n int) []domain.ApiLogID {
	ids := make([]domain.ApiLogID, n)
	for i := range ids {
		ids[i] = domain.ApiLogID(i + 1)
	}
	return ids
}

// opened are the entries without their outcomes.
func opened(entries []domain.ApiLogEntry) []domain.ApiLogEntry {
	for i := range entries {
		entries[i].Outcome = domain.Outcome{}
	}
	return entries
}

// oddEntries have odd calls and every outcome, of which one only says that the photo
// is settled, and ids in another order than their calls.
func oddEntries() []domain.ApiLogEntry {
	entries := slices.Concat(entriesOf(oddCalls(), domain.Outcome{}, outcome(1)), entriesOf(manyCalls(1), append(EveryOutcome(), domain.Outcome{SettledAt: noon})...))
	for i := range entries {
		entries[i].ID = domain.ApiLogID(3 * (len(entries) - i))
	}
	entries[0].ID = 1 << 40
	return entries
}

func savesEntries(through domain.ApiLogID, entries ...domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		return clause.Failed(fmt.Sprintf("SaveEntries of %d and through %d", len(entries), through), log.SaveEntries(ctx, entries, through))
	}
}

func removesEntries(ids ...domain.ApiLogID) check {
	return func(ctx context.Context, log Port) error {
		return clause.Failed(fmt.Sprintf("RemoveEntries(%d)", ids), log.RemoveEntries(ctx, ids))
	}
}

func listsByID(after domain.ApiLogID, limit int, want ...domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		got, err := log.Entries(ctx, after, limit)
		return clause.Lists(fmt.Sprintf("Entries(%d, %d)", after, limit), got, err, want)
	}
}

// logsAbove records and opens, which must return ids above last.
func logsAbove(last domain.ApiLogID) check {
	return func(ctx context.Context, log Port) error {
		_, err := logsTwice(ctx, log, last)
		return err
	}
}

// savesOver stores entries over others, in each way, beside one that stays.
func savesOver() check {
	stays := numbered(1)
	var each []check
	for _, before := range []domain.Outcome{{}, outcome(3), {Result: domain.Interrupted, EndedAt: late}} {
		for _, after := range []domain.Outcome{{}, {SettledAt: noon}, outcome(4), {Result: domain.Valid, EndedAt: late}} {
			old, young := domain.ApiLogEntry{ID: 2, Call: apiCall(5), Outcome: before}, domain.ApiLogEntry{ID: 2, Call: domain.ApiCall{ReceivedAt: noon}, Outcome: after}
			each = append(each, savesEntries(0, stays[0], old), holdsLog(stays[0], old), savesEntries(0, young), holdsLog(stays[0], young))
		}
	}
	return clause.Steps(each...)
}

// savesAnew saves an entry that was opened a while ago, until that is done in less
// time, by which it must not be as old.
func savesAnew(ctx context.Context, log Port) error {
	const age = 100 * time.Millisecond
	id, err := log.Open(ctx, apiCall(1))
	for err == nil {
		time.Sleep(age)
		began := time.Now()
		entries := []domain.ApiLogEntry{{ID: id, Call: apiCall(1)}, {ID: id + 1, Call: apiCall(1)}}
		if err := clause.Failed("SaveEntries", log.SaveEntries(ctx, entries, 0)); err != nil {
			return err
		}
		old, err := log.Unfinished(ctx, age, 0, 10)
		if time.Since(began) < age {
			return clause.Lists("Unfinished, just after SaveEntries", old, err, nil)
		}
		if err != nil {
			break
		}
	}
	return clause.Failed("Open or Unfinished", err)
}

// savesWhileLogging saves ids far apart while others record and open: through is raised
// to almost the entry's id.
func savesWhileLogging(ctx context.Context, log Port) error {
	const each = 8
	var saved atomic.Int64 // the greatest id that a SaveEntries has saved
	logged := make([][]domain.ApiLogID, clause.Crowd)
	errs := clause.Together(clause.Crowd+1, func(i int) error {
		for n := range each {
			if i < clause.Crowd {
				ids, err := logsTwice(ctx, log, domain.ApiLogID(saved.Load()))
				if err != nil {
					return err
				}
				logged[i] = append(logged[i], ids...)
				continue
			}
			id := domain.ApiLogID(1000 * (n + 1))
			if err := savesEntries(id-3, numbered(id)...)(ctx, log); err != nil {
				return err
			}
			saved.Store(int64(id))
		}
		return nil
	})
	if err := errors.Join(errs...); err != nil {
		return clause.Failed("SaveEntries, Record and Open at once", err)
	}
	ids := slices.Concat(logged...)
	slices.Sort(ids)
	all, err := log.Entries(ctx, 0, 2*len(ids))
	return errors.Join(clause.Yields("how many ids the calls got", len(slices.Compact(ids)), nil, 2*each*clause.Crowd),
		clause.Yields("how many entries there are", len(all), err, 2*each*clause.Crowd+each))
}

// logsTwice records and opens, which must return ids above last, and returns them.
func logsTwice(ctx context.Context, log Port, last domain.ApiLogID) ([]domain.ApiLogID, error) {
	recorded, err := log.Record(ctx, apiCall(1), outcome(1))
	if err != nil {
		return nil, err
	}
	opened, err := log.Open(ctx, apiCall(2))
	if err == nil && (recorded <= last || opened <= last) {
		err = fmt.Errorf("got the ids %d and %d where %d had been saved", recorded, opened, last)
	}
	return []domain.ApiLogID{recorded, opened}, err
}

// savesAtOnce saves entries of their own and one that is everybody's.
func savesAtOnce(ctx context.Context, log Port) error {
	err := clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, i int) error {
		own := numbered(domain.ApiLogID(10 * (i + 1)))
		return clause.Steps(savesEntries(domain.ApiLogID(i), append(own, numbered(1)...)...), holdsEntries(own...))(ctx, log)
	})(ctx, log)
	if err != nil {
		return err
	}
	all, err := log.Entries(ctx, 0, 100)
	return clause.Yields("how many entries there are", len(all), err, clause.Crowd+1)
}

func saveCutOff(ctx, ending context.Context, log Port, n int) (done bool, err error) {
	id := domain.ApiLogID(10 * n)
	before, after := opened(numbered(id)), numbered(id, id+1, id+2)
	if err := savesEntries(0, before...)(ctx, log); err != nil {
		return false, err
	}
	failure := savesEntries(0, after...)(ending, log)
	return allOrNone(ctx, log, failure, listsByID(id-1, 10, after...), listsByID(id-1, 10, before...))
}

func removeCutOff(ctx, ending context.Context, log Port, n int) (done bool, err error) {
	id := domain.ApiLogID(10 * n)
	all := numbered(id, id+1, id+2)
	if err := savesEntries(0, all...)(ctx, log); err != nil {
		return false, err
	}
	failure := removesEntries(id, id+2)(ending, log)
	return allOrNone(ctx, log, failure, listsByID(id-1, 10, all[1]), listsByID(id-1, 10, all...))
}

// allOrNone checks what a call left whose ctx may have ended.
func allOrNone(ctx context.Context, log Port, failure error, all, none check) (done bool, err error) {
	err = all(ctx, log)
	if failure == nil {
		return true, err
	}
	if err != nil {
		err = none(ctx, log)
	}
	return false, errors.Join(clause.FailsWith(domain.Unavailable, "a call whose ctx ended", failure), err)
}
