package httpapi

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"strconv"
	"time"
)

// What is read and dropped of a body that a call was refused over, at most.
const (
	mostDropped = 32 << 20 // bytes
	dropTime    = 5 * time.Second
)

// dropRest reads what is left of a body once the request is answered. Many
// clients, urllib, HttpURLConnection and node's agents among them, look for an answer
// when they have sent all: a connection that is closed before is reset, and
// the answer is lost. Who looks earlier has the answer by then, and what the call
// held is released. Where the answer closes the connection, nothing is read. In
// HTTP/2 the answer has a stream of its own.
func dropRest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		body := &incomingBody{ReadCloser: r.Body}
		inner := r.WithContext(r.Context()) // a copy: the server goes by the body that it gave r
		inner.Body = body
		if r.URL.Path != UpdatePath { // an answer there may be large
			next.ServeHTTP(w, inner)
		} else {
			answer := &heldAnswer{ResponseWriter: w}
			next.ServeHTTP(answer, inner)
			answer.send(body.follows(r, w))
		}
		if body.follows(r, w) {
			body.drop(w)
		}
	})
}

// incomingBody knows how far a request's body was read.
type incomingBody struct {
	io.ReadCloser
	begun bool
	ended bool // nothing follows, or it can't be read
}

// Read implements io.Reader.
func (b *incomingBody) Read(p []byte) (int, error) {
	b.begun = true
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err != nil
	return n, err
}

// follows tells whether the client goes on sending, and the next request may
// come after it.
func (b *incomingBody) follows(r *http.Request, w http.ResponseWriter) bool {
	// Who waits for 100 Continue hasn't sent the body, and reading asks for it.
	waits := r.Header.Get("Expect") != "" && !b.begun
	return !b.ended && !waits && w.Header().Get("Connection") != "close"
}

// drop reads on for dropTime. The deadline stays: what the server itself reads
// before the next request must not wait for longer.
func (b *incomingBody) drop(w http.ResponseWriter) {
	if http.NewResponseController(w).SetReadDeadline(time.Now().Add(dropTime)) == nil { // or else nothing would bound the wait
		_, _ = io.CopyN(io.Discard, b, mostDropped) // the answer goes out, whatever came
	}
}

// heldAnswer keeps an answer until all of it is there.
type heldAnswer struct {
	http.ResponseWriter
	status int
	text   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (h *heldAnswer) WriteHeader(status int) { h.status = cmp.Or(h.status, status) }

// Write implements http.ResponseWriter.
func (h *heldAnswer) Write(p []byte) (int, error) { return h.text.Write(p) }

// Unwrap is what http.ResponseController looks for.
func (h *heldAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// send sends the answer, with its length. At once: also while the request's body
// still arrives, which the server would wait for.
func (h *heldAnswer) send(atOnce bool) {
	control := http.NewResponseController(h.ResponseWriter)
	if atOnce {
		_ = control.EnableFullDuplex() // not supported: the answer comes after the body
	}
	h.Header().Set("Content-Length", strconv.Itoa(h.text.Len()))
	h.ResponseWriter.WriteHeader(cmp.Or(h.status, http.StatusOK))
	_, _ = h.ResponseWriter.Write(h.text.Bytes()) // the client is gone if this fails
	if atOnce {
		_ = control.Flush()
	}
}
