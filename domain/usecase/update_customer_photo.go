package usecase

import (
	"context"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

// UpdateCustomerPhoto replaces or deletes the photo of one customer. All
// fields but Address must be set. It is safe for concurrent use.
type UpdateCustomerPhoto struct {
	Fleets    ports.FleetAuth
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Log       ports.ApiLog
	Address   PhotoAddress // nil: the photos have no addresses of their own
	PINKey    domain.PINKey
	Reader    PhotoReader
	Clock     func() time.Time
}

// PhotoAddress returns the address under which the photo under key is fetched,
// whether or not there is one. It fails with Unavailable.
type PhotoAddress func(ctx context.Context, key domain.PhotoKey) (string, error)

// PhotoReader makes a photo of what a caller sends, as *photo.Reader does.
type PhotoReader interface {
	Limits() photo.Limits
	Read(ctx context.Context, data []byte) (domain.Photo, photo.Reading, error)
}

// Request is a call whose parameters have their types.
type Request struct {
	From    string // the caller's network address, for the log
	APIKey  domain.APIKey
	Phone   domain.PhoneNumber
	PIN     domain.PIN         // blank: not checked
	Delete  bool               // delete the photo; Photo isn't looked at
	Photo   []byte             // the image file as it came; may be changed, and is not kept after Do returns
	Details domain.CallDetails // what is known of how the call came: ContentType and BodyBytes
}

// Call describes the request for the log.
func (r Request) Call() domain.ApiCall {
	call := domain.ApiCall{From: r.From, Phone: r.Phone.Masked(), Details: r.Details}
	switch {
	case r.Delete:
		call.Operation = domain.DeletePhoto
	case len(r.Photo) > 0:
		call.Operation = domain.UpdatePhoto
		call.Details.PhotoBytes = int64(len(r.Photo))
	}
	return call
}

// Answer is what came of a call.
type Answer struct {
	ApiLogID domain.ApiLogID  // 0: the log could not be written
	Call     domain.ApiCall   // as it was given to the log
	Stored   domain.PhotoInfo // of the photo that was stored; zero after a delete or a failure
	PhotoKey domain.PhotoKey  // of the photo that was stored; empty after a delete or a failure
	PhotoURL string           // the store's own address for PhotoKey; empty: it has none
}

// change is what a call that may go ahead does to a customer's photo.
type change struct {
	operation domain.Operation // UpdatePhoto or DeletePhoto
	customer  domain.CustomerRef
	photo     domain.Photo // to store; none for DeletePhoto
	url       string       // the store's own address of photo, if it has one
}

// Do runs a call and logs it, a failed one too. When Do returns nil the change
// is durable. After an error of Kind Unavailable or Internal the old photo or
// the new one is stored, whole, and a repeat is safe; after any other error
// nothing was changed. Once the change has begun, cancelling ctx doesn't stop it.
func (u *UpdateCustomerPhoto) Do(ctx context.Context, request Request) (answer Answer, err error) {
	answer.Call = request.Call()
	answer.Call.ReceivedAt = u.now()
	defer func() {
		if cause := recover(); cause != nil {
			err = u.bug(ctx, &answer, cause)
		}
	}()

	change, err := u.prepare(ctx, request, &answer.Call)
	if err != nil {
		return answer, u.refuse(ctx, &answer, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CallTimeout)
	defer cancel()
	if answer.ApiLogID, err = u.Log.Open(ctx, answer.Call); err != nil {
		return answer, err
	}
	if err := u.carryOut(ctx, change, answer.ApiLogID); err != nil {
		return answer, err
	}
	if change.operation == domain.UpdatePhoto {
		answer.Stored, answer.PhotoKey, answer.PhotoURL = change.photo.Info(), change.customer.PhotoKey(), change.url
	}
	return answer, nil
}

// Refuse logs a call whose parameters could not be understood. It returns the
// error to answer with: cause, joined by the log's own failure.
func (u *UpdateCustomerPhoto) Refuse(ctx context.Context, request Request, cause error) (Answer, error) {
	answer := Answer{Call: request.Call()}
	answer.Call.ReceivedAt = u.now()
	return answer, u.refuse(ctx, &answer, cause)
}

// prepare does what a call needs before anything changes, and tells call what
// it finds out.
func (u *UpdateCustomerPhoto) prepare(ctx context.Context, request Request, call *domain.ApiCall) (change, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()

	if err := u.identifyFleet(ctx, request.APIKey, call); err != nil {
		return change{}, err
	}
	customer, err := u.Customers.FindByPhone(ctx, call.Fleet, request.Phone)
	if err != nil {
		return change{}, err
	}
	call.Customer = customer.Ref.Customer
	if err := u.checkPIN(ctx, customer, request.PIN); err != nil {
		return change{}, err
	}
	if request.Delete {
		return change{operation: domain.DeletePhoto, customer: customer.Ref}, nil
	}
	picture, err := u.readPhoto(ctx, request.Photo, &call.Details)
	if err != nil {
		return change{}, err
	}
	url, err := u.addressOf(ctx, customer.Ref)
	return change{domain.UpdatePhoto, customer.Ref, picture, url}, err
}

func (u *UpdateCustomerPhoto) identifyFleet(ctx context.Context, key domain.APIKey, call *domain.ApiCall) error {
	caller, err := u.Fleets.Authenticate(ctx, key.Hash())
	if err != nil {
		return err
	}
	call.Fleet, call.Key = caller.Fleet.ID, caller.Key
	if caller.Fleet.Disabled {
		return domain.Errorf(domain.FleetDisabled, "api_key: the key is right, but its fleet is switched off; ask the operator")
	}
	return nil
}

// checkPIN counts the attempt before it looks at the PIN, so that guesses in
// parallel can't outrun the lock.
func (u *UpdateCustomerPhoto) checkPIN(ctx context.Context, customer domain.Customer, pin domain.PIN) error {
	if pin.IsBlank() {
		return nil
	}
	if err := u.Customers.CountPINAttempt(ctx, customer.Ref, u.now()); err != nil {
		return err
	}
	if !customer.PIN.Matches(u.PINKey.Hash(customer.Ref, pin)) {
		return domain.Errorf(domain.InvalidPIN, "customer_pin: it does not match; after %d wrong ones in a row the PIN is locked for %.0f minutes", domain.MaxWrongPINs, domain.PINLockDuration.Minutes())
	}
	return u.Customers.ResetPINLock(ctx, customer.Ref)
}

func (u *UpdateCustomerPhoto) readPhoto(ctx context.Context, data []byte, details *domain.CallDetails) (domain.Photo, error) {
	picture, reading, err := u.Reader.Read(ctx, data)
	details.Format, details.Treatment = reading.Format, reading.Treatment
	if err == nil && ctx.Err() != nil { // decoding doesn't stop with ctx
		err = domain.Errorf(domain.Unavailable, "the call took too long; nothing was changed, send it again").WithCause(ctx.Err())
	}
	return picture, err
}

func (u *UpdateCustomerPhoto) addressOf(ctx context.Context, customer domain.CustomerRef) (string, error) {
	if u.Address == nil {
		return "", nil
	}
	return u.Address(ctx, customer.PhotoKey())
}

// carryOut changes the store and then the record, under the customer's lock,
// and closes the entry. Once the store was asked to change, a failure leaves
// the entry open: only Repair can tell what the store holds.
func (u *UpdateCustomerPhoto) carryOut(ctx context.Context, c change, id domain.ApiLogID) error {
	asked := false // the store, to change
	details := domain.OutcomeDetails{After: c.photo.Info()}
	err := u.Customers.ChangePhoto(ctx, c.customer, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
		asked, details.Before = true, current.Info
		err := u.changeStore(ctx, c)
		return domain.PhotoRecord{Info: c.photo.Info(), ChangedAt: u.now(), ChangedBy: id}, err
	})
	switch {
	case err != nil && asked:
		return domain.Errorf(domain.Unavailable, "the change was cut off: the old photo or the new one is stored, whole; send the call again").WithCause(err)
	case err != nil:
		return errors.Join(domain.AsError(err), u.closeEntry(ctx, id, u.failure(err)))
	}
	// The photo is stored, and that is the answer. If closing fails, the entry
	// waits for Repair, which closes it as valid, or as interrupted where a
	// later call has changed the photo again by then.
	_ = u.closeEntry(ctx, id, domain.Outcome{Result: domain.Valid, EndedAt: u.now(), Details: details})
	return nil
}

func (u *UpdateCustomerPhoto) changeStore(ctx context.Context, c change) error {
	if c.operation == domain.DeletePhoto {
		return u.Photos.Delete(ctx, c.customer.PhotoKey())
	}
	return u.Photos.Put(ctx, c.customer.PhotoKey(), c.photo)
}

func (u *UpdateCustomerPhoto) closeEntry(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	return u.Log.Close(ctx, id, outcome)
}

// refuse logs a call that failed before anything changed, in one write. What
// fails or panics in the log joins the cause, whose Kind stays.
func (u *UpdateCustomerPhoto) refuse(ctx context.Context, answer *Answer, cause error) (err error) {
	err = domain.AsError(cause)
	defer func() {
		if panicked := recover(); panicked != nil {
			err = errors.Join(err, fmt.Errorf("panic in the log: %v\n%s", panicked, debug.Stack()))
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	id, logErr := u.Log.Record(ctx, answer.Call, u.failure(cause))
	answer.ApiLogID = id
	return errors.Join(err, logErr)
}

// bug turns a panic into an error. An entry that is open stays open.
func (u *UpdateCustomerPhoto) bug(ctx context.Context, answer *Answer, cause any) error {
	err := domain.AsError(fmt.Errorf("panic: %v\n%s", cause, debug.Stack()))
	if answer.ApiLogID != 0 {
		return err
	}
	return u.refuse(ctx, answer, err)
}

func (u *UpdateCustomerPhoto) failure(err error) domain.Outcome {
	known := domain.AsError(err)
	return domain.Outcome{Result: domain.Failed, Error: known.Kind, Detail: known.Public, EndedAt: u.now()}
}

func (u *UpdateCustomerPhoto) now() time.Time { return domain.Instant(u.Clock()) }
