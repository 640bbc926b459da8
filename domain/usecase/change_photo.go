package usecase

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// SettleAfter is the age at which Repair first looks at an open entry: twice as
// long as any call may take. A call whose entry is older sends nothing.
const SettleAfter = 2 * (2*CallTimeout + logTimeout)

// ChangePhoto carries out the part of a call that changes something.
//
// The photo is in one store, the customer's record of it in another, and no
// transaction spans both. The network may deliver a request late, twice, or
// without an answer. So each change takes four steps:
//
//  1. Intent. The log entry is opened, durably. It names the photo that the call
//     means to store, by its SHA-256, and the photo store.
//  2. Lock. From here on no other change for this customer runs in any process.
//  3. Fence. The photo store is changed. The request names the version that it
//     replaces, so that the store refuses it if it arrives after a later change,
//     unless that left the same version (see ports.PhotoStore).
//  4. Record. The record is made to say what the store holds, and the entry is
//     closed; with a Recorder both are one commit.
//
// The store is changed before the record and decides: a process that dies at any
// instant leaves the old photo or the new one, whole, and an open entry. Repair
// then corrects the record. If a step fails and no request can have been carried
// out, the entry is closed and the caller is told that nothing was changed. After
// any other failure the entry stays open, since only Repair can find out what
// the store holds.
//
// All fields but Recorder must be set. It is safe for concurrent use.
type ChangePhoto struct {
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Store     domain.PhotoStoreName // of Photos
	Log       ports.ApiLog
	Recorder  ports.ChangeRecorder // of Customers and Log; nil if they are not one database
	Clock     func() time.Time

	closing sync.WaitGroup // entries being closed in the background
}

type change struct {
	call  domain.ApiCall
	photo domain.Photo            // to store; the zero Photo deletes
	from  ports.CustomerDirectory // to remove the customer from; nil: the customer stays
	begun time.Time
	// copy, if not nil, changes the store and returns the record, instead of changed.
	copy func(ctx context.Context, ch change, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error)
}

func (c change) customer() domain.CustomerRef {
	return c.call.CustomerRef()
}

// Do stores photo for the customer that call names, or deletes the customer's
// photo if photo is the zero Photo. It returns the id of the call's log entry, 0
// if it isn't known to have been opened. When Do returns nil, the change is durable. After an error
// that is Unchanged, nothing was changed and nothing will be; after any other, the
// photo is unknown until Repair has looked. Cancelling ctx doesn't stop Do.
func (c *ChangePhoto) Do(ctx context.Context, call domain.ApiCall, photo domain.Photo) (domain.ApiLogID, error) {
	call.Intent = photo.Info().SHA256
	return c.do(ctx, change{call: call, photo: photo, begun: c.Clock()})
}

// Remove deletes the photo of the customer that call names and then removes the
// customer from the directory. Otherwise it behaves like Do.
func (c *ChangePhoto) Remove(ctx context.Context, from ports.CustomerDirectory, call domain.ApiCall) (domain.ApiLogID, error) {
	return c.do(ctx, change{call: call, from: from, begun: c.Clock()})
}

func (c *ChangePhoto) do(ctx context.Context, ch change) (id domain.ApiLogID, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CallTimeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil { // an open entry stays open for Repair
			err = panicked(cause)
		}
	}()
	ch.call.Store = c.Store
	if id, err = c.Log.Open(ctx, ch.call); err != nil {
		return 0, unchanged(err)
	}
	reached("intent")
	return id, c.carryOut(ctx, ch, id)
}

// carryOut changes the store and then the record, under the customer's lock, and
// closes the entry. If it fails and the store may have been changed, or may be
// later, it leaves the entry open for Repair.
func (c *ChangePhoto) carryOut(ctx context.Context, ch change, id domain.ApiLogID) error {
	sent := false // whether a request may have been carried out, or may be later
	rest, err := c.locked(ctx, ch.customer(), id, ch.from, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		reached("locked")
		sent = true
		record, err := c.changed(ctx, ch, id, current, stillLocked)
		if err != nil {
			sent = !domain.AsError(err).Unchanged
			return current, domain.Outcome{}, err
		}
		reached("sent")
		return record, domain.Outcome{Result: domain.Valid, EndedAt: c.now(), Details: domain.OutcomeDetails{Before: current.Info, After: record.Info}}, nil
	})
	switch {
	case err == nil:
		reached("recorded")
	case sent:
		return domain.Errorf(domain.Unavailable, "the change was cut off, and it is not known whether it was made: the old photo or the new one is stored, whole; send the call again").WithCause(err)
	default:
		err = unchanged(err)
		rest = failure(err, c.now())
	}
	// The outcome is certain by now, so a failing log doesn't fail the call.
	if rest != nil {
		c.close(ctx, id, *rest)
	}
	reached("closed")
	return err
}

