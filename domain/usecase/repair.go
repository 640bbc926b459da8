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
	repairBatch    = 100              // open entries read at once
	repairParallel = 4                // open entries settled at once
	mostSkew       = 10 * time.Minute // between the clocks of two servers
)

// Repair settles the calls that ChangePhoto left open. Under the customer's lock
// it makes the record say what the photo store holds. It looks at each open entry
// twice, or once if it first sees it after LateAfter:
//
//   - After SettleAfter the call sends nothing more, but the store may still carry
//     out a request that it sent. The first look corrects the record and leaves
//     the entry open.
//   - After LateAfter the store carries out no request of the call any more. The
//     second look corrects the record again and closes the entry.
//
// The store decides, with one exception. A call means to store a first photo, and
// its end is unknown; the photo is deleted; then the late request stores it after
// all. So if the record has been without a photo since the entry was opened (or up
// to mostSkew before, as clocks differ; for a copy since any time), and the store
// holds what one of the customer's open entries meant to store, Repair deletes that
// photo again, by its version.
//
// While photos are moved to another store, servers of both stores share the
// records and the log. Then:
//
//   - A record that names another store is corrected only if this store holds
//     what the entry's own call meant to store and nothing was changed since.
//   - Entries of another store are left to its servers. Those still open after
//     forsakenAfter are closed without a look, unless the photo that the record
//     names is in that store: then only that store can tell what happened, and the
//     entry stays open until CopyPhotos has made the record name the new store.
//
// Repair may run at any time, on any number of replicas, and be repeated.
type Repair struct {
	Changes *ChangePhoto
	// AllStores treats the entries of every photo store as entries of this one,
	// whose name was changed.
	AllStores bool
	// Again repeats the first look at entries that wait for the second.
	Again bool
}

// forsakenAfter is the age at which servers of another store take over an entry
// that its own store's servers haven't closed.
const forsakenAfter = LateAfter + 2*RepairEvery

// errStays says that an entry can't be closed without its store.
var errStays = errors.New("the store of the entry has the customer's photo")

// RepairReport counts what a Repair did.
type RepairReport struct {
	Done        int // entries closed as valid: their change was complete
	Interrupted int // entries closed as interrupted
	LookedAt    int // entries that had their first look and are still open
	Corrected   int // records that were wrong and were corrected
	Deleted     int // photos that came back after their deletion and were deleted again
}

// Settled returns the number of entries that were closed.
func (r RepairReport) Settled() int { return r.Done + r.Interrupted }

// repairing is the state of one Do.
type repairing struct {
	*ChangePhoto
	allStores bool
	mutex     sync.Mutex
	report    RepairReport
	failed    map[domain.ApiLogID]error
}

// Do looks at every open entry that is due. If one can't be settled now, it stays
// open for the next Repair, and Do goes on with the others. Its error says how
// many failed, and why one of them did.
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

// pass settles the chosen ones of the open entries older than olderThan, several
// at once.
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

// firstLook and lastLook return the outcome of an entry whose change was not complete.
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
	customer := entry.Call.CustomerRef()
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

// correct returns the record of what the store holds, after deleting a photo that
// a late request brought back.
func (r *repairing) correct(ctx context.Context, entry domain.ApiLogEntry, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, RepairReport, error) {
	key := entry.Call.CustomerRef().PhotoKey()
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

// isNewer reports whether this store holds the photo that the entry's call meant to
// store, and current, which names another store, has not been changed since. A
// deletion leaves nothing here that would tell whether it was carried out, or the
// photo was never copied here. Its end is unknown, so the record may stay.
func (r *repairing) isNewer(entry domain.ApiLogEntry, held HeldPhoto, current domain.PhotoRecord) bool {
	since := current.ChangedBy > entry.ID || current.ChangedBy == 0 && current.ChangedAt.After(entry.Call.ReceivedAt.Add(-mostSkew))
	return !since && held.Found && held.Info.SHA256 == entry.Call.Intent && entry.Call.Operation != domain.CopyPhoto
}

// isMeant reports whether one of the customer's open entries meant to store this
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

// deleteLeft deletes the photo that the entry's call stored for a customer who has
// been removed since.
func (r *repairing) deleteLeft(ctx context.Context, entry domain.ApiLogEntry) error {
	if !r.isOurs(entry.Call.Store) {
		return nil
	}
	key := entry.Call.CustomerRef().PhotoKey()
	held, err := ReadHeld(ctx, r.Photos, key)
	if err != nil || !held.Found || held.Info.SHA256 != entry.Call.Intent {
		return err
	}
	return r.Photos.Delete(ctx, key, held.Version)
}

// summary says how many failed, and why one of them did: mostly all share one cause.
func (r *repairing) summary() error {
	for id, err := range r.failed {
		return fmt.Errorf("%d calls can't be settled yet, call %d among them: %w", len(r.failed), id, err)
	}
	return nil
}
