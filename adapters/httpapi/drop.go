package httpapi

import (
	"bytes"
	"cmp"
	"io"
	"net/http"
	"strconv"
	"time"
)

// Limits on what is read and dropped of a refused call's body.
const (
	mostDropped = 32 << 20 // bytes
	dropTime    = 5 * time.Second
)

// dropRest reads the rest of an HTTP/1 body after the request is answered. Many
// clients, among them urllib, HttpURLConnection and node's agents, read the answer
// only when they have sent the whole body: if the connection were closed before,
// it would be reset and the answer lost. On UpdatePath the answer is sent before the
// rest is read, so clients that read early get it at once. Nothing is read if the
// answer closes the connection.
func dropRest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.ProtoMajor != 1 || r.ContentLength == 0 {
			next.ServeHTTP(w, r)
			return
		}
		body := &incomingBody{ReadCloser: r.Body}
		inner := r.WithContext(r.Context()) // a copy: the server looks at the body that it put into r
		inner.Body = body
		if r.URL.Path != UpdatePath { // other answers may be too large to hold
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

// incomingBody notes whether a request's body was read, and to its end.
type incomingBody struct {
	io.ReadCloser
	begun bool
	ended bool // at io.EOF or another error
}

// Read implements io.Reader.
func (b *incomingBody) Read(p []byte) (int, error) {
	b.begun = true
	n, err := b.ReadCloser.Read(p)
	b.ended = b.ended || err != nil
	return n, err
}

// follows reports whether more of the body is to come on a connection that stays
// open.
func (b *incomingBody) follows(r *http.Request, w http.ResponseWriter) bool {
	// A client that waits for 100 Continue hasn't sent the body; reading would ask for it.
	waits := r.Header.Get("Expect") != "" && !b.begun
	return !b.ended && !waits && w.Header().Get("Connection") != "close"
}

// drop reads the rest for up to dropTime. It leaves the deadline set, as it also
// bounds what the server itself reads before the next request.
func (b *incomingBody) drop(w http.ResponseWriter) {
	if http.NewResponseController(w).SetReadDeadline(time.Now().Add(dropTime)) == nil { // without a deadline the wait would be unbounded
		_, _ = io.CopyN(io.Discard, b, mostDropped) // the request is answered, even if this fails
	}
}

// heldAnswer buffers an answer until it is complete.
type heldAnswer struct {
	http.ResponseWriter
	status int
	text   bytes.Buffer
}

// WriteHeader implements http.ResponseWriter.
func (h *heldAnswer) WriteHeader(status int) { h.status = cmp.Or(h.status, status) }

// Write implements http.ResponseWriter.
func (h *heldAnswer) Write(p []byte) (int, error) { return h.text.Write(p) }

// Unwrap is for http.ResponseController.
func (h *heldAnswer) Unwrap() http.ResponseWriter { return h.ResponseWriter }

// send sends the answer with its length. With atOnce it doesn't wait for the rest
// of the request's body, as the server otherwise does.
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
