package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// testBody returns a body in a room, from the address 10.0.0.n. Its deadline ends
// ctx when it is longAgo.
func testBody(t *testing.T, r *room, n byte, announced int64) *body {
	t.Helper()
	b := r.newBody(announced, netip.AddrFrom4([4]byte{10, 0, 0, n}))
	b.ctx, b.setDeadline = t.Context(), func(time.Time) {}
	return b
}

// receiving has a body hold what a sender sent by now.
func receiving(t *testing.T, r *room, n byte, announced, arrived int64) *body {
	t.Helper()
	b := testBody(t, r, n, announced)
	b.pace.progress(int(arrived), time.Now())
	check(t, b.fill(bytes.NewReader(make([]byte, arrived))))
	return b
}

// mustBeEmpty wants nothing to be held, nor to be about to leave, once all bodies
// are released.
func mustBeEmpty(t *testing.T, r *room) {
	t.Helper()
	for _, from := range r.senders {
		for _, b := range slices.Clone(from.bodies) {
			b.release()
		}
	}
	if r.held != 0 || r.leaving != 0 || len(r.senders) != 0 || len(r.queue) != 0 {
		t.Errorf("%d bytes are held, %d about to leave, by %d addresses; %d bodies wait", r.held, r.leaving, len(r.senders), len(r.queue))
	}
}

// age has a body begun so long before.
func age(b *body, d time.Duration) {
	b.pace.pause(-d)
	b.pace.begun = b.pace.begun.Add(-d)
}

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestBodyHoldsWhatArrived: whatever was announced, what a body holds is what has
// arrived, in chunks, and nothing before the first byte.
func TestBodyHoldsWhatArrived(t *testing.T) {
	const unit = chunkSize
	for _, test := range []struct {
		announced, sent int64
		held            []int64
	}{
		{100, 100, []int64{0, smallBody, 0}},
		{smallBody, smallBody, []int64{0, smallBody, 0}},
		{smallBody + 1, smallBody + 1, []int64{0, smallBody, unit, 0}},
		{3 * unit, 3 * unit, []int64{0, smallBody, unit, 2 * unit, 3 * unit, 0}},
		{1600 * unit, 0, []int64{0}},
		{1600 * unit, 1, []int64{0, smallBody, 0}},
		{1600 * unit, unit + 1, []int64{0, smallBody, unit, 2 * unit, 0}},
		{-1, 2 * unit, []int64{0, smallBody, unit, 2 * unit, 0}},
	} {
		t.Run(fmt.Sprintf("%d of %d", test.sent, test.announced), func(t *testing.T) {
			r := newRoom(1<<30, 1<<27)
			b := testBody(t, r, 1, test.announced)
			sent := bytes.Repeat([]byte("0123456789abcdef!"), int(test.sent)/17+1)[:test.sent]
			reader, held := bytes.NewReader(sent), []int64(nil)
			check(t, b.fill(readerFunc(func(p []byte) (int, error) {
				held = append(held, r.held)
				return reader.Read(p)
			})))
			check(t, b.join())
			if !bytes.Equal(b.data, sent) || cap(b.data) > max(smallBody, int(wholeChunks(test.sent))) {
				t.Errorf("got %d bytes in a buffer of %d, want the %d sent", len(b.data), cap(b.data), len(sent))
			}
			b.release()
			if got := slices.Compact(append(held, r.held)); !slices.Equal(got, test.held) {
				t.Errorf("held are %v, want %v", got, test.held)
			}
			if len(r.senders) != 0 {
				t.Error("its address is still known")
			}
		})
	}
}

