package memory

import (
	"cmp"
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ApiLog is a ports.ApiLog in memory.
type ApiLog struct {
	mu      sync.RWMutex
	entries []domain.ApiLogEntry // the entry with id n is at n-1
}

var _ ports.ApiLog = (*ApiLog)(nil)

// NewApiLog makes an ApiLog without entries.
func NewApiLog() *ApiLog { return &ApiLog{} }

// Record implements ports.ApiLog.
func (l *ApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	if err := ended(ctx, "record call"); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := domain.ApiLogID(len(l.entries) + 1)
	l.entries = append(l.entries, domain.ApiLogEntry{ID: id, Call: call, Outcome: outcome})
	return id, nil
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
	l.mu.Lock()
	defer l.mu.Unlock()
	if id < 1 || int(id) > len(l.entries) {
		return noEntry(id)
	}
	if entry := &l.entries[id-1]; entry.Outcome.IsOpen() {
		entry.Outcome = outcome
	}
	return nil
}

// Unfinished implements ports.ApiLog.
func (l *ApiLog) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	if err := ended(ctx, "list unfinished entries"); err != nil {
		return nil, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	var unfinished []domain.ApiLogEntry
	for _, entry := range l.entries {
		if entry.Outcome.IsOpen() && entry.Call.ReceivedAt.Before(before) {
			unfinished = append(unfinished, entry)
		}
	}
	slices.SortStableFunc(unfinished, func(x, y domain.ApiLogEntry) int {
		return cmp.Or(x.Call.ReceivedAt.Compare(y.Call.ReceivedAt), cmp.Compare(x.ID, y.ID))
	})
	return unfinished[:min(limit, len(unfinished))], nil
}

// Entry implements ports.ApiLog.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	if err := ended(ctx, "read entry"); err != nil {
		return domain.ApiLogEntry{}, err
	}
	l.mu.RLock()
	defer l.mu.RUnlock()
	if id < 1 || int(id) > len(l.entries) {
		return domain.ApiLogEntry{}, noEntry(id)
	}
	return l.entries[id-1], nil
}

func noEntry(id domain.ApiLogID) error {
	return domain.Errorf(domain.NotFound, "there is no log entry %d", id)
}
