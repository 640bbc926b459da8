package client_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"reflect"
	"strconv"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi"
	"github.com/fleetphoto/fleetphoto/adapters/httpapi/client"
)

// call is a call before it is encoded.
type call struct {
	key   string
	phone int64
	pin   int64 // 0: none
	photo []byte
}

// encodings are the functions that send a call, one for each encoding.
var encodings = map[string]func(context.Context, *client.ClientWithResponses, call) (*client.UpdateCustomerPhotoResponse, error){
	"json": func(ctx context.Context, api *client.ClientWithResponses, c call) (*client.UpdateCustomerPhotoResponse, error) {
		body := client.UpdateCustomerPhotoJSONRequestBody{ApiKey: c.key, PhoneNumber: c.phone, PhotoBase64: encode(c.photo)}
		if c.pin != 0 {
			body.CustomerPin = &c.pin
		}
		return api.UpdateCustomerPhotoWithResponse(ctx, body)
	},
	"form": func(ctx context.Context, api *client.ClientWithResponses, c call) (*client.UpdateCustomerPhotoResponse, error) {
		return api.UpdateCustomerPhotoWithFormdataBodyWithResponse(ctx, client.UpdateCustomerPhotoFormdataRequestBody{
			ApiKey: c.key, PhoneNumber: strconv.FormatInt(c.phone, 10), CustomerPin: c.pinText(), PhotoBase64: encode(c.photo),
		})
	},
	"multipart": func(ctx context.Context, api *client.ClientWithResponses, c call) (*client.UpdateCustomerPhotoResponse, error) {
		form := client.UpdateCustomerPhotoMultipartBody{ApiKey: c.key, PhoneNumber: strconv.FormatInt(c.phone, 10), CustomerPin: c.pinText()}
		form.PhotoBase64.InitFromBytes(c.photo, "photo.jpg")
		contentType, body, err := client.Multipart(form)
		if err != nil {
			return nil, err
		}
		return api.UpdateCustomerPhotoWithBodyWithResponse(ctx, contentType, body)
	},
}

func (c call) pinText() *string {
	if c.pin == 0 {
		return nil
	}
	text := strconv.FormatInt(c.pin, 10)
	return &text
}

func newClient(t testing.TB, baseURL string) *client.ClientWithResponses {
	t.Helper()
	api, err := client.NewClientWithResponses(baseURL)
	check(t, err)
	return api
}

func TestUpdate(t *testing.T) {
	t.Parallel()
	for name, send := range encodings {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			baseURL := newServer(t)
			photo := picture(t, 20)
			for _, pin := range []int64{livePIN, 0} {
				got, err := send(t.Context(), newClient(t, baseURL), call{liveKey, livePhone, pin, photo})
				check(t, err)
				if got.JSON200 == nil || got.JSON200.Result != client.Valid || got.JSON200.ApiLogId == 0 || got.Failure() != nil {
					t.Fatalf("got %d %s", got.StatusCode(), got.Body)
				}
				if stored := fetch(t, got.JSON200.UrlCustomerPicture); !bytes.Equal(stored, photo) {
					t.Errorf("got %d bytes from %s, want the %d that were sent", len(stored), got.JSON200.UrlCustomerPicture, len(photo))
				}
			}
		})
	}
}

func fetch(t testing.TB, address string) []byte {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	check(t, err)
	response, err := http.DefaultClient.Do(request)
	check(t, err)
	defer func() { _ = response.Body.Close() }() // it was only read
	data, err := io.ReadAll(response.Body)
	check(t, err)
	return data
}

func TestDelete(t *testing.T) {
	t.Parallel()
	api := newClient(t, newServer(t))
	_, err := encodings["json"](t.Context(), api, call{liveKey, livePhone, livePIN, picture(t, 20)})
	check(t, err)
	got, err := api.UpdateCustomerPhotoWithResponse(t.Context(), client.UpdateCustomerPhotoJSONRequestBody{
		ApiKey: liveKey, PhoneNumber: livePhone, PhotoBase64: "delete",
	})
	check(t, err)
	if want := (&client.Success{Result: client.Valid, ApiLogId: 2}); !reflect.DeepEqual(got.JSON200, want) {
		t.Errorf("got %s, want %+v", got.Body, want)
	}
	got, err = api.UpdateCustomerPhotoWithFormdataBodyWithResponse(t.Context(), client.UpdateCustomerPhotoFormdataRequestBody{
		ApiKey: liveKey, PhoneNumber: "+44 7700 900123", PhotoBase64: "delete",
	})
	check(t, err)
	if want := (&client.Success{Result: client.Valid, ApiLogId: 3}); !reflect.DeepEqual(got.JSON200, want) {
		t.Errorf("got %s, want %+v", got.Body, want)
	}
}

