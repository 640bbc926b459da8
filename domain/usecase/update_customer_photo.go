package usecase

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

// UpdateCustomerPhoto replaces or deletes the photo of one customer. All
// fields but Address and Limits must be set. It is safe for concurrent use.
type UpdateCustomerPhoto struct {
	Fleets  ports.FleetAuth
	Changes *ChangePhoto
	Address PhotoAddress // nil if the store has no addresses for its photos
	PINKeys domain.PINKeys
	Reader  PhotoReader
	Limits  RateLimits // nil for none
}

// PhotoAddress returns the address of the photo under key, whether or not there
// is a photo: a URL, or a path on the server that was called. It fails with
// Unavailable.
type PhotoAddress func(ctx context.Context, key domain.PhotoKey) (string, error)

// PhotoReader turns the image file of a caller into a photo; see photo.Reader.
type PhotoReader interface {
	Limits() photo.Limits
	Read(ctx context.Context, fleet domain.FleetID, data []byte) (domain.Photo, photo.Reading, error)
}

// Request is a call with its parameters parsed.
type Request struct {
	From    string // the caller's network address, for the log
	APIKey  domain.APIKey
	Phone   domain.DialledPhone
	PIN     domain.PIN         // blank: not checked, unless the fleet requires one
	Delete  bool               // delete the photo; Photo is ignored
	Photo   []byte             // the image file as received; Do may overwrite it, and doesn't retain it
	Details domain.CallDetails // ContentType and BodyBytes, as far as they are known
}

// Call describes the request for the log.
func (r Request) Call() domain.ApiCall {
	call := domain.ApiCall{From: r.From, Phone: r.Phone.Number.Masked(), Details: r.Details}
	switch {
	case r.Delete:
		call.Operation = domain.DeletePhoto
	case len(r.Photo) > 0:
		call.Operation = domain.UpdatePhoto
		call.Details.PhotoBytes = int64(len(r.Photo))
	}
	return call
}

// Answer is the result of a call.
type Answer struct {
	ApiLogID domain.ApiLogID  // 0: not logged
	Call     domain.ApiCall   // as written to the log
	Stored   domain.PhotoInfo // of the stored photo; zero after a deletion or a failure
	PhotoKey domain.PhotoKey  // of the stored photo; empty after a deletion or a failure
	PhotoURL string           // the store's own address for PhotoKey; empty if it has none
}

// Do runs a call and logs it, even if it fails. When Do returns nil, the change is
// durable. After an error that is Unchanged, nothing was changed and nothing will
// be; after any other, the old photo or the new one is stored, whole, and a repeat
// is safe. A call that fails with ErrRateLimited is not logged: Limits counts it.
// Once the change has begun, cancelling ctx doesn't stop it.
func (u *UpdateCustomerPhoto) Do(ctx context.Context, request Request) (answer Answer, err error) {
	answer.Call = request.Call()
	answer.Call.ReceivedAt = u.Changes.now()
	defer func() {
		if cause := recover(); cause != nil {
			err = u.refuse(ctx, &answer, panicked(cause))
		}
	}()

	photo, url, err := u.prepare(ctx, request, &answer.Call)
	if err != nil {
		return answer, u.refuse(ctx, &answer, err)
	}
	if answer.ApiLogID, err = u.Changes.Do(ctx, answer.Call, photo); err != nil {
		return answer, err
	}
	if !request.Delete {
		customer := answer.Call.CustomerRef()
		answer.Stored, answer.PhotoKey, answer.PhotoURL = photo.Info(), customer.PhotoKey(), url
	}
	return answer, nil
}

// Refuse logs a call whose parameters could not be parsed, under its fleet if its
// key is live. It returns the error to answer with: cause, joined with the log's
// failure if there is one, or ErrRateLimited as Do does.
func (u *UpdateCustomerPhoto) Refuse(ctx context.Context, request Request, cause error) (answer Answer, err error) {
	answer.Call = request.Call()
	answer.Call.ReceivedAt = u.Changes.now()
	defer func() {
		if bug := recover(); bug != nil {
			err = u.refuse(ctx, &answer, errors.Join(cause, panicked(bug)))
		}
	}()
	if limited := u.limitRefusal(ctx, request.APIKey, &answer.Call, cause); errors.Is(limited, ErrRateLimited) {
		cause = limited
	}
	return answer, u.refuse(ctx, &answer, cause)
}

