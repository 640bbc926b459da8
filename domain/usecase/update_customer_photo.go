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
// fields but Address and Observe must be set. It is safe for concurrent use.
type UpdateCustomerPhoto struct {
	Fleets    ports.FleetAuth
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Log       ports.ApiLog
	Address   PhotoAddress // nil: the photos have no addresses of their own
	PINKey    domain.PINKey
	Reader    *photo.Reader
	Clock     func() time.Time
	// Observe is told that a stage of a call begins. The stage runs with the
	// context that it returns, and calls the function with the time that it
	// took and its error when it ends. It is called by any number of calls at once.
	Observe func(context.Context, domain.Stage) (context.Context, func(time.Duration, error))
}

// PhotoAddress returns the address under which the photo under key is fetched,
// whether or not there is one. It fails with Unavailable.
type PhotoAddress func(ctx context.Context, key domain.PhotoKey) (string, error)

// Request is a call whose parameters have their types.
type Request struct {
	From   string // the caller's network address, for the log
	APIKey domain.APIKey
	Phone  domain.PhoneNumber
	PIN    domain.PIN // blank: not checked
	Delete bool       // delete the photo; Photo isn't looked at
	Photo  []byte     // the image file as it came; may be changed, and is not kept after Do returns

	// Details are what is known of how the call came: TraceID, ContentType,
	// BodyBytes and the time of the stage Receive.
	Details domain.CallDetails
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
	Call     domain.ApiCall   // as it was logged
	Stored   domain.PhotoInfo // of the photo that was stored; zero after a delete or a failure
	PhotoKey domain.PhotoKey  // of the photo that was stored; empty after a delete or a failure
	PhotoURL string           // the store's own address for PhotoKey; empty: it has none
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
	change := change{plan: plan}
	if answer.ApiLogID, err = u.openEntry(ctx, answer.Call, &change); err != nil {
		return answer, err
	}
	if err := u.changePhoto(ctx, answer.ApiLogID, &change); err != nil {
		return answer, err
	}
	answer.PhotoKey, answer.PhotoURL, answer.Stored = plan.key, plan.url, change.details.After
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
func (u *UpdateCustomerPhoto) prepare(ctx context.Context, request Request, call *domain.ApiCall) (plan, error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()

	if err := u.identify(ctx, request.APIKey, call); err != nil {
		return plan{}, err
	}
	customer, err := u.findCustomer(ctx, request.Phone, call)
	if err != nil {
		return plan{}, err
	}
	if err := u.checkPIN(ctx, customer, request.PIN, &call.Details.Stages); err != nil {
		return plan{}, err
	}
	if request.Delete {
		return plan{customer: customer.Ref}, nil
	}
	picture, err := u.readPhoto(ctx, request.Photo, &call.Details)
	if err != nil {
		return plan{}, err
	}
	key := customer.Ref.PhotoKey()
	var url string
	if u.Address != nil {
		url, err = u.Address(ctx, key)
	}
	return plan{customer: customer.Ref, picture: picture, key: key, url: url}, err
}

func (u *UpdateCustomerPhoto) identify(ctx context.Context, key domain.APIKey, call *domain.ApiCall) (err error) {
	ctx, end := u.Begin(ctx, domain.Identify, &call.Details.Stages)
	defer func() { end(err) }()
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

func (u *UpdateCustomerPhoto) findCustomer(ctx context.Context, phone domain.PhoneNumber, call *domain.ApiCall) (domain.Customer, error) {
	ctx, end := u.Begin(ctx, domain.Find, &call.Details.Stages)
	customer, err := u.Customers.FindByPhone(ctx, call.Fleet, phone)
	end(err)
	if err == nil {
		call.Customer = customer.Ref.Customer
	}
	return customer, err
}

func (u *UpdateCustomerPhoto) readPhoto(ctx context.Context, data []byte, details *domain.CallDetails) (domain.Photo, error) {
	ctx, end := u.Begin(ctx, domain.ReadPhoto, &details.Stages)
	picture, reading, err := u.Reader.Read(ctx, data)
	if err == nil && ctx.Err() != nil { // decoding doesn't stop with ctx
		err = domain.Errorf(domain.Unavailable, "the call took too long; nothing was changed, send it again").WithCause(ctx.Err())
	}
	end(err)
	details.Format, details.Treatment = reading.Format, reading.Treatment
	return picture, err
}

// checkPIN counts the attempt before it looks at the PIN, so that guesses in
// parallel can't outrun the lock.
func (u *UpdateCustomerPhoto) checkPIN(ctx context.Context, customer domain.Customer, pin domain.PIN, times *domain.StageTimes) (err error) {
	if pin.IsBlank() {
		return nil
	}
	ctx, end := u.Begin(ctx, domain.CheckPIN, times)
	defer func() { end(err) }()
	if err := u.Customers.CountPINAttempt(ctx, customer.Ref, u.now()); err != nil {
		return err
	}
	if !customer.PIN.Matches(u.PINKey.Hash(customer.Ref, pin)) {
		return domain.Errorf(domain.InvalidPIN, "customer_pin: it does not match; after %d wrong ones in a row the PIN is locked for %.0f minutes", domain.MaxWrongPINs, domain.PINLockDuration.Minutes())
	}
	return u.Customers.ResetPINLock(ctx, customer.Ref)
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
	id, logErr := u.Log.Record(ctx, answer.Call, u.failure(cause, domain.OutcomeDetails{}))
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

func (u *UpdateCustomerPhoto) failure(err error, details domain.OutcomeDetails) domain.Outcome {
	known := domain.AsError(err)
	return domain.Outcome{Result: domain.Failed, Error: known.Kind, Detail: known.Public, EndedAt: u.now(), Details: details}
}

// Begin begins a stage of a call. The stage runs with the context that comes
// back, and ends with the function, which adds the time that it took to times.
func (u *UpdateCustomerPhoto) Begin(ctx context.Context, stage domain.Stage, times *domain.StageTimes) (context.Context, func(error)) {
	begun := u.Clock()
	observed := func(time.Duration, error) {}
	if u.Observe != nil {
		ctx, observed = u.Observe(ctx, stage)
	}
	return ctx, func(err error) {
		took := u.Clock().Sub(begun)
		times[stage] += took.Truncate(time.Microsecond)
		observed(took, err)
	}
}

func (u *UpdateCustomerPhoto) now() time.Time { return domain.Instant(u.Clock()) }
