package contracttests

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
)

// badApiLog is a good ApiLog but for the methods that are set.
type badApiLog struct {
	LogRoles   // the good one
	record     func(context.Context, domain.ApiCall, domain.Outcome) (domain.ApiLogID, error)
	open       func(context.Context, domain.ApiCall) (domain.ApiLogID, error)
	close      func(context.Context, domain.ApiLogID, domain.Outcome) error
	unfinished func(context.Context, time.Time, int) ([]domain.ApiLogEntry, error)
	entry      func(context.Context, domain.ApiLogID) (domain.ApiLogEntry, error)
	list       func(context.Context, domain.ApiLogFilter, int) ([]domain.ApiLogEntry, error)
	prune      func(context.Context, time.Time, int) (int, error)
}

func (b *badApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	if b.record != nil {
		return b.record(ctx, call, outcome)
	}
	return b.LogRoles.Record(ctx, call, outcome)
}

func (b *badApiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	if b.open != nil {
		return b.open(ctx, call)
	}
	return b.LogRoles.Open(ctx, call)
}

func (b *badApiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	if b.close != nil {
		return b.close(ctx, id, outcome)
	}
	return b.LogRoles.Close(ctx, id, outcome)
}

func (b *badApiLog) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	if b.unfinished != nil {
		return b.unfinished(ctx, before, limit)
	}
	return b.LogRoles.Unfinished(ctx, before, limit)
}

func (b *badApiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	if b.entry != nil {
		return b.entry(ctx, id)
	}
	return b.LogRoles.Entry(ctx, id)
}

func (b *badApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	if b.list != nil {
		return b.list(ctx, filter, limit)
	}
	return b.LogRoles.List(ctx, filter, limit)
}

func (b *badApiLog) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	if b.prune != nil {
		return b.prune(ctx, before, limit)
	}
	return b.LogRoles.Prune(ctx, before, limit)
}

// spoilApiLog makes a badApiLog whose methods spoil sets. They call the good
// ones through good.
func spoilApiLog(spoil func(bad *badApiLog, good LogRoles)) func() LogRoles {
	return func() LogRoles {
		bad := &badApiLog{LogRoles: memory.NewApiLog()}
		spoil(bad, bad.LogRoles)
		return bad
	}
}

func TestApiLogClausesCanFail(t *testing.T) {
	t.Parallel()
	proveClauses(t, apiLogClauses(), slices.Concat(
		badEntries(), badCloses(), badUnfinished(), badLists(), badFilters(), badPrunes(), badPruneRaces(), badApiLogsAfterCtx(), badLogListsAfterCtx()))
}

type apiLogSabotage = sabotage[LogRoles]

// shorten cuts a text as a column that is too short does.
func shorten(text string) string { return text[:min(len(text), 255)] }

func withoutZone(call domain.ApiCall) domain.ApiCall {
	call.From, _, _ = strings.Cut(call.From, "%")
	return call
}

func badEntries() []apiLogSabotage {
	return []apiLogSabotage{
		{"Record cuts an address short", []string{"record_round_trip"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				return good.Record(ctx, withoutZone(call), outcome)
			}
		})},
		{"Record cuts a detail short", []string{"record_every_outcome", "list_whole"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				outcome.Detail = shorten(outcome.Detail)
				return good.Record(ctx, call, outcome)
			}
		})},
		{"Open cuts an address short", []string{"open_round_trip", "unfinished_whole", "list_whole"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.open = func(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
				return good.Open(ctx, withoutZone(call))
			}
		})},
		{"Record at once returns an id that is taken", []string{"ids", "prune_at_once"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var recording overlap
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				others, over := recording.during()
				defer over()
				if others {
					return 1, nil
				}
				return good.Record(ctx, call, outcome)
			}
		})},
		{"Record loses what it is given at once", []string{"ids", "prune_at_once"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var recording overlap
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				others, over := recording.during()
				defer over()
				if others {
					call.From = ""
				}
				return good.Record(ctx, call, outcome)
			}
		})},
		{"there is an entry 0", []string{"entry_unknown"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.entry = func(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
				if id == 0 {
					return domain.ApiLogEntry{}, nil
				}
				return good.Entry(ctx, id)
			}
		})},
	}
}

func badCloses() []apiLogSabotage {
	return []apiLogSabotage{
		{"Close cuts a detail short", []string{"close_every_outcome"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				outcome.Detail = shorten(outcome.Detail)
				return good.Close(ctx, id, outcome)
			}
		})},
		{"closing what is closed is an error", []string{"close_twice", "close_recorded", "close_at_once"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				if entry, err := good.Entry(ctx, id); err == nil && !entry.Outcome.IsOpen() {
					return domain.Errorf(domain.Conflict, "closed already")
				}
				return good.Close(ctx, id, outcome)
			}
		})},
		{"what was recorded can't be closed", []string{"close_recorded"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var recorded sync.Map
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				id, err := good.Record(ctx, call, outcome)
				recorded.Store(id, true)
				return id, err
			}
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				if _, found := recorded.Load(id); found {
					return domain.Errorf(domain.NotFound, "not open")
				}
				return good.Close(ctx, id, outcome)
			}
		})},
		{"the last of several outcomes at once stays", []string{"close_at_once"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			var closing overlap
			var last sync.Map
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				others, over := closing.during()
				over()
				if others {
					time.Sleep(time.Duration(outcome.EndedAt.Nanosecond())) // one after the other
					last.Store(id, outcome)
				}
				return good.Close(ctx, id, outcome)
			}
			bad.entry = func(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
				entry, err := good.Entry(ctx, id)
				if outcome, found := last.Load(id); found {
					entry.Outcome = outcome.(domain.Outcome)
				}
				return entry, err
			}
		})},
		{"Close closes the entry before too", []string{"close_leaves_others"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				if entry, _ := good.Entry(ctx, id); entry.Call.ReceivedAt.Before(late) { // or what is made at once notices it by chance
					_ = good.Close(ctx, id-1, outcome)
				}
				return good.Close(ctx, id, outcome)
			}
		})},
		{"closing nothing is no error", []string{"close_unknown", "prune_forgets"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				if err := good.Close(ctx, id, outcome); !errors.Is(err, domain.NotFound) {
					return err
				}
				return nil
			}
		})},
	}
}

func badApiLogsAfterCtx() []apiLogSabotage {
	return []apiLogSabotage{
		{"Record looks at ctx too late", []string{"record_ended_ctx"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.record = func(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
				id, err := good.Record(live(ctx), call, outcome)
				if ctx.Err() != nil {
					return 0, gaveUp()
				}
				return id, err
			}
		})},
		{"Open looks at ctx too late", []string{"open_ended_ctx"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.open = func(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
				id, err := good.Open(live(ctx), call)
				if ctx.Err() != nil {
					return 0, gaveUp()
				}
				return id, err
			}
		})},
		{"Close doesn't look at ctx", []string{"close_ended_ctx"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.close = func(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
				return good.Close(live(ctx), id, outcome)
			}
		})},
		{"Unfinished doesn't look at ctx", []string{"unfinished_ended_ctx"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.unfinished = func(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
				return good.Unfinished(live(ctx), before, limit)
			}
		})},
		{"Entry doesn't look at ctx", []string{"entry_ended_ctx"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.entry = func(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
				return good.Entry(live(ctx), id)
			}
		})},
		{"a cause is public", []string{"public_text"}, spoilApiLog(func(bad *badApiLog, good LogRoles) {
			bad.entry = func(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
				entry, err := good.Entry(ctx, id)
				return entry, tell(err)
			}
		})},
	}
}
