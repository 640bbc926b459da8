package httpapi

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/png"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

func TestEveryKindHasAStatus(t *testing.T) {
	for _, kind := range domain.Kinds() {
		if statuses[kind] < 400 {
			t.Errorf("%s has no status in the error table", kind)
		}
	}
}

// failingPhotos fails every Put, or panics.
type failingPhotos struct {
	ports.PhotoStore
	panics bool
}

func (f failingPhotos) Put(context.Context, domain.PhotoKey, domain.Photo, domain.PhotoVersion) (domain.PhotoVersion, error) {
	if f.panics {
		panic("a bug with the password hunter2")
	}
	return "", domain.Errorf(domain.Unavailable, "the store is down").WithCause(errors.New("dial 10.0.0.1: refused, password hunter2"))
}

type failingFleets struct {
	ports.FleetAuth
	panics bool
}

func (f failingFleets) Authenticate(context.Context, domain.APIKeyHash) (domain.Caller, error) {
	if f.panics {
		panic("a bug with the password hunter2")
	}
	return domain.Caller{}, errors.New("no *domain.Error: password hunter2")
}

type failingLog struct{ ports.ApiLog }

func (failingLog) Record(context.Context, domain.ApiCall, domain.Outcome) (domain.ApiLogID, error) {
	return 0, domain.Errorf(domain.Unavailable, "the log is down")
}

func (failingLog) Open(context.Context, domain.ApiCall) (domain.ApiLogID, error) {
	return 0, domain.Errorf(domain.Unavailable, "the log is down")
}

// crowdedReader refuses every photo, as of a fleet with too many waiting.
type crowdedReader struct{ usecase.PhotoReader }

func (crowdedReader) Read(_ context.Context, fleet domain.FleetID, _ []byte) (domain.Photo, photo.Reading, error) {
	err := domain.Errorf(domain.TooManyRequests, "fleet %d sends too much", fleet)
	err.RetryAfter = 7 * time.Second
	return domain.Photo{}, photo.Reading{}, err
}

// TestEnvelopeOfServerFailures covers the rows of the error table that a caller can't
// cause.
func TestEnvelopeOfServerFailures(t *testing.T) {
	const internal = `{"result":"error","error":"Internal Error","api_log_id":1,"detail":"the server failed in a way it did not expect; report the api_log_id"}`
	tests := []struct {
		name   string
		change func(*Options)
		photo  string // default: a real one
		status int
		retry  string
		body   string
	}{
		{name: "store down", change: func(o *Options) { o.Update.Changes.Photos = failingPhotos{o.Update.Changes.Photos, false} }, status: 503, retry: "5",
			body: `{"result":"error","error":"Service Unavailable","api_log_id":1,"detail":"the change was cut off, and it is not known whether it was made: the old photo or the new one is stored, whole; send the call again"}`},
		{name: "log down", change: func(o *Options) { o.Update.Changes.Log = failingLog{o.Update.Changes.Log} }, status: 503, retry: "5",
			body: `{"result":"error","error":"Service Unavailable","api_log_id":0,"detail":"nothing was changed: the log is down"}`},
		{name: "log down and a bad photo", change: func(o *Options) { o.Update.Changes.Log = failingLog{o.Update.Changes.Log} }, photo: "!", status: 400,
			body: `{"result":"error","error":"Type Error","api_log_id":0,"detail":"photo_base64: want Base64 or the word delete; byte 1 is neither a Base64 digit, padding nor a line break"}`},
		{name: "an error without a kind", change: func(o *Options) { o.Update.Fleets = failingFleets{o.Update.Fleets, false} }, status: 500, body: internal},
		{name: "a panic before the change", change: func(o *Options) { o.Update.Fleets = failingFleets{o.Update.Fleets, true} }, status: 500, body: internal},
		{name: "a panic in the change", change: func(o *Options) { o.Update.Changes.Photos = failingPhotos{o.Update.Changes.Photos, true} }, status: 500, body: internal},
		{name: "a panic outside the use case", change: func(o *Options) { o.Update.Changes.Clock = nil }, status: 500, body: strings.Replace(internal, "_id\":1", "_id\":0", 1)},
		{name: "the server is full", change: func(o *Options) { o.MaxInflightBytes = 1 }, status: 503, retry: "5",
			body: `{"result":"error","error":"Service Unavailable","api_log_id":0,"detail":"nothing was changed: the server is receiving as much as it can hold; send the call again in a moment"}`},
		{name: "too much of the fleet is waiting", change: func(o *Options) { o.Update.Reader = crowdedReader{o.Update.Reader} }, status: 429, retry: "7",
			body: `{"result":"error","error":"Too Many Requests","api_log_id":1,"detail":"fleet 689 sends too much"}`},
		{name: "failures with status 200", change: func(o *Options) { o.FailureStatus = 200 }, photo: "!", status: 200,
			body: `{"result":"error","error":"Type Error","api_log_id":1,"detail":"photo_base64: want Base64 or the word delete; byte 1 is neither a Base64 digit, padding nor a line break"}`},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			f := newFixture(t, test.change)
			photo := test.photo
			if photo == "" {
				photo = encode(testJPEG(t, 20, 10))
			}
			answer := f.post(t, typeJSON, bytes.NewReader(callJSON(t, photo)))
			got := fmt.Sprintf("%d %q %s", answer.Code, answer.Header().Get("Retry-After"), answer.Body)
			if want := fmt.Sprintf("%d %q %s\n", test.status, test.retry, test.body); got != want {
				t.Errorf("got  %s\nwant %s", got, want)
			}
			if answer.Header().Get("Content-Type") != typeJSON {
				t.Errorf("got Content-Type %q", answer.Header().Get("Content-Type"))
			}
			if f.stored(t) != nil {
				t.Error("a photo was stored")
			}
			if f.InflightBytes() != 0 {
				t.Errorf("%d bytes are still held", f.InflightBytes())
			}
		})
	}
}

