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
	// roomWait is how long a body waits for room before it evicts others.
	roomWait = 25 * time.Millisecond
	// roomLeaves is how long a body waits for evicted bodies to leave.
	roomLeaves = time.Second
	// shareWait is how long a body that holds nothing yet waits for others of its
	// address.
	shareWait = time.Second
	// senderShare divides the room: one address may hold a quarter.
	senderShare = 4
	// oldEnough is the age, since its first byte, from which a body can be evicted as
	// slow.
	oldEnough = time.Second
)

// errFull is the cause when there is no room for a body. Such a call gets no entry
// in the API log.
var errFull = errors.New("the in-flight bytes are used up")

// errEvicted is the cause when a body was evicted as the slowest.
var errEvicted = fmt.Errorf("%w, and this body arrived most slowly", errFull)

func errNoRoom() error {
	return domain.Errorf(domain.Unavailable, "nothing was changed: the server is receiving as much as it can hold; send the call again in a moment").WithCause(errFull)
}

func errLeave() error {
	return domain.Errorf(domain.Unavailable, "nothing was changed: there is no room for more bodies, and of all this one arrived most slowly; send the call again in a moment").WithCause(errEvicted)
}

func errShare() error {
	return domain.Errorf(domain.Unavailable, "nothing was changed: the server still receives other bodies from this address, as many as it takes at once; send fewer in parallel").WithCause(errFull)
}

// room bounds the bytes that all request bodies hold together, and those of one
// address. The copy that join makes is not counted: one body at a time is joined.
//
// When a bound is reached, the slowest of the bodies of age oldEnough is evicted. If
// there is none, a body of the address that holds most is evicted, provided that the
// address that asks will hold less. Otherwise the body that asks is refused.
type room struct {
	share   int64      // the most bytes of one address
	largest int64      // the size of the largest body
	joining sync.Mutex // held while a body is joined
	// Buffers that can be used again.
	chunks, larges, joined sync.Pool

	mu      sync.Mutex // guards the rest, and the fields of body that say so
	all     bound
	senders map[netip.Addr]*bound
}

// bound limits the bytes of some bodies: all, or those of one address.
type bound struct {
	most     int64
	held     int64
	leaving  int64         // the part of held whose bodies were refused or evicted
	patience time.Duration // how long a body that holds nothing waits for room
	full     func() error  // the error of a body that is refused
	bodies   []*body
	queue    []*body // those that wait for room
}

func newRoom(budget, largestBody int64) *room {
	return &room{
		share: max(budget/senderShare, largestBody+largeChunk), largest: largestBody,
		all: bound{most: budget, full: errNoRoom}, senders: map[netip.Addr]*bound{},
	}
}

// newBody adds a body from an address, which holds nothing yet. leave removes it.
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

// admit fails, before a body is read, if there is no room for its announced length,
// none becomes free within patience and no other body would be evicted for it. It
// also waits up to shareWait while the announced lengths of its address's bodies
// together exceed the share.
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

// take charges b with n more bytes. If there is no room, it waits and then evicts
// other bodies, or fails.
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

// LeastInflightBytes returns the least MaxInflightBytes with which the largest body
// of a call, with a photo of maxPhotoBytes, fits in one address's share.
func LeastInflightBytes(maxPhotoBytes int64) int64 {
	return senderShare * (MaxBodyBytes(maxPhotoBytes) + largeChunk)
}

// leave removes b and all that it holds.
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

// pool returns the pool for buffers of a size: either size of chunk, or joined
// bodies of any other size.
func (r *room) pool(size int) *sync.Pool {
	switch size {
	case chunkSize:
		return &r.chunks
	case largeChunk:
		return &r.larges
	}
	return &r.joined
}

// buffer returns an empty buffer with at least that capacity.
func (r *room) buffer(size int) []byte {
	if spare, is := r.pool(size).Get().(*[]byte); is && cap(*spare) >= size {
		return (*spare)[:0]
	}
	return make([]byte, 0, size)
}

// giveBack puts a buffer into its pool. The caller must not use it any more.
func (r *room) giveBack(buffer []byte) {
	if cap(buffer) > smallBody {
		r.pool(cap(buffer)).Put(&buffer)
	}
}

// wait puts b into a bound's queue until it is woken, roomWait is over or its context
// is done. Meanwhile the lock is released and b's pace is paused.
func (r *room) wait(b *body, in *bound) (woken bool) {
	begin, wake := time.Now(), make(chan struct{})
	b.wake = wake
	in.queue = append(in.queue, b)
	b.setDeadline(time.Time{}) // in HTTP/2, a deadline that passes ends the body even if nobody is reading
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

// makeRoom evicts bodies until those that leave free enough for b and all that wait.
// If none can be evicted, or they take too long to leave, it refuses b.
func (r *room) makeRoom(b *body, in *bound, waited time.Duration) {
	wanted := b.wants
	for _, waits := range in.queue {
		wanted += min(waits.wants, chunkSize) // enough to go on with
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

// evict refuses a body and ends its read or its wait.
func (r *room) evict(b *body, why error) {
	b.refuse(why)
	b.setDeadline(longAgo)
	b.awake()
}

// givesWay returns the body to evict for b, and the error for it. nil: none.
func (in *bound) givesWay(b *body) (leaves *body, why error) {
	now := time.Now()
	slowest := in.first(func(b *body) bool { return now.Sub(b.pace.begun) >= oldEnough }, func(a, b *body) bool {
		return a.pace.rateAt(now) < b.pace.rateAt(now)
	})
	if slowest != nil {
		return slowest, errLeave()
	}
	// An address that sends little gets in, however fast a few others fill the room.
	will := b.sender().held - b.held + b.needs()
	return in.first(func(other *body) bool { return other.sender().held > will }, func(a, b *body) bool {
		if a.sender().held != b.sender().held {
			return a.sender().held > b.sender().held
		}
		return a.pace.begun.After(b.pace.begun)
	}), errNoRoom()
}

// first returns the first body, in the order before, of those that may be evicted:
// they pass may, are still arriving and hold something.
func (in *bound) first(may func(*body) bool, before func(a, b *body) bool) (first *body) {
	for _, b := range in.bodies {
		if b.verdict == nil && !b.whole && b.held > 0 && may(b) && (first == nil || before(b, first)) {
			first = b
		}
	}
	return first
}

// announced returns how many bytes the admitted bodies will hold in the end, as far
// as that is known.
func (in *bound) announced() (total int64) {
	for _, b := range in.bodies {
		if b.admitted {
			total += max(b.announced, b.held)
		}
	}
	return total
}

// longAgo is a deadline that ends a read at once.
var longAgo = time.Unix(1, 0)

// sender returns the bound of b's address.
func (b *body) sender() *bound { return b.bounds[0] }

// full returns the bound that has no room for what b wants; nil: there is room.
func (b *body) full() *bound {
	for _, in := range b.bounds {
		if in.held+b.wants > in.most {
			return in
		}
	}
	return nil
}

// needs returns how many bytes b may hold in the end.
func (b *body) needs() int64 {
	return max(cmp.Or(b.announced, b.room.largest), b.held+b.wants)
}

// charge adds n bytes, which may be negative.
func (b *body) charge(n int64) {
	b.held += n
	for _, in := range b.bounds {
		in.held += n
		if b.verdict != nil {
			in.leaving += n
		}
	}
}

// refuse sets the error with which b's next read or wait fails.
func (b *body) refuse(why error) {
	b.verdict = why
	for _, in := range b.bounds {
		in.leaving += b.held
	}
}

// wakeNext wakes the first body of each queue that has room now. When that takes its
// room, it wakes the next.
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
