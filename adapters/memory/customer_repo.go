package memory

import (
	"context"
	"slices"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// CustomerRepo is a ports.CustomerRepo in memory.
type CustomerRepo struct {
	now    func() time.Time
	mu     sync.Mutex
	byRef  map[domain.CustomerRef]*customer
	phones map[fleetPhone]*customer
	pinKey domain.PINKeyFingerprint // zero: none is bound
}

// customer is guarded by CustomerRepo.mu. changing is the lock of ChangePhoto:
// sending to it locks, receiving from it unlocks.
type customer struct {
	domain.Customer
	lock     domain.PINLock
	changing chan struct{}
}

type fleetPhone struct {
	fleet domain.FleetID
	phone domain.PhoneNumber
}

var (
	_ ports.CustomerRepo      = (*CustomerRepo)(nil)
	_ ports.CustomerDirectory = (*CustomerRepo)(nil)
	_ ports.PINKeyBinder      = (*CustomerRepo)(nil)
)

// NewCustomerRepo returns a CustomerRepo without customers that uses now as its
// clock.
func NewCustomerRepo(now func() time.Time) *CustomerRepo {
	return &CustomerRepo{
		now:    now,
		byRef:  map[domain.CustomerRef]*customer{},
		phones: map[fleetPhone]*customer{},
	}
}

// add adds a customer whose id and phone number are free; r.mu is held.
func (r *CustomerRepo) add(added domain.Customer) {
	c := &customer{Customer: added, changing: make(chan struct{}, 1)}
	r.byRef[added.Ref] = c
	r.phones[fleetPhone{added.Ref.Fleet, added.Phone}] = c
}

// FindCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (found domain.Customer, err error) {
	err = r.update(ctx, "find customer", ref, func(c *customer) error { found = c.Customer; return nil })
	return found, err
}

// Customers implements ports.CustomerDirectory.
func (r *CustomerRepo) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.StoredCustomer, error) {
	if err := ended(ctx, "list customers"); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var refs []domain.CustomerRef
	for ref := range r.byRef {
		if ref.Compare(after) > 0 {
			refs = append(refs, ref)
		}
	}
	slices.SortFunc(refs, domain.CustomerRef.Compare)
	customers := make([]domain.StoredCustomer, max(0, min(limit, len(refs))))
	for i := range customers {
		c := r.byRef[refs[i]]
		customers[i] = domain.StoredCustomer{Customer: c.Customer, Lock: c.lock}
	}
	return customers, nil
}

// SaveCustomers implements ports.CustomerDirectory. It doesn't wait for a
// running change of a photo, which then overwrites the saved photo record.
func (r *CustomerRepo) SaveCustomers(ctx context.Context, customers []domain.StoredCustomer) ([]domain.CustomerRef, error) {
	if err := ended(ctx, "save customers"); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	var holders []domain.Customer
	for _, c := range customers {
		if holder := r.phones[fleetPhone{c.Ref.Fleet, c.Phone}]; holder != nil {
			holders = append(holders, holder.Customer)
		}
	}
	taken := domain.PhonesTaken(customers, holders)
	saved := slices.DeleteFunc(slices.Clone(customers), func(c domain.StoredCustomer) bool { return slices.Contains(taken, c.Ref) })
	for _, c := range saved {
		if known := r.byRef[c.Ref]; known != nil {
			delete(r.phones, fleetPhone{known.Ref.Fleet, known.Phone})
		}
	}
	for _, c := range saved {
		if known := r.byRef[c.Ref]; known != nil {
			known.Customer = c.Customer
			r.phones[fleetPhone{c.Ref.Fleet, c.Phone}] = known
		} else {
			r.add(c.Customer)
		}
		r.byRef[c.Ref].lock = c.Lock
	}
	return taken, nil
}

// FindByPhone implements ports.CustomerRepo.
func (r *CustomerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	if err := ended(ctx, "find customer"); err != nil {
		return domain.Customer{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.phones[fleetPhone{fleet, phone}]
	if c == nil {
		return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number")
	}
	return c.Customer, nil
}

// BindPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BindPINKey(ctx context.Context, key, old domain.PINKeyFingerprint) error {
	if err := ended(ctx, "bind PIN key"); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.pinKey != key && r.pinKey != old && r.pinKey != (domain.PINKeyFingerprint{}) {
		for _, c := range r.byRef {
			if c.PIN != (domain.PINHash{}) {
				return domain.Errorf(domain.Conflict, "the stored PINs were hashed under another key")
			}
		}
	}
	r.pinKey = key
	return nil
}

// BoundPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BoundPINKey(ctx context.Context) (domain.PINKeyFingerprint, error) {
	if err := ended(ctx, "read the PIN key"); err != nil {
		return domain.PINKeyFingerprint{}, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.pinKey, nil
}

// TryPIN implements ports.CustomerRepo.
func (r *CustomerRepo) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	return r.update(ctx, "try PIN", ref, func(c *customer) (err error) {
		c.lock, c.PIN, err = c.lock.Try(c.PIN, offered, domain.Instant(r.now()))
		return err
	})
}

