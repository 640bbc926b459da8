package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// entry returns the last entry of the API log.
func (f *fixture) entry(t *testing.T) domain.ApiLogEntry {
	t.Helper()
	entries, err := f.backend.ApiLog.List(t.Context(), domain.ApiLogFilter{}, 1)
	check(t, err)
	if len(entries) == 0 {
		t.Fatal("nothing is logged")
	}
	return entries[0]
}

// TestDetailsOfACall: the API log has the content type and size of each call, also of
// a refused one.
func TestDetailsOfACall(t *testing.T) {
	f := newFixture(t)
	whole := callJSON(t, parameters.Delete)
	for _, test := range []struct {
		name, contentType string
		body              []byte
		wantType          string
		read              int
	}{
		{"a success", typeJSON + "; charset=utf-8", whole, typeJSON + "; charset=utf-8", len(whole)},
		{"no JSON", typeJSON, []byte("{"), typeJSON, 1},
		{"another type, which isn't read", "text/xml", whole, "text/xml", 0},
		{"a type that is too long to keep", strings.Repeat("ä", 200) + "\xff", whole, strings.Repeat("ä", 100), 0},
		{"no UTF-8", "text/\xffxml", whole, "text/xml", 0},
		{"no type", "", whole, "", len(whole)},
	} {
		f.post(t, test.contentType, bytes.NewReader(test.body))
		got := f.entry(t).Call.Details
		if got.ContentType != test.wantType || got.BodyBytes != int64(test.read) {
			t.Errorf("%s: got %+v", test.name, got)
		}
	}
}

// TestReceive: Receive is called once for each call, and its function gets the error.
func TestReceive(t *testing.T) {
	type key struct{}
	var seen []string
	f := newFixture(t, func(o *Options) {
		o.Observe = func(r *http.Request) (context.Context, func(Exchange)) {
			return context.WithValue(r.Context(), key{}, "received"), func(Exchange) {}
		}
		o.Receive = func(ctx context.Context) func(error) {
			return func(err error) { seen = append(seen, fmt.Sprint(ctx.Value(key{}), " ", err != nil)) }
		}
	})
	for _, body := range []string{string(callJSON(t, parameters.Delete)), "no JSON"} {
		f.post(t, typeJSON, strings.NewReader(body))
	}
	f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, UpdatePath, nil))
	if want := []string{"received false", "received true"}; !slices.Equal(seen, want) {
		t.Errorf("got %q, want %q", seen, want)
	}
}

