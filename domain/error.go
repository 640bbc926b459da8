package domain

import (
	"errors"
	"fmt"
	"time"
)

// Kind says why something failed. It is an error itself, so that
// errors.Is(err, domain.CustomerNotFound) works however err is wrapped. errors.Is
// also finds the Kind of a cause; AsError(err).Kind is the outermost one. Its text
// is the value of the field error in the answer to callers.
type Kind string

// The kinds of failure.
const (
	TypeError        Kind = "Type Error"          // a parameter is missing or not of its type
	InvalidHashID    Kind = "Invalid Hash ID"     // no fleet has this API key
	FleetDisabled    Kind = "Fleet Disabled"      // the fleet is switched off
	CustomerNotFound Kind = "Customer Not Found"  // the fleet has no such customer
	InvalidPIN       Kind = "Invalid PIN"         // the PIN doesn't match, or is missing where the fleet requires it
	PINLocked        Kind = "PIN Locked"          // too many wrong PINs in a row
	PhotoTooLarge    Kind = "Photo Too Large"     // over the byte or pixel limit, or decoding takes too much
	TooManyRequests  Kind = "Too Many Requests"   // over a rate limit, or too many photos of the fleet are waiting
	Unavailable      Kind = "Service Unavailable" // a backend is down, slow or full; a repeat is safe
	Internal         Kind = "Internal Error"      // a bug
	NotFound         Kind = "Not Found"           // no such photo, log entry, fleet or path
	Conflict         Kind = "Conflict"            // the thing to add exists already, or the thing to replace has another version
)

// Kinds lists every Kind.
func Kinds() []Kind {
	return []Kind{
		TypeError, InvalidHashID, FleetDisabled, CustomerNotFound, InvalidPIN, PINLocked,
		PhotoTooLarge, TooManyRequests, Unavailable, Internal, NotFound, Conflict,
	}
}

// Error returns the text of k.
func (k Kind) Error() string { return string(k) }

// Error is a failure with a Kind, a sentence for the caller and a cause that only
// the server's log may show.
type Error struct {
	Kind       Kind
	Public     string        // what was received, what was expected, what to change; no secret, no photo bytes
	Cause      error         // for the server's log; may be nil
	RetryAfter time.Duration // after which a repeat may succeed; 0: unknown
	// Unchanged says that no photo and no record of one was changed, and none will
	// be. If it is false, a change may have been made, or may be later.
	Unchanged bool
}

// Errorf returns an Error whose Public text is formatted from format and args.
func Errorf(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Public: fmt.Sprintf(format, args...)}
}

// WithCause returns a copy of e with this Cause.
func (e *Error) WithCause(cause error) *Error {
	withCause := *e
	withCause.Cause = cause
	return &withCause
}

// AsUnchanged returns a copy of e that is Unchanged.
func (e *Error) AsUnchanged() *Error {
	unchanged := *e
	unchanged.Unchanged = true
	return &unchanged
}

// Error returns the whole text, including the cause: for logs, not for callers.
func (e *Error) Error() string {
	text := string(e.Kind) + ": " + e.Public
	if e.Cause != nil {
		text += " (" + e.Cause.Error() + ")"
	}
	return text
}

// Unwrap returns the Kind and, if there is one, the Cause.
func (e *Error) Unwrap() []error {
	if e.Cause == nil {
		return []error{e.Kind}
	}
	return []error{e.Kind, e.Cause}
}

// AsError returns the Error in err's tree. If there is none, even if there is a bare
// Kind, it returns an Internal Error with err as its Cause: err has no sentence for
// callers.
func AsError(err error) *Error {
	var known *Error
	if errors.As(err, &known) {
		return known
	}
	return Errorf(Internal, "the server failed in a way it did not expect; report the api_log_id").WithCause(err)
}
