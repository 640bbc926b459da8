package usecase

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Copied is what Copy did.
type Copied string

// What Copy does.
const (
	NotCopied Copied = ""        // the store held what the record says; or Copy failed
	Put       Copied = "put"     // the photo was copied
	Deleted   Copied = "deleted" // the photo was deleted, since the record names none
	Lost      Copied = "lost"    // neither store has the record's photo, or it is broken; nothing was changed
)

// Copy makes the store hold what the customer's record says, taking the photo
// from the store from, and makes the record name this store. If the record no
// longer names the same photo as customer, Copy fails with Conflict and changes
// nothing. Otherwise it behaves like Do, with a log entry for Repair, since its
// requests too may be carried out late.
func (c *ChangePhoto) Copy(ctx context.Context, from ports.PhotoStore, customer domain.Customer) (did Copied, err error) {
	call := domain.ApiCall{
		ReceivedAt: c.now(), Fleet: customer.Ref.Fleet, Customer: customer.Ref.Customer, Phone: customer.Phone.Masked(),
		Operation: domain.CopyPhoto, Intent: customer.Photo.Info.SHA256,
	}
	copying := func(ctx context.Context, ch change, current domain.PhotoRecord, stillLocked ports.LockProof) (_ domain.PhotoRecord, err error) {
		did, current.Version, err = c.copyLocked(ctx, from, ch, current.Info, stillLocked)
		current.Store = c.Store
		return current, err
	}
	_, err = c.do(ctx, change{call: call, begun: c.Clock(), copy: copying})
	if did == Lost {
		err = nil
	}
	return did, err
}

func (c *ChangePhoto) copyLocked(ctx context.Context, from ports.PhotoStore, ch change, want domain.PhotoInfo, stillLocked ports.LockProof) (Copied, domain.PhotoVersion, error) {
	if want.SHA256 != ch.call.Intent {
		return NotCopied, "", domain.Errorf(domain.Conflict, "the photo was changed meanwhile; copy again").AsUnchanged()
	}
	key := ch.customer().PhotoKey()
	held, err := ReadHeld(ctx, c.Photos, key)
	if err != nil {
		return NotCopied, "", unchanged(err)
	}
	if held.Is(want) {
		return NotCopied, held.Version, nil
	}
	did := Deleted
	if want.Exists() {
		source, err := ReadHeld(ctx, from, key)
		if err != nil {
			return NotCopied, "", unchanged(err)
		}
		ch.photo, err = domain.NewPhoto(source.JPEG, source.Info.Width, source.Info.Height)
		if !source.Is(want) || err != nil { // a broken photo isn't copied, even if the record names it
			return Lost, "", domain.Errorf(domain.NotFound, "neither store has the photo that the record names").AsUnchanged()
		}
		did = Put
	}
	if err := stillLocked(ctx); err != nil { // as in changeStore: held may be a later photo
		return NotCopied, "", unchanged(err)
	}
	if _, err = c.send(ctx, ch, held.Version); err == nil {
		held, err = ReadHeld(ctx, c.Photos, key)
	}
	if err == nil && !held.Is(want) {
		err = domain.Errorf(domain.Unavailable, "the store to copy to holds something else than was put there; check it, and copy again")
	}
	if err != nil && domain.AsError(err).Kind == domain.Conflict { // as in changeStore: it may be the answer to the network's repeat
		err = domain.Errorf(domain.Unavailable, "the photo was changed meanwhile; copy again").WithCause(err)
	}
	return did, held.Version, err
}