// prepare does all of a call that comes before the change, and fills in call. It
// returns the photo to store, the zero Photo for a deletion, and the store's own
// address for it, if it has one.
func (u *UpdateCustomerPhoto) prepare(ctx context.Context, request Request, call *domain.ApiCall) (picture domain.Photo, url string, err error) {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()

	fleet, err := u.identifyFleet(ctx, request.APIKey, call)
	if err != nil {
		return picture, "", err
	}
	customer, err := FindByPhone(ctx, u.Changes.Customers, fleet, request.Phone)
	if err != nil {
		return picture, "", err
	}
	call.Customer = customer.Ref.Customer
	if err := u.checkPIN(ctx, fleet, customer.Ref, request.PIN); err != nil {
		return picture, "", err
	}
	if request.Delete {
		return picture, "", nil
	}
	if picture, err = u.readPhoto(ctx, request.Photo, call); err != nil {
		return domain.Photo{}, "", err
	}
	url, err = u.addressOf(ctx, customer.Ref)
	return picture, url, err
}

func (u *UpdateCustomerPhoto) identifyFleet(ctx context.Context, key domain.APIKey, call *domain.ApiCall) (domain.Fleet, error) {
	caller, err := u.Fleets.Authenticate(ctx, key.Hash())
	if errors.Is(err, domain.InvalidHashID) {
		return domain.Fleet{}, u.limitFailure(call.From, err)
	}
	if err != nil {
		return domain.Fleet{}, err
	}
	call.Fleet, call.Key = caller.Fleet.ID, caller.Key
	if err := u.limitFleet(caller.Fleet.ID); err != nil {
		return domain.Fleet{}, err
	}
	if caller.Fleet.Disabled {
		return domain.Fleet{}, domain.Errorf(domain.FleetDisabled, "api_key: the key is right, but its fleet is switched off; ask the operator")
	}
	return caller.Fleet, nil
}

// FindByPhone returns the fleet's customer with this number. It fails with
// CustomerNotFound, and a sentence on what is probably wrong with the number, with
// TypeError if the number can't be made international, and with Unavailable.
func FindByPhone(ctx context.Context, customers ports.CustomerRepo, fleet domain.Fleet, phone domain.DialledPhone) (domain.Customer, error) {
	number, err := phone.In(fleet.Country)
	if err != nil {
		return domain.Customer{}, err
	}
	customer, err := customers.FindByPhone(ctx, fleet.ID, number)
	if mistake := phone.Mistake(fleet.Country); mistake != "" && errors.Is(err, domain.CustomerNotFound) {
		return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number: %s", mistake)
	}
	return customer, err
}

// checkPIN refuses a wrong PIN, which is counted, and a missing one if the fleet
// requires it, which is not counted since nobody guessed.
func (u *UpdateCustomerPhoto) checkPIN(ctx context.Context, fleet domain.Fleet, customer domain.CustomerRef, pin domain.PIN) error {
	switch {
	case !pin.IsBlank():
		return u.Changes.Customers.TryPIN(ctx, customer, u.PINKeys.Offer(customer, pin))
	case fleet.RequirePIN:
		return domain.Errorf(domain.InvalidPIN, "customer_pin: it is blank, and this fleet asks for the customer's PIN with every call; send it")
	}
	return nil
}

func (u *UpdateCustomerPhoto) readPhoto(ctx context.Context, data []byte, call *domain.ApiCall) (domain.Photo, error) {
	picture, reading, err := u.Reader.Read(ctx, call.Fleet, data)
	call.Details.Format, call.Details.Treatment = reading.Format, reading.Treatment
	if err == nil && ctx.Err() != nil { // decoding doesn't stop with ctx
		err = domain.Errorf(domain.Unavailable, "the call took too long; send it again").WithCause(ctx.Err())
	}
	return picture, err
}

func (u *UpdateCustomerPhoto) addressOf(ctx context.Context, customer domain.CustomerRef) (string, error) {
	if u.Address == nil {
		return "", nil
	}
	return u.Address(ctx, customer.PhotoKey())
}

// refuse logs a call that failed before anything changed, in one write. It joins
// the log's failure or panic to cause, whose Kind stays.
func (u *UpdateCustomerPhoto) refuse(ctx context.Context, answer *Answer, cause error) (err error) {
	err = unchanged(cause)
	if errors.Is(err, ErrRateLimited) {
		return err
	}
	defer func() {
		if cause := recover(); cause != nil {
			err = errors.Join(err, fmt.Errorf("in the log: %w", panicked(cause)))
		}
	}()
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), logTimeout)
	defer cancel()
	id, logErr := u.Changes.Log.Record(ctx, answer.Call, *failure(err, u.Changes.now()))
	answer.ApiLogID = id
	return errors.Join(err, logErr)
}
