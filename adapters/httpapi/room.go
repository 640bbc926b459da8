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
	// senderWait is how long a body waits for others of its address: longer than
	// they may stall.
	senderWait = mostStall + 5*time.Second
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
	return domain.Errorf(domain.Unavailable, "nothing was changed: the server is full, and of all bodies this one arrived most slowly; send the call again in a moment").WithCause(errEvicted)
}

func errShare() error {
	return domain.Errorf(domain.Unavailable, "nothing was changed: the server still receives other bodies from this address, as many as it takes at once; send fewer in parallel").WithCause(errFull)
}

// room bounds the bytes that request bodies hold together, and those of one
// address. What is free and kept for later bodies counts too; only while a body
// is put together, one at a time, its bytes exist twice.
//
// When the room is full, the body that arrives most slowly has to leave. Where
// none is slow, one of the address that holds most has to, in favour of an address
// that holds less; where they all hold as much, the newest is refused after roomWait.
type room struct {
	budget  int64
	share   int64      // of one address
	largest int64      // body, in whole chunks
	joining sync.Mutex // is held by who puts a body together

	mu      sync.Mutex // guards the rest, and the account of each body
	held    int64
	leaving int64 // the part of held that was told to leave
	spares  spares
	senders map[netip.Addr]*sender
	queue   []*body // waits for room
}

// sender is an address from which bodies arrive.
type sender struct {
	address netip.Addr
	held    int64
	bodies  []*body
	queue   []*body // waits for others of this address
}

func newRoom(budget, largestBody int64) *room {
	largest := wholeChunks(largestBody)
	return &room{
		budget: budget, largest: largest, share: max(budget/senderShare, largest+chunkSize), senders: map[netip.Addr]*sender{},
		spares: spares{most: budget / sparePart, buffers: map[int][][]byte{}},
	}
}

// newBody returns a body that arrives from an address. It holds nothing yet.
func (r *room) newBody(announced int64, from netip.Addr) *body {
	b := &body{room: r, announced: announced, needs: r.largest, pace: newPace(time.Now())}
	if announced > 0 {
		b.needs = min(wholeChunks(announced), r.largest)
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.senders[from] == nil {
		r.senders[from] = &sender{address: from}
	}
	b.sender = r.senders[from]
	b.sender.bodies = append(b.sender.bodies, b)
	return b
}

// admit tells, before a body is read, whether there is room for what it
// announces, or there would be once another one has left.
func (r *room) admit(b *body) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.wants = b.announced
	if r.has(b.wants) || r.slowest() != nil || r.larger(b) != nil {
		return nil
	}
	r.wait(b, &r.queue, roomWait)
	if b.verdict == nil && !r.has(b.wants) {
		r.refuse(b, errNoRoom())
	}
	return b.verdict
}

// take has b hold n bytes more. It waits, and makes room, as far as it may.
func (r *room) take(b *body, n int64) error {
	r.mu.Lock()
	defer r.mu.Unlock()
	b.wants = n
	for latest := time.Now().Add(roomLeaves); b.verdict == nil; {
		switch {
		case !r.has(n) && time.Now().After(latest):
			r.refuse(b, errNoRoom())
		case !r.has(n):
			if !r.wait(b, &r.queue, roomWait) {
				r.makeRoom(b)
			}
		case !r.letsFinish(b, n):
			if !r.wait(b, &b.sender.queue, senderWait) && b.verdict == nil {
				r.refuse(b, errShare())
			}
			latest = time.Now().Add(roomLeaves)
		default:
			r.charge(b, n)
			r.wakeNext(b.sender)
			return nil
		}
	}
	return b.verdict
}

func (r *room) has(n int64) bool { return r.held+n <= r.budget }

// LeastInflightBytes returns the bytes with which a call with a photo of
// maxPhotoBytes has room in any case: its body fits in one address's share.
func LeastInflightBytes(maxPhotoBytes int64) int64 {
	return senderShare * (wholeChunks(MaxBodyBytes(maxPhotoBytes)) + chunkSize)
}

// letsFinish tells whether b's address can hold n bytes more and still finish all
// its bodies, one after the other, within its share (the banker's algorithm). Or
// else they could fill the share while each waits for the end of another.
func (r *room) letsFinish(b *body, n int64) bool {
	free := r.share - b.sender.held - n
	if free >= r.largest { // any of them could be next
		return true
	}
	if free < 0 {
		return false
	}
	type need struct{ more, frees int64 }
	var needs []need
	for _, other := range b.sender.bodies {
		held := other.held
		if other == b {
			held += n
		}
		if held > 0 {
			needs = append(needs, need{max(0, other.needs-held), held})
		}
	}
	slices.SortFunc(needs, func(a, b need) int { return cmp.Compare(a.more, b.more) })
	for _, next := range needs {
		if next.more > free {
			return false
		}
		free += next.frees
	}
	return true
}

// charge adds n bytes, or takes -n away, and lets spare buffers go that would be
// beyond the budget.
func (r *room) charge(b *body, n int64) {
	b.held += n
	b.sender.held += n
	r.held += n
	if b.verdict != nil {
		r.leaving += n
	}
	r.spares.shrink(r.budget - r.held)
}

