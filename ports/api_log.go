package ports

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ApiLog records the calls. A call opens an entry before it changes a photo and
// closes it afterwards, so an open entry is the durable intent to change a photo.
// An entry that stays open belongs to a call that was cut off; Repair settles it.
type ApiLog interface {
	// Record writes a call that has ended, in one write, and returns the id
	// of its entry.
	Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error)

	// Open writes an open entry for a call that is about to change a photo, and
	// returns its id. The entry is durable when Open returns. An Open that begins
	// after another has returned yields a greater id.
	Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error)

	// Close durably gives an open entry its outcome. An outcome without a Result
	// leaves the entry open: it stores that Repair has taken its first look. An
	// entry that is already closed keeps its outcome, and Close returns nil; only
	// Interrupted is replaced by Valid. Close fails with NotFound if there is no
	// such entry.
	Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error

	// Unfinished returns the open entries that were opened longer than olderThan
	// ago, by the log's own clock, and whose ids are greater than after, in order
	// of id, at most limit of them.
	Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error)
}

// ApiLogArchive lets an operator read, copy and prune an ApiLog.
type ApiLogArchive interface {
	// Entry returns the entry with this id. It fails with NotFound.
	Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error)

	// List returns the entries that filter matches, with all their details, newest
	// first, at most limit of them. Of entries received at the same time, the one
	// with the greater id comes first. To read the next entries, set the filter's
	// Before to the Position of the last one.
	List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error)

	// Entries returns the entries whose ids are greater than after, in order of
	// id, at most limit of them. There need be no entry with the id after.
	Entries(ctx context.Context, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error)

	// SaveEntries durably stores entries of another log under the same ids, in one
	// step, replacing the entries that have these ids. No id may occur twice.
	// Afterwards Record and Open return ids greater than these and than through.
	// An open entry counts as opened now. Repeating SaveEntries is harmless. Record
	// and Open may wait for it.
	SaveEntries(ctx context.Context, entries []domain.ApiLogEntry, through domain.ApiLogID) error

	// RemoveEntries durably removes the entries with these ids in one step, open
	// ones included. Ids without an entry are ignored. Removed ids are not reused.
	RemoveEntries(ctx context.Context, ids []domain.ApiLogID) error

	// Prune durably removes closed entries of calls received before the given time,
	// oldest first, at most limit of them. It returns how many it removed; fewer
	// than limit means that none are left. Open entries stay for Repair. Removed
	// ids are not reused. Prune delays other methods no longer than one write does.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)

	// ClaimPruning reports whether the caller may prune now. It grants a claim, and
	// durably stores that it did, only if the last grant in any process is at least
	// interval old by the log's own clock. When ClaimPruning fails, the claim may
	// have been granted. Prune itself needs no claim.
	ClaimPruning(ctx context.Context, interval time.Duration) (bool, error)
}
