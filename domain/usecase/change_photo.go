package usecase

import (
	"context"
	"errors"

	"github.com/fleetphoto/fleetphoto/domain"
)

// plan is what a call that may go ahead will do.
type plan struct {
	customer domain.CustomerRef
	picture  domain.Photo    // zero: delete
	key      domain.PhotoKey // where picture will be; empty for a delete
	url      string
}

// change is a plan that is carried out.
type change struct {
	plan
	asked   bool // the photo store was asked to change
	details domain.OutcomeDetails
}

func (u *UpdateCustomerPhoto) openEntry(ctx context.Context, call domain.ApiCall, c *change) (domain.ApiLogID, error) {
	ctx, end := u.Begin(ctx, domain.OpenEntry, &c.details.Stages)
	id, err := u.Log.Open(ctx, call)
	end(err)
	return id, err
}

// changePhoto changes the store, then the record, then closes the entry. Once
// the store was asked to change, a failure leaves the entry open: only Repair
// can tell what the store holds.
func (u *UpdateCustomerPhoto) changePhoto(ctx context.Context, id domain.ApiLogID, c *change) error {
	err := u.changeLocked(ctx, id, c)
	switch {
	case err != nil && c.asked:
		return domain.Errorf(domain.Unavailable, "the change was cut off: the old photo or the new one is stored, whole; send the call again").WithCause(err)
	case err != nil:
		return errors.Join(domain.AsError(err), u.closeEntry(ctx, id, u.failure(err, c.details)))
	}
	c.details.After = c.picture.Info()
	// The photo is stored, and that is the answer. If closing fails, the entry
	// waits for Repair, which closes it as valid, or as interrupted where a
	// later call has changed the photo again by then.
	_ = u.closeEntry(ctx, id, domain.Outcome{Result: domain.Valid, EndedAt: u.now(), Details: c.details})
	return nil
}

// changeLocked changes the store and the record under the customer's lock.
func (u *UpdateCustomerPhoto) changeLocked(ctx context.Context, id domain.ApiLogID, c *change) error {
	times := &c.details.Stages
	_, end := u.Begin(ctx, domain.Wait, times)
	err := u.Customers.ChangePhoto(ctx, c.customer, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
		end(nil)
		c.asked, c.details.Before = true, current.Info
		if err := u.changeStore(ctx, c); err != nil {
			end = func(error) {}
			return domain.PhotoRecord{}, err
		}
		_, end = u.Begin(ctx, domain.StoreRecord, times)
		return domain.PhotoRecord{Info: c.picture.Info(), ChangedAt: u.now(), ChangedBy: id}, nil
	})
	end(err)
	return err
}

func (u *UpdateCustomerPhoto) changeStore(ctx context.Context, c *change) (err error) {
	ctx, end := u.Begin(ctx, domain.StorePhoto, &c.details.Stages)
	defer func() { end(err) }()
	if c.key == "" {
		return u.Photos.Delete(ctx, c.customer.PhotoKey())
	}
	return u.Photos.Put(ctx, c.key, c.picture)
}

func (u *UpdateCustomerPhoto) closeEntry(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	var untold domain.StageTimes // the entry is written before this time is known
	ctx, end := u.Begin(ctx, domain.CloseEntry, &untold)
	err := u.Log.Close(ctx, id, outcome)
	end(err)
	return err
}
