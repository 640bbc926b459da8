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
	NotCopied Copied = ""        // the store held what the record says
	Put       Copied = "put"     // the photo was copied
	Deleted   Copied = "deleted" // the photo was deleted, as the record says that there is none
	Lost      Copied = "lost"    // neither store holds what the record says; nothing was changed
)

// Copy makes the store hold what the customer's record says, with the photo in
// from, and the record name this store. customer is as it was read. Where the
// record names another photo by now, Copy fails with Conflict and changes
// nothing. Otherwise it is as Do: its requests to the store may be carried out
// late, too, so that Repair must know of them.
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
		if !source.Is(want) || err != nil { // what is no JPEG isn't copied, whatever the record says
			return Lost, "", domain.Errorf(domain.NotFound, "neither store has the photo that the record names").AsUnchanged()
		}
		did = Put
	}
	if err := stillLocked(ctx); err != nil { // what was read may be a later photo, which was acknowledged
		return NotCopied, "", unchanged(err)
	}
	if _, err = c.send(ctx, ch, held.Version); err == nil {
		held, err = ReadHeld(ctx, c.Photos, key)
	}
	if err == nil && !held.Is(want) {
		err = domain.Errorf(domain.Unavailable, "the store to copy to holds something else than was put there; check it, and copy again")
	}
	if err != nil && domain.AsError(err).Kind == domain.Conflict { // perhaps with the network's repeat of this request
		err = domain.Errorf(domain.Unavailable, "the photo was changed meanwhile; copy again").WithCause(err)
	}
	return did, held.Version, err
}
