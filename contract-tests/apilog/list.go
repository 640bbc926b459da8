package apilog

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func listClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"list_none", "List of a port without entries returns none, without an error, and so does a filter that chooses none",
			clause.Steps(listsLog(domain.ApiLogFilter{}, 10), withLogged(filtered(), func([]domain.ApiLogEntry) check {
				return listsLog(domain.ApiLogFilter{Fleet: 999}, 10)
			})),
		), clause.New(
			"list_whole", "List returns the entries whole, those that are open too",
			withLogged(slices.Concat(entriesOf(oddCalls(), domain.Outcome{}), entriesOf(manyCalls(1), EveryOutcome()...)), func(all []domain.ApiLogEntry) check {
				return listsLog(domain.ApiLogFilter{}, 100, newestFirst(all)...)
			}),
		), clause.New(
			"list_newest_first", "List returns the newest call first, in whatever order they were logged",
			withLogged(entriesOf([]domain.ApiCall{apiCall(2), apiCall(3), apiCall(1)}, outcome(1)), func(all []domain.ApiLogEntry) check {
				return listsLog(domain.ApiLogFilter{}, 10, all[1], all[0], all[2])
			}),
		), clause.New(
			"list_same_time", "of entries received at the same time, the one with the greater id comes first",
			withLogged(entriesOf(slices.Repeat([]domain.ApiCall{apiCall(1)}, clause.Crowd), outcome(1)), func(all []domain.ApiLogEntry) check {
				return listsLog(domain.ApiLogFilter{}, 2*clause.Crowd, newestFirst(all)...)
			}),
		), clause.New(
			"list_limit", "List returns at most limit entries, and those are the newest that the filter chooses; none where limit is below 1",
			withLogged(filtered(), func(all []domain.ApiLogEntry) check {
				return clause.Steps(listsChosen(all, domain.ApiLogFilter{}, 1), listsChosen(all, domain.ApiLogFilter{}, 3),
					listsChosen(all, domain.ApiLogFilter{Fleet: 689}, 2), listsLog(domain.ApiLogFilter{}, 0), listsLog(domain.ApiLogFilter{}, -1))
			}),
		), clause.New(
			"list_at_once", "List is safe for concurrent use",
			withLogged(filtered(), func(all []domain.ApiLogEntry) check {
				return clause.AtOnce(clause.Crowd, func(ctx context.Context, log Port, _ int) error {
					return listsChosen(all, domain.ApiLogFilter{}, 100)(ctx, log)
				})
			}),
		), clause.New(
			"list_pages", "the filter's Before, set to the Position of the last entry, yields the next ones, each once",
			withLogged(slices.Concat(filtered(), entriesOf(slices.Repeat([]domain.ApiCall{apiCall(5)}, 5), outcome(1))), func(all []domain.ApiLogEntry) check {
				return clause.Steps(listsInPages(domain.ApiLogFilter{}, 2, newestFirst(all)), listsInPages(domain.ApiLogFilter{}, 3, newestFirst(all)),
					listsInPages(domain.ApiLogFilter{Fleet: 689}, 1, chosen(all, domain.ApiLogFilter{Fleet: 689})))
			}),
		),
	}
}

func filterClauses() []clauseOf {
	at := apiCall(5).ReceivedAt
	elsewhere := time.FixedZone("elsewhere", -3*60*60)
	around := []time.Time{
		at.Add(-time.Microsecond), at.Add(-time.Nanosecond), at, at.In(elsewhere), at.Add(time.Nanosecond), at.Add(time.Microsecond),
	}
	var results, kinds, since, until []domain.ApiLogFilter
	for _, result := range []domain.Result{domain.Valid, domain.Failed, domain.Interrupted, domain.Open} {
		results = append(results, domain.ApiLogFilter{Result: result})
	}
	for _, kind := range []domain.Kind{domain.TypeError, domain.InvalidPIN, domain.Unavailable} {
		kinds = append(kinds, domain.ApiLogFilter{Error: kind})
	}
	for _, moment := range around {
		since, until = append(since, domain.ApiLogFilter{Since: moment}), append(until, domain.ApiLogFilter{Until: moment})
	}
	return []clauseOf{
		choosesLikeDomain("list_fleet", "Fleet chooses the calls of this fleet", domain.ApiLogFilter{Fleet: 689}, domain.ApiLogFilter{Fleet: 690}),
		choosesLikeDomain("list_customer", "Customer chooses the calls for this customer, not for one with the same id in another fleet",
			domain.ApiLogFilter{Fleet: 689, Customer: 1}, domain.ApiLogFilter{Fleet: 690, Customer: 1}, domain.ApiLogFilter{Fleet: 690, Customer: 2}),
		choosesLikeDomain("list_result", "Result chooses the calls that ended so, or with Open those that are open", results...),
		choosesLikeDomain("list_error", "Error chooses the calls that failed with this Kind", kinds...),
		choosesLikeDomain("list_since", "Since chooses the calls received at this time or later", since...),
		choosesLikeDomain("list_until", "Until chooses the calls received before this time", until...),
		choosesLikeDomain("list_combined", "each part of a filter must choose an entry", combined(at)...),
	}
}

