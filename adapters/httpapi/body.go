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
	// bodyOverhead is what a body may hold beside the photo's Base64.
	bodyOverhead = 64 << 10
	// chunkSize is the size of the buffers that a body arrives in, largeChunk
	// that of those beyond the first megabyte.
	chunkSize, largeChunk, manyBytes = 64 << 10, 256 << 10, 1 << 20
	// smallBody is the size of the first one, so that a sender of a few bytes
	// holds little.
	smallBody = 4 << 10
)

// errSlow is the cause when a body doesn't arrive in time.
var errSlow = errors.New("the body arrives too slowly")

// body is a request's body: it arrives in chunks that the room is charged for as
// they fill, and in the end it is one buffer.
type body struct {
	ctx         context.Context
	source      io.Reader
	connection  *connection // that it comes by; nil: unknown
	setDeadline func(time.Time)
	announced   int64 // its length; 0: unknown
	arrived     int64 // bytes, those that aren't kept included

	room   *room
	from   netip.Addr
	bounds [2]*bound // on what its address's bodies hold, and on what all do
	chunks [][]byte
	size   int     // of what is in the chunks
	probe  [1]byte // for which no chunk is taken yet
	data   []byte  // all of it, once it is whole

	// The room's, under its lock.
	held, wants     int64
	admitted, whole bool
	verdict         error // why it can't stay; nil: it can
	wake            chan struct{}
	pace            pace
}

// receiveBody returns the body of a request, which must be released.
func (s *Server) receiveBody(w http.ResponseWriter, r *http.Request) *body {
	b := s.room.newBody(r.ContentLength, clientNetwork(clientAddr(r)))
	b.ctx, b.source, b.connection = r.Context(), http.MaxBytesReader(w, r.Body, s.maxBody), connectionOf(r)
	control := http.NewResponseController(w)
	b.setDeadline = func(t time.Time) { _ = control.SetReadDeadline(t) } // not supported: the server's own holds
	return b
}

// Read implements io.Reader: it reads what arrives, for as long as it arrives
// fast enough and the room lets the body stay.
func (b *body) Read(p []byte) (int, error) {
	b.setDeadline(b.pace.deadline())
	if err := b.mayStay(); err != nil { // looked at after the deadline, as evict does both the other way round
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

// fill keeps all that from yields.
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

// fillLast reads what has space in the last chunk.
func (b *body) fillLast(from io.Reader) (int, error) {
	last := &b.chunks[len(b.chunks)-1]
	used := len(*last)
	n, err := from.Read((*last)[used:cap(*last)])
	*last = (*last)[:used+n]
	return n, err
}

// fillNext reads a byte and takes the chunk that it goes into: nothing is taken
// for what doesn't come.
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

// grow takes a chunk more, not much larger than what is to come.
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

// join puts the chunks together: data is all that was kept. Each chunk can be
// used again once it is copied, so that only this one body is there twice.
func (b *body) join() error {
	if err := b.arrive(); err != nil {
		return err
	}
	b.setDeadline(time.Time{}) // one that passes now would end the call
	if len(b.chunks) > 1 {
		b.joinChunks()
	}
	if len(b.chunks) > 0 {
		b.data = b.chunks[0]
	}
	return nil
}

// arrive notes that all of the body is there, so that it needn't leave any more.
func (b *body) arrive() error {
	b.room.mu.Lock()
	defer b.room.mu.Unlock()
	b.whole = true
	return b.verdict
}

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

// keepOnly has the body hold nothing but a copy of the photo in it, where that
// is less than half of it: what stands around a photo takes nobody's room while
// the photo waits to be decoded.
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

// release ends the loan: nothing may use data after it.
func (b *body) release() {
	b.room.leave(b)
	for _, chunk := range b.chunks {
		b.room.giveBack(chunk)
	}
	b.chunks, b.data = nil, nil
}

// MaxBodyBytes returns the limit of a request body for photos of up to
// maxPhotoBytes: Base64 adds a third, and escapes and line breaks may add half
// as much again.
func MaxBodyBytes(maxPhotoBytes int64) int64 { return 2*maxPhotoBytes + bodyOverhead }