func TestFailureStatusIsForCallsAlone(t *testing.T) {
	f := newFixture(t, func(o *Options) { o.FailureStatus = 200 })
	for path, want := range map[string]int{UpdatePath: 200, "/other": 404, PhotosPath + "x": 404} {
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
		if recorder.Code != want || !json.Valid(recorder.Body.Bytes()) {
			t.Errorf("GET %s: got %d %s, want %d", path, recorder.Code, recorder.Body, want)
		}
	}
}

// TestBodyLimit posts forms of limit−1, limit and limit+1 bytes, announced and in chunks.
func TestBodyLimit(t *testing.T) {
	f := newFixture(t)
	form := "api_key=" + testKey + "&phone_number=" + testPhone + "&photo_base64=delete&filler="
	for _, over := range []int{-1, 0, 1} {
		body := form + strings.Repeat("x", int(f.maxBody)+over-len(form))
		want := http.StatusOK
		if over > 0 {
			want = http.StatusRequestEntityTooLarge
		}
		for name, reader := range map[string]io.Reader{"announced": strings.NewReader(body), "chunked": struct{ io.Reader }{strings.NewReader(body)}} {
			if got := f.post(t, typeForm, reader); got.Code != want {
				t.Errorf("limit%+d, %s: got %d %s, want %d", over, name, got.Code, got.Body, want)
			}
		}
	}
	if f.InflightBytes() != 0 {
		t.Errorf("%d bytes are still held", f.InflightBytes())
	}
}

// TestPhotoLimit posts photos of limit and limit+1 bytes in each encoding.
func TestPhotoLimit(t *testing.T) {
	f := newFixture(t)
	exact := testJPEG(t, 20, 10)
	exact = append(exact, make([]byte, int(f.maxPhoto)-len(exact))...) // bytes after the JPEG's end are ignored
	for over, want := range []int{http.StatusOK, http.StatusRequestEntityTooLarge} {
		picture := append(bytes.Clone(exact), make([]byte, over)...)
		if got := f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(picture)))); got.Code != want {
			t.Errorf("JSON: got %d %s, want %d", got.Code, got.Body, want)
		}
		form := "api_key=" + testKey + "&phone_number=" + testPhone + "&photo_base64=" + strings.ReplaceAll(encode(picture), "+", "%2B")
		if got := f.post(t, typeForm, strings.NewReader(form)); got.Code != want {
			t.Errorf("form: got %d %s, want %d", got.Code, got.Body, want)
		}
	}
}

// TestInflightBytes: there is no room for a call while another body holds it all.
func TestInflightBytes(t *testing.T) {
	f := newFixture(t)
	other := f.room.newBody(0, netip.Addr{})
	charge := func(n int64) {
		f.room.mu.Lock()
		defer f.room.mu.Unlock()
		other.charge(n)
	}
	call := func() *httptest.ResponseRecorder {
		return f.post(t, typeJSON, bytes.NewReader(callJSON(t, parameters.Delete)))
	}
	charge(f.MaxInflightBytes)
	other.whole = true
	if got := call(); got.Code != http.StatusServiceUnavailable {
		t.Errorf("while the room is full: got %d %s", got.Code, got.Body)
	}
	charge(-smallBody)
	if got := call(); got.Code != http.StatusOK {
		t.Errorf("after it: got %d %s", got.Code, got.Body)
	}
}

