package httpapi

import (
	"cmp"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

const (
	// roomWait is how long a body waits for others to leave, in a full room.
	roomWait = 25 * time.Millisecond
	// roomLeaves is how long it waits for those that were told to leave.
	roomLeaves = time.Second
	// shareWait is how long a body of which nothing has come waits for others of
	// its address.
	shareWait = time.Second
	// senderShare is the part of the room that one address may hold: a quarter.
	senderShare = 4
	// oldEnough is the age from which on a sender may be told to be slow.
	oldEnough = time.Second
)

// errFull is the cause when a body finds no room. Such a call isn't logged.
var errFull = errors.New("the in-flight bytes are used up")

// errEvicted is the cause when a body had to leave a full room.
var errEvicted = fmt.Errorf("%w, and of all bodies that arrived this one was the slowest", errFull)

func errNoRoom() error {
	return domain.Errorf(domain.Unavailable, "nothing was changed: the server is receiving as much as it can hold; send the call again in a moment").WithCause(errFull)
}

func errLeave() error {
	return domain.Errorf(domain.Unavailable, "nothing was changed: there is no room for more bodies, and of all this one arrived most slowly; send the call again in a moment").WithCause(errEvicted)
}

func errShare() error {
	return domain.Errorf(domain.Unavailable, "nothing was changed: the server still receives other bodies from this address, as many as it takes at once; send fewer in parallel").WithCause(errFull)
}

// room bounds the bytes that request bodies hold together, and those of one
// address. Only while a body is put together, one at a time, its bytes exist twice.
//
// When either is full, the body that arrives most slowly has to leave. Where none
// is slow, one of the address that holds most has to, in favour of an address that
// holds less; where there is none, who wants more is refused.
type room struct {
	share   int64      // of one address
	largest int64      // body
	joining sync.Mutex // is held by who puts a body together
	// What bodies leave is used again, or goes with the next garbage.
	chunks, larges, joined sync.Pool

	mu      sync.Mutex // guards the rest, and the account of each body
	all     bound
	senders map[netip.Addr]*bound
}

// bound is on what some bodies hold: all, or those of an address.
type bound struct {
	most     int64
	held     int64
	leaving  int64 // the part of held that was told to leave
	patience time.Duration
	full     func() error
	bodies   []*body
	queue    []*body // waits for room
}

func newRoom(budget, largestBody int64) *room {
	return &room{
		share: max(budget/senderShare, largestBody+largeChunk), largest: largestBody,
		all: bound{most: budget, full: errNoRoom}, senders: map[netip.Addr]*bound{},
	}
}

// newBody returns a body that arrives from an address. It holds nothing yet.
func (r *room) newBody(announced int64, from netip.Addr) *body {
	b := &body{room: r, announced: max(announced, 0), from: from, pace: newPace(time.Now())}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.senders[from] == nil {
		r.senders[from] = &bound{most: r.share, patience: shareWait, full: errShare}
	}
	b.bounds = [2]*bound{r.senders[from], &r.all}
	for _, in := range b.bounds {
		in.bodies = append(in.bodies, b)
	}
	return b
}

// admit tells, before a body is read, whether there is room for what it
// announces, or there would be once another one has left. It has a body wait for a
// while for those of its address whose ends could fill the share.
func (r *room) admit(b *body) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.wants = b.announced
	for begin := time.Now(); b.verdict == nil; {
		full, waited := b.full(), time.Since(begin)
		if full == nil && (waited >= shareWait || b.sender().announced()+b.announced <= r.share) {
			b.admitted = true
			break
		}
		if full != nil {
			if leaves, _ := full.givesWay(b); leaves != nil {
				break
			}
		}
		if in := cmp.Or(full, b.sender()); !r.wait(b, in) && full != nil && waited+roomWait >= in.patience {
			b.refuse(in.full())
		}
	}
	return b.verdict
}

// take has b hold n bytes more. It waits, and makes room, as far as it may.
func (r *room) take(b *body, n int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.wants = n
	for begin := time.Now(); b.verdict == nil; {
		full := b.full()
		if full == nil {
			b.charge(n)
			b.wakeNext()
			break
		}
		if !r.wait(b, full) {
			r.makeRoom(b, full, time.Since(begin))
		}
	}
	return b.verdict
}

// LeastInflightBytes returns the bytes with which a call with a photo of
// maxPhotoBytes has room in any case: its body fits in one address's share.
func LeastInflightBytes(maxPhotoBytes int64) int64 {
	return senderShare * (MaxBodyBytes(maxPhotoBytes) + largeChunk)
}

// leave ends what b holds.
func (r *room) leave(b *body) {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.charge(-b.held)
	for _, in := range b.bounds {
		in.bodies = without(in.bodies, b)
	}
	if len(b.sender().bodies) == 0 {
		delete(r.senders, b.from)
	}
	b.wakeNext()
}

// pool returns where buffers of a size are kept: chunks, or whole bodies of any.
func (r *room) pool(size int) *sync.Pool {
	switch size { // a whole body of just a chunk's size is as good as one
	case chunkSize:
		return &r.chunks
	case largeChunk:
		return &r.larges
	}
	return &r.joined
}

