package gocloud

import (
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"sync/atomic"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// buckets are the kinds of bucket, each on a real server.
var buckets = []struct {
	scheme string
	place  func(testing.TB) string // the URL of a store of the test's own
}{
	{"s3", servers.S3}, {"gs", servers.GS}, {"azblob", servers.Azblob},
}

// opened opens a store in a bucket.
func opened(t testing.TB, rawURL string) *PhotoStore {
	t.Helper()
	store, err := Open(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	})
	return store
}

// started opens and starts a store.
func started(t testing.TB, rawURL string) *PhotoStore {
	t.Helper()
	store := opened(t, rawURL)
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return store
}

// with sets parameters of a URL.
func with(t testing.TB, rawURL string, parameters map[string]string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	for name, value := range parameters {
		query.Set(name, value)
	}
	u.RawQuery = query.Encode()
	return u.String()
}

// front stands before a server, and before it whatever a test puts there.
type front struct {
	t       *testing.T
	address string
	before  atomic.Pointer[func(http.Handler) http.Handler]
	pass    http.Handler
	server  *httptest.Server
	ended   chan struct{} // with the test
}

// newFront starts one and returns the URL of the store through it. For gs:// it
// sets the process's environment.
func newFront(t *testing.T, rawURL string) (f *front, through string) {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	upstream := map[string]string{
		"s3": u.Query().Get("endpoint"), "gs": "http://" + os.Getenv("STORAGE_EMULATOR_HOST"), "azblob": "http://" + u.Query().Get("domain"),
	}[u.Scheme]
	target, err := url.Parse(upstream)
	if err != nil || target.Host == "" {
		t.Skip("nothing can stand before a provider's own servers")
	}
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(target)
		if u.Scheme == "s3" {
			r.Out.Host = r.In.Host // which is signed
		}
	}}
	f = &front{t: t, address: "127.0.0.1:0", pass: pass, ended: make(chan struct{})}
	f.start()
	t.Cleanup(func() { close(f.ended); f.stop() })
	switch u.Scheme {
	case "gs":
		t.Setenv("STORAGE_EMULATOR_HOST", f.address)
		return f, rawURL
	case "s3":
		return f, with(t, rawURL, map[string]string{"endpoint": "http://" + f.address})
	default:
		return f, with(t, rawURL, map[string]string{"domain": f.address})
	}
}

// start listens, at the same address each time.
func (f *front) start() {
	f.t.Helper()
	listener, err := net.Listen("tcp", f.address)
	if err != nil {
		f.t.Fatal(err)
	}
	f.address = listener.Addr().String()
	f.server = &httptest.Server{Listener: listener, Config: &http.Server{Handler: f}}
	f.server.Start()
}

func (f *front) stop() {
	f.server.CloseClientConnections()
	f.server.Close()
}

// put puts a handler before the server; nil takes it away.
func (f *front) put(before func(http.Handler) http.Handler) {
	if before == nil {
		f.before.Store(nil)
		return
	}
	f.before.Store(&before)
}

func (f *front) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	handler := f.pass
	if before := f.before.Load(); before != nil {
		handler = (*before)(f.pass)
	}
	handler.ServeHTTP(w, r)
}

// hang answers nothing.
func (f *front) hang(http.Handler) http.Handler {
	return http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		select {
		case <-r.Context().Done():
		case <-f.ended:
		}
	})
}
