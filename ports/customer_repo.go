package ports

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// PhotoChange changes a customer's photo in the photo store and returns the
// record of what is there now. current is the record before the change.
type PhotoChange func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error)

// CustomerRepo is what a call needs of the customers: to find one, to count
// attempts on the PIN, and to change the record of the photo.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type CustomerRepo interface {
	// FindByPhone returns the customer of this fleet with this number. It
	// fails with CustomerNotFound where the fleet has none, whatever other
	// fleets have.
	FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error)

	// CountPINAttempt applies domain.PINLock.Count to the customer's lock at
	// the time now and stores the result, durably and atomically: of any
	// number of attempts at once, in any process, at most domain.MaxWrongPINs
	// succeed. It fails with PINLocked and the time to wait in RetryAfter, and
	// with CustomerNotFound.
	CountPINAttempt(ctx context.Context, customer domain.CustomerRef, now time.Time) error

	// ResetPINLock sets the customer's lock back, durably, after a right PIN.
	// It fails with CustomerNotFound.
	ResetPINLock(ctx context.Context, customer domain.CustomerRef) error

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
	// lets Repair find out.
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

	// Customers returns customers, whole, in the order of their fleets and
	// ids, those that stand after the given one, whether or not it exists; at
	// most limit of them; none where limit is below 1.
	Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.Customer, error)

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

	// RemoveCustomer runs deletePhoto under the customer's lock, as ChangePhoto
	// runs its change, and then removes the customer, durably, with the PIN's
	// lock and the photo's record. When deletePhoto fails or panics, the
	// customer stays, and RemoveCustomer returns that error as it is, or lets
	// the panic through. When RemoveCustomer fails after deletePhoto succeeded,
	// the customer is still there or removed, whole. It fails with
	// CustomerNotFound, without running deletePhoto, where the customer doesn't
	// exist, and so does a ChangePhoto that waited meanwhile.
	RemoveCustomer(ctx context.Context, ref domain.CustomerRef, deletePhoto func(ctx context.Context) error) error
}

// PINKeyBinder remembers which key the PINs of a CustomerRepo are hashed under.
//
// It fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type PINKeyBinder interface {
	// BindPINKey stores which key the PINs are hashed under, durably, where none
	// is stored or no customer has a PIN. Where another key is stored and a
	// customer has a PIN, it fails with Conflict and changes nothing: no PIN would
	// match. Of any number of keys at once, one is stored then.
	BindPINKey(ctx context.Context, key domain.PINKeyFingerprint) error
}