// buffer returns an empty buffer of that size at least.
func (r *room) buffer(size int) []byte {
	if spare, is := r.pool(size).Get().(*[]byte); is && cap(*spare) >= size {
		return (*spare)[:0]
	}
	return make([]byte, 0, size)
}

// giveBack keeps a buffer for its next use. Nothing may use it meanwhile.
func (r *room) giveBack(buffer []byte) {
	if cap(buffer) > smallBody {
		r.pool(cap(buffer)).Put(&buffer)
	}
}

// wait has b wait in a bound's queue, with the lock given back, until it is woken
// or roomWait is over. Its sender's time stands still.
func (r *room) wait(b *body, in *bound) (woken bool) {
	begin, wake := time.Now(), make(chan struct{})
	b.wake = wake
	in.queue = append(in.queue, b)
	b.setDeadline(time.Time{}) // in HTTP/2, one that passes ends the body even where nobody reads
	r.mu.Unlock()
	timer := time.NewTimer(roomWait)
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
	case <-b.ctx.Done():
	}
	r.mu.Lock()
	woken = b.wake == nil
	b.wake = nil
	in.queue = without(in.queue, b)
	b.pace.pause(time.Since(begin))
	if b.verdict == nil && b.ctx.Err() != nil {
		b.refuse(b.ctx.Err())
	}
	return woken
}

func without(bodies []*body, b *body) []*body {
	return slices.DeleteFunc(bodies, func(other *body) bool { return other == b })
}

// makeRoom has bodies give way, or else b, until those that leave are enough for
// b and all who wait.
func (r *room) makeRoom(b *body, in *bound, waited time.Duration) {
	wanted := b.wants
	for _, waits := range in.queue {
		wanted += min(waits.wants, chunkSize) // all that it needs at first
	}
	for b.verdict == nil && in.held-in.leaving+wanted > in.most {
		leaves, why := in.givesWay(b)
		switch {
		case leaves != nil:
			r.evict(leaves, why)
		case b.held == 0 && waited < in.patience:
			return
		default:
			b.refuse(in.full())
		}
	}
	if b.verdict == nil && waited > in.patience+roomLeaves {
		b.refuse(in.full())
	}
}

// evict has a body leave, whatever it does.
func (r *room) evict(b *body, why error) {
	b.refuse(why)
	b.setDeadline(longAgo)
	b.awake()
}

// givesWay returns who has to leave for b, and what it is told; nil: nobody has to.
func (in *bound) givesWay(b *body) (leaves *body, why error) {
	now := time.Now()
	slowest := in.first(func(b *body) bool { return now.Sub(b.pace.begun) >= oldEnough }, func(a, b *body) bool {
		return a.pace.rateAt(now) < b.pace.rateAt(now)
	})
	if slowest != nil {
		return slowest, errLeave()
	}
	// Who sends little gets in, however fast a few others fill the room.
	will := b.sender().held - b.held + b.needs()
	return in.first(func(other *body) bool { return other.sender().held > will }, func(a, b *body) bool {
		if a.sender().held != b.sender().held {
			return a.sender().held > b.sender().held
		}
		return a.pace.begun.After(b.pace.begun)
	}), errNoRoom()
}

// first returns the first in an order of the bodies that arrive and hold something.
func (in *bound) first(may func(*body) bool, before func(a, b *body) bool) (first *body) {
	for _, b := range in.bodies {
		if b.verdict == nil && !b.whole && b.held > 0 && may(b) && (first == nil || before(b, first)) {
			first = b
		}
	}
	return first
}

// announced is what its bodies will hold in the end, as far as that is known.
func (in *bound) announced() (total int64) {
	for _, b := range in.bodies {
		if b.admitted {
			total += max(b.announced, b.held)
		}
	}
	return total
}

// longAgo ends a read at once.
var longAgo = time.Unix(1, 0)

// sender bounds the bodies of b's address.
func (b *body) sender() *bound { return b.bounds[0] }

// full returns what has no room for what b wants; nil: there is room.
func (b *body) full() *bound {
	for _, in := range b.bounds {
		if in.held+b.wants > in.most {
			return in
		}
	}
	return nil
}

// needs returns what b may hold in the end.
func (b *body) needs() int64 {
	return max(cmp.Or(b.announced, b.room.largest), b.held+b.wants)
}

// charge adds n bytes, or takes -n away.
func (b *body) charge(n int64) {
	b.held += n
	for _, in := range b.bounds {
		in.held += n
		if b.verdict != nil {
			in.leaving += n
		}
	}
}

// refuse has it leave by itself.
func (b *body) refuse(why error) {
	b.verdict = why
	for _, in := range b.bounds {
		in.leaving += b.held
	}
}

// wakeNext wakes those for whom there is room by now. Each that takes it wakes
// the next.
func (b *body) wakeNext() {
	for _, in := range b.bounds {
		if i := slices.IndexFunc(in.queue, func(next *body) bool { return next.full() == nil }); i >= 0 {
			in.queue[i].awake()
		}
	}
}

// awake ends the wait that b is in, if any.
func (b *body) awake() {
	if b.wake != nil {
		close(b.wake)
		b.wake = nil
	}
}