// TestSparesCount: buffers are used again, up to a part of the room, and go where
// bodies need their bytes.
func TestSparesCount(t *testing.T) {
	r := newRoom(16*8*chunkSize, 4*chunkSize)
	for range 20 {
		b := receiving(t, r, 1, -1, 4*chunkSize)
		check(t, b.join())
		b.release()
		if spare := len(r.spares.buffers[chunkSize])*chunkSize + len(r.spares.buffers[4*chunkSize])*4*chunkSize + len(r.spares.buffers[smallBody])*smallBody; int64(spare) != r.spares.held || r.spares.held > r.budget/sparePart {
			t.Fatalf("%d bytes are spare, counted are %d, of %d at most", spare, r.spares.held, r.budget/sparePart)
		}
	}
	b := testBody(t, r, 1, -1)
	r.charge(b, r.budget-chunkSize)
	if r.spares.held > chunkSize {
		t.Errorf("%d bytes are spare where %d are free", r.spares.held, chunkSize)
	}
	allocs := testing.AllocsPerRun(100, func() {
		other := r.buffer(chunkSize)
		r.giveBack(other)
	})
	if allocs > 0 && r.spares.held > 0 {
		t.Errorf("%v allocations for a spare buffer", allocs)
	}
}

// TestRoom: what becomes of a body that needs one chunk more in a room of 16.
// Each of the others has sent its bytes at once, and is so old.
func TestRoom(t *testing.T) {
	const unit = chunkSize
	type sender struct {
		from   byte
		chunks int64
		age    time.Duration
		whole  bool
	}
	full := []sender{{1, 4, 3 * time.Second, false}, {2, 4, 5 * time.Second, false}, {3, 4, 4 * time.Second, false}, {4, 4, time.Second, false}}
	young := []sender{{1, 4, 300 * time.Millisecond, false}, {2, 4, 500 * time.Millisecond, false}, {3, 4, 400 * time.Millisecond, false}, {4, 4, 100 * time.Millisecond, false}}
	decoding := slices.Clone(full)
	for i := range decoding {
		decoding[i].whole = true
	}
	for _, test := range []struct {
		name   string
		others []sender
		from   byte
		chunks int64 // that it will need in the end
		want   error
		leaves int // which of the others; -1: none
		why    error
		within time.Duration
	}{
		{"there is room", full[:3], 4, 1, nil, -1, nil, 0},
		{"the one that has stalled longest leaves", full, 5, 1, nil, 1, errEvicted, roomWait},
		{"where all are young and as large, the newcomer is refused", young, 5, 4, errFull, -1, nil, roomWait},
		{"where all are young, the newest leaves for a smaller one", young, 5, 1, nil, 3, errFull, roomWait},
		{"of the address that holds most", []sender{{1, 3, 0, false}, {2, 5, 400 * time.Millisecond, false}, {3, 4, 0, false}, {4, 4, 0, false}}, 5, 4, nil, 1, errFull, roomWait},
		{"who has much is refused", young, 1, 1, errFull, -1, nil, roomWait},
		{"those that are whole stay", decoding, 5, 1, errFull, -1, nil, roomWait},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(16*unit, 4*unit)
				var bodies []*body
				begin := time.Now()
				for _, other := range test.others {
					b := receiving(t, r, other.from, other.chunks*unit, other.chunks*unit)
					age(b, other.age)
					b.whole = other.whole
					b.setDeadline = func(at time.Time) {
						if at.Equal(longAgo) { // its reader gives up
							go b.release()
						}
					}
					bodies = append(bodies, b)
				}
				b := testBody(t, r, test.from, test.chunks*unit)
				err := r.take(b, unit)
				left := slices.IndexFunc(bodies, func(b *body) bool { return b.verdict != nil })
				if !errors.Is(err, test.want) || left != test.leaves || time.Since(begin) > test.within {
					t.Errorf("got %v after %v, and number %d left; want %v within %v and %d", err, time.Since(begin), left, test.want, test.within, test.leaves)
				}
				if left >= 0 && !errors.Is(bodies[left].verdict, test.why) {
					t.Errorf("the one that left is told %v", bodies[left].verdict)
				}
				synctest.Wait()
				mustBeEmpty(t, r)
			})
		})
	}
}