// brokenReader fails with err, like a connection.
type brokenReader struct{ err error }

func (b brokenReader) Read([]byte) (int, error) { return 0, b.err }

func TestBodyThatDoesNotArrive(t *testing.T) {
	f := newFixture(t)
	for name, test := range map[string]struct {
		err              error
		want, connection string
	}{
		"slow":    {&net.OpError{Op: "read", Err: timeoutError{}}, "arrived too slowly; want 500 bytes a second at least", "close"},
		"cut off": {io.ErrUnexpectedEOF, "ended before it was whole", ""},
	} {
		for _, contentType := range []string{typeJSON, typeForm, typeMultipart + "; boundary=x"} {
			got := f.post(t, contentType, brokenReader{test.err})
			if got.Code != http.StatusBadRequest || !strings.Contains(got.Body.String(), test.want) || got.Header().Get("Connection") != test.connection {
				t.Errorf("%s %s: got %d %s %v", name, contentType, got.Code, got.Body, got.Header())
			}
		}
	}
}

type timeoutError struct{}

func (timeoutError) Error() string { return "i/o timeout" }
func (timeoutError) Is(target error) bool {
	return target.Error() == "i/o timeout"
}

func TestPhotosAreNotServedForAStoreWithAnAddress(t *testing.T) {
	f := newFixture(t, func(o *Options) {
		o.Photos = nil
		o.Update.Address = func(_ context.Context, key domain.PhotoKey) (string, error) {
			return "https://store.example/" + string(key) + "?a=1&b=2", nil
		}
	})
	answer := f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(testJPEG(t, 20, 10)))))
	if !strings.Contains(answer.Body.String(), `"url_customer_picture":"https://store.example/fleet-689/customer_photos/452733_photo.jpg?a=1&b=2"`) {
		t.Errorf("got %s", answer.Body)
	}
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, PhotosPath+string(testCustomer.PhotoKey()), nil))
	if recorder.Code != http.StatusNotFound {
		t.Errorf("the photo is served: %d", recorder.Code)
	}
}

func TestPhotoRefusalsHaveTheEnvelope(t *testing.T) {
	f := newFixture(t)
	f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(testJPEG(t, 20, 10)))))
	for header, want := range map[[2]string]string{
		{"Range", "bytes=999999-"}: `416 {"result":"error","error":"Range Not Satisfiable","api_log_id":0,"detail":"Range: want a range within the photo; its size is in Content-Range"}`,
		{"If-Match", `"x"`}:        `412 {"result":"error","error":"Precondition Failed","api_log_id":0,"detail":"If-Match: the photo is another one by now"}`,
	} {
		request := httptest.NewRequest(http.MethodGet, PhotosPath+string(testCustomer.PhotoKey()), nil)
		request.Header.Set(header[0], header[1])
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, request)
		if got := fmt.Sprint(recorder.Code, " ", strings.TrimSpace(recorder.Body.String())); got != want || recorder.Header().Get("Content-Type") != typeJSON {
			t.Errorf("%s: got %s %v, want %s", header, got, recorder.Header(), want)
		}
	}
}

// HTTP/1.0 clients may send no Host.
func TestPhotoURLWithoutHost(t *testing.T) {
	f := newFixture(t)
	request := httptest.NewRequest(http.MethodPost, UpdatePath, bytes.NewReader(callJSON(t, encode(testJPEG(t, 20, 10)))))
	request.Host = ""
	request.Header.Set("Content-Type", typeJSON)
	local := &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: 8080}
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, request.WithContext(context.WithValue(request.Context(), http.LocalAddrContextKey, local)))
	if !strings.Contains(recorder.Body.String(), `"http://127.0.0.1:8080/photos/fleet-689/`) {
		t.Errorf("got %s", recorder.Body)
	}
}

