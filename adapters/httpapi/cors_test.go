package httpapi

import (
	"fmt"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
)

func TestParseOrigins(t *testing.T) {
	for list, want := range map[string]string{
		"*":                       `["*"]`,
		"https://app.example.com": `["https://app.example.com"]`,
		"https://app.example.com, http://localhost:3000": `["https://app.example.com" "http://localhost:3000"]`,
		"https://[::1]:8443":                             `["https://[::1]:8443"]`,

		"app.example.com":                    `without a path, with commas between them; got "app.example.com"`,
		"https://app.example.com/":           "without a path",
		"https://app.example.com/x":          "without a path",
		"https://app.example.com?":           "without a path",
		"https://app.example.com#":           "without a path",
		"https://*.example.com":              "without a path",
		"*,https://app.example.com":          `got "*"`,
		"https://app.example.com,":           `got ""`,
		"https://":                           "without a path",
		"null":                               `got "null"`,
		"ftp://app.example.com":              "without a path",
		"https://:443":                       "without a path",
		"https://app.example.com:443":        "write https://app.example.com, got",
		"http://app.example.com:80":          "write http://app.example.com, got",
		"https://App.example.com":            "write https://app.example.com, got",
		"https://u:hunter2@app.example.com":  "want * alone, or origins such as https://app.example.com with commas",
		"https://app.example.com:http":       "want * alone",
		"https://u:hunter2@app.example.com:": "want * alone",
	} {
		origins, err := ParseOrigins(list)
		got := fmt.Sprintf("%q", origins)
		if err != nil {
			got = err.Error()
		}
		if got != want && (err == nil || !strings.Contains(got, want)) || strings.Contains(got, "hunter2") {
			t.Errorf("%s: got %s, want %s", list, got, want)
		}
	}
}

// TestCORS sends a browser's requests and compares the status and the headers that
// browsers look at.
func TestCORS(t *testing.T) {
	const app, other = "https://app.example.com", "https://other.example.com"
	const preflightVary = "Vary: Origin, Access-Control-Request-Method, Access-Control-Request-Headers"
	const allowed = "204; Access-Control-Allow-Headers: content-type; Access-Control-Allow-Methods: POST; Access-Control-Allow-Origin: https://app.example.com; Access-Control-Max-Age: 600; " + preflightVary
	const readable = "; Access-Control-Allow-Origin: https://app.example.com; Access-Control-Expose-Headers: Retry-After; Vary: Origin"
	exact, every := []string{"http://localhost:3000", app}, []string{"*"}
	for _, test := range []struct {
		name                  string
		origins               []string
		method, path, headers string
		want                  string
	}{
		{"off: preflight", nil, "OPTIONS", UpdatePath, "Origin: " + app + "; Access-Control-Request-Method: POST", "405; Allow: POST"},
		{"off: call", nil, "POST", UpdatePath, "Origin: " + app + "; Content-Type: " + typeJSON, "200"},
		{"preflight of JSON", exact, "OPTIONS", UpdatePath, "Origin: " + app + "; Access-Control-Request-Method: POST; Access-Control-Request-Headers: content-type", allowed},
		{"preflight with a library's header", every, "OPTIONS", UpdatePath, "Origin: " + app + "; Access-Control-Request-Method: POST; Access-Control-Request-Headers: content-type,traceparent",
			"204; Access-Control-Allow-Headers: content-type,traceparent; Access-Control-Allow-Methods: POST; Access-Control-Allow-Origin: *; Access-Control-Max-Age: 600; " + preflightVary},
		{"preflight of another method", exact, "OPTIONS", UpdatePath, "Origin: " + app + "; Access-Control-Request-Method: PUT", "204; " + preflightVary},
		{"preflight from elsewhere", exact, "OPTIONS", UpdatePath, "Origin: " + other + "; Access-Control-Request-Method: POST", "204; " + preflightVary},
		{"no preflight", exact, "OPTIONS", UpdatePath, "Origin: " + app, "405; Access-Control-Allow-Origin: https://app.example.com; Access-Control-Expose-Headers: Retry-After; Allow: POST; Vary: Origin"},
		{"JSON", exact, "POST", UpdatePath, "Origin: " + app + "; Content-Type: " + typeJSON, "200" + readable},
		{"a failure can be read", exact, "POST", UpdatePath, "Origin: " + app + "; Content-Type: text/xml", "415" + readable},
		{"another path can be read", exact, "POST", "/nothing", "Origin: " + app, "404" + readable + ", Accept"},
		{"every origin", every, "POST", UpdatePath, "Origin: " + other + "; Content-Type: " + typeJSON, "200; Access-Control-Allow-Origin: *; Access-Control-Expose-Headers: Retry-After; Vary: Origin"},
		{"from elsewhere", exact, "POST", UpdatePath, "Origin: " + other + "; Content-Type: " + typeJSON, "200; Vary: Origin"},
		{"from a sandbox", exact, "POST", UpdatePath, "Origin: null; Content-Type: " + typeJSON, "200; Vary: Origin"},
		{"no browser", exact, "POST", UpdatePath, "Content-Type: " + typeJSON, "200; Vary: Origin"},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, func(o *Options) { o.CORSOrigins = test.origins })
			request := httptest.NewRequest(test.method, test.path, strings.NewReader(string(callJSON(t, "delete"))))
			for header := range strings.SplitSeq(test.headers, "; ") {
				name, value, _ := strings.Cut(header, ": ")
				request.Header.Set(name, value)
			}
			recorder := httptest.NewRecorder()
			f.ServeHTTP(recorder, request)
			if got := seenByBrowsers(recorder); got != test.want {
				t.Errorf("got  %s\nwant %s", got, test.want)
			}
		})
	}
}

func seenByBrowsers(answer *httptest.ResponseRecorder) string {
	seen := fmt.Sprint(answer.Code)
	for _, name := range slices.Sorted(maps.Keys(answer.Header())) {
		if name == "Vary" || name == "Allow" || strings.HasPrefix(name, "Access-Control-") {
			seen += "; " + name + ": " + strings.Join(answer.Header()[name], ", ")
		}
	}
	return seen
}

// TestCORSOfForms: a page of an allowed origin can send all three content types.
func TestCORSOfForms(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.CORSOrigins = []string{"https://app.example.com"} })
	form := "api_key=" + testKey + "&phone_number=" + testPhone + "&photo_base64=delete"
	parts := ""
	for pair := range strings.SplitSeq(form, "&") {
		name, value, _ := strings.Cut(pair, "=")
		parts += "--B\r\nContent-Disposition: form-data; name=\"" + name + "\"\r\n\r\n" + value + "\r\n"
	}
	for contentType, body := range map[string]string{typeForm: form, typeMultipart + "; boundary=B": parts + "--B--\r\n", typeJSON: string(callJSON(t, "delete"))} {
		request := httptest.NewRequest(http.MethodPost, UpdatePath, strings.NewReader(body))
		request.Header.Set("Content-Type", contentType)
		request.Header.Set("Origin", "https://app.example.com")
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, request)
		if recorder.Code != http.StatusOK || recorder.Header().Get("Access-Control-Allow-Origin") != "https://app.example.com" {
			t.Errorf("%s: got %d %v", contentType, recorder.Code, recorder.Header())
		}
	}
}
