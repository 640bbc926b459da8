package httpapi

import (
	"errors"
	"fmt"
	"math"
	"net/http"
	"path"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// contractVersion is the version of the contract, not of the program.
const contractVersion = "1.0.0"

const tagPhotos = "photos"

func apiConfig() huma.Config {
	config := huma.DefaultConfig("fleetphoto", contractVersion)
	config.Info.Description = "Changes a customer's photograph: the one call of a taxi fleet's systems. " +
		"Every answer is JSON with a result and an api_log_id; a failed call's has an error word for programs and a detail for people."
	config.Info.Contact = &huma.Contact{Name: "The fleet that gave out the api_key"}
	config.Info.License = &huma.License{Name: "Apache-2.0", URL: "https://www.apache.org/licenses/LICENSE-2.0"}
	config.Servers = []*huma.Server{{URL: "/", Description: "This server."}}
	config.Security = []map[string][]string{} // OpenAPI has no scheme for a key in the body
	config.Tags = []*huma.Tag{{Name: tagPhotos, Description: "Customers' photographs."}}
	config.CreateHooks = nil // no $schema in answers
	config.OpenAPIPath, config.DocsPath, config.SchemasPath = "", "", ""
	config.Formats = map[string]huma.Format{typeJSON: huma.DefaultJSONFormat}
	return config
}

// register adds the one operation. It describes the request body only afterwards,
// or Huma would read the body itself.
func (s *Server) register() {
	operation := huma.Operation{
		OperationID: "update-customer-photo",
		Method:      http.MethodPost,
		Path:        UpdatePath,
		Tags:        []string{tagPhotos},
		Summary:     "Replace or delete a customer's photo",
		Description: "The same parameters come as JSON, as a form or as a multipart form; a body without a type, or of text/plain, is told by its content. Each may come once; unknown ones are ignored. " +
			"Whatever happens, the old photo or the new one is stored, whole; valid says that the change is made, durably. " +
			"Repeating a call is safe, and deleting what isn't there is valid. " +
			"Too Many Requests is for calls that come too fast, of a fleet or, without a live api_key, from an address, and for a fleet that has too many photos waiting to be decoded; Retry-After says when to send the call again. " +
			"Service Unavailable is for a server that is full, a backend that doesn't answer, and a service that is being moved; its detail says whether nothing was changed or a repeat is safe.",
		Responses: s.responses(),
	}
	huma.Register(s.api, operation, s.update)
	s.api.OpenAPI().Paths[UpdatePath].Post.RequestBody = s.requestBody()
}

// responses describes the success and every status of the error table, or the one
// FailureStatus in its place.
func (s *Server) responses() map[string]*huma.Response {
	succeeded := s.answer(reflect.TypeFor[success](), string(domain.Valid))
	failed := s.answer(reflect.TypeFor[failure](), string(domain.Failed))
	s.api.OpenAPI().Components.Schemas.SchemaFromRef(failed.Ref).Properties["error"].Enum = callerWords()
	ok := &huma.MediaType{Schema: succeeded, Examples: exampleSuccesses()}
	responses := map[string]*huma.Response{
		strconv.Itoa(http.StatusOK): {Description: "The photo is replaced or deleted, durably.", Content: map[string]*huma.MediaType{typeJSON: ok}},
	}
	for _, f := range s.exampleFailures() {
		status := strconv.Itoa(f.status)
		response := responses[status]
		switch {
		case response == nil:
			response = &huma.Response{Content: map[string]*huma.MediaType{typeJSON: {Schema: failed, Examples: map[string]*huma.Example{}}}}
			responses[status] = response
		case f.status == http.StatusOK:
			ok.Schema = &huma.Schema{AnyOf: []*huma.Schema{succeeded, failed}}
		}
		response.Content[typeJSON].Examples[string(f.Word)] = &huma.Example{Value: f}
		response.Description = strings.TrimPrefix(response.Description+", "+string(f.Word), ", ")
		if f.retryAfter != 0 && f.status != http.StatusOK {
			response.Headers = retryAfterHeader()
		}
	}
	return responses
}

// answer describes an envelope with its result. The schema allows additional
// fields, so that later versions can add some.
func (s *Server) answer(envelope reflect.Type, result string) *huma.Schema {
	schemas := s.api.OpenAPI().Components.Schemas
	reference := schemas.Schema(envelope, true, "")
	schema := schemas.SchemaFromRef(reference.Ref)
	schema.AdditionalProperties = nil
	schema.Properties["result"].Enum = []any{result}
	return reference
}

// callerWords returns the error words that UpdatePath may answer.
func callerWords() []any {
	var words []any
	for _, kind := range append(domain.Kinds(), methodNotAllowed) {
		if kind != domain.Conflict {
			words = append(words, kind)
		}
	}
	return words
}

func retryAfterHeader() map[string]*huma.Param {
	return map[string]*huma.Param{"Retry-After": {
		Description: "How many seconds to wait before the call is sent again.", Required: true,
		Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: new(1.0)},
	}}
}