// The errors of mime/multipart quote the body, and causes are logged.
func TestBrokenMultipartStaysOutOfTheLog(t *testing.T) {
	bodies := map[string]string{
		"no blank line":         "--B\r\nContent-Disposition: form-data; name=\"api_key\"\r\n" + testKey + "\r\n\r\n\r\n--B--\r\n",
		"text after a boundary": "--B\r\n\r\nx\r\n--B " + testKey + "\r\n",
		"no colon":              "--B\r\n" + testKey + "\r\n\r\n--B--\r\n",
		"a huge head":           "--B\r\nX: " + testKey + strings.Repeat("x", 2*maxPartHead) + "\r\n\r\n\r\n--B--\r\n",
		"no part":               testKey + "--C\r\n",
		"JSON":                  "\ufeff \r\n" + `{"api_key":"` + testKey + `"}`,
		"long JSON":             `{"api_key":"` + testKey + strings.Repeat("x", 2*maxPartHead) + `"}`,
	}
	for name, body := range bodies {
		f := newFixture(t)
		answer := f.post(t, typeMultipart+"; boundary=B", strings.NewReader(body))
		if answer.Code != http.StatusBadRequest || !strings.Contains(answer.Body.String(), `"detail":"body: `) {
			t.Errorf("%s: got %d %s", name, answer.Code, answer.Body)
		}
		if both := answer.Body.String() + f.log.String(); strings.Contains(both, testKey) {
			t.Errorf("%s: the key is repeated: %s", name, both)
		}
	}
}

// A typo in the address, such as & for ?, may put a key into the path.
func TestForeignPathsStayOutOfTheLog(t *testing.T) {
	f := newFixture(t)
	for _, path := range []string{UpdatePath + "&api_key=" + testKey, PhotosPath + testKey, "/" + testKey} {
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodPost, path, nil))
		f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil))
	}
	f.ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, PhotosPath+string(testCustomer.PhotoKey()), nil))
	if log := f.log.String(); strings.Contains(log, testKey) || !strings.Contains(log, `"path":"/photos/fleet-689/customer_photos/452733_photo.jpg"`) {
		t.Errorf("got %s", log)
	}
}

func TestUnknownMethodOnAnUnknownPath(t *testing.T) {
	f := newFixture(t)
	for path, want := range map[string]int{"/nothing": 404, UpdatePath: 405, "/openapi.json": 405, PhotosPath + "x": 405} {
		recorder := httptest.NewRecorder()
		f.ServeHTTP(recorder, httptest.NewRequest("FOO", path, nil))
		if recorder.Code != want || !json.Valid(recorder.Body.Bytes()) {
			t.Errorf("FOO %s: got %d %s, want %d", path, recorder.Code, recorder.Body, want)
		}
	}
}

// TestLogHasOneLineWithoutSecrets checks the lines of valid and failed calls.
func TestLogHasOneLineWithoutSecrets(t *testing.T) {
	picture := encode(testJPEG(t, 20, 10))
	bodies := map[string]string{
		"good":      string(callJSON(t, picture)),
		"wrong PIN": strings.Replace(string(callJSON(t, picture)), "1234", "87654321", 1),
		"wrong key": strings.Replace(string(callJSON(t, picture)), testKey, "OTHER"+testKey[5:], 1),
		"broken":    string(callJSON(t, picture))[:200],
		"foreign":   strings.Replace(string(callJSON(t, picture)), testPhone, `{"a":447700900123}`, 1),
	}
	for name, body := range bodies {
		f := newFixture(t)
		request := httptest.NewRequest(http.MethodPost, UpdatePath+"?api_key="+testKey, strings.NewReader(body))
		request.Header.Set("Content-Type", typeJSON)
		f.ServeHTTP(httptest.NewRecorder(), request)
		line := f.log.String()
		if strings.Count(line, "\n") != 1 || !strings.Contains(line, `"api_log_id":1`) {
			t.Errorf("%s: want one line with the api_log_id, got %s", name, line)
		}
		for _, secret := range []string{testKey[5:], "1234,", "87654321", "447700900123", picture[:40]} {
			if strings.Contains(line, secret) {
				t.Errorf("%s: the line has %q: %s", name, secret, line)
			}
		}
	}
}

// Concurrent first requests render the document once.
func TestOpenAPIIsServed(t *testing.T) {
	f := newFixture(t)
	f.Logger = slog.New(slog.DiscardHandler)
	var first sync.WaitGroup
	for path, want := range map[string][2]string{
		"/openapi.json": {"application/openapi+json", `"openapi":"3.1.0"`}, "/openapi-3.0.json": {"application/openapi+json", `"openapi":"3.0.3"`},
		"/openapi.yaml": {"application/openapi+yaml", "openapi: 3.1.0"}, "/openapi-3.0.yaml": {"application/openapi+yaml", "openapi: 3.0.3"},
	} {
		for range 2 {
			first.Go(func() {
				recorder := httptest.NewRecorder()
				f.ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, path, nil))
				text := recorder.Body.String()
				if recorder.Code != http.StatusOK || recorder.Header().Get("Content-Type") != want[0] || !strings.Contains(text, want[1]) ||
					!strings.Contains(text, "PIN Locked") || !strings.Contains(text, typeForm) || strings.Contains(text, "$schema") {
					t.Errorf("%s: got %d %v %s", path, recorder.Code, recorder.Header(), text)
				}
			})
		}
	}
	first.Wait()
}

