package operator

import (
	"context"
	"errors"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// CopyPhotos makes another photo store hold what the customers' records say,
// with the photos of the store that has them, and the records name that store.
// It may run beside calls that change photos in either store and be repeated.
// All fields must be set.
type CopyPhotos struct {
	Directory ports.CustomerDirectory
	From      ports.PhotoStore
	To        *usecase.ChangePhoto
	Repairs   []*usecase.Repair // of the calls that were cut off in From, and of those in To, each Again
	Orphans   *OrphanPhotos     // of To, without Grace: a photo is put only while its customer exists
	Parallel  int               // customers at once
	Found     func(Finding)     // is told each difference that is left, one at a time, and each orphan
	Passed    func(Progress)    // is told now and then how far it has come
}

// CopyReport counts what a CopyPhotos did, by customers.
type CopyReport struct {
	Progress
	There   int   // To held what the record says
	Copied  int   // from From to To
	Bytes   int64 // of these
	Deleted int   // in To, as the record says that there is none
	Lost    int   // neither store holds what the record says
	Orphans OrphanReport
}

// Different is the number of photos that To lacks, or has without a customer.
func (r CopyReport) Different() int { return r.Lost + r.Orphans.Orphans - r.Orphans.Deleted }

// Do settles what it can of the calls that were cut off in either store, as
// servers have one of them alone, copies the photos of all customers after the
// given one, and looks through To for photos whose customer was removed or has none.
//
// When servers run on To only, and Do returns nil and nothing is Different, the
// move is done: records, To and the log agree once the servers' Repair has
// settled what is open, From is of no use any more, and nothing that is carried
// out late in either store, a request of an earlier Do neither, replaces a photo
// that was acknowledged later or brings back one that was deleted. While servers run on
// From, each photo was in To at some time since Do began.
//
// Do goes on past customers that fail and returns how many they are, with the
// error of one; where a backend seems to be down it gives up. When ctx ends, it
// returns its error after the customers that it has begun with.
func (c *CopyPhotos) Do(ctx context.Context, after domain.CustomerRef) (CopyReport, error) {
	var report CopyReport
	var failed error
	for _, repair := range c.Repairs {
		_, err := repair.Do(ctx)
		failed = errors.Join(failed, err)
	}
	var one sync.Mutex
	count := func(customer domain.Customer, did CopyReport) {
		one.Lock()
		defer one.Unlock()
		report.add(did)
		if did.Lost > 0 {
			c.Found(Finding{Key: customer.Ref.PhotoKey(), Damage: Lost})
		}
	}
	w := walk{customers: c.Directory, parallel: c.Parallel, passed: c.Passed, look: func(ctx context.Context, customer domain.Customer) error {
		did, err := CopyReport{There: 1}, error(nil)
		if customer.Photo.Info.Exists() { // else To's list shows whether it has one, and the store isn't asked for each
			did, err = c.bring(ctx, customer)
		}
		count(customer, did)
		return err
	}}
	var err error
	report.Progress, err = w.from(ctx, after)
	failed = errors.Join(err, failed)
	if ctx.Err() == nil {
		c.Orphans.Found = c.Found
		c.Orphans.unrecorded = func(ctx context.Context, customer domain.Customer) error {
			did, err := c.bring(ctx, customer)
			if customer.Ref.Compare(after) > 0 {
				did.There-- // the walk has counted it
			}
			count(customer, did)
			return err
		}
		report.Orphans, err = c.Orphans.Do(ctx)
		failed = errors.Join(failed, err)
	}
	return report, failed
}

func (r *CopyReport) add(did CopyReport) {
	r.There += did.There
	r.Copied += did.Copied
	r.Bytes += did.Bytes
	r.Deleted += did.Deleted
	r.Lost += did.Lost
}

// bring looks without the customer's lock first: mostly there is nothing to do,
// and nobody waits.
func (c *CopyPhotos) bring(ctx context.Context, customer domain.Customer) (CopyReport, error) {
	held, err := usecase.ReadHeld(ctx, c.To.Photos, customer.Ref.PhotoKey())
	if err != nil {
		return CopyReport{}, err
	}
	if held.Is(customer.Photo.Info) && (!held.Found || customer.Photo.Store == c.To.Store) {
		return CopyReport{There: 1}, nil
	}
	did, err := c.To.Copy(ctx, c.From, customer)
	for err != nil && domain.AsError(err).Kind == domain.Conflict { // the record is another one by now
		if customer, err = c.Directory.FindCustomer(ctx, customer.Ref); err == nil {
			did, err = c.To.Copy(ctx, c.From, customer)
		}
	}
	switch {
	case errors.Is(err, domain.CustomerNotFound): // removed meanwhile
		return CopyReport{}, nil
	case err != nil:
		return CopyReport{}, err
	}
	return map[usecase.Copied]CopyReport{
		usecase.NotCopied: {There: 1},
		usecase.Put:       {Copied: 1, Bytes: customer.Photo.Info.Size},
		usecase.Deleted:   {Deleted: 1},
		usecase.Lost:      {Lost: 1},
	}[did], nil
}
