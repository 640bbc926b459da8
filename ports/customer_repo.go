package ports

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
)

// LockProof proves, by a round trip to wherever the lock is kept, that the
// customer is still locked, so that no other change can have begun. It fails with
// Unavailable if that isn't certain.
type LockProof func(ctx context.Context) error

// PhotoChange changes a customer's photo in the photo store and returns the
// record of what the store holds then. current is the record before the change.
type PhotoChange func(ctx context.Context, current domain.PhotoRecord, stillLocked LockProof) (domain.PhotoRecord, error)

// ClosingChange is a PhotoChange that also returns the outcome of its log entry.
type ClosingChange func(ctx context.Context, current domain.PhotoRecord, stillLocked LockProof) (domain.PhotoRecord, domain.Outcome, error)

// Closing returns change as a ClosingChange with a zero outcome.
func (change PhotoChange) Closing() ClosingChange {
	return func(ctx context.Context, current domain.PhotoRecord, stillLocked LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		record, err := change(ctx, current, stillLocked)
		return record, domain.Outcome{}, err
	}
}

// CustomerRepo is what a call needs of the customers: to find one, to check the
// PIN, and to change the record of the photo.
type CustomerRepo interface {
	// FindByPhone returns the fleet's customer with this phone number. It fails
	// with CustomerNotFound if the fleet has none, even if another fleet does.
	FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error)

	// TryPIN applies domain.PINLock.Try to the customer's PIN and lock, by the
	// repository's own clock, and durably stores the result, in one atomic step: a
	// wrong PIN is counted before the next one is compared, across all processes.
	// TryPIN returns the result of Try only after it is stored. If ctx ends during
	// TryPIN, a wrong PIN may or may not be counted; a right one is never counted. It
	// fails with InvalidPIN, PINLocked and CustomerNotFound.
	//
	// TryPIN doesn't wait for a ChangePhoto. While one of this customer runs, TryPIN
	// may leave the PIN's hash under the old key; the next right PIN replaces it.
	TryPIN(ctx context.Context, customer domain.CustomerRef, offered domain.OfferedPIN) error

	// ChangePhoto locks the customer, runs change, and durably stores the record
	// that change returns. While change runs, no other ChangePhoto for this
	// customer runs in any process that uses this repository. Other customers and
	// the other methods don't wait for it.
	//
	// change runs at most once; if ChangePhoto fails before it, not at all. If
	// change fails or panics, the record stays as it was, the customer is unlocked,
	// and ChangePhoto returns that same error or lets the panic through. If
	// ChangePhoto fails after change has succeeded, the record may be the old one
	// or the new one, and the caller leaves it to Repair to find out. If the lock
	// was lost meanwhile, the record stays as it was, and ChangePhoto fails.
	//
	// The ctx passed to change is ctx or is derived from it. change must not call
	// this repository. ChangePhoto fails with CustomerNotFound, without running
	// change, if the customer doesn't exist.
	ChangePhoto(ctx context.Context, customer domain.CustomerRef, change PhotoChange) error
}

