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
// fields must be set. It is safe for concurrent use.
type UpdateCustomerPhoto struct {
	Fleets    ports.FleetAuth
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Log       ports.ApiLog
	PINKey    domain.PINKey
	Reader    *photo.Reader
	Clock     func() time.Time
}

// Request is a call whose parameters have their types.
type Request struct {
	From   string // the caller's network address, for the log
	APIKey domain.APIKey
	Phone  domain.PhoneNumber
	PIN    domain.PIN // blank: not checked
	Delete bool       // delete the photo; Photo isn't looked at
	Photo  []byte     // the image file as it came; may be changed, and is not kept after Do returns
}

// Call describes the request for the log.
func (r Request) Call() domain.ApiCall {
	call := domain.ApiCall{From: r.From, Phone: r.Phone.Masked()}
	switch {
	case r.Delete:
		call.Operation = domain.DeletePhoto
	case len(r.Photo) > 0:
		call.Operation = domain.UpdatePhoto
	}
	return call
}

// Answer is what came of a call.
type Answer struct {
	ApiLogID domain.ApiLogID // 0: the log could not be written
	Call     domain.ApiCall  // as it was logged
	PhotoKey domain.PhotoKey // of the photo that was stored; empty after a delete or a failure
	PhotoURL string          // the store's own address for PhotoKey; empty: it has none
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

	plan, err := u.prepare(ctx, request, &answer.Call)
	if err != nil {
		return answer, u.refuse(ctx, &answer, err)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), CallTimeout)
	defer cancel()
	if answer.ApiLogID, err = u.Log.Open(ctx, answer.Call); err != nil {
		return answer, err
	}
	if err := u.changePhoto(ctx, answer.ApiLogID, plan); err != nil {
		return answer, err
	}
	answer.PhotoKey, answer.PhotoURL = plan.key, plan.url
	return answer, nil
}

// Refuse logs a call whose parameters could not be understood. It returns the
// error to answer with: cause, joined by the log's own failure.
func (u *UpdateCustomerPhoto) Refuse(ctx context.Context, request Request, cause error) (Answer, error) {
	answer := Answer{Call: request.Call()}
	answer.Call.ReceivedAt = u.now()
	return answer, u.refuse(ctx, &answer, cause)
}

// plan is what a call that may go ahead will do.
type plan struct {
	customer domain.CustomerRef
	picture  domain.Photo    // zero: delete
	key      domain.PhotoKey // where picture will be; empty for a delete
	url      string
}

// prepare does what a call needs before anything changes, and tells call what
// it finds out.
func (u *UpdateCustomerPhoto) prepare(ctx context.Context, request Request, call *domain.ApiCall) (plan, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()

	fleet, err := u.Fleets.Authenticate(ctx, request.APIKey.Hash())
	if err != nil {
		return plan{}, err
	}
	call.Fleet = fleet.ID
	if fleet.Disabled {
		return plan{}, domain.Errorf(domain.FleetDisabled, "api_key: the key is right, but its fleet is switched off; ask the operator")
	}
	customer, err := u.Customers.FindByPhone(ctx, fleet.ID, request.Phone)
	if err != nil {
		return plan{}, err
	}
	call.Customer = customer.Ref.Customer
	if err := u.checkPIN(ctx, customer, request.PIN); err != nil {
		return plan{}, err
	}
	if request.Delete {
		return plan{customer: customer.Ref}, nil
	}
	picture, err := u.Reader.Read(ctx, request.Photo)
	if err != nil {
		return plan{}, err
	}
	if ctx.Err() != nil { // decoding doesn't stop with ctx
		return plan{}, domain.Errorf(domain.Unavailable, "the call took too long; nothing was changed, send it again").WithCause(ctx.Err())
	}
	key := customer.Ref.PhotoKey()
	url, err := u.Photos.URL(ctx, key)
	return plan{customer: customer.Ref, picture: picture, key: key, url: url}, err
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

// changePhoto changes the store, then the record, then closes the entry. Once
// the store was asked to change, a failure leaves the entry open: only Repair
// can tell what the store holds.
func (u *UpdateCustomerPhoto) changePhoto(ctx context.Context, id domain.ApiLogID, plan plan) error {
	asked := false
	err := u.Customers.ChangePhoto(ctx, plan.customer, func(ctx context.Context, _ domain.PhotoRecord) (domain.PhotoRecord, error) {
		asked = true
		record := domain.PhotoRecord{Info: plan.picture.Info(), ChangedAt: u.now(), ChangedBy: id}
		if plan.key == "" {
			return record, u.Photos.Delete(ctx, plan.customer.PhotoKey())
		}
		return record, u.Photos.Put(ctx, plan.key, plan.picture)
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
	_ = u.closeEntry(ctx, id, domain.Outcome{Result: domain.Valid, EndedAt: u.now()})
	return nil
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

func (u *UpdateCustomerPhoto) closeEntry(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	return u.Log.Close(ctx, id, outcome)
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

func (u *UpdateCustomerPhoto) now() time.Time { return instant(u.Clock()) }