// changed changes the store and returns the record of what it holds afterwards.
func (c *ChangePhoto) changed(ctx context.Context, ch change, id domain.ApiLogID, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
	if ch.copy != nil {
		return ch.copy(ctx, ch, current, stillLocked)
	}
	version, err := c.changeStore(ctx, ch, current, stillLocked)
	return domain.PhotoRecord{Info: ch.photo.Info(), ChangedAt: c.now(), ChangedBy: id, Version: version, Store: c.Store}, err
}

// locked runs change under the customer's lock, stores its record, or removes
// the customer if from is set, and gives the entry its outcome. If the log is in
// another database, it returns the outcome instead, for the caller to close the
// entry with.
func (c *ChangePhoto) locked(ctx context.Context, ref domain.CustomerRef, id domain.ApiLogID, from ports.CustomerDirectory, change ports.ClosingChange) (rest *domain.Outcome, err error) {
	if c.Recorder != nil && from != nil {
		return nil, c.Recorder.RemoveCustomerAndClose(ctx, ref, id, change)
	}
	if c.Recorder != nil {
		return nil, c.Recorder.ChangePhotoAndClose(ctx, ref, id, change)
	}
	store := c.Customers.ChangePhoto
	if from != nil {
		store = from.RemoveCustomer
	}
	rest = new(domain.Outcome)
	return rest, store(ctx, ref, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (record domain.PhotoRecord, err error) {
		record, *rest, err = change(ctx, current, stillLocked)
		return record, err
	})
}

// changeStore changes the store, replacing the version that the record names.
//
// On Conflict the store holds another version, left by a change whose end is
// unknown or by a move from another store. Then changeStore reads that version,
// proves the lock, and tries once more, replacing the version that it read. The
// order matters: a lock that is still held after the read guarantees that no
// later change, which may have been acknowledged, made that version.
//
// A failure after a Conflict is never Unchanged: the network may have repeated
// our request, so that the first one was carried out and the second one answered.
func (c *ChangePhoto) changeStore(ctx context.Context, ch change, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoVersion, error) {
	over := current.Version
	if current.Store != c.Store {
		over = domain.UnknownVersion
	}
	if over == domain.UnknownVersion && !current.Info.Exists() {
		over = domain.NoPhoto
	}
	version, err := c.send(ctx, ch, over)
	if !errors.Is(err, domain.Conflict) {
		return version, err
	}
	held, err := versionOf(ctx, c.Photos, ch.customer().PhotoKey())
	if err == nil {
		err = stillLocked(ctx)
	}
	if err == nil {
		version, err = c.send(ctx, ch, held)
	}
	if err != nil {
		err = domain.Errorf(domain.Unavailable, "the photo is another one than its record says; send the call again").WithCause(err)
	}
	return version, err
}

// send asks the store for one change. It refuses once Repair may have begun to
// settle the call, for instance after the process was frozen.
func (c *ChangePhoto) send(ctx context.Context, ch change, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	now := c.Clock()
	if age := max(now.Sub(ch.begun), now.Round(0).Sub(ch.begun.Round(0))); age > SettleAfter { // the monotonic clock may stop while the machine sleeps, so the wall clock counts too
		return "", domain.Errorf(domain.Unavailable, "the call took too long; send it again").AsUnchanged()
	}
	key := ch.customer().PhotoKey()
	if !ch.photo.Info().Exists() {
		return domain.NoPhoto, c.Photos.Delete(ctx, key, over)
	}
	return c.Photos.Put(ctx, key, ch.photo, over)
}

// close closes an entry, even if the caller has gone. If the log is unavailable,
// it tries again in the background for SettleAfter; then Repair takes over.
func (c *ChangePhoto) close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) {
	if err := c.closeNow(ctx, id, outcome); !errors.Is(err, domain.Unavailable) {
		return
	}
	c.closing.Go(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), SettleAfter)
		defer cancel()
		defer func() { _ = recover() }() // Repair settles the entry
		for pause := logTimeout / 16; ; pause = min(2*pause, logTimeout) {
			select {
			case <-time.After(pause):
			case <-ctx.Done():
				return
			}
			if err := c.closeNow(ctx, id, outcome); !errors.Is(err, domain.Unavailable) {
				return
			}
		}
	})
}

func (c *ChangePhoto) closeNow(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	return c.Log.Close(ctx, id, outcome)
}

// Wait waits until no entry is being closed in the background any more, or until
// ctx ends. Nothing may call Do, Remove or Copy meanwhile.
func (c *ChangePhoto) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { c.closing.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (c *ChangePhoto) now() time.Time { return domain.Instant(c.Clock()) }

// unchanged returns err as the error of a call that changed nothing. If a repeat
// may succeed, its sentence says so.
func unchanged(err error) error {
	known := domain.AsError(err).AsUnchanged()
	if known.Kind == domain.Unavailable {
		known.Public = "nothing was changed: " + known.Public
	}
	return known
}

// failure returns the outcome of a call that failed and changed nothing.
func failure(err error, at time.Time) *domain.Outcome {
	known := domain.AsError(err)
	return &domain.Outcome{Result: domain.Failed, Error: known.Kind, Detail: known.Public, EndedAt: at}
}

func panicked(cause any) *domain.Error {
	return domain.AsError(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
}
