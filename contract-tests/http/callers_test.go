package httpsuite

import (
	"bytes"
	"cmp"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/testserver"
)

// callers run the programs of cases.
var callers = map[string]struct {
	needs []string // must succeed for the program to be tried
	run   []string
}{
	".php": {[]string{"php", "-r", "new CURLFile('x');"}, []string{"php"}},
	".py":  {[]string{"python3", "-c", "import requests"}, []string{"python3"}},
	".mjs": {[]string{"node", "-e", "fetch"}, []string{"node"}},
	".sh":  {[]string{"curl", "--version"}, []string{"sh"}},
}

// TestCallers runs the program of each case that has one on a live server: it
// must get what the case says, and send what the case says it sends.
func TestCallers(t *testing.T) {
	t.Parallel()
	cases, err := readCases(ownCases())
	must(t, err)
	tried := map[string]bool{}
	for _, c := range cases {
		if c.caller.Name == "" {
			continue
		}
		tried[filepath.Ext(c.caller.Name)] = true
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			c.tryCaller(t)
		})
	}
	if len(tried) != len(callers) {
		t.Errorf("there are cases of %v, want some of each of %v", tried, callers)
	}
}

func (c httpCase) tryCaller(t *testing.T) {
	caller := callers[filepath.Ext(c.caller.Name)]
	if out, err := exec.CommandContext(t.Context(), caller.needs[0], caller.needs[1:]...).CombinedOutput(); err != nil {
		lacksCaller(t, strings.Join(caller.needs, " ")+" fails, so the program was not tried: "+string(out))
	}
	server := httptest.NewUnstartedServer(testserver.New(t, testserver.Memory()))
	heard := &listener{Listener: server.Listener}
	server.Listener = heard
	server.Start()
	t.Cleanup(server.Close)
	at := target
	at.BaseURL = server.URL
	address, err := at.update(t.Context(), at.Phone, "", encodeBase64(pictures()["before"]))
	must(t, err)
	heard.take()

	got := answer{body: c.runCaller(t, caller.run, at)}
	sent := heard.take()
	_, want, _ := strings.Cut(c.exchanges[0].response, "\n\n")
	if err := matchBody(want, got); err != nil {
		t.Error(err)
	}
	stored, err := expand(c.photo, at)
	must(t, err)
	if err := at.checkPhoto(t.Context(), cmp.Or(got.address(), address), []byte(stored)); err != nil {
		t.Error(err)
	}
	golden, err := newWire(c.exchanges[0].request, at)
	must(t, err)
	if got, want := normalised(sent), normalised(golden.head+golden.body); got != want {
		t.Errorf("the program sends\n%s\nand the case says\n%s", got, want)
	}
}

// runCaller returns what the program prints.
func (c httpCase) runCaller(t *testing.T, run []string, at Target) []byte {
	t.Helper()
	code, err := expand(string(c.caller.Data), at)
	must(t, err)
	directory := t.TempDir()
	for name, data := range map[string][]byte{c.caller.Name: []byte(code), "photo.jpg": pictures()["jpeg"], "photo.png": pictures()["png"]} {
		must(t, os.WriteFile(filepath.Join(directory, name), data, 0o600))
	}
	program := exec.CommandContext(t.Context(), run[0], append(slices.Clone(run[1:]), c.caller.Name)...)
	program.Dir = directory
	program.Env = append(os.Environ(), "NO_PROXY=127.0.0.1", "no_proxy=127.0.0.1")
	var errOut bytes.Buffer
	program.Stderr = &errOut
	out, err := program.Output()
	if err != nil {
		t.Fatalf("%v: %s%s", err, out, &errOut)
	}
	return bytes.TrimSpace(out)
}

var (
	boundary = regexp.MustCompile(`boundary=(\S+)`)
	versions = regexp.MustCompile(`(?i)^(User-Agent|Accept-Encoding|Content-Length): .*`)
)

// TestWireWaits: who expects 100 Continue sends no body before it.
func TestWireWaits(t *testing.T) {
	t.Parallel()
	at := serve(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, "{}") // without reading the body, so without 100 Continue
	}))
	request, err := newWire("POST / HTTP/1.1\nHost: <host>\nExpect: 100-continue\nContent-Length: <length>\n\nbody", at)
	must(t, err)
	if got, err := request.send(t.Context(), at.BaseURL); err == nil || !strings.Contains(err.Error(), "want 100 Continue") {
		t.Errorf("got %v, %v", got, err)
	}
}

// TestWireSkipsInterim: a proxy may send 100 Continue, or another 1xx, at any
// time before the answer.
func TestWireSkipsInterim(t *testing.T) {
	t.Parallel()
	at := serve(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body) // sends 100 Continue to who expects it
		w.WriteHeader(http.StatusContinue)
		w.WriteHeader(http.StatusEarlyHints)
		_, _ = io.WriteString(w, "{}")
	}))
	for _, expects := range []string{"", "\nExpect: 100-continue"} {
		request, err := newWire("POST / HTTP/1.1\nHost: <host>"+expects+"\nContent-Length: <length>\n\nbody", at)
		must(t, err)
		got, err := request.send(t.Context(), at.BaseURL)
		if err != nil || got.status != http.StatusOK || string(got.body) != "{}" {
			t.Errorf("%q: got %v, %v", expects, got, err)
		}
	}
}

// normalised leaves out of a request what differs from run to run, and from one
// version of a program to the next. The server has proven the length already.
func normalised(request string) string {
	if found := boundary.FindStringSubmatch(request); found != nil {
		request = strings.ReplaceAll(request, found[1], "XyZ")
	}
	head, body, _ := strings.Cut(request, "\r\n\r\n")
	lines := strings.Split(head, "\r\n")
	for i, line := range lines {
		lines[i] = versions.ReplaceAllString(line, "$1: *")
	}
	slices.Sort(lines[1:])
	return strings.Join(lines, "\r\n") + "\r\n\r\n" + body
}

// lacksCaller skips the test, or fails it where the environment requires the programs.
func lacksCaller(t *testing.T, sentence string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "callers") {
		t.Fatalf("FLEETPHOTO_REQUIRE requires callers: %s", sentence)
	}
	t.Skip(sentence)
}

// listener keeps the bytes that arrive.
type listener struct {
	net.Listener
	mu   sync.Mutex
	kept bytes.Buffer
}

func (l *listener) Accept() (net.Conn, error) {
	connection, err := l.Listener.Accept()
	return heardConnection{connection, l}, err
}

// take returns what arrived since it was last asked.
func (l *listener) take() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	defer l.kept.Reset()
	return l.kept.String()
}

type heardConnection struct {
	net.Conn
	by *listener
}

func (c heardConnection) Read(into []byte) (int, error) {
	n, err := c.Conn.Read(into)
	c.by.mu.Lock()
	defer c.by.mu.Unlock()
	c.by.kept.Write(into[:n])
	return n, err
}