// TestRoomForMany: one that leaves makes room for all who wait meanwhile, however
// long it takes.
func TestRoomForMany(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(16*chunkSize, 3*chunkSize)
		left := 0
		for n := range byte(4) {
			b := receiving(t, r, n, 4*chunkSize, 4*chunkSize)
			age(b, time.Minute)
			b.setDeadline = func(at time.Time) {
				if at.Equal(longAgo) {
					left++
					time.AfterFunc(5*roomWait, b.release)
				}
			}
		}
		errs := make(chan error)
		for n := range byte(4) {
			go func() { errs <- r.take(testBody(t, r, 10+n, chunkSize), chunkSize) }()
		}
		for range 4 {
			check(t, <-errs)
		}
		if left != 1 {
			t.Errorf("%d had to leave, want 1", left)
		}
		mustBeEmpty(t, r)
	})
}

// TestRoomOfManySmall: those that hold next to nothing protect nobody.
func TestRoomOfManySmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(16*chunkSize, 3*chunkSize)
		const small = chunkSize / smallBody
		for n := range byte(small) {
			b := receiving(t, r, n, chunkSize, 1)
			age(b, time.Minute)
			b.setDeadline = func(at time.Time) {
				if at.Equal(longAgo) {
					go b.release()
				}
			}
		}
		decoding := testBody(t, r, 100, 0)
		decoding.whole = true
		r.charge(decoding, 15*chunkSize)
		begin := time.Now()
		if err := r.take(testBody(t, r, 101, chunkSize), chunkSize); err != nil || time.Since(begin) != roomWait {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}

// TestRoomNewestLeaves: where nobody is slow, a body that has begun goes before
// one that begins later.
func TestRoomNewestLeaves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(16*chunkSize, 4*chunkSize)
		first := receiving(t, r, 1, 5*chunkSize, 4*chunkSize)
		time.Sleep(time.Millisecond)
		for n := byte(2); n <= 4; n++ {
			b := receiving(t, r, n, 5*chunkSize, 4*chunkSize)
			b.setDeadline = func(at time.Time) {
				if at.Equal(longAgo) {
					go b.release()
				}
			}
			time.Sleep(time.Millisecond)
		}
		if err := r.take(first, chunkSize); err != nil || first.held != 5*chunkSize || r.held != 13*chunkSize {
			t.Errorf("got %v, it holds %d of %d chunks; want the last to go, whose error is for others: 5 of 13", err, first.held/chunkSize, r.held/chunkSize)
		}
	})
}

// TestAdmit: a full room tells before it reads, unless somebody is slow or holds more.
func TestAdmit(t *testing.T) {
	for _, test := range []struct {
		name   string
		age    time.Duration // of those that fill it, with four chunks each
		chunks int64         // that are announced
		frees  time.Duration // after which one goes; 0: none does
		want   error
		within time.Duration
	}{
		{"full", 0, 4, 0, errFull, roomWait},
		{"full for a moment", 0, 4, 10 * time.Millisecond, nil, 10 * time.Millisecond},
		{"full of slow ones", 2 * time.Second, 4, 0, nil, 0},
		{"full of larger ones", 0, 3, 0, nil, 0},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(16*chunkSize, 4*chunkSize)
				for n := range byte(4) {
					b := receiving(t, r, n, 4*chunkSize, 4*chunkSize)
					age(b, test.age)
					if test.frees > 0 && n == 0 {
						time.AfterFunc(test.frees, b.release)
					}
				}
				begin := time.Now()
				if err := r.admit(testBody(t, r, 9, test.chunks*chunkSize)); !errors.Is(err, test.want) || time.Since(begin) > test.within {
					t.Errorf("got %v after %v, want %v within %v", err, time.Since(begin), test.want, test.within)
				}
				time.Sleep(test.frees)
				synctest.Wait()
				mustBeEmpty(t, r)
			})
		})
	}
}

