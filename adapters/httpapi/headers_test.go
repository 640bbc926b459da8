package httpapi

import (
	"bytes"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
)

// TestHeaderBounds: calls and other requests have a limit of fields and of bytes.
func TestHeaderBounds(t *testing.T) {
	server := serveTCP(t, newFixture(t))
	fields := func(n int) string {
		var lines strings.Builder
		for i := range n {
			fmt.Fprintf(&lines, "X-%d: y\r\n", i)
		}
		return lines.String()
	}
	body := callJSON(t, parameters.Delete)
	get := "GET /nothing HTTP/1.1\r\nHost: x\r\n"
	for _, test := range []struct{ name, request, want string }{
		{"100 fields", callHead(len(body), fields(98)) + string(body), "200 close=false"},
		{"101 fields", callHead(len(body), fields(99)) + string(body), "431 close=true"},
		{"the same field again and again", get + strings.Repeat("X: y\r\n", 101) + "\r\n", "431 close=true"},
		{"31 KB", get + "X: " + strings.Repeat("y", 31<<10) + "\r\n\r\n", "404 close=false"},
		{"33 KB", get + "X: " + strings.Repeat("y", 33<<10) + "\r\n\r\n", "431 close=true"},
		{"a bomb", get + strings.Repeat("X: y\r\n", 145_000) + "\r\n", "431 close=true"},
	} {
		t.Run(test.name, func(t *testing.T) {
			c := dialFrom(t, server, 2)
			go c.send(test.request) // it may be refused before it is sent
			if head, text := c.answer(); head != test.want {
				t.Errorf("got %s %s, want %s", head, text, test.want)
			}
		})
	}
}

// TestHeaderBoundsInHTTP2: the limits are the same. The server announces that of bytes.
func TestHeaderBoundsInHTTP2(t *testing.T) {
	f := newFixture(t)
	server := serveHTTP2(t, f, newConnections(64, nil))
	for _, test := range []struct {
		fields, bytes int
		want          string
	}{
		{98, 10, "404"}, // the client adds two
		{99, 10, "431"},
		{1, 27 << 10, "404"},
		{1, 33 << 10, "request header list larger than peer's advertised limit"},
	} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.URL+"/nothing", nil)
		check(t, err)
		for i := range test.fields {
			request.Header.Set(fmt.Sprint("X-", i), strings.Repeat("y", test.bytes))
		}
		answer, err := server.Client().Do(request)
		got := fmt.Sprint(err)
		if err == nil {
			got = fmt.Sprint(answer.StatusCode)
			check(t, answer.Body.Close())
		}
		if !strings.Contains(got, test.want) {
			t.Errorf("%d fields of %d bytes: got %s, want %s", test.fields, test.bytes, got, test.want)
		}
	}
}

func TestRepeatedHeaders(t *testing.T) {
	for _, name := range []string{"Content-Type", "Content-Encoding"} {
		f := newFixture(t)
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, UpdatePath, bytes.NewReader(callJSON(t, parameters.Delete)))
		request.Header = http.Header{"Content-Type": {typeJSON}, "Content-Encoding": {"identity"}}
		request.Header.Add(name, request.Header.Get(name))
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, request)
		want := fmt.Sprintf(`400 {"result":"error","error":"Type Error","api_log_id":1,"detail":"%s: it came 2 times; send it once"}`, name)
		if got := fmt.Sprint(recorder.Code, " ", strings.TrimSpace(recorder.Body.String())); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

// TestSecretsInTheQuery: a key or PIN in the query is refused, and neither repeated in
// the answer nor logged.
func TestSecretsInTheQuery(t *testing.T) {
	for query, want := range map[string]string{
		"":                                "",
		"v=2&phone_number=1":              "",
		"api_key=" + testKey:              parameters.APIKey,
		"api_key":                         parameters.APIKey,
		"x=1&API_Key=" + testKey:          parameters.APIKey,
		"x=1;api_key=" + testKey:          parameters.APIKey,
		"%61pi_key=x":                     parameters.APIKey,
		"%zz&key=" + testKey:              parameters.APIKey,
		testKey:                           parameters.APIKey,
		"customer_pin=1234":               parameters.PIN,
		"a=1&Customer_PIN=1234&x=" + "1%": parameters.PIN,
	} {
		f := newFixture(t)
		request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, UpdatePath, bytes.NewReader(callJSON(t, parameters.Delete)))
		request.URL.RawQuery = query
		request.Header.Set("Content-Type", typeJSON)
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, request)
		refused := recorder.Code == http.StatusBadRequest && strings.Contains(recorder.Body.String(), want+": send it in the body")
		if refused != (want != "") || want == "" && recorder.Code != http.StatusOK {
			t.Errorf("?%s: got %d %s, want %q refused", query, recorder.Code, recorder.Body, want)
		}
		if told := recorder.Body.String() + f.log.String(); strings.Contains(told, testKey) || strings.Contains(told, "=1234") {
			t.Errorf("?%s: told is %s", query, told)
		}
	}
}