// leave ends what b holds; its chunks are kept for others.
func (r *room) leave(b *body) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.charge(b, -b.held)
	for _, chunk := range b.chunks {
		r.giveBack(chunk)
	}
	b.sender.bodies = without(b.sender.bodies, b)
	if len(b.sender.bodies) == 0 {
		delete(r.senders, b.sender.address)
	}
	r.wakeNext(b.sender)
}

// buffer returns an empty buffer of that size, which was charged.
func (r *room) buffer(size int) []byte {
	r.mu.Lock()
	spare := r.spares.get(size)
	r.mu.Unlock()
	if spare != nil {
		return spare
	}
	return make([]byte, 0, size)
}

// giveBack keeps a buffer for its next use. Nothing may use it meanwhile.
func (r *room) giveBack(buffer []byte) { r.spares.put(buffer, r.budget-r.held) }

// wait has b wait in queue, with the lock given back, until it is woken. Its
// sender's time stands still.
func (r *room) wait(b *body, queue *[]*body, most time.Duration) (woken bool) {
	begin, wake := time.Now(), make(chan struct{})
	b.wake = wake
	*queue = append(*queue, b)
	b.setDeadline(time.Time{}) // in HTTP/2, one that passes ends the body even where nobody reads
	r.mu.Unlock()
	timer := time.NewTimer(most)
	defer timer.Stop()
	select {
	case <-wake:
	case <-timer.C:
	case <-b.ctx.Done():
	}
	r.mu.Lock()
	woken = b.wake == nil
	b.wake = nil
	*queue = without(*queue, b)
	b.pace.pause(time.Since(begin))
	if b.verdict == nil && b.ctx.Err() != nil {
		r.refuse(b, b.ctx.Err())
	}
	return woken
}

func without(bodies []*body, b *body) []*body {
	return slices.DeleteFunc(bodies, func(other *body) bool { return other == b })
}

// wakeNext wakes those for whom there is room by now. Each that takes it wakes
// the next.
func (r *room) wakeNext(from *sender) {
	if next := leastNeed(from.queue); next != nil && r.letsFinish(next, next.wants) {
		next.awake()
	}
	for _, next := range r.queue {
		if r.has(next.wants) {
			next.awake()
			return
		}
	}
}

// leastNeed returns which body of a queue is nearest to its end.
func leastNeed(queue []*body) (least *body) {
	for _, b := range queue {
		if least == nil || b.needs-b.held < least.needs-least.held {
			least = b
		}
	}
	return least
}

// makeRoom has the slowest bodies leave, or else those of an address that holds
// more than b's will, or else the newest, until those that leave are enough for b
// and all who wait.
func (r *room) makeRoom(b *body) {
	wanted := b.wants
	for _, waits := range r.queue {
		wanted += min(waits.wants, chunkSize) // all that it needs at first
	}
	for b.verdict == nil && r.held-r.leaving+wanted > r.budget {
		slowest, larger, newest := r.slowest(), r.larger(b), r.newest()
		switch {
		case slowest != nil:
			r.evict(slowest, errLeave())
		case larger != nil:
			r.evict(larger, errNoRoom())
		case newest == nil || b.held == 0:
			r.refuse(b, errNoRoom())
		default:
			r.evict(newest, errNoRoom())
		}
	}
}

// evict has a body leave, whatever it does.
func (r *room) evict(b *body, why error) {
	r.refuse(b, why)
	b.setDeadline(longAgo)
	b.awake()
}

// refuse has it leave by itself.
func (r *room) refuse(b *body, why error) {
	b.verdict = why
	r.leaving += b.held
}

// longAgo ends a read at once.
var longAgo = time.Unix(1, 0)

// slowest returns the body that arrives most slowly of those that are old
// enough for that to be told; nil: none.
func (r *room) slowest() *body {
	now := time.Now()
	return r.most(func(b *body) bool { return now.Sub(b.pace.begun) >= oldEnough }, func(a, b *body) bool {
		return a.pace.rateAt(now) < b.pace.rateAt(now)
	})
}

// larger returns the newest body of the address that holds most, if that is
// more than b's will with all of b; nil: none. So who sends little gets in, however
// fast a few others fill the room.
func (r *room) larger(b *body) *body {
	will := b.sender.held - b.held + b.needs
	return r.most(func(other *body) bool { return other.sender.held > will }, func(a, b *body) bool {
		if a.sender.held != b.sender.held {
			return a.sender.held > b.sender.held
		}
		return a.pace.begun.After(b.pace.begun)
	})
}

// newest returns the body that began to arrive last.
func (r *room) newest() *body {
	return r.most(func(*body) bool { return true }, func(a, b *body) bool { return a.pace.begun.After(b.pace.begun) })
}

// most returns the first in an order of the arriving bodies that hold something.
func (r *room) most(may func(*body) bool, before func(a, b *body) bool) (first *body) {
	for _, from := range r.senders {
		for _, b := range from.bodies {
			if b.verdict == nil && !b.whole && b.held > 0 && may(b) && (first == nil || before(b, first)) {
				first = b
			}
		}
	}
	return first
}
