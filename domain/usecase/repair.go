package usecase

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	// repairBatch is how many open entries are read at once.
	repairBatch = 100
	// repairParallel is how many are settled at once.
	repairParallel = 4
	// mostSkew is by how much the clocks of two servers may differ.
	mostSkew = 10 * time.Minute
)

// Repair settles the calls that were cut off: it makes each customer's record
// say what the photo store holds. It looks at an open entry twice. The first
// time, after SettleAfter, no call runs any more, but a request that was sent for
// it may still be carried out by the store. After LateAfter it can't be, so the
// second look is the last, and closes the entry.
//
// While photos move, servers of two stores share the records and the log. Then:
//   - What another store holds is nothing that a record is made from, but for
//     what the entry's own call meant to put there, where nothing was changed since.
//   - Entries of another store are left to those who have it. What they leave is
//     closed without a look, unless that store has the photo of the record: only
//     what it holds could tell then, and CopyPhotos makes the record name the new one.
//
// Repair may run at any time, on any number of replicas, and be repeated.
type Repair struct {
	Changes *ChangePhoto
	// AllStores takes the entries of every photo store for those of this one: it
	// has another name than before.
	AllStores bool
	// Again looks once more at entries that wait for their last look.
	Again bool
}

// forsakenAfter is the age from which an entry that its own store's servers
// haven't closed is taken for one that nobody will.
const forsakenAfter = LateAfter + 2*RepairEvery

// errStays says that an entry can't be closed without its store.
var errStays = errors.New("the store of the entry has the customer's photo")

// RepairReport counts what a Repair did.
type RepairReport struct {
	Done        int // entries whose change had been made whole: closed as valid
	Interrupted int // closed as interrupted
	LookedAt    int // looked at for the first time, and still open
	Corrected   int // records that were wrong and now say what the store holds
	Deleted     int // photos that came back after their deletion, and were deleted again
}

// Settled is the number of entries that were closed.
func (r RepairReport) Settled() int { return r.Done + r.Interrupted }

// repairing is one Do.
type repairing struct {
	*ChangePhoto
	allStores bool
	mutex     sync.Mutex
	report    RepairReport
	failed    map[domain.ApiLogID]error
}

// Do looks at every open entry that it is time for. One that can't be settled now
// stays open for the next Repair; Do goes on with the others and returns how
// many failed, with the error of one.
func (r *Repair) Do(ctx context.Context) (RepairReport, error) {
	run := &repairing{ChangePhoto: r.Changes, allStores: r.AllStores, failed: map[domain.ApiLogID]error{}}
	ours := func(entry domain.ApiLogEntry) bool { return run.isOurs(entry.Call.Store) }
	err := run.pass(ctx, LateAfter, ours, run.lastLook)
	if err == nil {
		err = run.pass(ctx, forsakenAfter, func(entry domain.ApiLogEntry) bool { return !ours(entry) }, run.lastLook)
	}
	if err == nil {
		err = run.pass(ctx, SettleAfter, func(entry domain.ApiLogEntry) bool {
			return ours(entry) && (r.Again || entry.Outcome.SettledAt.IsZero())
		}, run.firstLook)
	}
	return run.report, errors.Join(err, run.summary())
}

// pass gives the open entries that are older than that and that are chosen to
// settle, several at once.
func (r *repairing) pass(ctx context.Context, olderThan time.Duration, chosen func(domain.ApiLogEntry) bool, outcome func() domain.Outcome) error {
	for after := domain.ApiLogID(0); ; {
		entries, err := r.Log.Unfinished(ctx, olderThan, after, repairBatch)
		if err != nil || len(entries) == 0 {
			return err
		}
		next := make(chan domain.ApiLogEntry)
		var workers sync.WaitGroup
		for range repairParallel {
			workers.Go(func() {
				for entry := range next {
					r.settle(ctx, entry, outcome)
				}
			})
		}
		for _, entry := range entries {
			after = entry.ID
			if chosen(entry) && !r.hasFailed(entry.ID) {
				next <- entry
			}
		}
		close(next)
		workers.Wait()
	}
}

func (r *repairing) isOurs(store domain.PhotoStoreName) bool {
	return r.allStores || store == "" || store == r.Store
}

func (r *repairing) hasFailed(id domain.ApiLogID) bool {
	r.mutex.Lock()
	defer r.mutex.Unlock()
	return r.failed[id] != nil
}

// firstLook and lastLook are how an entry ends whose change wasn't made whole.
func (r *repairing) firstLook() domain.Outcome { return domain.Outcome{SettledAt: r.now()} }
func (r *repairing) lastLook() domain.Outcome {
	return domain.Outcome{Result: domain.Interrupted, EndedAt: r.now()}
}

func (r *repairing) settle(ctx context.Context, entry domain.ApiLogEntry, outcome func() domain.Outcome) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	ended, did, err := r.look(ctx, entry, outcome)
	r.mutex.Lock()
	defer r.mutex.Unlock()
	if errors.Is(err, errStays) {
		return
	}
	if err != nil {
		r.failed[entry.ID] = err
		return
	}
	r.report.Corrected += did.Corrected
	r.report.Deleted += did.Deleted
	switch ended.Result {
	case domain.Valid:
		r.report.Done++
	case domain.Interrupted:
		r.report.Interrupted++
	default:
		r.report.LookedAt++
	}
}

