package httpapi

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
)

// answerTime is the most that a test waits for an event. No result depends on it.
const answerTime = time.Minute

// serveTCP starts a server as in production, or with the given bounds.
func serveTCP(t *testing.T, f *fixture, bounded ...*connections) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(f)
	server.Config = HTTPServer(f, f.TrustedProxies, f.Logger)
	for _, c := range bounded {
		server.Config = newHTTPServer(f, c, f.Logger)
	}
	server.Listener = Listen(server.Listener)
	server.Start()
	t.Cleanup(server.Close)
	return server
}

// serveHTTP2 starts a server with TLS and HTTP/2.
func serveHTTP2(t *testing.T, f *fixture, bounded *connections) *httptest.Server {
	t.Helper()
	server := httptest.NewUnstartedServer(f)
	server.Config = newHTTPServer(f, bounded, f.Logger)
	server.EnableHTTP2 = true
	server.Listener = Listen(server.Listener)
	server.StartTLS()
	t.Cleanup(server.Close)
	return server
}

// client is a caller's connection.
type client struct {
	net.Conn
	t      testing.TB
	reader *bufio.Reader
}

// dialFrom connects to a server from 127.0.0.n.
func dialFrom(t testing.TB, server *httptest.Server, n byte) *client {
	t.Helper()
	dialer := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.IPv4(127, 0, 0, n)}}
	conn, err := dialer.DialContext(t.Context(), "tcp", server.Listener.Addr().String())
	check(t, err)
	check(t, conn.SetDeadline(time.Now().Add(answerTime)))
	t.Cleanup(func() { _ = conn.Close() }) // the server may have closed it
	return &client{conn, t, bufio.NewReader(conn)}
}

// send sends a text. The server may have closed the connection.
func (c *client) send(text string) { _, _ = io.WriteString(c, text) }

// answer reads an answer. Its head is the status and whether the connection closes.
func (c *client) answer() (head, body string) {
	c.t.Helper()
	response, err := http.ReadResponse(c.reader, nil)
	if err != nil {
		return "none: " + err.Error(), ""
	}
	text, err := io.ReadAll(response.Body)
	if err = errors.Join(err, response.Body.Close()); err != nil {
		return "cut off: " + err.Error(), ""
	}
	return fmt.Sprintf("%d close=%v", response.StatusCode, response.Close), string(text)
}

// callHead returns the head of a call with a body of that length.
func callHead(length int, headers ...string) string {
	return fmt.Sprintf("POST %s HTTP/1.1\r\nHost: x\r\nContent-Type: %s\r\nContent-Length: %d\r\n%s\r\n", UpdatePath, typeJSON, length, strings.Join(headers, ""))
}

// mustBeValid makes a valid call from 127.0.0.n on a new connection.
func mustBeValid(t *testing.T, server *httptest.Server, n byte) {
	t.Helper()
	body := callJSON(t, parameters.Delete)
	caller := dialFrom(t, server, n)
	caller.send(callHead(len(body)) + string(body))
	if head, text := caller.answer(); head != "200 close=false" {
		t.Errorf("a normal call got %s %s", head, text)
	}
}

// TestStalledUploads: when stalled uploads fill the room, a call gets room, and the
// evicted upload gets an answer.
func TestStalledUploads(t *testing.T) {
	t.Parallel()
	f := newFixture(t, func(o *Options) { o.MaxInflightBytes = LeastInflightBytes(1 << 20) })
	server := serveTCP(t, f)
	var stalled []*client
	sent := strings.Repeat("x", 1<<20)
	for n := range byte(9) {
		c := dialFrom(t, server, 2+n)
		c.send(callHead(1<<20+1) + sent)
		stalled = append(stalled, c)
	}
	for f.InflightBytes() < 9*(1<<20) { // until all bytes are read
		time.Sleep(time.Millisecond)
	}
	large := callJSON(t, encode(append(testJPEG(t, 20, 10), make([]byte, 700_000)...)))
	caller := dialFrom(t, server, 99)
	caller.send(callHead(len(large)) + string(large))
	if head, text := caller.answer(); head != "200 close=false" {
		t.Errorf("a normal call got %s %s", head, text)
	}
	answers := make(chan string)
	for _, c := range stalled {
		go func() {
			head, text := c.answer()
			answers <- head + text
		}()
	}
	if first := <-answers; !strings.HasPrefix(first, "503 close=true") || !strings.Contains(first, "nothing was changed") {
		t.Errorf("the evicted upload got %s", first)
	}
	for _, c := range stalled {
		check(t, c.Close())
	}
	for range stalled[1:] {
		<-answers
	}
	for f.InflightBytes() != 0 { // until the server has noticed
		time.Sleep(time.Millisecond)
	}
}

