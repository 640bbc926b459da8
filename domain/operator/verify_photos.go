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

// Damage is how a customer's record and the photo store disagree.
type Damage string

// The kinds of damage.
const (
	Missing    Damage = "missing"    // the record names a photo, the store has none
	Different  Damage = "different"  // the store has another photo than the record names
	Unrecorded Damage = "unrecorded" // the record names none, the store has a photo
	Broken     Damage = "broken"     // what the store has is no JPEG that can be decoded
	Orphan     Damage = "orphan"     // the store has a photo of a customer who doesn't exist
	Lost       Damage = "lost"       // neither store has the photo that the record names
)

// Finding is one damage.
type Finding struct {
	Key     domain.PhotoKey
	Damage  Damage
	Settled bool // the record now says what the store holds; the orphan is deleted
}

// String is a line for operators: the key and the damage.
func (f Finding) String() string { return string(f.Key) + " " + string(f.Damage) }

// VerifyPhotos compares the customers' records with the photo store. It may run
// beside calls and be repeated. All fields must be set.
type VerifyPhotos struct {
	Directory ports.CustomerDirectory
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Store     domain.PhotoStoreName // of Photos
	Reader    *photo.Reader         // a batch reader; decodes what isn't as the record says
	Clock     func() time.Time
	Parallel  int // customers looked at at once
	// Repair makes the records say what the store holds, but where that is
	// broken. Otherwise nothing is changed.
	Repair bool
	Found  func(Finding)  // is told each damage, one at a time
	Passed func(Progress) // is told now and then how far it has come
}

// VerifyReport counts what a VerifyPhotos found.
type VerifyReport struct {
	Progress
	Found   map[Damage]int
	Settled int // of all found
}

// Wrong is the number of damages that are left.
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

// Do looks at every customer after the given one. It goes on past customers who
// can't be looked at and returns how many they are, with the error of one;
// where a backend seems to be down it gives up. When ctx ends, it returns its
// error after the customers that it has begun with.
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

// look looks again under the customer's lock before it believes in a damage: a
// call changes the store before the record.
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

// isWell says that the store holds what was recorded. That was decoded before
// it was put, unless Repair found it there.
func isWell(stored usecase.HeldPhoto, recorded domain.PhotoInfo) bool {
	return stored.Is(recorded) && (!stored.Found || stored.Info.Width > 0)
}

// damage is empty where there is none.
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

// isBroken takes what is over the limits for whole: they may have been changed.
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
