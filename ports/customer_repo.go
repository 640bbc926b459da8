package ports

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
)

// LockProof proves by a round trip to where the lock is kept that the customer
// is still locked, so that no other change can have begun. It fails with
// Unavailable where that isn't certain.
type LockProof func(ctx context.Context) error

// PhotoChange changes a customer's photo in the photo store and returns the
// record of what is there now. current is the record before the change.
type PhotoChange func(ctx context.Context, current domain.PhotoRecord, stillLocked LockProof) (domain.PhotoRecord, error)

// ClosingChange is a PhotoChange that also returns the outcome for the entry of
// the log.
type ClosingChange func(ctx context.Context, current domain.PhotoRecord, stillLocked LockProof) (domain.PhotoRecord, domain.Outcome, error)

// Closing returns change as one that has no outcome for an entry.
func (change PhotoChange) Closing() ClosingChange {
	return func(ctx context.Context, current domain.PhotoRecord, stillLocked LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		record, err := change(ctx, current, stillLocked)
		return record, domain.Outcome{}, err
	}
}

// CustomerRepo is what a call needs of the customers: to find one, to check the
// PIN, and to change the record of the photo.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type CustomerRepo interface {
	// FindByPhone returns the customer of this fleet with this number. It
	// fails with CustomerNotFound where the fleet has none, whatever other
	// fleets have.
	FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error)

	// TryPIN applies domain.PINLock.Try to the customer's PIN and lock, by the
	// repository's own clock, and stores the result, durably, in one atomic
	// step: nobody compares before another's attempt is counted, in any process.
	// What it returns holds once it is stored; one whose ctx ends meanwhile
	// counts a wrong PIN or doesn't, and never a right one. While a change of
	// the photo runs, a PIN under the old key may stay so until the next right one. It fails with
	// InvalidPIN, PINLocked and CustomerNotFound. It waits for no change.
	TryPIN(ctx context.Context, customer domain.CustomerRef, offered domain.OfferedPIN) error

	// ChangePhoto runs change while no other ChangePhoto for this customer
	// runs, in any process on this repository, and stores the record that
	// change returns, durably. Other customers don't wait for it, nor do the
	// other methods.
	//
	// change runs once or, when ChangePhoto fails before it, not at all; it
	// is never repeated. When change fails or panics, the record stays as it
	// was and ChangePhoto returns that error as it is, or lets the panic
	// through; the customer isn't left locked. When ChangePhoto fails after
	// change succeeded, the record is the old one or the new one: the caller
	// lets Repair find out. Where the lock was lost meanwhile, the record stays.
	//
	// The ctx that change gets is ctx or ends with it. change doesn't call
	// this repository. ChangePhoto fails with CustomerNotFound, without
	// running change, where the customer doesn't exist.
	ChangePhoto(ctx context.Context, customer domain.CustomerRef, change PhotoChange) error
}

