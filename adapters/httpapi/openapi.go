package httpapi

import (
	"net/http"
	"reflect"
	"strconv"
	"strings"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fleetphoto/fleetphoto/domain"
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
	config.Security = []map[string][]string{} // the key is in the body, which no scheme of OpenAPI's can say
	config.Tags = []*huma.Tag{{Name: tagPhotos, Description: "Customers' photographs."}}
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
		Tags:        []string{tagPhotos},
		Summary:     "Replace or delete a customer's photo",
		Description: "The same parameters come as JSON, as a form or as a multipart form. Each may come once; unknown ones are ignored. " +
			"Whatever happens, the old photo or the new one is stored, whole; valid says that the change is made, durably. " +
			"Repeating a call is safe, and deleting what isn't there is valid.",
		Responses: s.responses(),
	}
	huma.Register(s.api, operation, s.update)
	s.api.OpenAPI().Paths[UpdatePath].Post.RequestBody = s.requestBody()
}

// responses describes the success and every status of the error table. Where
// failures are sent with status 200, so the document says.
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

// answer describes an envelope with its result. It is left open for fields
// that a later version adds.
func (s *Server) answer(envelope reflect.Type, result string) *huma.Schema {
	schemas := s.api.OpenAPI().Components.Schemas
	reference := schemas.Schema(envelope, true, "")
	schema := schemas.SchemaFromRef(reference.Ref)
	schema.AdditionalProperties = nil
	schema.Properties["result"].Enum = []any{result}
	return reference
}

// callerWords returns the error words that a caller of UpdatePath may get.
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
	least := 1.0
	return map[string]*huma.Param{"Retry-After": {
		Description: "How many seconds to wait before the call is sent again.", Required: true,
		Schema: &huma.Schema{Type: huma.TypeInteger, Minimum: &least},
	}}
}