func TestAdmin(t *testing.T) {
	f := newFixture(t)
	ready := &usecase.Readiness{Fleets: f.backend.FleetAuth, Customers: f.backend.CustomerRepo, Photos: f.backend.PhotoStore, Log: f.backend.ApiLog}
	down := *ready
	down.Fleets = failingFleets{f.backend.FleetAuth, false}
	readOnly, readOnlyDown := *ready, down
	readOnly.ReadOnly, readOnlyDown.ReadOnly = true, true
	const notReady = "not ready: a backend does not answer; the server's log has the cause\n"
	tests := []struct {
		readiness *usecase.Readiness
		path      string
		want      int
		says      string
	}{
		{ready, LivePath, 200, "live\n"}, {ready, ReadyPath, 200, "ready\n"},
		{&down, LivePath, 200, "live\n"}, {&down, ReadyPath, 503, notReady},
		{&readOnly, LivePath, 200, "live\n"}, {&readOnly, ReadyPath, 200, "ready, read-only: photos are served, calls get 503\n"},
		{&readOnlyDown, LivePath, 200, "live\n"}, {&readOnlyDown, ReadyPath, 503, notReady},
	}
	for _, test := range tests {
		recorder := httptest.NewRecorder()
		NewAdmin(test.readiness, http.NotFoundHandler(), f.Logger).ServeHTTP(recorder, httptest.NewRequest(http.MethodGet, test.path, nil))
		if recorder.Code != test.want || recorder.Body.String() != test.says {
			t.Errorf("%s: got %d %s, want %d %s", test.path, recorder.Code, recorder.Body, test.want, test.says)
		}
	}
}

func TestAdminServesMetrics(t *testing.T) {
	metrics := http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "the metrics") })
	for method, want := range map[string]int{http.MethodGet: 200, http.MethodPost: 405} {
		recorder := httptest.NewRecorder()
		NewAdmin(nil, metrics, nil).ServeHTTP(recorder, httptest.NewRequestWithContext(t.Context(), method, MetricsPath, nil))
		if recorder.Code != want || want == 200 && recorder.Body.String() != "the metrics" {
			t.Errorf("%s: got %d %s, want %d", method, recorder.Code, recorder.Body, want)
		}
	}
}

// TestAbortIsNotAnswered: http.ErrAbortHandler is passed on to the server.
func TestAbortIsNotAnswered(t *testing.T) {
	f := newFixture(t)
	defer func() {
		if recover() != http.ErrAbortHandler { //nolint:errorlint // a panic's value is never wrapped
			t.Error("the abort was swallowed")
		}
	}()
	f.answerPanic(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })).
		ServeHTTP(httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, "/", nil))
}

// BenchmarkUpdate is a whole call with a 50 KB photo and in-memory backends.
func BenchmarkUpdate(b *testing.B) {
	f := newFixture(b)
	picture := testJPEG(b, 20, 10)
	picture = append(picture, make([]byte, 50_000-len(picture))...)
	body := callJSON(b, encode(picture))
	b.SetBytes(int64(len(body)))
	b.ReportAllocs()
	for b.Loop() {
		f.log.Reset()
		if answer := f.post(b, typeJSON, bytes.NewReader(body)); answer.Code != http.StatusOK {
			b.Fatal(answer.Body)
		}
	}
}

func TestConvertedPhoto(t *testing.T) {
	f := newFixture(t)
	var out bytes.Buffer
	check(t, png.Encode(&out, image.NewNRGBA(image.Rect(0, 0, 30, 20))))
	if answer := f.post(t, typeJSON, bytes.NewReader(callJSON(t, encode(out.Bytes())))); answer.Code != http.StatusOK {
		t.Fatal(answer.Body)
	}
	config, format, err := image.DecodeConfig(bytes.NewReader(f.stored(t)))
	if err != nil || format != "jpeg" || config.Width != 30 || config.Height != 20 {
		t.Errorf("got a %s of %d × %d, %v", format, config.Width, config.Height, err)
	}
}