// combined are filters with several parts, each of which rules something out.
func combined(at time.Time) []domain.ApiLogFilter {
	whole := domain.ApiLogFilter{
		Fleet: 689, Customer: 1, Result: domain.Failed, Error: domain.InvalidPIN,
		Since: at, Until: at.Add(time.Microsecond), Before: domain.ApiLogPosition{ReceivedAt: at.Add(time.Microsecond)},
	}
	filters := []domain.ApiLogFilter{whole}
	for _, without := range []func(f *domain.ApiLogFilter){
		func(f *domain.ApiLogFilter) { f.Fleet, f.Customer = 0, 0 },
		func(f *domain.ApiLogFilter) { f.Customer = 0 },
		func(f *domain.ApiLogFilter) { f.Result, f.Error = domain.Open, "" },
		func(f *domain.ApiLogFilter) { f.Error = "" },
		func(f *domain.ApiLogFilter) { f.Since = time.Time{} },
		func(f *domain.ApiLogFilter) { f.Until, f.Before = time.Time{}, domain.ApiLogPosition{} },
		func(f *domain.ApiLogFilter) { f.Before.ReceivedAt = at },
	} {
		filter := whole
		without(&filter)
		filters = append(filters, filter)
	}
	return filters
}

// filtered are entries of which each differs from the first in what a filter
// looks at, and two more that do in nothing. They are without ids.
func filtered() []domain.ApiLogEntry {
	first := domain.ApiLogEntry{Call: apiCall(5), Outcome: outcome(1)}
	first.Call.Fleet, first.Call.Customer, first.Outcome.Error = 689, 1, domain.InvalidPIN
	all := []domain.ApiLogEntry{first}
	for _, change := range []func(e *domain.ApiLogEntry){
		func(e *domain.ApiLogEntry) { e.Call.Fleet = 690 },
		func(e *domain.ApiLogEntry) { e.Call.Fleet, e.Call.Customer = 690, 2 },
		func(e *domain.ApiLogEntry) { e.Call.Fleet, e.Call.Customer = 0, 0 },
		func(e *domain.ApiLogEntry) { e.Call.Customer = 2 },
		func(e *domain.ApiLogEntry) { e.Call.Customer = 0 },
		func(e *domain.ApiLogEntry) { e.Outcome = domain.Outcome{} },
		func(e *domain.ApiLogEntry) { e.Outcome.Result, e.Outcome.Error = domain.Valid, "" },
		func(e *domain.ApiLogEntry) { e.Outcome.Result, e.Outcome.Error = domain.Interrupted, "" },
		func(e *domain.ApiLogEntry) { e.Outcome.Error = domain.TypeError },
		func(e *domain.ApiLogEntry) { e.Call.ReceivedAt = e.Call.ReceivedAt.Add(-time.Microsecond) },
		func(e *domain.ApiLogEntry) { e.Call.ReceivedAt = e.Call.ReceivedAt.Add(time.Microsecond) },
		func(e *domain.ApiLogEntry) { e.Call.ReceivedAt = noon },
		func(e *domain.ApiLogEntry) { e.Call.ReceivedAt = late.Add(-time.Microsecond) },
		func(*domain.ApiLogEntry) {},
		func(*domain.ApiLogEntry) {},
	} {
		other := first
		change(&other)
		all = append(all, other)
	}
	return all
}

// choosesLikeDomain is the clause that List chooses of filtered what
// domain.ApiLogFilter.Matches does.
func choosesLikeDomain(name, promise string, filters ...domain.ApiLogFilter) clauseOf {
	return clause.New(name, promise, withLogged(filtered(), func(all []domain.ApiLogEntry) check {
		var each []check
		for _, filter := range filters {
			each = append(each, listsChosen(all, filter, 100))
		}
		return clause.Steps(each...)
	}))
}

// newestFirst returns the entries in the order of List.
func newestFirst(entries []domain.ApiLogEntry) []domain.ApiLogEntry {
	return slices.SortedFunc(slices.Values(entries), func(x, y domain.ApiLogEntry) int {
		if at := y.Call.ReceivedAt.Compare(x.Call.ReceivedAt); at != 0 {
			return at
		}
		return int(y.ID - x.ID)
	})
}

// chosen are those of all that filter chooses, in the order of List.
func chosen(all []domain.ApiLogEntry, filter domain.ApiLogFilter) []domain.ApiLogEntry {
	return slices.DeleteFunc(newestFirst(all), func(e domain.ApiLogEntry) bool { return !filter.Matches(e) })
}

func listsChosen(all []domain.ApiLogEntry, filter domain.ApiLogFilter, limit int) check {
	want := chosen(all, filter)
	return listsLog(filter, limit, want[:min(limit, len(want))]...)
}

func listsLog(filter domain.ApiLogFilter, limit int, want ...domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		got, err := log.List(ctx, filter, limit)
		return clause.Lists(fmt.Sprintf("List(%+v, %d)", filter, limit), got, err, want)
	}
}

// logsOnly checks what is logged, whatever the ids: these entries, the newest first.
func logsOnly(want ...domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		got, err := log.List(ctx, domain.ApiLogFilter{}, len(want)+10)
		for i := range got {
			got[i].ID = 0
		}
		return clause.Lists("List of everything", got, err, want)
	}
}

// listsInPages goes on from the last entry of each page until one is empty.
func listsInPages(filter domain.ApiLogFilter, limit int, want []domain.ApiLogEntry) check {
	return func(ctx context.Context, log Port) error {
		var all []domain.ApiLogEntry
		for len(all) <= len(want) {
			page, err := log.List(ctx, filter, limit)
			if err != nil || len(page) == 0 {
				return clause.Lists(fmt.Sprintf("List in pages of %d", limit), all, err, want)
			}
			all = append(all, page...)
			filter.Before = page[len(page)-1].Position()
		}
		return fmt.Errorf("a list in pages of %d: got %d entries and more, want %d", limit, len(all), len(want))
	}
}
