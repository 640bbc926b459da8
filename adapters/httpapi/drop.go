package httpapi

import (
	"io"
	"net/http"
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
// the answer is lost. The answer lies in the connection's buffer meanwhile, and
// what the call held is released. In HTTP/2 the answer has a stream of its own.
func dropRest(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		begin := time.Now()
		body := &incomingBody{ReadCloser: r.Body}
		inner := r.WithContext(r.Context()) // a copy: the server goes by the body that it gave r
		inner.Body = body
		next.ServeHTTP(w, inner)
		// Who waits for 100 Continue hasn't sent the body, and reading asks for it.
		waits := r.Header.Get("Expect") != "" && !body.begun
		if r.ProtoMajor == 1 && r.ContentLength != 0 && !body.ended && !waits {
			body.drop(w, begin.Add(ReadTimeout))
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

// drop reads on until latest, or for dropTime. The deadline stays: what the
// server itself reads before it answers must not wait for longer.
func (b *incomingBody) drop(w http.ResponseWriter, latest time.Time) {
	end := time.Now().Add(dropTime)
	if latest.Before(end) {
		end = latest
	}
	if http.NewResponseController(w).SetReadDeadline(end) == nil { // or else nothing would bound the wait
		_, _ = io.CopyN(io.Discard, b, mostDropped) // the answer goes out, whatever came
	}
}
