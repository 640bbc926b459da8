package httpsuite

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/textproto"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// newRequest makes a request from a template: a line with method and path,
// headers, an empty line and the body. The lines of a multipart body end in CRLF.
func newRequest(ctx context.Context, template string, target Target) (*http.Request, error) {
	head, body, _ := strings.Cut(template, "\n\n")
	first, rest, _ := strings.Cut(head, "\n")
	method, path, found := strings.Cut(first, " ")
	if !found {
		return nil, fmt.Errorf("the request begins with %q; want a method and a path", first)
	}
	headers, err := readHeaders(rest)
	if err != nil {
		return nil, err
	}
	if strings.HasPrefix(headers.Get("Content-Type"), "multipart/") {
		body = strings.ReplaceAll(body, "\n", "\r\n") // before photos are put in
	}
	if body, err = expand(body, target); err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, method, target.BaseURL+path, strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	if headers.Get("Transfer-Encoding") == "chunked" {
		request.ContentLength = -1
		headers.Del("Transfer-Encoding")
	}
	request.Header = headers
	return request, nil
}

// answer is a response that has been read.
type answer struct {
	status int
	header http.Header
	body   []byte
}

// answerTime is how long a server may take for an answer.
const answerTime = time.Minute

// send makes a call. A redirect is an answer, except to the address of a photo.
func send(request *http.Request) (answer, error) {
	client := http.Client{Timeout: answerTime}
	if request.URL.Path == updatePath {
		client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	}
	response, err := client.Do(request)
	if failed := (*url.Error)(nil); errors.As(err, &failed) { // it has the whole address, with a signature
		return answer{}, fmt.Errorf("no answer from %s://%s: %w", request.URL.Scheme, request.URL.Host, failed.Err)
	}
	if err != nil {
		return answer{}, err
	}
	defer func() { _ = response.Body.Close() }() // it was only read
	return readAnswer(response)
}

// mostPaced is how long a call is sent again, in all.
const mostPaced = time.Minute

// paced sends a call, and again after Retry-After, where the server's rate limit refuses
// it: most cases fail as who has no key does.
func paced(ctx context.Context, send func() (answer, error)) (answer, error) {
	for waited := time.Duration(0); ; {
		got, err := send()
		wait := got.retryAfter()
		if waited += wait; err != nil || wait == 0 || waited > mostPaced {
			return got, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return got, ctx.Err()
		}
	}
}

// retryAfter is how long a rate limit wants its callers to wait; 0: none refused this call.
func (a answer) retryAfter() time.Duration {
	var failure struct{ Error string }
	_ = json.Unmarshal(a.body, &failure) // what is no JSON has no error
	seconds, err := strconv.Atoi(a.header.Get("Retry-After"))
	if err != nil || seconds < 0 || failure.Error != "Too Many Requests" {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

func readAnswer(response *http.Response) (answer, error) {
	body, err := io.ReadAll(response.Body)
	return answer{response.StatusCode, response.Header, body}, err
}

// address returns the photo's address of a success, or nothing.
func (a answer) address() string {
	var success struct {
		URL string `json:"url_customer_picture"`
	}
	_ = json.Unmarshal(a.body, &success) // other answers have none
	return success.URL
}

func readHeaders(text string) (http.Header, error) {
	reader := textproto.NewReader(bufio.NewReader(strings.NewReader(text + "\n\n")))
	headers, err := reader.ReadMIMEHeader()
	return http.Header(headers), err
}

// Words that stand in an expected body for what differs from call to call.
var wildcards = strings.NewReplacer(
	"<id>", `[1-9][0-9]*`,
	"<url>", `https?://[^"]+/fleet-[1-9][0-9]*/customer_photos/[1-9][0-9]*_photo\.jpg(\?[^"]*)?`,
	"<detail>", `(?:[^"\\]|\\.){10,}`,
)

// detailOf matches <detail NAME>: a sentence with that name in it.
var detailOf = regexp.MustCompile(`<detail ([a-zA-Z0-9_-]+)>`)

// matchResponse compares an answer with what is expected: a line with the
// status, headers ("*" for any value), an empty line and the body.
func matchResponse(want string, got answer) error {
	head, wantBody, _ := strings.Cut(want, "\n\n")
	status, rest, _ := strings.Cut(head, "\n")
	if strconv.Itoa(got.status) != status {
		return fmt.Errorf("want status %s; %v", status, got)
	}
	headers, err := readHeaders(rest)
	if err != nil {
		return err
	}
	for name, values := range headers {
		value := got.header.Get(name)
		if value == "" || values[0] != "*" && value != values[0] {
			return fmt.Errorf("want %s: %s, got %q", name, values[0], value)
		}
	}
	return matchBody(wantBody, got)
}

func matchBody(want string, got answer) error {
	body := bytes.TrimSuffix(got.body, []byte("\n"))
	if !bytes.HasPrefix(body, []byte("{")) || !json.Valid(body) {
		return fmt.Errorf("want a JSON object; %v", got)
	}
	pattern := wildcards.Replace(regexp.QuoteMeta(want))
	pattern = detailOf.ReplaceAllString(pattern, `(?:[^"\\]|\\.)*$1(?:[^"\\]|\\.)*`)
	matched, err := regexp.Match("^"+pattern+"$", body)
	if err == nil && !matched {
		err = fmt.Errorf("want %s; %v", want, got)
	}
	return err
}

// String clips the body.
func (a answer) String() string {
	const most = 600
	text := fmt.Sprintf("got %d %s", a.status, a.body[:min(most, len(a.body))])
	if to := a.header.Get("Location"); to != "" {
		text += ", which redirects to " + to
	}
	return text
}
