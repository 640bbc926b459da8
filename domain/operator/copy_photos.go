package operator

import (
	"context"
	"errors"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// CopyPhotos copies the photos of the customers' records to another store. The
// records then name that store, so servers can move to it. CopyPhotos may run
// while calls change photos in either store, and be repeated. All fields but
// Backup must be set.
type CopyPhotos struct {
	Directory ports.CustomerDirectory
	From      ports.PhotoStore
	To        *usecase.ChangePhoto
	Repairs   []*usecase.Repair // of interrupted calls in From and in To, each with Again
	Orphans   *OrphanPhotos     // of To, with Grace 0, as a photo is put only while its customer exists
	Parallel  int               // customers at once
	Found     func(Finding)     // called for each difference that is left and each orphan, one at a time
	Passed    func(Progress)    // called now and then

	// Backup changes only To, which no server may use: records, the log and
	// interrupted calls stay as they are. Where To doesn't have the record's photo,
	// it gets what From holds, which may be newer than the record: a record can be
	// corrected later, a photo can't.
	Backup bool
}

// CopyReport counts what a CopyPhotos did, by customers.
type CopyReport struct {
	Progress
	There   int   // To had the right photo, or rightly none
	Copied  int   // from From to To
	Bytes   int64 // of the copied photos
	Deleted int   // in To, as the record has no photo
	Lost    int   // neither store has the record's photo
	Orphans OrphanReport
}

// Different is the number of photos that To lacks, or has without a customer.
func (r CopyReport) Different() int { return r.Lost + r.Orphans.Orphans - r.Orphans.Deleted }

// Do settles interrupted calls in both stores, as each server knows only one of
// them. It copies the photos of all customers after the given one, and lists To for
// photos whose customer was removed or has no photo in the record.
//
// Once servers run on To only, and Do returns nil with nothing Different, the move
// is done. From is no longer needed. Records, To and the log agree once the servers'
// Repair has settled open calls. Where To fences, a request that either store carries
// out late, even one of an earlier Do, replaces no photo that was acknowledged later;
// if it brings back a deleted one, Repair deletes it again. While servers run on From,
// To may lack what they changed during Do.
//
// Do goes on after failures and returns how many there were, with the first error.
// It gives up after 20, as a backend is probably down. When ctx ends, it finishes
// the customers in hand and returns the error of ctx.
func (c *CopyPhotos) Do(ctx context.Context, after domain.CustomerRef) (CopyReport, error) {
	var report CopyReport
	var failed error
	for _, repair := range c.Repairs {
		if !c.Backup {
			_, err := repair.Do(ctx)
			failed = errors.Join(failed, err)
		}
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

// bring copies the photo of a customer. It compares without the customer's lock
// first, as most often nothing is to be done.
func (c *CopyPhotos) bring(ctx context.Context, customer domain.Customer) (CopyReport, error) {
	held, err := usecase.ReadHeld(ctx, c.To.Photos, customer.Ref.PhotoKey())
	if err != nil {
		return CopyReport{}, err
	}
	if held.Is(customer.Photo.Info) && (!held.Found || c.Backup || customer.Photo.Store == c.To.Store) {
		return CopyReport{There: 1}, nil
	}
	if c.Backup {
		return c.backUp(ctx, customer.Ref, held)
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

// backUp makes To hold what From holds. held is what To holds.
func (c *CopyPhotos) backUp(ctx context.Context, ref domain.CustomerRef, held usecase.HeldPhoto) (CopyReport, error) {
	key := ref.PhotoKey()
	source, err := usecase.ReadHeld(ctx, c.From, key)
	if err != nil {
		return CopyReport{}, err
	}
	if !source.Found {
		return c.backUpNone(ctx, ref, held)
	}
	if held.Is(source.Info) {
		return CopyReport{There: 1}, nil
	}
	photo, err := domain.NewPhoto(source.JPEG, source.Info.Width, source.Info.Height)
	if err != nil {
		return CopyReport{Lost: 1}, nil //nolint:nilerr // broken photos are counted, not copied
	}
	if _, err = c.To.Photos.Put(ctx, key, photo, held.Version); err == nil {
		held, err = usecase.ReadHeld(ctx, c.To.Photos, key)
	}
	if err == nil && !held.Is(source.Info) {
		err = domain.Errorf(domain.Unavailable, "the store to copy to holds something else than was put there; check it, and copy again")
	}
	return CopyReport{Copied: 1, Bytes: source.Info.Size}, err
}

// backUpNone deletes what To holds of a customer without a photo in From, unless the
// record has a photo.
func (c *CopyPhotos) backUpNone(ctx context.Context, ref domain.CustomerRef, held usecase.HeldPhoto) (CopyReport, error) {
	customer, err := c.Directory.FindCustomer(ctx, ref) // the photo may just have been deleted
	switch {
	case errors.Is(err, domain.CustomerNotFound):
		return CopyReport{}, nil
	case err != nil:
		return CopyReport{}, err
	case customer.Photo.Info.Exists():
		return CopyReport{Lost: 1}, nil
	case !held.Found:
		return CopyReport{There: 1}, nil
	}
	return CopyReport{Deleted: 1}, c.To.Photos.Delete(ctx, ref.PhotoKey(), held.Version)
}
