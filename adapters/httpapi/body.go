package httpapi

import (
	"errors"
	"io"
	"math/bits"
	"sync"
	"sync/atomic"

	"github.com/fleetphoto/fleetphoto/domain"
)

// bodyOverhead is what a body may hold beside the photo's Base64.
const bodyOverhead = 64 << 10

// smallestBody is the size of the buffer that every request begins with.
const smallestBody = 64 << 10

// classesPerDoubling is how many sizes of buffers lie from one power of two to
// the next, so that at most an eighth of a buffer lies idle.
const classesPerDoubling = 8

// mostGrowth bounds how far a buffer grows at once, to 16 times what has
// arrived: who announces a large body holds room for it only by sending it.
const mostGrowth = 4 * classesPerDoubling

// errFull is the cause when a body finds no room.
var errFull = errors.New("the in-flight bytes are used up")

// bodies lends the buffers that request bodies are read into, and bounds the
// bytes that all of them hold together.
type bodies struct {
	budget int64
	held   atomic.Int64
	pools  [32 * classesPerDoubling]sync.Pool // of *[]byte, by their class
}

// body is a borrowed buffer. data is what has been read so far.
type body struct {
	owner    *bodies
	data     []byte
	class    int
	expected int64 // the announced length; 0 or less: unknown
}

func (b *bodies) borrow(expected int64) (*body, error) {
	data, err := b.take(0)
	return &body{owner: b, data: data, expected: expected}, err
}

func (b *bodies) take(class int) ([]byte, error) {
	size := classSize(class)
	if b.held.Add(size) > b.budget {
		b.held.Add(-size)
		full := domain.Errorf(domain.Unavailable, "nothing was changed: the server is receiving as much as it can hold; send the call again in a moment")
		return nil, full.WithCause(errFull)
	}
	if pooled, ok := b.pools[class].Get().(*[]byte); ok {
		return *pooled, nil
	}
	return make([]byte, 0, size), nil
}

func (b *bodies) giveBack(data []byte, class int) {
	data = data[:0]
	b.pools[class].Put(&data)
	b.held.Add(-classSize(class))
}

// release ends the loan: nothing may use data after it.
func (b *body) release() {
	b.owner.giveBack(b.data, b.class)
	b.data = nil
}

// readAll appends all of r.
func (b *body) readAll(r io.Reader) error {
	for {
		if len(b.data) == cap(b.data) {
			if err := b.grow(); err != nil {
				return err
			}
		}
		n, err := r.Read(b.data[len(b.data):cap(b.data)])
		b.data = b.data[:len(b.data)+n]
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
	}
}

// grow makes room for the announced length, in as few steps and by way of as
// small a buffer as mostGrowth allows; or for twice as much, where none was
// announced.
func (b *body) grow() error {
	class := b.class + classesPerDoubling
	if missing := classFor(b.expected+1) - b.class; missing > 0 {
		class = b.class + 1 + (missing-1)%mostGrowth
	}
	larger, err := b.owner.take(class)
	if err != nil {
		return err
	}
	larger = append(larger, b.data...)
	b.owner.giveBack(b.data, b.class)
	b.data, b.class = larger, class
	return nil
}

// classSize returns the size of the buffers of a class.
func classSize(class int) int64 {
	return smallestBody / classesPerDoubling * (classesPerDoubling + int64(class%classesPerDoubling)) << (class / classesPerDoubling)
}

// classFor returns the class of the smallest buffer that holds size bytes.
func classFor(size int64) int {
	if size <= smallestBody {
		return 0
	}
	doublings := bits.Len64(uint64(size-1)/smallestBody) - 1
	step := int64(smallestBody/classesPerDoubling) << doublings
	return doublings*classesPerDoubling + int((size-1)/step) + 1 - classesPerDoubling
}

// MaxBodyBytes returns the limit of a request body for photos of up to
// maxPhotoBytes: Base64 adds a third, and escapes and line breaks may add half
// as much again.
func MaxBodyBytes(maxPhotoBytes int64) int64 { return 2*maxPhotoBytes + bodyOverhead }

// LeastInflightBytes returns the bytes with which one call with a photo of
// maxPhotoBytes has room in any case: its length unknown, its buffer doubles.
func LeastInflightBytes(maxPhotoBytes int64) int64 {
	doublings := bits.Len64(uint64(MaxBodyBytes(maxPhotoBytes)) / smallestBody)
	return 2 * smallestBody << doublings
}

// countedBody counts the bytes that are read from a body.
type countedBody struct {
	io.ReadCloser
	read int64
}

// Read implements io.Reader.
func (c *countedBody) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.read += int64(n)
	return n, err
}
