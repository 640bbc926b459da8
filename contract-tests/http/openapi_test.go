package httpsuite

import (
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/pb33f/libopenapi"
	validator "github.com/pb33f/libopenapi-validator"
	"github.com/pb33f/libopenapi-validator/config"
	validation "github.com/pb33f/libopenapi-validator/errors"

	"github.com/fleetphoto/fleetphoto/contract-tests/testserver"
)

// recorded is an exchange that was made.
type recorded struct {
	request *http.Request // its body can't be read any more
	body    []byte
	answer  *httptest.ResponseRecorder
}

// record lets every call through to handler and keeps what it was and was answered.
func record(handler http.Handler, into *[]recorded) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			panic(err)
		}
		answer := httptest.NewRecorder()
		r.Body = io.NopCloser(bytes.NewReader(body))
		handler.ServeHTTP(answer, r)
		*into = append(*into, recorded{r, body, answer})
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		_, _ = w.Write(answer.Body.Bytes())
	})
}

// documented tells whether the document describes such a request.
func (r recorded) documented() bool {
	return r.request.Method == http.MethodPost && r.request.URL.Path == updatePath
}

// checkRequest fails where the request isn't as the document wants it.
func (r recorded) checkRequest(v validator.Validator) error {
	request := r.request.Clone(r.request.Context())
	request.Body = io.NopCloser(bytes.NewReader(r.body))
	_, failures := v.ValidateHttpRequestSync(request)
	return joined(failures)
}

// checkResponse fails where the answer isn't as the document says. An answer
// to another path or method is to be that of the operation.
func (r recorded) checkResponse(v validator.Validator) error {
	request := httptest.NewRequest(http.MethodPost, updatePath, nil)
	_, failures := v.ValidateHttpResponse(request, r.answer.Result())
	return joined(failures)
}

func joined(failures []*validation.ValidationError) error {
	var all []error
	for _, failure := range failures {
		all = append(all, failure)
	}
	return errors.Join(all...)
}

// newValidator makes a validator by the document that handler serves at path.
func newValidator(t *testing.T, handler http.Handler, path string) validator.Validator {
	t.Helper()
	document, err := libopenapi.NewDocument(get(handler, path))
	if err != nil {
		t.Fatal(err)
	}
	v, failures := validator.NewValidator(document, config.WithStandardBodyDecoders(), config.WithRejectUnsupportedBodyContent())
	if len(failures) > 0 {
		t.Fatal(failures)
	}
	if _, failures := v.ValidateDocument(); len(failures) > 0 {
		t.Fatal(joined(failures))
	}
	return v
}

func get(handler http.Handler, path string) []byte {
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, httptest.NewRequest(http.MethodGet, path, nil))
	return answer.Body.Bytes()
}

// exchanges makes those of every case, each on a server of its own.
func exchanges(t *testing.T) map[string][]recorded {
	t.Helper()
	made := map[string][]recorded{}
	for fsys, open := range map[fs.FS]func() testserver.Backends{
		ownCases(): testserver.Memory,
		os.DirFS("testdata/broken"): func() testserver.Backends {
			b := testserver.Memory()
			b.Photos = brokenPhotos{b.Photos, new(atomic.Int32)}
			return b
		},
	} {
		cases, err := readCases(fsys)
		if err != nil {
			t.Fatal(err)
		}
		for _, c := range cases {
			var all []recorded
			if err := c.check(t.Context(), serve(t, record(testserver.New(t, open()), &all))); err != nil {
				t.Errorf("%s: %v", c.name, err)
			}
			made[c.name] = all
		}
	}
	return made
}

// exempt says why the validator's word on a case's requests isn't the server's.
var exempt = map[string]string{
	"invalid_hash_id":              "what can't be a key is no live key either, which isn't a Type Error",
	"photo_too_large_body":         "a body over the limit has its own status",
	"unknown_fields_form":          "the validator reads a broken escape in a parameter that nobody knows",
	"type_error_twice":             "no schema sees what comes twice in JSON",
	"type_error_header_twice":      "no schema sees what comes twice in a header",
	"type_error_query":             "the document doesn't say what may not be in the address",
	"type_error_missing_json":      "a photo of nothing but spaces is missing",
	"type_error_missing_multipart": "a part without content is missing",
	"type_error_base64_character":  "no schema reads Base64",
	"type_error_base64_data_uri":   "no schema reads Base64",
	"type_error_base64_digit":      "no schema reads Base64",
	"type_error_base64_padding":    "no schema reads Base64",
	"caller_php_at":                "no schema reads Base64",
	"json_byte_order_mark":         "the validator reads no byte order mark",
	"json_without_type":            "the document lists the types that callers should send",
	"form_without_type":            "the document lists the types that callers should send",
	"multipart_boundary_unquoted":  "the validator refuses the header",
	"type_error_quotes":            "the pattern of a phone number allows all marks around it",
	"type_error_phone_decimal":     "the pattern of a phone number allows dots",
	"type_error_phone_trunk_zero":  "the pattern of a phone number allows parentheses",
	"type_error_pin_zero":          "the contract's integer may be 0",
	"type_error_transfer_encoding": "no schema sees a part's header",
	"type_error_delete_capitals":   "no schema reads Base64",
	"type_error_unset":             "no schema reads Base64",
	"type_error_photo_bytes":       "no schema reads Base64",
	"type_error_photo_cut_off":     "no schema looks at the image",
	"type_error_photo_named":       "no schema looks at the image",
	"type_error_photo_text":        "no schema looks at the image",
}

