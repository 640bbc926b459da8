package httpapi

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"io"
	"net/http"
	"net/netip"
	"os"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	// bodyOverhead is how many bytes a body may hold beside the photo's Base64.
	bodyOverhead = 64 << 10
	// A body is read into chunks of chunkSize bytes, or of largeChunk bytes once
	// it holds manyBytes.
	chunkSize, largeChunk, manyBytes = 64 << 10, 256 << 10, 1 << 20
	// smallBody is the size of the first chunk, so that a small body holds little.
	smallBody = 4 << 10
)

// errSlow is the cause when a body doesn't arrive in time.
var errSlow = errors.New("the body arrives too slowly")

// body is a request's body. It is read into chunks, each charged to the room
// when it is taken, and then joined into one buffer.
type body struct {
	ctx         context.Context
	source      io.Reader
	connection  *connection // nil: unknown
	setDeadline func(time.Time)
	announced   int64 // the Content-Length; 0: unknown
	arrived     int64 // bytes read, including those that were not kept

	room   *room
	from   netip.Addr
	bounds [2]*bound // of the client's address, and of all bodies
	chunks [][]byte
	size   int     // bytes in the chunks
	probe  [1]byte // for a first byte, read before its chunk is taken
	data   []byte  // the whole body; set by join

	// The rest is guarded by the room's lock.
	held, wants     int64 // bytes charged, and bytes it is asking for
	admitted, whole bool
	verdict         error         // why it must leave; nil: it may stay
	wake            chan struct{} // closed to end its wait; nil: it isn't waiting
	pace            pace
}

// receiveBody returns the body of a request. The caller must release it.
func (s *Server) receiveBody(w http.ResponseWriter, r *http.Request) *body {
	b := s.room.newBody(r.ContentLength, clientNetwork(clientAddr(r)))
	b.ctx, b.source, b.connection = r.Context(), http.MaxBytesReader(w, r.Body, s.maxBody), connectionOf(r)
	control := http.NewResponseController(w)
	b.setDeadline = func(t time.Time) { _ = control.SetReadDeadline(t) } // not supported: the server's own holds
	return b
}

// Read implements io.Reader. It fails when the body arrives too slowly or was
// evicted from the room.
func (b *body) Read(p []byte) (int, error) {
	b.setDeadline(b.pace.deadline())
	if err := b.mayStay(); err != nil { // after setting the deadline: evict sets the verdict first, then its deadline
		return 0, err
	}
	n, err := b.source.Read(p)
	evicted := b.connection.turn()
	b.arrived += int64(n)
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.pace.progress(n, time.Now())
	switch {
	case err == nil || errors.Is(err, io.EOF):
		return n, err
	case b.verdict != nil:
		err = b.verdict
	case evicted:
		err = errNoRoom()
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = domain.Errorf(domain.TypeError, "body: it arrived too slowly; want %d bytes a second at least, no gap of over %v, and all of it within %v",
			leastRate, mostStall, BodyTimeout).WithCause(errSlow)
	}
	return n, err
}

func (b *body) mayStay() error {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	return b.verdict
}

// fill reads from until io.EOF into the chunks.
func (b *body) fill(from io.Reader) error {
	for {
		read := b.fillLast
		if last := len(b.chunks) - 1; last < 0 || len(b.chunks[last]) == cap(b.chunks[last]) {
			read = b.fillNext
		}
		n, err := read(from)
		b.size += n
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// fillLast reads into the free space of the last chunk.
func (b *body) fillLast(from io.Reader) (int, error) {
	last := &b.chunks[len(b.chunks)-1]
	used := len(*last)
	n, err := from.Read((*last)[used:cap(*last)])
	*last = (*last)[:used+n]
	return n, err
}

// fillNext reads one byte and only then takes a chunk for it, so that a client
// that sends nothing holds nothing.
func (b *body) fillNext(from io.Reader) (int, error) {
	n, err := from.Read(b.probe[:])
	if n == 0 {
		return 0, err
	}
	if err := b.grow(); err != nil {
		return 0, err
	}
	last := &b.chunks[len(b.chunks)-1]
	*last = append(*last, b.probe[0])
	return n, err
}

// grow takes another chunk, not much larger than the rest of the body.
func (b *body) grow() error {
	rest := cmp.Or(b.announced, b.room.largest) - b.held
	size := int64(largeChunk)
	switch {
	case b.held == 0 || rest <= smallBody:
		size = smallBody
	case b.held < manyBytes || rest <= chunkSize:
		size = chunkSize
	}
	if err := b.room.take(b, size); err != nil {
		return err
	}
	b.chunks = append(b.chunks, b.room.buffer(int(size)))
	return nil
}

// join sets data to the content of all chunks.
func (b *body) join() error {
	if err := b.arrive(); err != nil {
		return err
	}
	b.setDeadline(time.Time{}) // a deadline that passes during the call would cancel it
	if len(b.chunks) > 1 {
		b.joinChunks()
	}
	if len(b.chunks) > 0 {
		b.data = b.chunks[0]
	}
	return nil
}

// arrive marks the body as whole, so that it can't be evicted any more. It fails
// if it was evicted before.
func (b *body) arrive() error {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.whole = true
	return b.verdict
}

// joinChunks copies the chunks into one, and gives each back once it is copied.
// Bodies are joined one at a time, so at most one takes its size twice.
func (b *body) joinChunks() {
	b.room.joining.Lock()
	defer b.room.joining.Unlock()
	joined := b.room.buffer(b.size)
	for i, chunk := range b.chunks {
		joined = append(joined, chunk...)
		b.chunks[i] = nil
		b.room.giveBack(chunk)
	}
	b.chunks = append(b.chunks[:0], joined)
}

// keepOnly frees the body and returns a copy of its photo, if the photo is less
// than half of it. Otherwise it returns the photo itself. So a small photo in a
// large body takes little room while it waits to be decoded.
func (b *body) keepOnly(photo []byte) []byte {
	size := int64(len(photo))
	if b.held <= chunkSize || 2*size >= b.held {
		return photo
	}
	photo = bytes.Clone(photo)
	b.chunks, b.data = nil, nil
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.charge(size - b.held)
	b.wakeNext()
	return photo
}

// release gives back the body's buffers. Data must not be used after it.
func (b *body) release() {
	b.room.leave(b)
	for _, chunk := range b.chunks {
		b.room.giveBack(chunk)
	}
	b.chunks, b.data = nil, nil
}

// MaxBodyBytes returns the size limit of a request body, in bytes, for photos of
// up to maxPhotoBytes: Base64 adds a third, and escapes and line breaks may add
// half as much again.
func MaxBodyBytes(maxPhotoBytes int64) int64 { return 2*maxPhotoBytes + bodyOverhead }
