package operator

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Damage is a way in which a customer's record and the photo store disagree.
type Damage string

// The kinds of damage.
const (
	Missing    Damage = "missing"    // the record has a photo, the store doesn't
	Different  Damage = "different"  // the store has another photo than the record
	Unrecorded Damage = "unrecorded" // the store has a photo, the record doesn't
	Broken     Damage = "broken"     // the store's file can't be decoded as JPEG
	Orphan     Damage = "orphan"     // the customer doesn't exist, but the store has a photo
	Lost       Damage = "lost"       // neither store of a copy has the record's photo
)

// Finding is a damaged photo.
type Finding struct {
	Key     domain.PhotoKey
	Damage  Damage
	Settled bool // the record was corrected, or the orphan deleted
}

// String returns a line for operators: the key and the damage.
func (f Finding) String() string { return string(f.Key) + " " + string(f.Damage) }

// VerifyPhotos compares the customers' records with the photo store. It may run
// while calls are served, and be repeated. All fields must be set.
type VerifyPhotos struct {
	Directory ports.CustomerDirectory
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Store     domain.PhotoStoreName // of Photos
	Reader    *photo.Reader         // a batch reader; decodes photos that differ from their record
	Clock     func() time.Time
	Parallel  int // customers at once
	// Repair corrects the records of damaged photos, unless they are Broken. Without
	// Repair nothing is changed.
	Repair bool
	Found  func(Finding)  // called for each damaged photo, one at a time
	Passed func(Progress) // called now and then
}

// VerifyReport counts photos.
type VerifyReport struct {
	Progress
	Found   map[Damage]int
	Settled int // of those found
}

// Wrong returns how many photos are still damaged.
func (r VerifyReport) Wrong() int {
	wrong := -r.Settled
	for _, number := range r.Found {
		wrong += number
	}
	return wrong
}

func (r *VerifyReport) count(f Finding) {
	r.Found[f.Damage]++
	if f.Settled {
		r.Settled++
	}
}

// Do compares every customer after the given one. It goes on after failures and
// returns how many there were, with the first error. It gives up after 20, as a
// backend is probably down. When ctx ends, it finishes the customers in hand and
// returns the error of ctx.
func (v *VerifyPhotos) Do(ctx context.Context, after domain.CustomerRef) (VerifyReport, error) {
	report := VerifyReport{Found: map[Damage]int{}}
	var one sync.Mutex
	w := walk{customers: v.Directory, parallel: v.Parallel, passed: v.Passed, look: func(ctx context.Context, customer domain.Customer) error {
		found, err := v.look(ctx, customer)
		if err != nil || found.Damage == "" {
			return err
		}
		one.Lock()
		defer one.Unlock()
		report.count(found)
		v.Found(found)
		return nil
	}}
	var err error
	report.Progress, err = w.from(ctx, after)
	return report, err
}

// look compares one customer. It compares again under the customer's lock before it
// reports damage, as a call changes the store before the record.
func (v *VerifyPhotos) look(ctx context.Context, customer domain.Customer) (Finding, error) {
	found := Finding{Key: customer.Ref.PhotoKey()}
	stored, err := usecase.ReadHeld(ctx, v.Photos, found.Key)
	if err != nil || isWell(stored, customer.Photo.Info) {
		return found, err
	}
	err = v.Customers.ChangePhoto(ctx, customer.Ref, func(ctx context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		stored, err := usecase.ReadHeld(ctx, v.Photos, found.Key)
		if err == nil {
			found.Damage, err = v.damage(ctx, customer.Ref.Fleet, stored, current.Info)
		}
		if err != nil || !v.Repair || found.Damage == Broken {
			return current, err
		}
		current, found.Settled = stored.Corrected(current, v.Store, v.Clock())
		return current, nil
	})
	if errors.Is(err, domain.CustomerNotFound) { // removed meanwhile
		return Finding{}, nil
	}
	return found, err
}

// isWell reports whether the store has what the record says. Such a photo was
// decoded before it was stored, unless the record was written by Repair.
func isWell(stored usecase.HeldPhoto, recorded domain.PhotoInfo) bool {
	return stored.Is(recorded) && (!stored.Found || stored.Info.Width > 0)
}

// damage returns the damage, or "" for none.
func (v *VerifyPhotos) damage(ctx context.Context, fleet domain.FleetID, stored usecase.HeldPhoto, recorded domain.PhotoInfo) (Damage, error) {
	switch {
	case isWell(stored, recorded):
		return "", nil
	case !stored.Found:
		return Missing, nil
	}
	switch broken, err := v.isBroken(ctx, fleet, stored); {
	case err != nil:
		return "", err
	case broken:
		return Broken, nil
	case !recorded.Exists():
		return Unrecorded, nil
	}
	return Different, nil
}

// isBroken reports whether a photo can't be decoded. One over the limits counts as
// whole, as the limits may have changed.
func (v *VerifyPhotos) isBroken(ctx context.Context, fleet domain.FleetID, stored usecase.HeldPhoto) (bool, error) {
	if stored.Info.Width == 0 {
		return true, nil
	}
	_, _, err := v.Reader.Read(ctx, fleet, stored.JPEG)
	if err == nil || errors.Is(err, domain.PhotoTooLarge) {
		return false, nil
	}
	if errors.Is(err, domain.TypeError) {
		return true, nil
	}
	return false, err
}
