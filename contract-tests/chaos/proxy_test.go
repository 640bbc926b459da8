//go:build chaos

package chaos_test

import (
	"bytes"
	"context"
	"io"
	"maps"
	"net"
	"net/http"
	"net/url"
	"slices"
	"sync"
	"testing"
	"time"
)

// storeProxy stands before an object store and does to requests what a network
// may do to them.
type storeProxy struct {
	t             *testing.T
	upstream      *url.URL
	hostKept      bool   // the signature covers the Host header; without it, the host is the upstream's
	address       string // host:port
	photoStoreURL string // of the store behind it

	mu     sync.Mutex
	server *http.Server
	treat  func(*http.Request) treatment
	late   sync.WaitGroup // requests that are held, or come again
}

// treatment is what becomes of a request.
type treatment func(p *storeProxy, w http.ResponseWriter, r *http.Request)

func newStoreProxy(t *testing.T, upstream string, hostKept bool) *storeProxy {
	t.Helper()
	to, err := url.Parse(upstream)
	must(t, err)
	p := &storeProxy{t: t, upstream: to, hostKept: hostKept, address: "127.0.0.1:0"}
	p.set(nil)
	p.accept()
	t.Cleanup(p.refuse)
	return p
}

// accept listens, always at the same address.
func (p *storeProxy) accept() {
	p.t.Helper()
	var listener net.Listener
	eventually(p.t, 10*time.Second, "the address of the proxy is free", func() (free bool) {
		var err error
		listener, err = net.Listen("tcp", p.address)
		return err == nil
	})
	p.address = listener.Addr().String()
	p.server = &http.Server{Handler: p}
	go func(s *http.Server) { _ = s.Serve(listener) }(p.server)
}

// refuse cuts all connections and takes none until accept.
func (p *storeProxy) refuse() { _ = p.server.Close() }

// set says how requests are treated from now on; nil: they pass.
func (p *storeProxy) set(treat func(*http.Request) treatment) {
	if treat == nil {
		treat = func(*http.Request) treatment { return pass }
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.treat = treat
}

func (p *storeProxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
	p.mu.Lock()
	treat := p.treat
	p.mu.Unlock()
	treat(r)(p, w, r)
}

// forward has the store carry out the request and returns its answer.
func (p *storeProxy) forward(ctx context.Context, r *http.Request) (*http.Response, []byte, error) {
	to := r.Clone(ctx)
	to.RequestURI, to.URL.Scheme, to.URL.Host = "", p.upstream.Scheme, p.upstream.Host
	if !p.hostKept {
		to.Host = p.upstream.Host
	}
	to.Body, _ = r.GetBody()
	response, err := http.DefaultTransport.RoundTrip(to)
	if err != nil {
		return nil, nil, err
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	return response, body, err
}

// later forwards the request when wait returns, whatever became of its caller.
func (p *storeProxy) later(r *http.Request, wait func()) <-chan int {
	status := make(chan int, 1)
	r = r.Clone(context.WithoutCancel(r.Context()))
	p.late.Go(func() {
		wait()
		response, _, err := p.forward(r.Context(), r)
		if err != nil {
			status <- 0
			return
		}
		status <- response.StatusCode
	})
	return status
}

func pass(p *storeProxy, w http.ResponseWriter, r *http.Request) {
	response, body, err := p.forward(r.Context(), r)
	if err != nil {
		panic(http.ErrAbortHandler)
	}
	maps.Copy(w.Header(), response.Header)
	w.WriteHeader(response.StatusCode)
	_, _ = w.Write(body) // the caller may have left
}

func dropRequest(*storeProxy, http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }

func dropAnswer(p *storeProxy, _ http.ResponseWriter, r *http.Request) {
	_, _, _ = p.forward(context.WithoutCancel(r.Context()), r)
	panic(http.ErrAbortHandler)
}

// repeat carries a request out twice: so long after its answer or, where after is
// 0, before, so that the answer is the second one's. Only what names the version
// that it replaces comes again after its answer. A photo that was put where none was
// comes back if that is done after its deletion, as an object store has no
// version of none, and nobody finds out before the next change.
func repeat(after time.Duration) treatment {
	return func(p *storeProxy, w http.ResponseWriter, r *http.Request) {
		if after == 0 || r.Header.Get("If-Match") == "" {
			_, _, _ = p.forward(r.Context(), r)
			pass(p, w, r)
			return
		}
		pass(p, w, r)
		p.later(r, func() { time.Sleep(after) })
	}
}

// delay holds a request until its caller has left, and carries it out so long
// after it came.
func delay(d time.Duration) treatment {
	return func(p *storeProxy, _ http.ResponseWriter, r *http.Request) {
		p.later(r, func() { time.Sleep(d) })
		<-r.Context().Done()
		panic(http.ErrAbortHandler)
	}
}

// held is a request that waits until it is released.
type held struct {
	arrived chan struct{} // closed when it has come
	release chan struct{} // closed by release
	status  <-chan int
}

// hold holds the next request with one of these methods, and lets all others pass.
func (p *storeProxy) hold(methods ...string) *held {
	h := &held{arrived: make(chan struct{}), release: make(chan struct{})}
	p.set(func(r *http.Request) treatment {
		if !slices.Contains(methods, r.Method) {
			return pass
		}
		p.set(nil)
		return func(p *storeProxy, _ http.ResponseWriter, r *http.Request) {
			h.status = p.later(r, func() { <-h.release })
			close(h.arrived)
			<-r.Context().Done()
			panic(http.ErrAbortHandler)
		}
	})
	return h
}

// deliver has the held request carried out, and returns the status of its answer.
func (h *held) deliver() int {
	<-h.arrived
	close(h.release)
	return <-h.status
}