// UnlockPIN implements ports.CustomerDirectory.
func (r *CustomerRepo) UnlockPIN(ctx context.Context, ref domain.CustomerRef) error {
	return r.update(ctx, "unlock PIN", ref, func(c *customer) error {
		c.lock = domain.PINLock{}
		return nil
	})
}

// SetCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) SetCustomer(ctx context.Context, ref domain.CustomerRef, change domain.CustomerChange) error {
	return r.update(ctx, "set customer", ref, func(c *customer) error {
		if change.Phone != 0 {
			wanted := fleetPhone{ref.Fleet, change.Phone}
			if owner := r.phones[wanted]; owner != nil && owner != c {
				return domain.Errorf(domain.Conflict, "another customer of fleet %d has this phone number", ref.Fleet)
			}
			delete(r.phones, fleetPhone{ref.Fleet, c.Phone})
			c.Phone, r.phones[wanted] = change.Phone, c
		}
		if !change.KeepPIN {
			c.PIN = change.PIN
		}
		return nil
	})
}

// ChangePhoto implements ports.CustomerRepo.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.whileLocked(ctx, ref, change.Closing(), r.storeRecord, ignore)
}

// RemoveCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.whileLocked(ctx, ref, change.Closing(), r.remove, ignore)
}

func ignore(domain.Outcome) {}

func (r *CustomerRepo) storeRecord(c *customer, record domain.PhotoRecord) { c.Photo = record }

func (r *CustomerRepo) remove(c *customer, _ domain.PhotoRecord) {
	delete(r.byRef, c.Ref)
	delete(r.phones, fleetPhone{c.Ref.Fleet, c.Phone})
}

// whileLocked runs change in the customer's turn. It stores the record and
// closes the entry in one step, so that nobody sees one without the other.
func (r *CustomerRepo) whileLocked(ctx context.Context, ref domain.CustomerRef, change ports.ClosingChange, store func(*customer, domain.PhotoRecord), closeEntry func(domain.Outcome)) error {
	unlock, err := r.lockPhoto(ctx, ref)
	if err != nil {
		return err
	}
	defer unlock()

	var record domain.PhotoRecord
	read := func(c *customer) error { record = c.Photo; return nil }
	if err := r.update(ctx, "read the photo's record", ref, read); err != nil {
		return err
	}
	record, outcome, err := change(ctx, record, func(ctx context.Context) error { return ended(ctx, "prove the customer's lock") })
	if err != nil {
		return err
	}
	return r.update(ctx, "store the photo's record", ref, func(c *customer) error {
		store(c, record)
		closeEntry(outcome)
		return nil
	})
}

// lockPhoto waits for the customer's turn. It fails if the customer is removed
// meanwhile, even if another one with the same reference is added.
func (r *CustomerRepo) lockPhoto(ctx context.Context, ref domain.CustomerRef) (unlock func(), err error) {
	var locked *customer
	if err := r.update(ctx, "change photo", ref, func(c *customer) error { locked = c; return nil }); err != nil {
		return nil, err
	}
	select {
	case locked.changing <- struct{}{}:
	case <-ctx.Done():
		return nil, ended(ctx, "wait for the customer's lock")
	}
	unlock = func() { <-locked.changing }
	err = r.update(ctx, "lock the customer", ref, func(c *customer) error {
		if c != locked {
			return noCustomer(ref)
		}
		return nil
	})
	if err != nil {
		unlock()
		return nil, err
	}
	return unlock, nil
}

func noCustomer(ref domain.CustomerRef) error {
	return domain.Errorf(domain.CustomerNotFound, "there is no customer %d in fleet %d", ref.Customer, ref.Fleet)
}

// update calls f with the customer ref while r.mu is held.
func (r *CustomerRepo) update(ctx context.Context, action string, ref domain.CustomerRef, f func(*customer) error) error {
	if err := ended(ctx, action); err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	c := r.byRef[ref]
	if c == nil {
		return noCustomer(ref)
	}
	return f(c)
}
