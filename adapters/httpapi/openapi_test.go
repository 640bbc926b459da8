package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"reflect"
	"slices"
	"strconv"
	"testing"

	"github.com/danielgtaylor/huma/v2"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
)

// documented returns the examples of each status, by name.
func documented(s *Server) map[string][]string {
	examples := map[string][]string{}
	for status, response := range s.OpenAPI().Paths[UpdatePath].Post.Responses {
		examples[status] = slices.Sorted(maps.Keys(response.Content[typeJSON].Examples))
	}
	return examples
}

// property returns a property's schema, inline or by reference.
func property(s *Server, of *huma.Schema, name string) *huma.Schema {
	schema := of.Properties[name]
	if schema.Ref != "" {
		return s.OpenAPI().Components.Schemas.SchemaFromRef(schema.Ref)
	}
	return schema
}

func TestEachStatusHasItsExamples(t *testing.T) {
	want := map[string][]string{
		"200": {"delete", "update"},
		"400": {"Type Error"},
		"401": {"Invalid Hash ID"},
		"403": {"Fleet Disabled", "Invalid PIN"},
		"404": {"Customer Not Found", "Not Found"},
		"405": {"Method Not Allowed"},
		"413": {"Photo Too Large"},
		"415": {"Type Error"},
		"421": {"Not Found"},
		"429": {"PIN Locked", "Too Many Requests"},
		"431": {"Type Error"},
		"500": {"Internal Error"},
		"503": {"Service Unavailable"},
	}
	s := newFixture(t).Server
	if got := documented(s); !reflect.DeepEqual(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	words := map[any]bool{}
	for _, f := range s.exampleFailures() {
		words[f.Word] = true
		if status := statuses[f.Word]; f.status != status && !slices.Contains([]ownStatus{errMediaType, errMisdirected, errManyHeaders}, ownStatus(f.status)) {
			t.Errorf("the example of %s has status %d, the table says %d", f.Word, f.status, status)
		}
		header := s.OpenAPI().Paths[UpdatePath].Post.Responses[strconv.Itoa(f.status)].Headers["Retry-After"]
		if (header != nil) != (f.GetHeaders().Get("Retry-After") != "") {
			t.Errorf("%d %s: Retry-After is documented: %v, sent: %v", f.status, f.Word, header != nil, f.GetHeaders())
		}
	}
	for _, word := range callerWords() {
		if !words[word] {
			t.Errorf("%s has no example", word)
		}
		delete(words, word)
	}
	if len(words) != 0 {
		t.Errorf("these examples' words are not in the document: %v", words)
	}
}

// TestFailureStatusIsDocumented: the document of a server that sends failures with
// status 200 says so.
func TestFailureStatusIsDocumented(t *testing.T) {
	s := newFixture(t, func(o *Options) { o.FailureStatus = http.StatusOK }).Server
	got := documented(s)
	if want := []string{"Not Found"}; len(got) != 2 || !reflect.DeepEqual(got["404"], want) || len(got["200"]) != 14 {
		t.Errorf("got %v", got)
	}
	var references []string
	for _, schema := range s.OpenAPI().Paths[UpdatePath].Post.Responses["200"].Content[typeJSON].Schema.AnyOf {
		references = append(references, schema.Ref)
	}
	if want := []string{"#/components/schemas/Success", "#/components/schemas/Failure"}; !slices.Equal(references, want) {
		t.Errorf("200 is %v, want %v", references, want)
	}
}

// TestExampleRequestWorks reads the example of each encoding as a call.
func TestExampleRequestWorks(t *testing.T) {
	s := newFixture(t).Server
	for mediaType, media := range s.OpenAPI().Paths[UpdatePath].Post.RequestBody.Content {
		example := func(name string) string {
			if schema := property(s, media.Schema, name); len(schema.Examples) == 1 {
				return fmt.Sprint(schema.Examples[0])
			}
			return parameters.Delete // a file has no example
		}
		var f parameters.Fields
		for name := range media.Schema.Properties {
			check(t, f.SetPart(name, parameters.Part{Content: []byte(example(name))}))
		}
		request, err := f.Request()
		if err != nil {
			t.Errorf("%s: %v", mediaType, err)
			continue
		}
		if request.Phone.Number != domain.PhoneNumber(examplePhone) || request.PIN.IsBlank() || request.Delete != (mediaType == typeMultipart) {
			t.Errorf("%s: got %+v", mediaType, request)
		}
		if !request.Delete {
			_, _, err = s.Update.Reader.Read(t.Context(), 689, request.Photo)
			check(t, err)
		}
	}
}

// TestLimitsAreTheServers: the document has the limits of the configuration and of the
// constants that enforce them.
func TestLimitsAreTheServers(t *testing.T) {
	s := newFixture(t).Server
	inJSON := s.OpenAPI().Paths[UpdatePath].Post.RequestBody.Content[typeJSON].Schema
	phone, pin, photo := property(s, inJSON, parameters.Phone).AnyOf[0], property(s, inJSON, parameters.PIN).AnyOf[0], property(s, inJSON, parameters.Photo)
	got := []any{*phone.Minimum, *phone.Maximum, *pin.Minimum, *pin.Maximum, pin.Nullable, *photo.MinLength, *photo.MaxLength}
	if want := []any{1.0, 999_999_999_999_999.0, 0.0, 999_999_999_999.0, true, 1, 2<<20 + bodyOverhead}; !slices.Equal(got, want) {
		t.Errorf("got %v, want %v", got, want)
	}
	const limits = "the word delete. JPEG, PNG, GIF or WebP, at most 1048576 bytes and 1048576 pixels."
	for mediaType, media := range s.OpenAPI().Paths[UpdatePath].Post.RequestBody.Content {
		if text := media.Schema.Properties[parameters.Photo].Description; len(text) < len(limits) || text[len(text)-len(limits):] != limits {
			t.Errorf("%s: got %q", mediaType, text)
		}
	}
}

// TestPatternsAreNoStricterThanTheServer compares the schemas of a form with
// the parsers of the domain.
func TestPatternsAreNoStricterThanTheServer(t *testing.T) {
	form := newFixture(t).OpenAPI().Paths[UpdatePath].Post.RequestBody.Content[typeForm].Schema
	const key = "DEMO0DEMO0DEMO0DEMO0DEMO0"
	tests := []struct {
		name            string
		good, bad, open []string // accepted by both, refused by both, refused only by the server
	}{
		{
			parameters.APIKey,
			[]string{key, " " + key + "\r\n"}, []string{"", "short", key + "x", "é" + key[2:], key[:24] + " "}, nil,
		},
		{
			parameters.Phone,
			[]string{"447700900123", "1", "999999999999999", "+44 7700 900123", "0044-7700-900123", "(+44) 7700900123", "00000000000000000000447700900123", " \t4\u00a04 ", "\u202atel:+44.7700\u2011900123\u202c", "TEL: 44", "+44 (0)7"},
			[]string{"", "0", "000", "+", "x", "44x", "1234567890123456", "4e4", "() -"}, []string{"-44", "44.0", "++44", "44+", "+44 77 (0)7", "٤٤4"},
		},
		{
			parameters.PIN,
			[]string{"", "  ", "1", "0042", "123456789012", " 1234\n"}, []string{"x", "-1", "1234567890123", "12 34", "1.0"}, nil,
		},
	}
	for _, test := range tests {
		taken := func(text string) bool {
			var f parameters.Fields
			for name, content := range map[string]string{parameters.APIKey: key, parameters.Phone: "1", parameters.Photo: parameters.Delete, test.name: text} {
				check(t, f.SetPart(name, parameters.Part{Content: []byte(content)}))
			}
			_, err := f.Request()
			return err == nil
		}
		valid := func(text string) bool {
			schema := *form.Properties[test.name]
			schema.PrecomputeMessages()
			result := &huma.ValidateResult{}
			huma.Validate(nil, &schema, huma.NewPathBuffer(nil, 0), huma.ModeWriteToServer, text, result)
			return len(result.Errors) == 0
		}
		for texts, want := range map[*[]string][2]bool{&test.good: {true, true}, &test.bad: {false, false}, &test.open: {false, true}} {
			for _, text := range *texts {
				if got := [2]bool{taken(text), valid(text)}; got != want {
					t.Errorf("%s %q: accepted by the server and by the schema: got %v, want %v", test.name, text, got, want)
				}
			}
		}
	}
}