// CustomerDirectory lets an operator manage the customers of a CustomerRepo.
type CustomerDirectory interface {
	// FindCustomer returns the customer ref. It fails with CustomerNotFound.
	FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error)

	// Customers returns the customers after the given one, in order of fleet and
	// id, at most limit of them. The given customer need not exist.
	Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.StoredCustomer, error)

	// SaveCustomers durably stores customers of another database in one step: phone
	// number, PIN, lock and the photo's record, replacing what is stored of them.
	// Each customer, and within a fleet each phone number, may occur once, in any
	// order. A customer whose phone number belongs to another one who keeps it is
	// not stored; SaveCustomers returns these. It doesn't check whether the fleets
	// exist. It may wait for a ChangePhoto of one of the customers. Repeating it
	// is harmless. It fails only with Unavailable.
	SaveCustomers(ctx context.Context, customers []domain.StoredCustomer) (phoneTaken []domain.CustomerRef, err error)

	// ImportCustomers durably imports customers in the given order, all of them or,
	// when it fails, none, and returns a result for each; see domain.ImportResult.
	// A new customer has no photo and no wrong PIN counted. An existing customer
	// keeps the PIN's lock and the photo's record. Customers whose result is
	// Unchanged, IDTaken or PhoneTaken are not written. A phone number that one
	// customer gives up is free for those after it.
	//
	// ImportCustomers may wait for a ChangePhoto of a customer that it changes.
	// Repeating it is harmless. It doesn't check whether the fleets exist: they may
	// live in another backend. It fails only with Unavailable.
	ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error)

	// PlanImport returns what ImportCustomers would return, and changes nothing. It
	// doesn't wait for a ChangePhoto. It fails only with Unavailable.
	PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error)

	// SetCustomer durably applies change to the customer ref in one step. What
	// change doesn't set stays, even if it is changed concurrently, and so do the
	// PIN's lock and the photo's record. It fails with CustomerNotFound and,
	// changing nothing, with Conflict if another customer of the fleet has the
	// phone number. It may wait for a ChangePhoto of this customer. Repeating it is
	// harmless.
	SetCustomer(ctx context.Context, ref domain.CustomerRef, change domain.CustomerChange) error

	// RemoveCustomer runs change, which deletes the photo, just as ChangePhoto
	// does, and then durably removes the customer and the PIN's lock instead of
	// storing the record. If change fails or panics, the customer stays, and
	// RemoveCustomer returns that same error or lets the panic through. If
	// RemoveCustomer fails after change has succeeded, the customer is either
	// removed or unchanged. It fails with CustomerNotFound, without running change,
	// if the customer doesn't exist; so does a ChangePhoto that waited for it.
	RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change PhotoChange) error

	// UnlockPIN durably sets the PIN's lock to its zero value. It fails with
	// CustomerNotFound.
	UnlockPIN(ctx context.Context, ref domain.CustomerRef) error
}

// FleetCustomers is a CustomerDirectory together with the FleetDirectory of its
// fleets, in one database, so that no customer and no key is left without a
// fleet, even if it is added while the fleet is being removed.
type FleetCustomers interface {
	// CustomerDirectory's ImportCustomers also fails with NotFound, changing
	// nothing, if one of the fleets doesn't exist.
	CustomerDirectory

	// RemoveFleet durably removes a fleet together with its keys. It fails with
	// NotFound if there is no such fleet and, changing nothing, with Conflict if
	// the fleet has customers; the error's Public text says how many. It may wait
	// for an ImportCustomers of the fleet.
	RemoveFleet(ctx context.Context, fleet domain.FleetID) error
}

// ChangeRecorder is a CustomerRepo and an ApiLog in one database, which store the
// record and the outcome of its change in one commit, so that they always agree.
// Each method does what its namesake in CustomerRepo or CustomerDirectory does. In
// the transaction that stores the record it also gives the entry the outcome that
// change returns, as ApiLog.Close does; if there is no such entry, that is no
// error. If the method fails, either both are stored or neither is.
type ChangeRecorder interface {
	// ChangePhotoAndClose is ChangePhoto and Close.
	ChangePhotoAndClose(ctx context.Context, customer domain.CustomerRef, entry domain.ApiLogID, change ClosingChange) error

	// RemoveCustomerAndClose is RemoveCustomer and Close.
	RemoveCustomerAndClose(ctx context.Context, customer domain.CustomerRef, entry domain.ApiLogID, change ClosingChange) error
}

// PINKeyBinder remembers which key the PINs of a CustomerRepo are hashed under.
type PINKeyBinder interface {
	// BindPINKey durably stores that the PINs are hashed under key. It does so if
	// no key is stored, if no customer has a PIN, or if the stored key is key or
	// previous, the key before a rotation (zero: none). If another key is stored and
	// a customer has a PIN, no PIN would match: BindPINKey fails with Conflict and
	// changes nothing. Of several keys bound concurrently while customers have
	// PINs, only one is stored.
	BindPINKey(ctx context.Context, key, previous domain.PINKeyFingerprint) error

	// BoundPINKey returns the stored key; zero if there is none.
	BoundPINKey(ctx context.Context) (domain.PINKeyFingerprint, error)
}
