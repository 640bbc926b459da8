package httpapi

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain/photo"
)

// deadlineRecorder keeps the last read deadline.
type deadlineRecorder struct {
	*httptest.ResponseRecorder
	deadline time.Time
}

// SetReadDeadline is for http.ResponseController.
func (d *deadlineRecorder) SetReadDeadline(deadline time.Time) error {
	d.deadline = deadline
	return nil
}

// endless yields zeros and counts them.
type endless struct{ read int64 }

// Read implements io.Reader.
func (e *endless) Read(p []byte) (int, error) {
	e.read += int64(len(p))
	return len(p), nil
}

// TestDropRest: the rest of a body is read, up to a limit, only if the client is going
// to send it and the connection stays open.
func TestDropRest(t *testing.T) {
	refuse := func(http.ResponseWriter, *http.Request) {}
	begin := func(_ http.ResponseWriter, r *http.Request) { _, _ = r.Body.Read(make([]byte, 1)) }
	for _, test := range []struct {
		name    string
		change  func(*http.Request)
		handler http.HandlerFunc
		dropped int64
	}{
		{"refused at once", func(*http.Request) {}, refuse, mostDropped},
		{"refused in the middle", func(*http.Request) {}, begin, mostDropped + 1},
		{"the connection ends", func(*http.Request) {}, func(w http.ResponseWriter, _ *http.Request) { w.Header().Set("Connection", "close") }, 0},
		{"waits for 100 Continue", func(r *http.Request) { r.Header.Set("Expect", "100-continue") }, refuse, 0},
		{"was told to continue", func(r *http.Request) { r.Header.Set("Expect", "100-continue") }, begin, mostDropped + 1},
		{"HTTP/2", func(r *http.Request) { r.ProtoMajor = 2 }, refuse, 0},
		{"no body", func(r *http.Request) { r.ContentLength = 0 }, refuse, 0},
		{"cut off", func(r *http.Request) {
			r.Body = io.NopCloser(io.MultiReader(brokenReader{io.ErrUnexpectedEOF}, r.Body))
		}, begin, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			body := &endless{}
			request := httptest.NewRequestWithContext(t.Context(), http.MethodPost, UpdatePath, body)
			test.change(request)
			dropRest(test.handler).ServeHTTP(&deadlineRecorder{httptest.NewRecorder(), time.Time{}}, request)
			if body.read != test.dropped {
				t.Errorf("%d bytes were read, want %d", body.read, test.dropped)
			}
		})
	}
}

// TestDropRestHasADeadline: dropping has a deadline, which is left set.
func TestDropRestHasADeadline(t *testing.T) {
	w := &deadlineRecorder{httptest.NewRecorder(), time.Time{}}
	latest := time.Now().Add(2 * dropTime)
	(&incomingBody{ReadCloser: http.NoBody}).drop(w)
	if w.deadline.IsZero() || w.deadline.After(latest) {
		t.Errorf("the deadline is %v, want %v at most", w.deadline, latest)
	}
}

// serveRefusals starts a server as in production, with a body limit of about 20 MiB.
func serveRefusals(t *testing.T, change ...func(*Options)) *httptest.Server {
	t.Helper()
	const mostBytes = 10 << 20
	limit := func(o *Options) {
		o.Update.Reader = photo.NewReader(photo.Limits{MaxBytes: mostBytes, MaxPixels: 1 << 20}, 1)
	}
	return serveTCP(t, newFixture(t, append(change, limit)...))
}

// TestRefusalsAreSeen: a client that sends the whole body before it reads gets the
// answer of each early refusal, and its connection serves the next call.
func TestRefusalsAreSeen(t *testing.T) {
	const over, under = 30 << 20, 20 << 20 // the limit of a body
	for _, test := range []struct {
		name, headers string
		size          int
		full          bool
		want          int
	}{
		{"announced", "Content-Type: application/json\r\nContent-Length: 31457280", over, false, 413},
		{"in chunks", "Content-Type: application/json\r\nTransfer-Encoding: chunked", over, false, 413},
		{"another type", "Content-Type: text/xml\r\nContent-Length: 31457280", over, false, 415},
		{"broken", "Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 20971520", under, false, 400},
		{"full", "Content-Type: application/json\r\nContent-Length: 20971520", under, true, 503},
	} {
		t.Run(test.name, func(t *testing.T) {
			server := serveRefusals(t, func(o *Options) {
				if test.full {
					o.MaxInflightBytes = 1
				}
			})
			connection, err := net.Dial("tcp", server.Listener.Addr().String())
			check(t, err)
			defer func() { _ = connection.Close() }() // the answers were read
			body := bytes.Repeat([]byte("{"), test.size)
			if test.name == "in chunks" {
				body = fmt.Appendf(nil, "%x\r\n%s\r\n0\r\n\r\n", test.size, body)
			}
			request := fmt.Appendf(nil, "POST %s HTTP/1.1\r\nHost: x\r\n%s\r\n\r\n%s", UpdatePath, test.headers, body)
			reader := bufio.NewReader(connection)
			for range 2 {
				_, err = connection.Write(request)
				check(t, err)
				answer, err := http.ReadResponse(reader, nil)
				check(t, err)
				_, err = io.Copy(io.Discard, answer.Body)
				check(t, errors.Join(err, answer.Body.Close()))
				if answer.StatusCode != test.want {
					t.Errorf("got %d, want %d", answer.StatusCode, test.want)
				}
			}
		})
	}
}

// TestProgramsSeeRefusals does the same with real clients that send the whole body
// first; node's agent keeps the connection.
func TestProgramsSeeRefusals(t *testing.T) {
	programs := []struct{ name, flag, want, code string }{
		{"python3", "-c", "413", `
import sys, urllib.request, urllib.error
request = urllib.request.Request(sys.argv[1], b"{" * int(sys.argv[2]), {"Content-Type": "application/json"})
try:
    urllib.request.urlopen(request)
except urllib.error.HTTPError as error:
    print(error.code)`},
		{"node", "-e", "413 true", `
const http = require("http"), agent = new http.Agent({ keepAlive: true });
const [url, size] = process.argv.slice(-2);
const post = () => new Promise((resolve, reject) => {
  const request = http.request(url, { method: "POST", agent, headers: { "Content-Type": "application/json" } }, (answer) => {
    const port = answer.socket.localPort;
    answer.resume();
    request.on("close", () => setImmediate(resolve, { status: answer.statusCode, port })); // request and answer are complete
  });
  request.on("error", reject).end(Buffer.alloc(+size, "{"));
});
(async () => {
  const first = await post(), second = await post();
  console.log(second.status, first.port === second.port);
  agent.destroy();
})();`},
	}
	for _, program := range programs {
		t.Run(program.name, func(t *testing.T) {
			if _, err := exec.LookPath(program.name); err != nil {
				lacks(t, "callers", program.name+" isn't here, so it was not tried")
			}
			server := serveRefusals(t)
			out, err := exec.CommandContext(t.Context(), program.name, program.flag, program.code, server.URL+UpdatePath, fmt.Sprint(30<<20)).CombinedOutput()
			if got := strings.TrimSpace(string(out)); err != nil || got != program.want {
				t.Errorf("got %.300q, %v, want %q", got, err, program.want)
			}
		})
	}
}
