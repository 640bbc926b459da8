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
// with the photos of the store that has them. It may run beside calls that
// change photos in either store and be repeated: what is there already is only
// read. All fields must be set.
type CopyPhotos struct {
	Directory ports.CustomerDirectory
	Customers ports.CustomerRepo
	From, To  ports.PhotoStore
	Repairs   []*usecase.Repair     // of the calls that were cut off in From, and of those in To
	Parallel  int                   // customers at once
	Lost      func(domain.PhotoKey) // is told each photo that neither store holds, one at a time
	Passed    func(Progress)        // is told now and then how far it has come
}

// CopyReport counts what a CopyPhotos did, by customers.
type CopyReport struct {
	Progress
	There   int   // To held what the record says
	Copied  int   // from From to To
	Bytes   int64 // of these
	Deleted int   // in To, as the record says that there is none
	Lost    int   // neither store holds what the record says
}

// Do settles what it can of the calls that were cut off in either store, as
// servers have one of them alone, and copies the photos of all customers after
// the given one. When it returns nil and nothing is Lost, each of them was in To
// at some time since Do began; what is changed in From after that is for another
// Do. A customer's photo is copied, and deleted, while nobody else changes it,
// and after the record as it is then; a copy is read back.
//
// Do goes on past customers that fail and returns how many they are, with the
// error of one; where a backend seems to be down it gives up. When ctx ends, it
// returns its error after the customers that it has begun with.
func (c *CopyPhotos) Do(ctx context.Context, after domain.CustomerRef) (CopyReport, error) {
	var report CopyReport
	var unsettled error
	for _, repair := range c.Repairs {
		_, err := repair.Do(ctx)
		unsettled = errors.Join(unsettled, err)
	}
	var one sync.Mutex
	w := walk{customers: c.Directory, parallel: c.Parallel, passed: c.Passed, look: func(ctx context.Context, customer domain.Customer) error {
		did, err := c.bring(ctx, customer)
		if err != nil {
			return err
		}
		one.Lock()
		defer one.Unlock()
		report.add(did)
		if did.Lost > 0 {
			c.Lost(customer.Ref.PhotoKey())
		}
		return nil
	}}
	var err error
	report.Progress, err = w.from(ctx, after)
	return report, errors.Join(err, unsettled)
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
	key := customer.Ref.PhotoKey()
	held, err := usecase.ReadHeld(ctx, c.To, key)
	if err != nil || held.Is(customer.Photo.Info) {
		return CopyReport{There: 1}, err
	}
	var did CopyReport
	err = c.Customers.ChangePhoto(ctx, customer.Ref, func(ctx context.Context, current domain.PhotoRecord, _ ports.LockProof) (_ domain.PhotoRecord, err error) {
		did, err = c.bringLocked(ctx, key, current.Info)
		return current, err
	})
	if errors.Is(err, domain.CustomerNotFound) { // removed meanwhile
		return CopyReport{}, nil
	}
	return did, err
}

func (c *CopyPhotos) bringLocked(ctx context.Context, key domain.PhotoKey, want domain.PhotoInfo) (CopyReport, error) {
	held, err := usecase.ReadHeld(ctx, c.To, key)
	switch {
	case err != nil:
		return CopyReport{}, err
	case held.Is(want):
		return CopyReport{There: 1}, nil
	case !want.Exists():
		return CopyReport{Deleted: 1}, c.To.Delete(ctx, key, held.Version)
	}
	source, err := usecase.ReadHeld(ctx, c.From, key)
	if err != nil {
		return CopyReport{}, err
	}
	picture, err := domain.NewPhoto(source.JPEG, source.Info.Width, source.Info.Height)
	if !source.Is(want) || err != nil { // what is no JPEG isn't copied, whatever the record says
		return CopyReport{Lost: 1}, nil //nolint:nilerr // it is counted
	}
	if _, err := c.To.Put(ctx, key, picture, held.Version); err != nil {
		return CopyReport{}, err
	}
	return c.readBack(ctx, key, want)
}

func (c *CopyPhotos) readBack(ctx context.Context, key domain.PhotoKey, want domain.PhotoInfo) (CopyReport, error) {
	held, err := usecase.ReadHeld(ctx, c.To, key)
	if err == nil && !held.Is(want) {
		err = domain.Errorf(domain.Unavailable, "the store to copy to holds something else than was put there; check it, and copy again")
	}
	return CopyReport{Copied: 1, Bytes: want.Size}, err
}