// requestBody describes the three encodings, each with its own schema, as a form
// has only strings, and a part may be a file. A schema must never be stricter than
// the server, or clients that validate would refuse calls that would succeed.
func (s *Server) requestBody() *huma.RequestBody {
	limits := fmt.Sprintf("%s, at most %d bytes and %d pixels.", photo.Accepted(), s.maxPhoto, s.Update.Reader.Limits().MaxPixels)
	text := &huma.Schema{
		Type: huma.TypeString, MinLength: new(1), MaxLength: new(int(s.maxBody)), Examples: []any{examplePhoto},
		Description: "The image in Base64, standard or URL-safe, padded or not, with line breaks or a data URI's prefix; or the word delete. " + limits,
	}
	file := &huma.Schema{
		Type: huma.TypeString, Format: "binary",
		Description: "The image file itself, or a file of its Base64; or a part without a file name, that holds Base64 or the word delete. " + limits,
	}
	inJSON := callSchema(number(1, domain.MaxPhoneDigits, examplePhone, phoneText()), pinJSON(), text)
	s.nameSchema(inJSON, parameters.Phone, "PhoneNumber")
	s.nameSchema(inJSON, parameters.PIN, "CustomerPIN")
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		typeJSON:      {Schema: inJSON},
		typeForm:      {Schema: callSchema(phoneText(), pinText(), text)},
		typeMultipart: {Schema: callSchema(phoneText(), pinText(), file)},
	}}
}

// nameSchema moves a property's schema to the components under a name: generators
// name an inline union after its whole path.
func (s *Server) nameSchema(of *huma.Schema, property, name string) {
	s.api.OpenAPI().Components.Schemas.Map()[name] = of.Properties[property]
	of.Properties[property] = &huma.Schema{Ref: "#/components/schemas/" + name}
}

func callSchema(phone, pin, photo *huma.Schema) *huma.Schema {
	phone.Description = fmt.Sprintf("The customer's mobile number, international, up to %d digits; without + or 00 at best, "+
		"but as a text it may carry these, tel:, spaces, dashes, dots and parentheses; and, where the fleet has a country, a 0 in place of the country code.", domain.MaxPhoneDigits)
	pin.Description = fmt.Sprintf("The customer's PIN, %d to %d digits; leading zeros don't count. Left out or blank, it is not checked, unless the fleet requires it: then that is an Invalid PIN; "+
		"the JSON number 0 is refused, as it mostly is an integer that was never set. %d wrong ones in a row lock it for %.0f minutes.",
		domain.MinPINDigits, domain.MaxPINDigits, domain.MaxWrongPINs, domain.PINLockDuration.Minutes())
	return &huma.Schema{
		Type:     huma.TypeObject,
		Required: []string{parameters.APIKey, parameters.Phone, parameters.Photo},
		Properties: map[string]*huma.Schema{
			parameters.APIKey: {
				Type: huma.TypeString, Pattern: fmt.Sprintf(`^\s*[0-9A-Za-z]{%d}\s*$`, domain.APIKeyLength), Examples: []any{exampleKey},
				Description: fmt.Sprintf("The key that the fleet gave out, %d letters and digits.", domain.APIKeyLength),
			},
			parameters.Phone: phone,
			parameters.PIN:   pin,
			parameters.Photo: photo,
		},
	}
}