// TestFailures causes each failure that a caller can cause, in each encoding.
func TestFailures(t *testing.T) {
	t.Parallel()
	photo := picture(t, 20)
	type failed = func(*client.UpdateCustomerPhotoResponse) *client.Failure
	for name, send := range encodings {
		for _, test := range []struct {
			call
			word client.FailureError
			of   failed
		}{
			{call{liveKey, livePhone, livePIN, []byte("no image")}, client.TypeError, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON400 }},
			{call{"TEST0TEST0TEST0TEST0TEST0", livePhone, livePIN, photo}, client.InvalidHashID, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON401 }},
			{call{disabledKey, livePhone, livePIN, photo}, client.FleetDisabled, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON403 }},
			{call{liveKey, unusedPhone, livePIN, photo}, client.CustomerNotFound, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON404 }},
			{call{liveKey, livePhone, wrongPIN, photo}, client.InvalidPIN, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON403 }},
			{call{liveKey, livePhone, 0, make([]byte, maxPhotoBytes+1)}, client.PhotoTooLarge, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON413 }},
			{call{liveKey, downPhone, livePIN, photo}, client.ServiceUnavailable, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON503 }},
			{call{liveKey, bugPhone, livePIN, photo}, client.InternalError, func(r *client.UpdateCustomerPhotoResponse) *client.Failure { return r.JSON500 }},
		} {
			t.Run(name+"/"+string(test.word), func(t *testing.T) {
				t.Parallel()
				got, err := send(t.Context(), newClient(t, newServer(t)), test.call)
				check(t, err)
				checkFailure(t, got, test.of(got), test.word)
				if unavailable := test.word == client.ServiceUnavailable; unavailable != (got.Headers503 != nil && got.Headers503.RetryAfter > 0) {
					t.Errorf("got Retry-After %+v", got.Headers503)
				}
			})
		}
	}
}

func checkFailure(t testing.TB, got *client.UpdateCustomerPhotoResponse, failure *client.Failure, word client.FailureError) {
	t.Helper()
	if failure == nil || failure != got.Failure() || got.JSON200 != nil || failure.Result != client.Error || failure.Error != word || failure.Detail == "" {
		t.Errorf("want %s, got %d %s", word, got.StatusCode(), got.Body)
	}
}

func TestPINLocked(t *testing.T) {
	t.Parallel()
	api := newClient(t, newServer(t))
	for range 6 {
		got, err := encodings["form"](t.Context(), api, call{liveKey, lockPhone, wrongPIN, picture(t, 20)})
		check(t, err)
		if got.JSON429 == nil {
			continue
		}
		checkFailure(t, got, got.JSON429, client.PINLocked)
		if got.Headers429 == nil || got.Headers429.RetryAfter < 60 {
			t.Errorf("got Retry-After %+v", got.Headers429)
		}
		return
	}
	t.Error("six wrong PINs lock nothing")
}

// TestFailuresOfTheRequest covers the failures of a misconfigured client.
func TestFailuresOfTheRequest(t *testing.T) {
	t.Parallel()
	baseURL := newServer(t)
	got, err := newClient(t, baseURL).UpdateCustomerPhotoWithBodyWithResponse(t.Context(), "text/xml", strings.NewReader("<photo/>"))
	check(t, err)
	checkFailure(t, got, got.JSON415, client.TypeError)
	got, err = encodings["json"](t.Context(), newClient(t, baseURL+"/api"), call{liveKey, livePhone, livePIN, nil})
	check(t, err)
	checkFailure(t, got, got.JSON404, client.NotFound)
	asGet := client.WithRequestEditorFn(func(_ context.Context, r *http.Request) error {
		r.Method, r.Body, r.ContentLength = http.MethodGet, nil, 0
		return nil
	})
	api, err := client.NewClientWithResponses(baseURL, asGet)
	check(t, err)
	got, err = encodings["json"](t.Context(), api, call{liveKey, livePhone, livePIN, nil})
	check(t, err)
	checkFailure(t, got, got.JSON405, client.MethodNotAllowed)
}

// TestFailureWithStatus200: a server for old callers sends failures with status 200,
// which Failure must find.
func TestFailureWithStatus200(t *testing.T) {
	t.Parallel()
	baseURL := newServer(t, func(o *httpapi.Options) { o.FailureStatus = http.StatusOK })
	for name, send := range encodings {
		got, err := send(t.Context(), newClient(t, baseURL), call{liveKey, livePhone, wrongPIN, picture(t, 20)})
		check(t, err)
		want := &client.Failure{Result: client.Error, Error: client.InvalidPIN, ApiLogId: got.JSON200.ApiLogId, Detail: "customer_pin: it does not match; after 5 wrong ones in a row the PIN is locked for 15 minutes"}
		if got.StatusCode() != http.StatusOK || !reflect.DeepEqual(got.Failure(), want) {
			t.Errorf("%s: got %+v of %d %s, want %+v", name, got.Failure(), got.StatusCode(), got.Body, want)
		}
	}
}

// TestAnswerOfAProxy: an answer that isn't the API's own is neither success nor failure.
func TestAnswerOfAProxy(t *testing.T) {
	t.Parallel()
	proxy := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/html")
		w.WriteHeader(http.StatusBadGateway)
		_, _ = io.WriteString(w, "<h1>Bad Gateway</h1>")
	}))
	t.Cleanup(proxy.Close)
	got, err := encodings["json"](t.Context(), newClient(t, proxy.URL), call{liveKey, livePhone, livePIN, nil})
	check(t, err)
	if got.JSON200 != nil || got.Failure() != nil || got.Status() != "502 Bad Gateway" {
		t.Errorf("got %+v, %+v of %s", got.JSON200, got.Failure(), got.Status())
	}
}

// TestFailureKnowsEveryStatus fails if Failure lacks a status of the document.
func TestFailureKnowsEveryStatus(t *testing.T) {
	t.Parallel()
	statuses := 0
	for i := range reflect.TypeFor[client.UpdateCustomerPhotoResponse]().NumField() {
		var response client.UpdateCustomerPhotoResponse
		want := &client.Failure{Detail: "one"}
		field := reflect.ValueOf(&response).Elem().Field(i)
		if field.Type() != reflect.TypeOf(want) {
			continue
		}
		statuses++
		field.Set(reflect.ValueOf(want))
		if got := response.Failure(); got != want {
			t.Errorf("Failure doesn't return %s", reflect.TypeOf(response).Field(i).Name)
		}
	}
	if statuses == 0 {
		t.Error("no status has a failure")
	}
}