// TestSlowSenders: a slow sender gets an answer, and its connection is closed.
func TestSlowSenders(t *testing.T) {
	t.Parallel()
	server := serveTCP(t, newFixture(t))
	slow := map[string]*client{}
	for name, request := range map[string]string{
		"nothing comes": callHead(1000),
		"it stalls":     callHead(1000) + "{",
		"in chunks":     "POST " + UpdatePath + " HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{    \r\n",
		"HTTP/1.0":      "POST " + UpdatePath + " HTTP/1.0\r\nContent-Length: 1000\r\n\r\n{",
		"a form":        "POST " + UpdatePath + " HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=x\r\nContent-Length: 1000\r\n\r\n--x\r\n",
	} {
		slow[name] = dialFrom(t, server, 2)
		slow[name].send(request)
	}
	for name, c := range slow {
		head, text := c.answer()
		if head != "400 close=true" || !strings.Contains(text, "body: it arrived too slowly") {
			t.Errorf("%s: got %s %s", name, head, text)
		}
		if rest, err := io.ReadAll(c.reader); err != nil || len(rest) > 0 {
			t.Errorf("%s: then %q, %v; want the end", name, rest, err)
		}
	}
}

// await waits for a condition.
func await(t *testing.T, holds func() bool) {
	t.Helper()
	for end := time.Now().Add(answerTime); !holds(); time.Sleep(time.Millisecond) {
		if time.Now().After(end) {
			t.Fatalf("the condition doesn't hold after %v", answerTime)
		}
	}
}

// TestStreams: HTTP/2 streams count as connections do. When an address has too many,
// its connection that has waited longest is closed with all of its streams. A slow
// stream gets an answer, and the other streams of its connection go on.
func TestStreams(t *testing.T) {
	t.Parallel()
	const most, streams = 32, 6
	bounded := newConnections(most, nil)
	server := serveHTTP2(t, newFixture(t), bounded)
	post := func(client *http.Client, body io.Reader) string {
		answer, err := client.Post(server.URL+UpdatePath, typeJSON, body)
		if err != nil {
			return "gone"
		}
		text, err := io.ReadAll(answer.Body)
		return fmt.Sprint(answer.Proto, " ", answer.StatusCode, " ", string(text), errors.Join(err, answer.Body.Close()))
	}
	first, second := server.Client(), &http.Client{Transport: server.Client().Transport.(*http.Transport).Clone()}
	t.Cleanup(second.CloseIdleConnections)
	answers := make(chan string)
	for i, client := range []*http.Client{first, second} {
		if got := post(client, strings.NewReader("{}")); !strings.HasPrefix(got, "HTTP/2.0 400") { // opens the connection that the others share
			t.Fatalf("got %s", got)
		}
		for range streams - 4*i {
			body, writer := io.Pipe()
			t.Cleanup(func() { _ = writer.Close() })
			go func() { answers <- post(client, body) }()
		}
		if i == 0 {
			await(t, func() bool { return unitsOf(bounded) == 1+streams })
		}
	}
	want := map[string]int{"gone": streams, "slow": streams - 4}
	got := map[string]int{}
	for range 2*streams - 4 {
		answer := <-answers
		if strings.HasPrefix(answer, "HTTP/2.0 400") && strings.Contains(answer, "body: it arrived too slowly") {
			answer = "slow"
		}
		got[answer]++
	}
	if fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("got %v, want %v", got, want)
	}
	for _, client := range []*http.Client{first, second} {
		if got := post(client, strings.NewReader(string(callJSON(t, parameters.Delete)))); !strings.HasPrefix(got, "HTTP/2.0 200") {
			t.Errorf("after it: got %s", got)
		}
	}
	await(t, func() bool { return unitsOf(bounded) == 2 })
}

func unitsOf(bounded *connections) int {
	bounded.mu.Lock()
	defer bounded.mu.Unlock()
	return bounded.units
}

// TestFullServerAnswersFirst: a refusal arrives before the body is sent, and the
// connection then serves the next call.
func TestFullServerAnswersFirst(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	server := serveTCP(t, f)
	other := testBody(t, f.room, 1, 0)
	other.whole = true
	charge := func(n int64) {
		f.room.mu.Lock()
		defer f.room.mu.Unlock()
		other.charge(n)
	}
	for _, head := range []string{
		callHead(2 << 20),
		callHead(2<<20, "Content-Encoding: gzip\r\n"), // other refusals do the same
		callHead(2<<20, "Content-Encoding: identity\r\nContent-Encoding: identity\r\n"),
		strings.Replace(callHead(2<<20), "Content-Length: 2097152", "Transfer-Encoding: chunked", 1) + "200000\r\n{",
	} {
		charge(f.MaxInflightBytes)
		c := dialFrom(t, server, 2)
		c.send(head)
		first, text := c.answer()
		if strings.HasPrefix(first, "2") || !strings.HasSuffix(first, "close=false") {
			t.Errorf("%q: got %s %s", head, first, text)
		}
		charge(-f.MaxInflightBytes)
		body := strings.Repeat("x", 2<<20)
		if strings.Contains(head, "chunked") {
			body = body[1:] + "\r\n0\r\n\r\n"
		}
		next := callJSON(t, parameters.Delete)
		c.send(body + callHead(len(next)) + string(next))
		if second, text := c.answer(); second != "200 close=false" {
			t.Errorf("%q: then got %s %s", head, second, text)
		}
	}
}
