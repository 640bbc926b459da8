package operator

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// OrphanPhotos finds photos whose customer doesn't exist. It may run while calls
// are served, and be repeated. All fields must be set.
type OrphanPhotos struct {
	Customers ports.CustomerDirectory
	Lister    ports.PhotoLister
	Photos    ports.PhotoStore // where orphans are deleted
	Clock     func() time.Time
	Parallel  int // lookups at once
	// Delete deletes the orphans that were last changed more than Grace ago by the
	// store's clock, or all if Grace is 0. Without Delete nothing is changed.
	Delete bool
	Grace  time.Duration
	Found  func(Finding) // called for each orphan, one at a time

	// unrecorded, unless nil, is called for each customer whose photo is listed, although
	// the record names none.
	unrecorded func(context.Context, domain.Customer) error
}

// OrphanReport counts photos.
type OrphanReport struct {
	Photos  int // in the store
	Orphans int
	Young   int // orphans that Delete kept, as they are younger than Grace
	Deleted int
}

// Do looks up the customer of every photo in the store. Before it deletes a
// photo, it looks up the customer again, and it deletes only the version that it
// found before, so a customer who is added meanwhile keeps the photo. With Delete
// it fails with Conflict, and deletes nothing, if there are no customers at all.
func (o *OrphanPhotos) Do(ctx context.Context) (OrphanReport, error) {
	if err := o.check(ctx); err != nil {
		return OrphanReport{}, err
	}
	var report OrphanReport
	var one sync.Mutex
	look := func(stored domain.StoredPhoto) error {
		orphan, young, deleted, err := o.look(ctx, stored)
		if !orphan {
			return err
		}
		one.Lock()
		defer one.Unlock()
		report.Orphans++
		if young {
			report.Young++
		}
		if deleted {
			report.Deleted++
		}
		o.Found(Finding{Key: stored.Key, Damage: Orphan, Settled: deleted})
		return err
	}
	failed, err := o.each(ctx, look, &report.Photos)
	return report, errors.Join(failed, err)
}

// check refuses to delete if the database is empty: it may be the wrong one.
func (o *OrphanPhotos) check(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	first, err := o.Customers.Customers(ctx, probes, 1)
	if err == nil && len(first) == 0 && o.Delete {
		return domain.Errorf(domain.Conflict, "the database has no customers, so every photo would be deleted; check that it belongs to this photo store")
	}
	return err
}

// each calls look for every photo, several at once, and counts them. It goes on
// after failures, like walk.
func (o *OrphanPhotos) each(ctx context.Context, look func(domain.StoredPhoto) error, number *int) (failed, listing error) {
	var all failures
	next := make(chan domain.StoredPhoto)
	var workers sync.WaitGroup
	for range max(o.Parallel, 1) {
		workers.Go(func() {
			for stored := range next {
				all.add(stored.Key.Customer(), look(stored))
			}
		})
	}
	for stored, err := range o.Lister.List(ctx) {
		if err != nil {
			listing = err
			break
		}
		if all.tooMany() {
			break
		}
		*number++
		next <- stored
	}
	close(next)
	workers.Wait()
	return all.summary(), listing
}

func (o *OrphanPhotos) look(ctx context.Context, stored domain.StoredPhoto) (orphan, young, deleted bool, err error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), usecase.CallTimeout)
	defer cancel()
	orphan, err = o.isOrphan(ctx, stored.Key)
	if err != nil || !orphan || !o.Delete {
		return orphan, false, false, err
	}
	if o.Grace > 0 && o.Clock().Sub(stored.ChangedAt) <= o.Grace {
		return true, true, false, nil
	}
	held, err := usecase.ReadHeld(ctx, o.Photos, stored.Key)
	if err != nil {
		return true, false, false, err
	}
	if orphan, err = o.isOrphan(ctx, stored.Key); err != nil || !orphan {
		return orphan, false, false, err
	}
	err = o.Photos.Delete(ctx, stored.Key, held.Version)
	return true, false, err == nil, err
}

func (o *OrphanPhotos) isOrphan(ctx context.Context, key domain.PhotoKey) (bool, error) {
	customer, err := o.Customers.FindCustomer(ctx, key.Customer())
	switch {
	case errors.Is(err, domain.CustomerNotFound):
		return true, nil
	case err == nil && o.unrecorded != nil && !customer.Photo.Info.Exists():
		return false, o.unrecorded(ctx, customer)
	}
	return false, err
}
