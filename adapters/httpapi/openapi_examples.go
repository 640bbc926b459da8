package httpapi

import (
	"errors"
	"net/http"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fleetphoto/fleetphoto/domain"
)

// The parameters of the examples are the demo's, where they work as they are.
// The photo is a GIF of one pixel.
const (
	exampleKey         = "DEMO0DEMO0DEMO0DEMO0DEMO0"
	examplePhone int64 = 447700900123
	examplePIN   int64 = 1234
	examplePhoto       = "R0lGODlhAQABAIAAAP///wAAACH5BAAAAAAALAAAAAABAAEAAAICRAEAOw=="
)

const exampleLogID domain.ApiLogID = 2288346

func exampleSuccesses() map[string]*huma.Example {
	url := "https://photos.example.com/" + string(domain.CustomerRef{Fleet: 689, Customer: 452733}.PhotoKey())
	valid := string(domain.Valid)
	return map[string]*huma.Example{
		string(domain.UpdatePhoto): {Value: success{Result: valid, PhotoURL: url, ApiLogID: exampleLogID}},
		string(domain.DeletePhoto): {Value: success{Result: valid, ApiLogID: exampleLogID + 1}},
	}
}

// exampleFailures returns an answer for every word and status of the error
// table, each made as the server makes it.
func (s *Server) exampleFailures() []*failure {
	_, typeError := (&field{foreign: describeJSON('{')}).parsePhone()
	_, _, mediaType := contentType(&http.Request{})
	_, key := domain.ParseAPIKey("DEMO")
	_, locked := domain.PINLock{LockedUntil: time.Time{}.Add(domain.PINLockDuration)}.Count(time.Time{})
	_, full := (&bodies{}).borrow(0)
	logged := []error{
		typeError, mediaType, key,
		domain.Errorf(domain.FleetDisabled, "api_key: the key is right, but its fleet is switched off; ask the operator"),
		domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number"),
		domain.Errorf(domain.InvalidPIN, "customer_pin: it does not match; after %d wrong ones in a row the PIN is locked for %.0f minutes",
			domain.MaxWrongPINs, domain.PINLockDuration.Minutes()),
		locked, s.bodyTooLarge(), errors.New("a bug"),
	}
	var examples []*failure
	for _, err := range logged {
		examples = append(examples, s.fail(err, exampleLogID))
	}
	return append(examples,
		s.fail(full, 0), s.fail(domain.Errorf(domain.TooManyRequests, "too many calls in a row; send this one again later"), 0),
		newFailure(errPath(), 0), s.fail(errMethod(http.MethodPost, http.MethodGet), 0))
}