// CustomerDirectory is how an operator manages the customers of a CustomerRepo.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type CustomerDirectory interface {
	// FindCustomer returns the customer ref. It fails with CustomerNotFound.
	FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error)

	// Customers returns customers in the order of their fleets and ids, beginning
	// after the given one, whether or not it exists; at most limit of them; none
	// where limit is below 1.
	Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.StoredCustomer, error)

	// SaveCustomers stores customers as they are in another database: phone number,
	// PIN, lock and the photo's record, in place of what is stored of them, in one
	// step, durably. Each customer, and within a fleet each phone number, comes once;
	// the order doesn't matter. Customers whose phone number belongs to somebody who
	// keeps it are not stored; SaveCustomers returns them. Whether the fleets exist is
	// not checked. It may wait for a ChangePhoto of one of the customers. Repeating it
	// is harmless. It fails with Unavailable alone.
	SaveCustomers(ctx context.Context, customers []domain.StoredCustomer) (phoneTaken []domain.CustomerRef, err error)

	// ImportCustomers imports customers one after the other, all of them or,
	// when it fails, none, durably, and returns the result of each, as
	// domain.ImportResult describes it. A new customer has no photo and no wrong
	// PIN counted. A change leaves the PIN's lock and the photo's record. A
	// customer who is Unchanged, IDTaken or PhoneTaken is not written. A phone
	// number that one customer gives up is free for those after it.
	//
	// It may wait for a ChangePhoto of a customer that it changes. Repeating it
	// is harmless. Whether the fleets exist is not checked: they may live in
	// another backend. It fails with Unavailable alone.
	ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error)

	// PlanImport returns what ImportCustomers would, and changes nothing. It
	// waits for no change. It fails with Unavailable alone.
	PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error)

	// SetCustomer makes a change of the customer ref, in one step, durably: what
	// change doesn't have stays, whatever else changes it at once, and so do the
	// PIN's lock and the photo's record. It fails with CustomerNotFound and,
	// changing nothing, with Conflict where another customer of the fleet has the
	// phone number. It may wait for a ChangePhoto of this customer. Repeating it is
	// harmless.
	SetCustomer(ctx context.Context, ref domain.CustomerRef, change domain.CustomerChange) error

	// RemoveCustomer runs change, which deletes the photo, as ChangePhoto does,
	// and then removes the customer instead of storing the record, durably, with
	// the PIN's lock. When change fails or panics, the customer stays, and
	// RemoveCustomer returns that error as it is, or lets the panic through.
	// When RemoveCustomer fails after change succeeded, the customer is still
	// there or removed, whole. It fails with CustomerNotFound, without running
	// change, where the customer doesn't exist, and so does a ChangePhoto that
	// waited meanwhile.
	RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change PhotoChange) error

	// UnlockPIN sets the PIN's lock to its zero value, durably. It fails with
	// CustomerNotFound.
	UnlockPIN(ctx context.Context, ref domain.CustomerRef) error
}

// FleetCustomers is a CustomerDirectory and the FleetDirectory of its fleets in
// one database, which leaves no customer without a fleet: a customer who is added
// and the fleet's removal are never both stored. An AddKey and the fleet's removal
// aren't either.
type FleetCustomers interface {
	// ImportCustomers, of its methods, also fails with NotFound, changing
	// nothing, where there is no fleet of one of the customers.
	CustomerDirectory

	// RemoveFleet removes a fleet together with its keys, durably. It fails with
	// NotFound when there is no such fleet and, changing nothing, with Conflict
	// where it has customers; the error's Public text says how many. It may wait
	// for an ImportCustomers of the fleet.
	RemoveFleet(ctx context.Context, fleet domain.FleetID) error
}

// ChangeRecorder is a CustomerRepo and an ApiLog in one database, which store a
// change and how it ended in one commit: the log can't say anything else than
// the record. Each method does what the one of CustomerRepo or
// CustomerDirectory does and, in the transaction that stores the record, gives
// the entry the outcome that change returns, as Close does; an entry that
// doesn't exist is no error. When the method fails, neither is stored, or both.
type ChangeRecorder interface {
	// ChangePhotoAndClose is ChangePhoto and Close.
	ChangePhotoAndClose(ctx context.Context, customer domain.CustomerRef, entry domain.ApiLogID, change ClosingChange) error

	// RemoveCustomerAndClose is RemoveCustomer and Close.
	RemoveCustomerAndClose(ctx context.Context, customer domain.CustomerRef, entry domain.ApiLogID, change ClosingChange) error
}

// PINKeyBinder remembers which key the PINs of a CustomerRepo are hashed under.
//
// It fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type PINKeyBinder interface {
	// BindPINKey stores that the PINs are hashed under key, durably, where no
	// key is stored, no customer has a PIN, or the stored key is old: keys are
	// rotated then. old is zero where there is none. Where another key is stored
	// and a customer has a PIN, it fails with Conflict and changes nothing: no
	// PIN would match. Of any number of keys at once, one is stored then.
	BindPINKey(ctx context.Context, key, old domain.PINKeyFingerprint) error

	// BoundPINKey returns the key that is stored; zero where there is none.
	BoundPINKey(ctx context.Context) (domain.PINKeyFingerprint, error)
}