// look settles an entry under its customer's lock.
func (r *repairing) look(ctx context.Context, entry domain.ApiLogEntry, outcome func() domain.Outcome) (ended domain.Outcome, did RepairReport, err error) {
	customer := domain.CustomerRef{Fleet: entry.Call.Fleet, Customer: entry.Call.Customer}
	rest, err := r.locked(ctx, customer, entry.ID, nil, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (_ domain.PhotoRecord, _ domain.Outcome, err error) {
		ended = outcome()
		switch {
		case current.ChangedBy == entry.ID:
			ended = domain.Outcome{Result: domain.Valid, EndedAt: r.now()}
		case r.isOurs(entry.Call.Store):
			current, did, err = r.correct(ctx, entry, current, stillLocked)
		case current.Info.Exists() && (current.Store == "" || current.Store == entry.Call.Store):
			err = errStays
		}
		return current, ended, err
	})
	if errors.Is(err, domain.CustomerNotFound) {
		if err = r.deleteLeft(ctx, entry); err != nil {
			return ended, did, err
		}
		ended = outcome()
		if entry.Call.Operation == domain.RemoveCustomer {
			ended = domain.Outcome{Result: domain.Valid, EndedAt: r.now()}
		}
		rest = &ended
	}
	if err == nil && rest != nil {
		err = r.Log.Close(ctx, entry.ID, *rest)
	}
	return ended, did, err
}

// correct returns the record of what the store holds. Where the record says that
// the photo was deleted after the entry was opened, and the store holds what an
// open entry meant to store there, a late request has brought it back, and it is
// deleted again.
func (r *repairing) correct(ctx context.Context, entry domain.ApiLogEntry, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, RepairReport, error) {
	key := domain.CustomerRef{Fleet: entry.Call.Fleet, Customer: entry.Call.Customer}.PhotoKey()
	held, err := ReadHeld(ctx, r.Photos, key)
	if err != nil {
		return current, RepairReport{}, err
	}
	deleted := !current.Info.Exists() && (entry.Call.Operation == domain.CopyPhoto || current.ChangedBy > entry.ID || current.ChangedAt.After(entry.Call.ReceivedAt.Add(-mostSkew)))
	cameBack := false
	if deleted && held.Found {
		cameBack, err = r.isMeant(ctx, entry, held.Info.SHA256)
	}
	if err == nil && cameBack {
		if err = stillLocked(ctx); err == nil {
			err = r.Photos.Delete(ctx, key, held.Version)
		}
		current.Version, current.Store = domain.NoPhoto, r.Store
		return current, RepairReport{Deleted: 1}, err
	}
	if err == nil && !r.allStores && current.Store != r.Store && !r.isNewer(entry, held, current) {
		return current, RepairReport{}, nil
	}
	record, corrected := held.Corrected(current, r.Store, r.Clock())
	if corrected {
		return record, RepairReport{Corrected: 1}, err
	}
	return record, RepairReport{}, err
}

// isNewer says whether what this store holds is what the entry's call meant to
// leave there, and newer than the photo of a record that names another store.
func (r *repairing) isNewer(entry domain.ApiLogEntry, held HeldPhoto, current domain.PhotoRecord) bool {
	since := current.ChangedBy > entry.ID || current.ChangedBy == 0 && current.ChangedAt.After(entry.Call.ReceivedAt.Add(-mostSkew))
	return !since && held.Info.SHA256 == entry.Call.Intent && entry.Call.Operation != domain.CopyPhoto
}

// isMeant says whether one of the customer's open entries meant to store this
// photo.
func (r *repairing) isMeant(ctx context.Context, of domain.ApiLogEntry, photo domain.Digest) (bool, error) {
	for after := domain.ApiLogID(0); ; {
		entries, err := r.Log.Unfinished(ctx, 0, after, repairBatch)
		if err != nil || len(entries) == 0 {
			return false, err
		}
		for _, entry := range entries {
			after = entry.ID
			if entry.Call.Fleet == of.Call.Fleet && entry.Call.Customer == of.Call.Customer && entry.Call.Intent == photo {
				return true, nil
			}
		}
	}
}

// deleteLeft deletes what the entry's call stored for a customer who has been
// removed since.
func (r *repairing) deleteLeft(ctx context.Context, entry domain.ApiLogEntry) error {
	if !r.isOurs(entry.Call.Store) {
		return nil
	}
	key := domain.CustomerRef{Fleet: entry.Call.Fleet, Customer: entry.Call.Customer}.PhotoKey()
	held, err := ReadHeld(ctx, r.Photos, key)
	if err != nil || !held.Found || held.Info.SHA256 != entry.Call.Intent {
		return err
	}
	return r.Photos.Delete(ctx, key, held.Version)
}

// summary tells how many failed, and of one why: it is mostly the same for all.
func (r *repairing) summary() error {
	for id, err := range r.failed {
		return fmt.Errorf("%d calls can't be settled yet, call %d among them: %w", len(r.failed), id, err)
	}
	return nil
}
