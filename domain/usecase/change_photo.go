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

// SettleAfter is the age from which Repair takes an open entry for cut off:
// twice as long as any call may take. A call whose entry is older sends nothing.
const SettleAfter = 2 * (2*CallTimeout + logTimeout)

// ChangePhoto is the part of a call that changes something. It opens the entry
// in the log, then changes the store and the record under the customer's lock,
// and closes the entry; whatever fails, Repair can settle what is left. All
// fields but Recorder must be set. It is safe for concurrent use.
type ChangePhoto struct {
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Store     domain.PhotoStoreName // of Photos
	Log       ports.ApiLog
	Recorder  ports.ChangeRecorder // of Customers and Log; nil: they are not one database
	Clock     func() time.Time

	closing sync.WaitGroup // entries whose closing is tried again
}

// change is one change.
type change struct {
	call  domain.ApiCall
	photo domain.Photo            // to store; the zero Photo: the photo is deleted
	from  ports.CustomerDirectory // that the customer is removed from; nil: the customer stays
	begun time.Time
	// copy is what is done instead of a call's change; nil: it is a call's.
	copy func(ctx context.Context, ch change, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error)
}

func (c change) customer() domain.CustomerRef {
	return domain.CustomerRef{Fleet: c.call.Fleet, Customer: c.call.Customer}
}

// Do stores photo for the customer that call names, or deletes what is there
// where photo is the zero Photo, and returns the id of the call's entry, 0 where
// none was opened. When it returns nil the change is durable. An error that is
// Unchanged says that nothing was changed and never will be; after any other,
// nobody knows before Repair has looked. Cancelling ctx doesn't stop it.
func (c *ChangePhoto) Do(ctx context.Context, call domain.ApiCall, photo domain.Photo) (domain.ApiLogID, error) {
	call.Intent = photo.Info().SHA256
	return c.do(ctx, change{call: call, photo: photo, begun: c.Clock()})
}

// Remove deletes the photo of the customer that call names and then removes the
// customer from the directory. Otherwise it is as Do.
func (c *ChangePhoto) Remove(ctx context.Context, from ports.CustomerDirectory, call domain.ApiCall) (domain.ApiLogID, error) {
	return c.do(ctx, change{call: call, from: from, begun: c.Clock()})
}

func (c *ChangePhoto) do(ctx context.Context, ch change) (id domain.ApiLogID, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CallTimeout)
	defer cancel()
	defer func() {
		if cause := recover(); cause != nil { // an entry that is open stays so
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

// carryOut changes the store and then the record, under the customer's lock.
// Where the store may have been changed, a failure leaves the entry open: only
// Repair can tell what the store holds, or will hold.
func (c *ChangePhoto) carryOut(ctx context.Context, ch change, id domain.ApiLogID) error {
	sent := false // perhaps
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
	// What the answer says is certain by now; the log may learn it later.
	if rest != nil {
		c.close(ctx, id, *rest)
	}
	reached("closed")
	return err
}

// changed changes the store and returns the record of what it holds then.
func (c *ChangePhoto) changed(ctx context.Context, ch change, id domain.ApiLogID, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
	if ch.copy != nil {
		return ch.copy(ctx, ch, current, stillLocked)
	}
	version, err := c.changeStore(ctx, ch, current, stillLocked)
	return domain.PhotoRecord{Info: ch.photo.Info(), ChangedAt: c.now(), ChangedBy: id, Version: version, Store: c.Store}, err
}

// locked runs a change under the customer's lock, stores its record, or removes
// the customer, and gives the entry its outcome. Where that takes another
// database it returns the outcome, which the entry still lacks.
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

// changeStore changes the store once, over the version that the record names.
// Where the store holds another one, which a change left whose end isn't known,
// or a move from another store, it is tried a second time, over that. Who lost the lock meanwhile doesn't: the
// version may be that of a later change, which was acknowledged. So it is read
// before the lock is proved. A failure then is never Unchanged: the conflict may
// be that of the network's repeat of a request that was carried out.
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

// send asks the store for one change, unless Repair may have taken the call for
// cut off: its process was frozen, say.
func (c *ChangePhoto) send(ctx context.Context, ch change, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	now := c.Clock()
	if age := max(now.Sub(ch.begun), now.Round(0).Sub(ch.begun.Round(0))); age > SettleAfter { // by both clocks: one of them stops while the machine sleeps
		return "", domain.Errorf(domain.Unavailable, "the call took too long; send it again").AsUnchanged()
	}
	key := ch.customer().PhotoKey()
	if !ch.photo.Info().Exists() {
		return domain.NoPhoto, c.Photos.Delete(ctx, key, over)
	}
	return c.Photos.Put(ctx, key, ch.photo, over)
}

// close closes an entry, however long ago its caller left. Where the log fails
// it tries again in the background, as long as Repair leaves the entry alone.
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

// Wait waits until no closing of an entry is tried again in the background, or
// ctx ends. No Do may begin meanwhile.
func (c *ChangePhoto) Wait(ctx context.Context) {
	done := make(chan struct{})
	go func() { c.closing.Wait(); close(done) }()
	select {
	case <-done:
	case <-ctx.Done():
	}
}

func (c *ChangePhoto) now() time.Time { return domain.Instant(c.Clock()) }

// unchanged is the error of a call that changed nothing, which says so where a
// repeat may succeed.
func unchanged(err error) error {
	known := domain.AsError(err).AsUnchanged()
	if known.Kind == domain.Unavailable {
		known.Public = "nothing was changed: " + known.Public
	}
	return known
}

// failure is the outcome of a call that failed and changed nothing.
func failure(err error, at time.Time) *domain.Outcome {
	known := domain.AsError(err)
	return &domain.Outcome{Result: domain.Failed, Error: known.Kind, Detail: known.Public, EndedAt: at}
}

func panicked(cause any) *domain.Error {
	return domain.AsError(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
}
