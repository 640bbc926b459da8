package httpapi

import (
	"bytes"
	"context"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// newReadOnly returns a server that refuses calls. It has no backends, so a call that
// wasn't refused would panic.
func newReadOnly(t *testing.T, change ...func(*Options)) *fixture {
	t.Helper()
	return newFixture(t, append([]func(*Options){func(o *Options) {
		o.ReadOnly, o.Pages = true, true
		o.Update = &usecase.UpdateCustomerPhoto{Reader: o.Update.Reader}
		o.Receive = func(context.Context) func(error) {
			t.Error("a call was received")
			return func(error) {}
		}
	}}, change...)...)
}

func TestReadOnlyRefusesCalls(t *testing.T) {
	const envelope = `{"result":"error","error":"Service Unavailable","api_log_id":0,"detail":"nothing was changed: the service is being moved; send the call again later"}` + "\n"
	const origin = "https://app.example.com"
	fromPage := func(o *Options) { o.CORSOrigins = []string{origin} }
	answer200 := func(o *Options) { o.FailureStatus = http.StatusOK }
	form := url.Values{"api_key": {testKey}, "phone_number": {testPhone}, "customer_pin": {"9999"}, "photo_base64": {"delete"}}
	const multipart = "--b\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n" + testKey + "\r\n--b--\r\n"
	want := http.Header{
		"Content-Type": {typeJSON}, "Content-Length": {strconv.Itoa(len(envelope))}, "Retry-After": {"30"}, "X-Content-Type-Options": {"nosniff"},
	}
	wantFromPage := maps.Clone(want)
	maps.Copy(wantFromPage, http.Header{
		"Access-Control-Allow-Origin": {origin}, "Access-Control-Expose-Headers": {"Retry-After"}, "Vary": {"Origin"},
	})
	for _, test := range []struct {
		name, contentType, body string
		change                  func(*Options)
		status                  int
		header                  http.Header
	}{
		{"JSON", typeJSON, string(callJSON(t, encode(testJPEG(t, 20, 10)))), nil, 503, want},
		{"a form with a wrong PIN", typeForm, form.Encode(), nil, 503, want},
		{"multipart", typeMultipart + "; boundary=b", multipart, nil, 503, want},
		{"an unknown key", typeForm, "api_key=NONE1NONE1NONE1NONE1NONE1", nil, 503, want},
		{"no type", "", "delete", nil, 503, want},
		{"another type", "text/xml", "<photo/>", nil, 503, want},
		{"a body over the limit", typeJSON, strings.Repeat(" ", 4<<20), nil, 503, want},
		{"failures with status 200", typeForm, form.Encode(), answer200, 200, want},
		{"from a page", typeJSON, "{}", fromPage, 503, wantFromPage},
	} {
		t.Run(test.name, func(t *testing.T) {
			f := newReadOnly(t, func(o *Options) {
				if test.change != nil {
					test.change(o)
				}
			})
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, UpdatePath, strings.NewReader(test.body))
			request.Header.Set("Content-Type", test.contentType)
			request.Header.Set("Origin", origin)
			answer := httptest.NewRecorder()
			f.ServeHTTP(answer, request)
			if answer.Code != test.status || answer.Body.String() != envelope {
				t.Errorf("got  %d %s\nwant %d %s", answer.Code, answer.Body, test.status, envelope)
			}
			if !maps.EqualFunc(answer.Header(), test.header, slices.Equal) {
				t.Errorf("got  %v\nwant %v", answer.Header(), test.header)
			}
			if entries, err := f.backend.ApiLog.List(t.Context(), domain.ApiLogFilter{}, 1); len(entries) != 0 || err != nil {
				t.Errorf("logged are %+v, %v", entries, err)
			}
		})
	}
}

// TestReadOnlyKeepsNoBody: only dropRest reads, for clients of HTTP/1.
func TestReadOnlyKeepsNoBody(t *testing.T) {
	f := newReadOnly(t)
	body := &endless{}
	request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, UpdatePath, body)
	request.ProtoMajor = 2
	answer := httptest.NewRecorder()
	f.ServeHTTP(answer, request)
	if answer.Code != http.StatusServiceUnavailable || body.read != 0 {
		t.Errorf("got %d, and %d bytes were read", answer.Code, body.read)
	}
}

// TestReadOnlyServesTheRest: everything but calls works.
func TestReadOnlyServesTheRest(t *testing.T) {
	f := newReadOnly(t, func(o *Options) { o.CORSOrigins = []string{"*"} })
	photo, err := domain.NewPhoto(testJPEG(t, 20, 10), 20, 10)
	check(t, err)
	_, err = f.backend.PhotoStore.Put(t.Context(), testCustomer.PhotoKey(), photo, domain.NoPhoto)
	check(t, err)
	preflight := http.Header{"Origin": {"https://a.example"}, "Access-Control-Request-Method": {"POST"}}
	for _, test := range []struct {
		method, path string
		header       http.Header
		want         int
	}{
		{http.MethodGet, PagePath, nil, 200},
		{http.MethodGet, DocsPath, nil, 200},
		{http.MethodGet, "/openapi.json", nil, 200},
		{http.MethodGet, UpdatePath, nil, 405},
		{http.MethodOptions, UpdatePath, preflight, 204},
		{http.MethodGet, PhotosPath + string(testCustomer.PhotoKey()), nil, 200},
	} {
		request := httptest.NewRequestWithContext(t.Context(), test.method, test.path, nil)
		maps.Copy(request.Header, test.header)
		answer := httptest.NewRecorder()
		f.ServeHTTP(answer, request)
		if answer.Code != test.want || strings.HasPrefix(test.path, PhotosPath) && !bytes.Equal(answer.Body.Bytes(), photo.JPEG()) {
			t.Errorf("%s %s: got %d and %d bytes, want %d", test.method, test.path, answer.Code, answer.Body.Len(), test.want)
		}
	}
}
