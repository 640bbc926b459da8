package domain

import "time"

// ApiLogID is the api_log_id that a caller gets: positive, unique in its log.
// 0 says that nothing was logged.
type ApiLogID int64

// Operation is what a call asks for.
type Operation string

// The operations. A call that was not understood has none.
const (
	UpdatePhoto Operation = "update"
	DeletePhoto Operation = "delete"
)

// ApiCall describes a call as far as it was understood, without its secrets.
type ApiCall struct {
	ReceivedAt time.Time   // UTC, whole microseconds
	From       string      // the caller's network address; empty: unknown
	Fleet      FleetID     // 0: not identified
	Customer   CustomerID  // 0: not found
	Phone      MaskedPhone // empty: none came
	Operation  Operation   // empty: not understood
}

// Result is how a call ended.
type Result string

// The results. An entry that is still open has none.
const (
	Valid       Result = "valid"       // the photo was changed
	Failed      Result = "error"       // nothing was changed
	Interrupted Result = "interrupted" // cut off; the record was made to say what the store holds
)

// Outcome is the end of a call. The zero Outcome is an entry still open.
type Outcome struct {
	Result  Result
	Error   Kind      // empty unless Result is Failed
	Detail  string    // the sentence that the caller got; empty if none
	EndedAt time.Time // UTC, whole microseconds
}

// IsOpen says that the call hasn't ended, as far as the log knows.
func (o Outcome) IsOpen() bool { return o.Result == "" }

// ApiLogEntry is one call in the log.
type ApiLogEntry struct {
	ID      ApiLogID
	Call    ApiCall
	Outcome Outcome
}
