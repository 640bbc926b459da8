package domain

import (
	"errors"
	"fmt"
	"time"
)

// Kind says why something failed. It is an error itself, so that
// errors.Is(err, domain.CustomerNotFound) holds however err is wrapped. Its
// text is the error word that the contract gives to callers.
type Kind string

// The kinds of failure. A backend chooses one where it understands the cause.
const (
	TypeError        Kind = "Type Error"          // a parameter is missing or not of its type
	InvalidHashID    Kind = "Invalid Hash ID"     // no live API key like this
	FleetDisabled    Kind = "Fleet Disabled"      // the fleet is switched off
	CustomerNotFound Kind = "Customer Not Found"  // the fleet has no such customer
	InvalidPIN       Kind = "Invalid PIN"         // the PIN doesn't match, or is missing where the fleet requires it
	PINLocked        Kind = "PIN Locked"          // too many wrong PINs in a row
	PhotoTooLarge    Kind = "Photo Too Large"     // over the byte or pixel limit, or decoding takes too much
	TooManyRequests  Kind = "Too Many Requests"   // over the rate limit, or too many photos of the fleet are waiting
	Unavailable      Kind = "Service Unavailable" // a backend is down, slow or full; a repeat is safe
	Internal         Kind = "Internal Error"      // a bug
	NotFound         Kind = "Not Found"           // no such photo, log entry, fleet or path
	Conflict         Kind = "Conflict"            // what is to be added exists already, or isn't the version that is to be replaced
)

// Kinds lists every Kind.
func Kinds() []Kind {
	return []Kind{
		TypeError, InvalidHashID, FleetDisabled, CustomerNotFound, InvalidPIN, PINLocked,
		PhotoTooLarge, TooManyRequests, Unavailable, Internal, NotFound, Conflict,
	}
}

// Error returns the error word.
func (k Kind) Error() string { return string(k) }

// Error is a failure with a Kind, a sentence that a caller may read and a
// cause that never leaves the process.
type Error struct {
	Kind       Kind
	Public     string        // what came, what was expected, what to change; no secret, no photo bytes
	Cause      error         // for the server's log alone; may be nil
	RetryAfter time.Duration // when a repeat may succeed; 0: unknown
	// Unchanged says that a photo store or a repository did nothing and never
	// will: no request can have been carried out. Without it nobody knows.
	Unchanged bool
}

// Errorf makes an Error whose public sentence is formatted from format.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...)}
}

// WithCause returns a copy of e that carries cause.
func (e *Error) WithCause(cause error) *Error {
	withCause := *e
	withCause.Cause = cause
	return &withCause
}

// AsUnchanged returns a copy of e that says that nothing was changed.
func (e *Error) AsUnchanged() *Error {
	unchanged := *e
	unchanged.Unchanged = true
	return &unchanged
}

// Error returns everything, the cause included: it is for logs, not for callers.
func (e *Error) Error() string {
	text := string(e.Kind) + ": " + e.Public
	if e.Cause != nil {
		text += " (" + e.Cause.Error() + ")"
	}
	return text
}

// Unwrap yields the Kind and the cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// AsError finds the Error in err. An err without one, a bare Kind too, is
// Internal: whoever made it wrote no sentence for callers.
func AsError(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return Errorf(Internal, "the server failed in a way it did not expect; report the api_log_id").WithCause(err)
}
