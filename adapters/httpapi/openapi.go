package httpapi

import (
	"fmt"
	"net/http"
	"reflect"
	"slices"
	"strconv"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// contractVersion is the version of the contract, not of the program.
const contractVersion = "1.0.0"

func apiConfig() huma.Config {
	config := huma.DefaultConfig("fleetphoto", contractVersion)
	config.Info.Description = "Changes a customer's photograph: the one call of a taxi fleet's systems."
	config.CreateHooks = nil // no $schema in answers
	config.DocsPath, config.SchemasPath = "", ""
	config.Formats = map[string]huma.Format{typeJSON: huma.DefaultJSONFormat}
	return config
}

// register adds the one operation. Its request body is described afterwards:
// were it there before, Huma would read the body itself.
func (s *Server) register() {
	operation := huma.Operation{
		OperationID: "update-customer-photo",
		Method:      http.MethodPost,
		Path:        UpdatePath,
		Summary:     "Replace or delete a customer's photo",
		Responses:   s.responses(),
	}
	huma.Register(s.api, operation, s.update)
	s.api.OpenAPI().Paths[UpdatePath].Post.RequestBody = s.requestBody()
}

func (s *Server) requestBody() *huma.RequestBody {
	text := s.parameters()
	file := s.parameters()
	file.Properties[fieldPhoto] = &huma.Schema{
		Type: huma.TypeString, Format: "binary",
		Description: "The image file itself, or a part without a file name that holds Base64 or the word delete. " + s.photoLimits(),
	}
	return &huma.RequestBody{Required: true, Content: map[string]*huma.MediaType{
		typeJSON:      {Schema: text},
		typeForm:      {Schema: text},
		typeMultipart: {Schema: file},
	}}
}

// parameters describes the four parameters as texts.
func (s *Server) parameters() *huma.Schema {
	keyLength, phoneMin := domain.APIKeyLength, 1.0
	return &huma.Schema{
		Type:     huma.TypeObject,
		Required: []string{fieldAPIKey, fieldPhone, fieldPhoto},
		Properties: map[string]*huma.Schema{
			fieldAPIKey: {
				Type: huma.TypeString, MinLength: &keyLength, MaxLength: &keyLength, Pattern: "^[0-9A-Za-z]*$",
				Description: "The key that the fleet gave out.",
			},
			fieldPhone: {
				Type: huma.TypeInteger, Format: "int64", Minimum: &phoneMin,
				Description: fmt.Sprintf("The customer's mobile number, international without + or 00, up to %d digits. A string of digits is taken as well.", domain.MaxPhoneDigits),
				Examples:    []any{447700900123},
			},
			fieldPIN: {
				Type: huma.TypeInteger, Format: "int64",
				Description: fmt.Sprintf("The customer's PIN, %d to %d digits. Left out or blank, it is not checked. %d wrong ones in a row lock it for %.0f minutes.",
					domain.MinPINDigits, domain.MaxPINDigits, domain.MaxWrongPINs, domain.PINLockDuration.Minutes()),
			},
			fieldPhoto: {
				Type:        huma.TypeString,
				Description: "The image in Base64, or the word delete. " + s.photoLimits(),
			},
		},
		AdditionalProperties: true,
	}
}

func (s *Server) photoLimits() string {
	return fmt.Sprintf("%s, at most %d bytes and %d pixels.", photo.Accepted(), s.maxPhoto, s.Update.Reader.Limits().MaxPixels)
}

// responses describes the success and every status of the error table.
func (s *Server) responses() map[string]*huma.Response {
	schemas := s.api.OpenAPI().Components.Schemas
	failed := schemas.Schema(reflect.TypeFor[failure](), true, "Failure")
	responses := map[string]*huma.Response{}
	for status, words := range s.wordsByStatus() {
		slices.Sort(words)
		responses[strconv.Itoa(status)] = &huma.Response{
			Description: fmt.Sprintf("%q", words),
			Content:     map[string]*huma.MediaType{typeJSON: {Schema: failed}},
		}
	}
	return responses
}

func (s *Server) wordsByStatus() map[int][]string {
	words := map[int][]string{http.StatusUnsupportedMediaType: {string(domain.TypeError)}}
	for _, kind := range domain.Kinds() {
		if status := statuses[kind]; kind != domain.Conflict && kind != domain.NotFound {
			words[status] = append(words[status], string(kind))
		}
	}
	return words
}