// TestOpenAPI holds every exchange of the HTTP cases against the document that
// the server serves, in both versions.
func TestOpenAPI(t *testing.T) {
	t.Parallel()
	handler := testserver.New(t, testserver.Memory())
	made := exchanges(t)
	for _, document := range []string{"openapi.json", "openapi-3.0.json"} {
		v := newValidator(t, handler, "/"+document)
		for name, all := range made {
			t.Run(document+"/"+name, func(t *testing.T) { checkExchanges(t, v, name, all) })
		}
		t.Run(document+"/doctored", func(t *testing.T) { checkDoctored(t, v, made) })
	}
	t.Run("examples", func(t *testing.T) { checkExamples(t, get(handler, "/openapi.json"), made) })
}

// checkExchanges wants the request to be invalid where the server says Type
// Error, and valid where it says anything else; and every answer to be valid.
func checkExchanges(t *testing.T, v validator.Validator, name string, all []recorded) {
	exempted := false
	for _, r := range all {
		if strings.HasPrefix(r.request.URL.Path, "/photos/") && r.answer.Code == http.StatusOK {
			continue // a photo, which the document leaves out
		}
		if err := r.checkResponse(v); err != nil {
			t.Errorf("the answer %d %s isn't as documented: %v", r.answer.Code, r.answer.Body, err)
		}
		if !r.documented() {
			continue
		}
		err := r.checkRequest(v)
		switch refused := strings.Contains(r.answer.Body.String(), `"Type Error"`); {
		case refused == (err != nil):
		case exempt[name] != "":
			exempted = true
		case refused:
			t.Errorf("the document allows a request that gets %s", r.answer.Body)
		default:
			t.Errorf("the document refuses a request that gets %s: %v", r.answer.Body, err)
		}
	}
	if exempt[name] != "" && !exempted {
		t.Errorf("the case needs no exemption: %s", exempt[name])
	}
}

// checkDoctored wants each answer that was changed to be noticed.
func checkDoctored(t *testing.T, v validator.Validator, made map[string][]recorded) {
	for _, test := range []struct {
		name, of string // the last exchange of this case is doctored
		doctor   func(*httptest.ResponseRecorder)
	}{
		{"another status", "delete_json", func(a *httptest.ResponseRecorder) { a.Code = http.StatusCreated }},
		{"another content type", "delete_json", func(a *httptest.ResponseRecorder) { a.Header().Set("Content-Type", "text/html") }},
		{"another result", "delete_json", replaceInBody(`"valid"`, `"ok"`)},
		{"a failure as a success", "delete_json", replaceInBody(`"valid"`, `"error"`)},
		{"no URL", "delete_json", replaceInBody(`"url_customer_picture"`, `"url"`)},
		{"a null as the URL", "delete_json", replaceInBody(`""`, `null`)},
		{"an api_log_id of 0", "delete_json", replaceInBody(`"api_log_id":`, `"api_log_id":0,"n":`)},
		{"a text as the api_log_id", "type_error_key_null", replaceInBody(`"api_log_id":`, `"api_log_id":"2","n":`)},
		{"another word", "type_error_key_null", replaceInBody(`"Type Error"`, `"type_error"`)},
		{"a word of the inside", "type_error_key_null", replaceInBody(`"Type Error"`, `"Conflict"`)},
		{"no detail", "type_error_key_null", replaceInBody(`"detail"`, `"details"`)},
		{"no Retry-After", "service_unavailable", func(a *httptest.ResponseRecorder) { a.Header().Del("Retry-After") }},
		{"a date as Retry-After", "service_unavailable", func(a *httptest.ResponseRecorder) { a.Header().Set("Retry-After", "tomorrow") }},
	} {
		var last recorded
		for _, r := range made[test.of] {
			if r.documented() {
				last = r
			}
		}
		doctored := httptest.NewRecorder()
		doctored.Code, doctored.HeaderMap = last.answer.Code, last.answer.Header().Clone() //nolint:staticcheck // it is to be as it was
		doctored.Body = bytes.NewBuffer(bytes.Clone(last.answer.Body.Bytes()))
		test.doctor(doctored)
		last.answer = doctored
		if last.checkResponse(v) == nil {
			t.Errorf("%s: the document allows %d %v %s", test.name, doctored.Code, doctored.Header(), doctored.Body)
		}
	}
}