// TestObserve: Observe is called once for each request, and its function gets the
// outcome.
func TestObserve(t *testing.T) {
	var seen []Exchange
	f := newFixture(t, func(o *Options) {
		o.Observe = func(r *http.Request) (context.Context, func(Exchange)) {
			return r.Context(), func(e Exchange) { seen = append(seen, e) }
		}
		o.CORSOrigins = []string{"https://app.example.com"}
		o.MaxInflightBytes = 64 << 10
	})
	valid := callJSON(t, parameters.Delete)
	large := bytes.Repeat([]byte("x"), 100<<10)
	for _, test := range []struct {
		method, path, contentType string
		body                      []byte
		want                      Exchange
		kind                      domain.Kind
	}{
		{"POST", UpdatePath, typeJSON, valid, Exchange{Route: UpdatePath, Status: 200, IsCall: true}, ""},
		{"POST", UpdatePath, typeJSON, []byte("{"), Exchange{Route: UpdatePath, Status: 400, IsCall: true}, domain.TypeError},
		{"POST", UpdatePath, typeJSON, large, Exchange{Route: UpdatePath, Status: 503, IsCall: true}, domain.Unavailable},
		{"GET", UpdatePath, "", nil, Exchange{Route: "(other)", Status: 405, IsCall: true}, methodNotAllowed},
		{"OPTIONS", UpdatePath, "", nil, Exchange{Route: "(other)", Status: 204}, ""}, // a browser asks first
		{"GET", PhotosPath + string(testCustomer.PhotoKey()), "", nil, Exchange{Route: PhotosPath + "*", Status: 404}, domain.NotFound},
		{"GET", "/" + testKey, "", nil, Exchange{Route: "(other)", Status: 404}, domain.NotFound},
	} {
		seen = nil
		request := httptest.NewRequestWithContext(t.Context(), test.method, test.path, bytes.NewReader(test.body))
		request.Header.Set("Content-Type", test.contentType)
		if test.method == http.MethodOptions {
			request.Header.Set("Origin", "https://app.example.com")
			request.Header.Set("Access-Control-Request-Method", http.MethodPost)
		}
		f.ServeHTTP(httptest.NewRecorder(), request)
		if len(seen) != 1 {
			t.Errorf("%s %s: seen %d times", test.method, test.path, len(seen))
			continue
		}
		got := seen[0]
		if got.Route != test.want.Route || got.Status != test.want.Status || got.IsCall != test.want.IsCall || got.Took <= 0 {
			t.Errorf("%s %s: got %+v, want %+v", test.method, test.path, got, test.want)
		}
		if (got.Err != nil) != (test.kind != "") || got.Err != nil && domain.AsError(got.Err).Kind != test.kind {
			t.Errorf("%s %s: got the error %v, want %s", test.method, test.path, got.Err, test.kind)
		}
		if details := got.Answer.Call.Details; got.Status < 405 && test.want.IsCall && details.BodyBytes == 0 {
			t.Errorf("%s %s: got %+v", test.method, test.path, details)
		}
	}
	if held := f.InflightBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

func TestInflightBytesAreTold(t *testing.T) {
	f := newFixture(t)
	read, write := io.Pipe()
	answered := make(chan struct{})
	go func() { defer close(answered); f.post(t, typeJSON, read) }()
	_, err := io.WriteString(write, "{\"") // returns once the second byte is read, into a chunk
	check(t, err)
	if held := f.InflightBytes(); held != smallBody {
		t.Errorf("after its first bytes a body holds %d bytes, want %d", held, smallBody)
	}
	check(t, write.Close())
	<-answered
	if held := f.InflightBytes(); held != 0 {
		t.Errorf("%d bytes are still held", held)
	}
}

// TestKeysElsewhereAreMasked: neither an answer nor a log repeats a key, or most of
// it, from a header, a method or a path.
func TestKeysElsewhereAreMasked(t *testing.T) {
	most := testKey[:20]
	multipart := "--b\r\nContent-Disposition: form-data; name=\"photo_base64\"\r\nContent-Transfer-Encoding: %s\r\n\r\nx\r\n--b--\r\n"
	for _, test := range []struct{ method, path, contentType, encoding, body, want string }{
		{"POST", UpdatePath, "text/" + testKey, "", "", "text/[masked]"},
		{"POST", UpdatePath, strings.Repeat(" ", 50) + testKey, "", "", "[masked]"},
		{"POST", UpdatePath, typeJSON + "; charset=x" + testKey + "x", "", "{", "charset=[masked]"},
		{"POST", UpdatePath, typeJSON + strings.Repeat(" ", 75) + testKey, "", "{", "[masked]"},
		{"POST", UpdatePath, testKey[:12] + "\xff" + testKey[12:], "", "", "[masked]"},
		{"POST", UpdatePath, typeJSON, testKey, "", "[masked]"},
		{"POST", UpdatePath, typeMultipart + "; boundary=b", "", fmt.Sprintf(multipart, testKey), "[masked]"},
		{testKey, UpdatePath, "", "", "", "[masked]"},
		{"X-" + testKey, "/" + testKey, "", "", "", "X-[masked]"},
		{"GET", PhotosPath + testKey, "", "", "", "/photos/*"},
		{"POST", UpdatePath, typeJSON + "; charset=" + strings.Repeat("x", 24), "", "{", "charset=xxxx"}, // too short for a key
	} {
		f := newFixture(t)
		request := httptest.NewRequestWithContext(t.Context(), test.method, test.path, strings.NewReader(test.body))
		request.Header.Set("Content-Type", test.contentType)
		request.Header.Set("Content-Encoding", test.encoding)
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, request)
		entries, err := f.backend.ApiLog.List(t.Context(), domain.ApiLogFilter{}, 9)
		check(t, err)
		seen := fmt.Sprintf("%s\n%s\n%+v", answer.Body, f.log, entries)
		if strings.Contains(seen, most) || !strings.Contains(seen, test.want) {
			t.Errorf("%+v: want %q and not the key in\n%s", test, test.want, seen)
		}
	}
}

// TestLinesAreBounded: the lines of requests without a live key are limited for each
// level separately, and the next line counts the omitted ones. A call with a live key
// always has its line.
func TestLinesAreBounded(t *testing.T) {
	fleets := &changedFleets{}
	f := newFixture(t, func(o *Options) {
		fleets.FleetAuth = o.Update.Fleets
		o.Update.Fleets = fleets
	})
	const each = 2 * linesAtOnce
	for range each {
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(t.Context(), http.MethodGet, "/nothing", nil))
	}
	for _, fleets.err = range []error{domain.Errorf(domain.Unavailable, "the database is down"), errors.New("a bug"), nil} {
		for range each {
			if f.post(t, typeJSON, bytes.NewReader(callJSON(t, parameters.Delete))); fleets.err == nil {
				break
			}
		}
	}
	levels, told := map[string]int{}, 0
	for text := range strings.Lines(f.log.String()) {
		var line struct {
			Level          string
			Omitted, Fleet int
		}
		check(t, json.Unmarshal([]byte(text), &line))
		if line.Fleet != 0 {
			line.Level = "of a fleet"
		}
		levels[line.Level]++
		told += line.Omitted
	}
	written := 0
	for _, level := range []string{"INFO", "WARN", "ERROR"} {
		if written += levels[level]; levels[level] < linesAtOnce || levels[level] >= each {
			t.Errorf("%d requests wrote %d lines of level %s, want at least %d and not all", each, levels[level], level, linesAtOnce)
		}
	}
	if levels["of a fleet"] != 1 || written+told != 3*each {
		t.Errorf("the levels of the lines are %v, and %d are counted as omitted, of %d requests", levels, told, 3*each+1)
	}
}

// changedFleets fails with err if it is set.
type changedFleets struct {
	ports.FleetAuth
	err error
}

func (c *changedFleets) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	if c.err != nil {
		return domain.Caller{}, c.err
	}
	return c.FleetAuth.Authenticate(ctx, key)
}