// TestShare: an address waits for its own bodies, and for no longer than
// senderWait; another address doesn't.
func TestShare(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(64*chunkSize, 4*chunkSize)
		var own []*body
		for range 4 {
			own = append(own, receiving(t, r, 1, 4*chunkSize, 4*chunkSize))
		}
		waits := testBody(t, r, 1, chunkSize)
		begin := time.Now()
		deadline := begin // that its last read had
		waits.setDeadline = func(at time.Time) { deadline = at }
		if err := r.take(waits, chunkSize); !errors.Is(err, errFull) || time.Since(begin) != senderWait {
			t.Errorf("got %v after %v, want a refusal after %v", err, time.Since(begin), senderWait)
		}
		if behind := time.Since(waits.pace.start); behind != 0 || !deadline.IsZero() {
			t.Errorf("its sender is %v behind and has until %v, though it wasn't read", behind, deadline)
		}
		other := testBody(t, r, 2, chunkSize)
		check(t, r.take(other, chunkSize))
		next := testBody(t, r, 1, chunkSize)
		begin = time.Now()
		time.AfterFunc(time.Second, own[0].release)
		if err := r.take(next, chunkSize); err != nil || time.Since(begin) != time.Second {
			t.Errorf("got %v after %v, want room when one of its own is done, after a second", err, time.Since(begin))
		}
		mustBeEmpty(t, r)
	})
}

// TestShareFinishes: an address may send any number of bodies at once, of any
// sizes: they wait for each other, and none is refused.
func TestShareFinishes(t *testing.T) {
	for _, announced := range []bool{true, false} {
		t.Run(fmt.Sprint(announced), func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(4*16*chunkSize, 14*chunkSize)
				errs := make(chan error)
				const senders = 40
				for i := range senders {
					size := int64(1+i%14) * chunkSize
					b := testBody(t, r, 1, -1)
					if announced {
						b.needs = size
					}
					go func() {
						defer b.release()
						left := size
						errs <- b.fill(readerFunc(func(p []byte) (int, error) {
							time.Sleep(time.Millisecond) // so that all advance alike
							n := int(min(left, int64(len(p))))
							if left -= int64(n); n == 0 {
								return 0, io.EOF
							}
							return n, nil
						}))
					}()
				}
				for range senders {
					if err := <-errs; err != nil {
						t.Error(err)
					}
				}
				synctest.Wait()
				if r.held != 0 {
					t.Errorf("%d bytes are still held", r.held)
				}
			})
		})
	}
}

// TestWaitEnds where the caller is gone.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(16*chunkSize, 4*chunkSize)
		for range 3 {
			receiving(t, r, 1, chunkSize, chunkSize)
		}
		b := receiving(t, r, 1, 5*chunkSize, chunkSize)
		ctx, cancel := context.WithCancel(t.Context())
		b.ctx = ctx
		time.AfterFunc(time.Second, cancel)
		if err := r.take(b, 4*chunkSize); !errors.Is(err, context.Canceled) {
			t.Errorf("got %v", err)
		}
		mustBeEmpty(t, r)
	})
}

// TestLeastInflightBytes: with it, the largest call fits into one address's share.
func TestLeastInflightBytes(t *testing.T) {
	const photo = 3 << 20
	for _, announced := range []int64{-1, MaxBodyBytes(photo)} {
		r := newRoom(LeastInflightBytes(photo), MaxBodyBytes(photo))
		b := testBody(t, r, 1, announced)
		check(t, b.fill(bytes.NewReader(make([]byte, MaxBodyBytes(photo)))))
		check(t, b.join())
		if b.held > r.budget/senderShare {
			t.Errorf("it holds %d bytes, a quarter is %d", b.held, r.budget/senderShare)
		}
	}
}

// TestDefaultRoom: 64 uploads of photos of 3 MB fit into the room of the default.
func TestDefaultRoom(t *testing.T) {
	r := newRoom(320<<20, MaxBodyBytes(10<<20))
	for i := range 64 {
		receiving(t, r, byte(i/8), 4_200_000, 4_200_000) // in Base64, with line breaks or escapes
	}
}
