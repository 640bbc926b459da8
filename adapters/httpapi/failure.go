package httpapi

import (
	"encoding/json"
	"errors"
	"math"
	"net/http"
	"strconv"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The kinds of failure that only HTTP has.
const (
	methodNotAllowed    domain.Kind = "Method Not Allowed"
	rangeNotSatisfiable domain.Kind = "Range Not Satisfiable"
	preconditionFailed  domain.Kind = "Precondition Failed"
)

// statuses is the error table: the status of each kind of failure.
var statuses = map[domain.Kind]int{
	domain.TypeError:        http.StatusBadRequest, // unless its cause is an ownStatus
	domain.InvalidHashID:    http.StatusUnauthorized,
	domain.FleetDisabled:    http.StatusForbidden,
	domain.CustomerNotFound: http.StatusNotFound,
	domain.InvalidPIN:       http.StatusForbidden,
	domain.PINLocked:        http.StatusTooManyRequests,
	domain.PhotoTooLarge:    http.StatusRequestEntityTooLarge,
	domain.TooManyRequests:  http.StatusTooManyRequests,
	domain.Unavailable:      http.StatusServiceUnavailable,
	domain.Internal:         http.StatusInternalServerError,
	domain.NotFound:         http.StatusNotFound,
	domain.Conflict:         http.StatusConflict,
	methodNotAllowed:        http.StatusMethodNotAllowed,
	rangeNotSatisfiable:     http.StatusRequestedRangeNotSatisfiable,
	preconditionFailed:      http.StatusPreconditionFailed,
}

// ownStatus is a cause that sets the status of a failure for which HTTP has a
// more exact status than the contract has an error word.
type ownStatus int

const (
	errMediaType   ownStatus = http.StatusUnsupportedMediaType // none of the three content types
	errMisdirected ownStatus = http.StatusMisdirectedRequest   // a host that isn't this server's
	errManyHeaders ownStatus = http.StatusRequestHeaderFieldsTooLarge
)

// Error implements error.
func (s ownStatus) Error() string { return http.StatusText(int(s)) }

// defaultRetryAfter is sent with a 503 or 429 whose error has no RetryAfter.
const defaultRetryAfter = 5 * time.Second

// movedRetryAfter is sent while the service is being moved, which takes longer.
const movedRetryAfter = 30 * time.Second

func errMoved() error {
	err := domain.Errorf(domain.Unavailable, "nothing was changed: the service is being moved; send the call again later")
	err.RetryAfter = movedRetryAfter
	return err
}

// failure is the envelope of every failed call. It is a huma.StatusError and
// a huma.HeadersError.
type failure struct {
	Result   string          `json:"result" doc:"Always error."`
	Word     domain.Kind     `json:"error" doc:"The reason, for programs."`
	ApiLogID domain.ApiLogID `json:"api_log_id" minimum:"0" doc:"The number of the call in the server's log; 0 where nothing was logged."`
	Detail   string          `json:"detail" minLength:"1" doc:"The reason, for people: which parameter, what came, what is allowed."`

	status     int
	retryAfter time.Duration // 0: no Retry-After header
}

func newFailure(err error, id domain.ApiLogID) *failure {
	known := domain.AsError(err)
	f := &failure{
		Result: string(domain.Failed), Word: known.Kind, ApiLogID: id, Detail: known.Public,
		status: statuses[known.Kind], retryAfter: known.RetryAfter,
	}
	if own := ownStatus(0); errors.As(err, &own) {
		f.status = int(own)
	}
	if f.retryAfter == 0 && (known.Kind == domain.Unavailable || known.Kind == domain.TooManyRequests) {
		f.retryAfter = defaultRetryAfter
	}
	return f
}

// fail returns the envelope of a failed call on UpdatePath.
func (s *Server) fail(err error, id domain.ApiLogID) *failure {
	f := newFailure(err, id)
	if s.FailureStatus != 0 {
		f.status = s.FailureStatus
	}
	return f
}

// answerFailure answers a failure outside the use case and notes it for the log.
func (s *Server) answerFailure(w http.ResponseWriter, r *http.Request, err error) {
	note(r, usecase.Answer{}, err)
	if r.URL.Path == UpdatePath {
		s.fail(err, 0).write(w)
		return
	}
	newFailure(err, 0).write(w)
}

// Error implements error.
func (f *failure) Error() string { return string(f.Word) + ": " + f.Detail }

// GetStatus implements huma.StatusError.
func (f *failure) GetStatus() int { return f.status }

// GetHeaders implements huma.HeadersError.
func (f *failure) GetHeaders() http.Header {
	if f.retryAfter == 0 {
		return nil
	}
	return http.Header{"Retry-After": {strconv.Itoa(int(math.Ceil(f.retryAfter.Seconds())))}}
}

// write sends f for handlers outside Huma.
func (f *failure) write(w http.ResponseWriter) {
	for name, values := range f.GetHeaders() {
		w.Header()[name] = values
	}
	w.Header().Set("Content-Type", typeJSON)
	w.WriteHeader(f.status)
	encoder := json.NewEncoder(w)
	encoder.SetEscapeHTML(false)
	_ = encoder.Encode(f) // the client is gone if this fails
}
