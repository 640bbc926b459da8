package ports

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ApiLog records the calls. An entry that is open is the durable intent to
// change a photo: it is opened before the change and closed after it, and what
// stays open was cut off and is for Repair.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type ApiLog interface {
	// Record writes a call that has ended, in one write, and returns the id
	// of its entry.
	Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error)

	// Open writes a call that is about to change a photo and returns the id
	// of its entry, which is open. When Open returns, the entry is durable. Of
	// two Open, one of which began after the other had returned, the later one
	// returns the greater id.
	Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error)

	// Close gives an open entry its outcome, durably. An outcome without a
	// Result leaves it open: Repair has looked at it for the first time. An
	// entry that is closed keeps the outcome that it has, without an error,
	// but for one: Valid replaces Interrupted. It fails with NotFound where
	// there is no such entry.
	Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error

	// Unfinished returns the open entries that were opened longer than olderThan
	// ago, by the log's own clock, and whose ids are greater than after, in the
	// order of their ids, at most limit of them; none where limit is below 1.
	Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error)
}

// ApiLogArchive is how an operator reads an ApiLog and keeps it small.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type ApiLogArchive interface {
	// Entry returns the entry with this id. It fails with NotFound.
	Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error)

	// List returns the entries that filter chooses, whole, the newest first, at
	// most limit of them; none where limit is below 1. Of entries received at the same
	// time, the one with the greater id comes first. The filter's Before, set
	// to the Position of the last entry, yields the next ones.
	List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error)

	// Entries returns entries in the order of their ids, beginning after the given
	// one, whether or not it exists; at most limit of them; none where limit is below 1.
	Entries(ctx context.Context, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error)

	// SaveEntries stores entries as they are in another log, each under its id, in
	// place of what is stored there, in one step, durably. No id comes twice. From
	// then on Record and Open return ids that are greater than these and than through.
	// An open entry counts as opened now. Repeating it is harmless. Record and Open
	// may wait for it.
	SaveEntries(ctx context.Context, entries []domain.ApiLogEntry, through domain.ApiLogID) error

	// RemoveEntries removes the entries with these ids, in one step, durably, open
	// ones too. An id without an entry is no error. The ids don't come again.
	RemoveEntries(ctx context.Context, ids []domain.ApiLogID) error

	// Prune removes entries of calls received before the given time, the oldest
	// first, at most limit of them, durably, and returns
	// how many it removed: fewer than limit where none is left. Entries that are
	// open stay, as they are for Repair. The ids that are removed don't come
	// again. Other methods don't wait for it longer than for one of them.
	Prune(ctx context.Context, before time.Time, limit int) (int, error)

	// ClaimPruning grants the caller to prune, durably, or doesn't: of any number
	// of claims, in any process, it grants none that comes sooner than every after
	// one that it granted, by the log's own clock. One whose answer is lost may have
	// been granted. Prune asks for no claim.
	ClaimPruning(ctx context.Context, every time.Duration) (bool, error)
}
