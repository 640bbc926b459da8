package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ApiLog is a ports.ApiLog in memory.
type ApiLog struct {
	now     func() time.Time
	mu      sync.RWMutex
	last    domain.ApiLogID
	entries map[domain.ApiLogID]logged
	claimed time.Time // when ClaimPruning last returned true
}

// logged is an entry and the time when it was written, by this log's clock.
type logged struct {
	domain.ApiLogEntry
	at time.Time
}

var (
	_ ports.ApiLog        = (*ApiLog)(nil)
	_ ports.ApiLogArchive = (*ApiLog)(nil)
)

// NewApiLog returns an ApiLog without entries that uses now as its clock.
func NewApiLog(now func() time.Time) *ApiLog {
	return &ApiLog{now: now, entries: map[domain.ApiLogID]logged{}}
}

// Record implements ports.ApiLog.
func (l *ApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	if err := ended(ctx, "record call"); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last++
	l.entries[l.last] = logged{domain.ApiLogEntry{ID: l.last, Call: call, Outcome: outcome}, l.now()}
	return l.last, nil
}

// Open implements ports.ApiLog.
func (l *ApiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return l.Record(ctx, call, domain.Outcome{})
}

// Close implements ports.ApiLog.
func (l *ApiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	if err := ended(ctx, "close entry"); err != nil {
		return err
	}
	return l.close(id, outcome)
}

func (l *ApiLog) close(id domain.ApiLogID, outcome domain.Outcome) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	entry, found := l.entries[id]
	if !found {
		return noEntry(id)
	}
	if is := entry.Outcome; is.IsOpen() || is.Result == domain.Interrupted && outcome.Result == domain.Valid {
		entry.Outcome = outcome
		l.entries[id] = entry
	}
	return nil
}

// Unfinished implements ports.ApiLog.
func (l *ApiLog) Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	if err := ended(ctx, "list unfinished entries"); err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	now := l.now()
	var unfinished []domain.ApiLogEntry
	for _, id := range slices.Sorted(maps.Keys(l.entries)) {
		if entry := l.entries[id]; id > after && entry.Outcome.IsOpen() && now.Sub(entry.at) > olderThan {
			unfinished = append(unfinished, entry.ApiLogEntry)
		}
	}
	return unfinished[:max(0, min(limit, len(unfinished)))], nil
}

// Entry implements ports.ApiLogArchive.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	if err := ended(ctx, "read entry"); err != nil {
		return domain.ApiLogEntry{}, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	entry, found := l.entries[id]
	if !found {
		return domain.ApiLogEntry{}, noEntry(id)
	}
	return entry.ApiLogEntry, nil
}

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	if err := ended(ctx, "list entries"); err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	chosen := l.sorted(filter.Matches)
	slices.Reverse(chosen)
	return chosen[:max(0, min(limit, len(chosen)))], nil
}

// Entries implements ports.ApiLogArchive.
func (l *ApiLog) Entries(ctx context.Context, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	if err := ended(ctx, "list entries by id"); err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	var entries []domain.ApiLogEntry
	for _, id := range slices.Sorted(maps.Keys(l.entries)) {
		if id > after && len(entries) < limit {
			entries = append(entries, l.entries[id].ApiLogEntry)
		}
	}
	return entries, nil
}

// SaveEntries implements ports.ApiLogArchive.
func (l *ApiLog) SaveEntries(ctx context.Context, entries []domain.ApiLogEntry, through domain.ApiLogID) error {
	if err := ended(ctx, "save entries"); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.last = max(l.last, through)
	for _, entry := range entries {
		l.last = max(l.last, entry.ID)
		l.entries[entry.ID] = logged{entry, l.now()}
	}
	return nil
}

// RemoveEntries implements ports.ApiLogArchive.
func (l *ApiLog) RemoveEntries(ctx context.Context, ids []domain.ApiLogID) error {
	if err := ended(ctx, "remove entries"); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, id := range ids {
		delete(l.entries, id)
	}
	return nil
}

// Prune implements ports.ApiLogArchive.
func (l *ApiLog) Prune(ctx context.Context, before time.Time, limit int) (int, error) {
	if err := ended(ctx, "prune entries"); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	old := l.sorted(func(entry domain.ApiLogEntry) bool {
		return !entry.Outcome.IsOpen() && entry.Call.ReceivedAt.Before(before)
	})
	removed := old[:max(0, min(limit, len(old)))]
	for _, entry := range removed {
		delete(l.entries, entry.ID)
	}
	return len(removed), nil
}

// ClaimPruning implements ports.ApiLogArchive.
func (l *ApiLog) ClaimPruning(ctx context.Context, interval time.Duration) (bool, error) {
	if err := ended(ctx, "claim pruning"); err != nil {
		return false, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.now()
	if now.Sub(l.claimed) < interval {
		return false, nil
	}
	l.claimed = now
	return true, nil
}

// sorted returns the chosen entries, the oldest first; l.mu is held.
func (l *ApiLog) sorted(chosen func(domain.ApiLogEntry) bool) []domain.ApiLogEntry {
	var entries []domain.ApiLogEntry
	for _, entry := range l.entries {
		if chosen(entry.ApiLogEntry) {
			entries = append(entries, entry.ApiLogEntry)
		}
	}
	slices.SortFunc(entries, func(x, y domain.ApiLogEntry) int {
		return cmp.Or(x.Call.ReceivedAt.Compare(y.Call.ReceivedAt), cmp.Compare(x.ID, y.ID))
	})
	return entries
}

func noEntry(id domain.ApiLogID) error {
	return domain.Errorf(domain.NotFound, "there is no log entry %d", id)
}