// phoneText describes a phone number with any punctuation between its digits, and
// bounds their count.
func phoneText() *huma.Schema {
	const between = `[^0-9A-Za-z]*`
	return &huma.Schema{
		Type:     huma.TypeString,
		Pattern:  fmt.Sprintf(`^%s([Tt][Ee][Ll]:%[1]s)?(0%[1]s)*[1-9](%[1]s[0-9]){0,%[2]d}%[1]s$`, between, domain.MaxPhoneDigits-1),
		Examples: []any{fmt.Sprint(examplePhone)},
	}
}

func pinText() *huma.Schema {
	return &huma.Schema{
		Type: huma.TypeString, Pattern: fmt.Sprintf(`^\s*[0-9]{0,%d}\s*$`, domain.MaxPINDigits), Examples: []any{fmt.Sprint(examplePIN)},
	}
}

// pinJSON describes a PIN in JSON. null counts as blank.
func pinJSON() *huma.Schema {
	schema := number(0, domain.MaxPINDigits, examplePIN, pinText())
	schema.AnyOf[0].Nullable = true
	return schema
}

// number describes an integer from least to the given number of digits, or a text.
// x-go-type makes oapi-codegen generate an int64 in place of a union.
func number(least float64, digits int, example int64, text *huma.Schema) *huma.Schema {
	text.Examples = nil
	integer := &huma.Schema{Type: huma.TypeInteger, Format: "int64", Minimum: &least, Maximum: new(math.Pow10(digits) - 1)}
	return &huma.Schema{
		AnyOf: []*huma.Schema{integer, text}, Examples: []any{example}, Extensions: map[string]any{"x-go-type": "int64"},
	}
}

// The examples use the demo's parameters, so they work there unchanged. The photo
// is a GIF of one pixel.
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

// exampleFailures returns an answer for every word and status of the error table,
// most of them from the code that makes the server's answers.
func (s *Server) exampleFailures() []*failure {
	sent, _ := parameters.ParseJSON([]byte(`{"api_key": "` + exampleKey + `", "phone_number": {}}`))
	_, typeError := sent.Request()
	_, _, mediaType := contentType(&http.Request{Header: http.Header{"Content-Type": {"text/xml"}}})
	_, key := domain.ParseAPIKey("DEMO")
	_, _, wrong := domain.PINLock{}.Try(domain.PINHash{}, domain.OfferedPIN{}, time.Time{})
	_, _, locked := domain.PINLock{LockedUntil: time.Time{}.Add(domain.PINLockDuration)}.Try(domain.PINHash{}, domain.OfferedPIN{}, time.Time{})
	logged := []error{
		typeError, mediaType, key,
		domain.Errorf(domain.FleetDisabled, "api_key: the key is right, but its fleet is switched off; ask the operator"),
		domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number"),
		wrong, locked, s.bodyTooLarge(), errors.New("a bug"),
	}
	var examples []*failure
	for _, err := range logged {
		examples = append(examples, s.fail(err, exampleLogID))
	}
	return append(examples,
		s.fail(errNoRoom(), 0), s.fail(domain.Errorf(domain.TooManyRequests, "the fleet sends more calls than it may; send this one again when Retry-After has passed"), 0),
		newFailure(errPath(), 0), s.fail(errMethod(http.MethodPost, http.MethodGet), 0), s.fail(errHost("localhost"), 0), s.fail(errFields(mostHeaderFields+1), 0))
}

// serveDocuments serves the OpenAPI documents, each rendered once. Huma's own
// routes render them without a lock, so concurrent first requests would race.
func (s *Server) serveDocuments() {
	document := s.OpenAPI()
	for name, render := range map[string]func() ([]byte, error){
		"/openapi.json": document.MarshalJSON, "/openapi-3.0.json": document.Downgrade,
		"/openapi.yaml": document.YAML, "/openapi-3.0.yaml": document.DowngradeYAML,
	} {
		contentType := "application/openapi+" + strings.TrimPrefix(path.Ext(name), ".")
		text := sync.OnceValues(render)
		s.router.Get(name, func(w http.ResponseWriter, r *http.Request) {
			rendered, err := text()
			if err != nil {
				s.answerFailure(w, r, err)
				return
			}
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(rendered) // the client is gone if this fails
		})
	}
}
