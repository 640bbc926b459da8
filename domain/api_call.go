package domain

import "time"

// ApiLogID is the api_log_id that a caller gets: positive and unique in its log,
// or 0 if the call was not logged.
type ApiLogID int64

// Operation is what a call asks for.
type Operation string

// The operations. A call that was not understood has none.
const (
	UpdatePhoto    Operation = "update"
	DeletePhoto    Operation = "delete"
	RemoveCustomer Operation = "remove customer" // by an operator, with the photo
	CopyPhoto      Operation = "copy"            // by an operator, to another photo store
	ProbeLog       Operation = "probe"           // by an operator, to try the log
)

// ApiCall describes a call as far as it was understood, without its secrets.
type ApiCall struct {
	ReceivedAt time.Time   // UTC, whole microseconds
	From       string      // the caller's network address; empty: unknown
	Fleet      FleetID     // 0: not identified
	Key        KeyLabel    // of the API key; empty: not identified, or no key was used
	Customer   CustomerID  // 0: not found
	Phone      MaskedPhone // empty: none was sent
	Operation  Operation   // empty: not understood
	Details    CallDetails

	// What a call that opens an entry is about to do.
	Intent Digest         // of the photo to store; zero: to delete the photo
	Store  PhotoStoreName // the photo store to change
}

// CustomerRef is whom the call is about, as far as that was found.
func (c ApiCall) CustomerRef() CustomerRef { return CustomerRef{Fleet: c.Fleet, Customer: c.Customer} }

// CallDetails is the part of a call that is only for people to read. A backend may
// store it as one value.
type CallDetails struct {
	TraceID     string    // W3C Trace Context, 32 hexadecimal digits; empty: not traced
	ContentType string    // as received, at most 100 characters of UTF-8
	BodyBytes   int64     // size of the body, as far as it was read
	PhotoBytes  int64     // size of the image file received
	Format      string    // of the image file, such as JPEG; empty: not recognised
	Treatment   Treatment // empty: the image was not accepted
	Timings     Timings   // of the steps before the entry was opened
}

// Treatment says how an accepted image file was turned into the stored photo.
type Treatment string

// The treatments.
const (
	Kept       Treatment = "kept"       // its pixels are stored as received
	Normalised Treatment = "normalised" // it was decoded and encoded again
)

// Result is how a call ended.
type Result string

// The results. An open entry has no Result; Open stands for that where a result
// is named.
const (
	Valid       Result = "valid"       // the photo was changed
	Failed      Result = "error"       // nothing was changed
	Interrupted Result = "interrupted" // cut off, or its end was not logged; Repair has closed it
	Open        Result = "open"        // only in ApiLogFilter and Outcome.Status
)

// Outcome says how a call ended. Without a Result, the entry is still open.
type Outcome struct {
	Result    Result
	Error     Kind      // empty unless Result is Failed
	Detail    string    // the sentence that the caller got; empty if none
	EndedAt   time.Time // UTC, whole microseconds
	SettledAt time.Time // when Repair took its first look at the open entry; zero: not yet
	Details   OutcomeDetails
}

// OutcomeDetails is the part of an Outcome that is only for people to read. A
// backend may store it as one value.
type OutcomeDetails struct {
	Before  PhotoInfo // the photo that the record named before a change; zero: none
	After   PhotoInfo // the photo that was stored; zero: none
	Timings Timings   // of the steps from opening the entry on
}

// IsOpen reports whether the log has no Result for the call yet.
func (o Outcome) IsOpen() bool { return o.Result == "" }

// Status is the Result, or Open.
func (o Outcome) Status() Result {
	if o.IsOpen() {
		return Open
	}
	return o.Result
}

// ApiLogEntry is one call in the log.
type ApiLogEntry struct {
	ID      ApiLogID
	Call    ApiCall
	Outcome Outcome
}

// Position returns the entry's place in the log.
func (e ApiLogEntry) Position() ApiLogPosition { return ApiLogPosition{e.Call.ReceivedAt, e.ID} }

// ApiLogPosition is a place in the log, which is ordered by time, then by id.
type ApiLogPosition struct {
	ReceivedAt time.Time
	ID         ApiLogID
}

// ApiLogFilter selects the entries that match all its fields. A zero field matches
// every entry.
type ApiLogFilter struct {
	Fleet    FleetID
	Customer CustomerID // requires Fleet
	Result   Result     // Open: entries that are still open
	Error    Kind
	Since    time.Time      // received at this time or later
	Until    time.Time      // received before this time
	Before   ApiLogPosition // older than this position
}

// Matches reports whether f selects e.
func (f ApiLogFilter) Matches(e ApiLogEntry) bool {
	at := e.Call.ReceivedAt
	return (f.Fleet == 0 || f.Fleet == e.Call.Fleet) &&
		(f.Customer == 0 || f.Customer == e.Call.Customer) &&
		(f.Result == "" || f.Result == e.Outcome.Status()) &&
		(f.Error == "" || f.Error == e.Outcome.Error) &&
		(f.Since.IsZero() || !at.Before(f.Since)) &&
		(f.Until.IsZero() || at.Before(f.Until)) &&
		(f.Before == ApiLogPosition{} || at.Before(f.Before.ReceivedAt) || at.Equal(f.Before.ReceivedAt) && e.ID < f.Before.ID)
}

// Instant returns t as the ports store it: in UTC, truncated to the microsecond.
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
