package domain

import "time"

// ApiLogID is the api_log_id that a caller gets: positive, unique in its log.
// 0 says that nothing was logged.
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
	Phone      MaskedPhone // empty: none came
	Operation  Operation   // empty: not understood
	Details    CallDetails

	// What a call that opens an entry is about to do.
	Intent Digest         // of the photo that it means to store; zero: it deletes one
	Store  PhotoStoreName // where it does so
}

// CallDetails is what of a call is there to be read by people. A backend may
// store it as one value.
type CallDetails struct {
	TraceID     string    // W3C Trace Context, 32 hexadecimal digits; empty: not traced
	ContentType string    // as it came, at most 100 characters of UTF-8
	BodyBytes   int64     // of the body, as far as it was read
	PhotoBytes  int64     // of the image file that came
	Format      string    // of the image file, such as JPEG; empty: not recognised
	Treatment   Treatment // empty: the image was not accepted
	Timings     Timings   // of the steps before the entry was opened
}

// Treatment is what became of an image file that was accepted.
type Treatment string

// The treatments.
const (
	Kept       Treatment = "kept"       // its pixels are stored as they came
	Normalised Treatment = "normalised" // it was decoded and encoded again
)

// Result is how a call ended.
type Result string

// The results. An entry that is still open has none; Open stands for it where
// a result is named.
const (
	Valid       Result = "valid"       // the photo was changed
	Failed      Result = "error"       // nothing was changed
	Interrupted Result = "interrupted" // cut off; the record was made to say what the store holds
	Open        Result = "open"        // only in ApiLogFilter and Outcome.Status
)

// Outcome is the end of a call. An Outcome without a Result is an entry still open.
type Outcome struct {
	Result    Result
	Error     Kind      // empty unless Result is Failed
	Detail    string    // the sentence that the caller got; empty if none
	EndedAt   time.Time // UTC, whole microseconds
	SettledAt time.Time // when Repair looked at the open entry for the first time; zero: it didn't
	Details   OutcomeDetails
}

// OutcomeDetails is what of an Outcome is there to be read by people. A
// backend may store it as one value.
type OutcomeDetails struct {
	Before  PhotoInfo // the photo that the record named before a change; zero: none
	After   PhotoInfo // the photo that was stored; zero: none
	Timings Timings   // of the steps from the opening of the entry on
}

// IsOpen says that the call hasn't ended, as far as the log knows.
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

// Position returns where the entry stands among others.
func (e ApiLogEntry) Position() ApiLogPosition { return ApiLogPosition{e.Call.ReceivedAt, e.ID} }

// ApiLogPosition is a place in the log, which is ordered by time and, where
// that is the same, by id.
type ApiLogPosition struct {
	ReceivedAt time.Time
	ID         ApiLogID
}

// ApiLogFilter chooses entries. What is zero chooses all.
type ApiLogFilter struct {
	Fleet    FleetID
	Customer CustomerID // of Fleet, which isn't 0 then
	Result   Result     // Open: entries that are still open
	Error    Kind
	Since    time.Time      // received at this time or later
	Until    time.Time      // received before this time
	Before   ApiLogPosition // that stand before this one: older
}

// Matches says whether f chooses e.
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

// Instant is t as the ports store times: in UTC, cut to the microsecond.
func Instant(t time.Time) time.Time { return t.UTC().Truncate(time.Microsecond) }
