package httpapi

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// secretPIN is not part of any number that may occur in an answer or the log.
const secretPIN = "906153287461"

// rawRequests returns the fuzzer's seeds, with a key, a PIN and a photo wherever a
// caller may put them.
func rawRequests(t testing.TB) []string {
	photo := encode(testJPEG(t, 20, 10))
	object := `{"api_key":"` + testKey + `","phone_number":` + testPhone + `,"customer_pin":"` + secretPIN + `","photo_base64":"` + photo + `"}`
	form := "api_key=" + testKey + "&phone_number=" + testPhone + "&customer_pin=" + secretPIN + "&photo_base64=delete"
	multipart := "--B\r\nContent-Disposition: form-data; name=\"api_key\"\r\n\r\n" + testKey + "\r\n--B\r\nContent-Disposition: form-data; name=\"photo_base64\"; filename=\"" + testKey + "\"\r\n\r\n" + photo + "\r\n--B--\r\n"
	post := func(path, contentType, body string, headers ...string) string {
		head := []string{"POST " + path + " HTTP/1.1", "Host: taxi.example.com", "Content-Type: " + contentType, "Content-Length: " + strconv.Itoa(len(body))}
		return strings.Join(append(head, headers...), "\r\n") + "\r\n\r\n" + body
	}
	return []string{
		post(UpdatePath, typeJSON, object),
		post(UpdatePath, typeForm, form),
		post(UpdatePath, typeMultipart+"; boundary=B", multipart),
		post(UpdatePath+"?api_key="+testKey+"&customer_pin="+secretPIN, typeForm, form),
		post(UpdatePath+"/"+testKey, typeForm, form),
		post(UpdatePath, testKey, form, "User-Agent: "+testKey, "X-Api-Key: "+testKey, "Content-Encoding: "+testKey),
		post(UpdatePath, typeJSON, object[:100]),
		post(UpdatePath, typeJSON, object, "Content-Type: "+typeForm),
		post(UpdatePath, typeJSON, object, "Transfer-Encoding: chunked"),
		post(UpdatePath, typeForm, form) + post(UpdatePath, typeJSON, object),
		"POST " + UpdatePath + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\napi_\r\nfff\r\n" + form,
		"POST " + UpdatePath + " HTTP/1.0\r\n\r\n" + form,
		"POST " + UpdatePath + " HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\nabcde",
		testKey + " " + UpdatePath + " HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET " + PhotosPath + "fleet-689/customer_photos/452733_photo.jpg HTTP/1.1\r\nHost: x\r\nRange: bytes=0-1,3-4,5-\r\nIf-Match: \"x\"\r\n\r\n",
		"GET http://" + testKey + "/ HTTP/1.1\r\nHost: " + testKey + "\r\n\r\n",
		"OPTIONS * HTTP/1.1\r\nHost: x\r\nOrigin: https://" + testKey + "\r\nAccess-Control-Request-Method: POST\r\n\r\n",
		"HEAD /docs HTTP/1.1\r\nHost: x\r\nX-Forwarded-For: " + testKey + "\r\nForwarded: for=" + testKey + "\r\n\r\n",
		"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
	}
}

// FuzzRawRequest sends arbitrary bytes over a connection. Each answer is an envelope,
// a page or net/http's own refusal, and no answer and no log line repeats a secret of
// the request.
func FuzzRawRequest(f *testing.F) {
	for _, request := range rawRequests(f) {
		f.Add([]byte(request))
	}
	log := new(lockedBuffer)
	fixture := newFixture(f, func(o *Options) { o.Logger = slog.New(slog.NewJSONHandler(log, nil)) })
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(f, err)
	running := HTTPServer(fixture, Proxies{}, fixture.Logger)
	go func() { _ = running.Serve(listener) }() // ends with Close
	f.Cleanup(func() { _ = running.Close() })
	f.Fuzz(func(t *testing.T, sent []byte) {
		c, err := net.Dial("tcp", listener.Addr().String())
		check(t, err)
		defer func() { _ = c.Close() }()
		check(t, c.SetDeadline(time.Now().Add(time.Minute)))
		log.take()
		go func() {
			_, _ = c.Write(sent) // the server may have hung up
			_ = c.(*net.TCPConn).CloseWrite()
		}()
		answers := new(bytes.Buffer)
		_, err = io.Copy(answers, c)
		if err != nil && !isReset(err) {
			t.Fatalf("the answers don't end: %v", err)
		}
		entries, err := fixture.backend.ApiLog.List(t.Context(), domain.ApiLogFilter{}, 2)
		check(t, err)
		told := answers.String() + log.take() + fmt.Sprintf("%+v", entries)
		for _, secret := range []string{testKey, secretPIN} {
			if strings.Contains(told, secret) {
				t.Errorf("a secret is repeated:\n%s", told)
			}
		}
		if bytes.Contains(sent, []byte("HEAD ")) {
			return // its answers have a Content-Length and no body
		}
		for rest := bufio.NewReader(answers); ; {
			if _, err := rest.Peek(1); err != nil {
				return // all answers are read
			}
			checkAnswer(t, rest)
		}
	})
}

// lockedBuffer is a log that is safe for concurrent use.
type lockedBuffer struct {
	mu   sync.Mutex
	text bytes.Buffer
}

// Write implements io.Writer.
func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.text.Write(p)
}

// take returns and removes what was written.
func (b *lockedBuffer) take() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	defer b.text.Reset()
	return b.text.String()
}

// isReset reports whether the server closed the connection with bytes unread.
func isReset(err error) bool {
	var failed *net.OpError
	return errors.As(err, &failed) && !failed.Timeout()
}

func checkAnswer(t *testing.T, from *bufio.Reader) {
	t.Helper()
	response, err := http.ReadResponse(from, nil)
	check(t, err)
	defer func() { _ = response.Body.Close() }() // only read
	body, err := io.ReadAll(response.Body)
	check(t, err)
	switch contentType := response.Header.Get("Content-Type"); {
	case response.StatusCode == http.StatusContinue:
	case contentType == typeJSON && response.StatusCode >= 400:
		var got failure
		if err := json.Unmarshal(body, &got); err != nil || got.Result != "error" || got.Detail == "" || !slices.Contains(words(), got.Word) {
			t.Errorf("want the envelope of a failure, got %d %s", response.StatusCode, body)
		}
	case response.StatusCode >= 500 && response.StatusCode != http.StatusHTTPVersionNotSupported && response.StatusCode != http.StatusNotImplemented:
		t.Errorf("got an error of the server's: %d %s", response.StatusCode, body)
	}
}

// words returns the error words of all kinds.
func words() []domain.Kind {
	var all []domain.Kind
	for word := range statuses {
		all = append(all, word)
	}
	return all
}
