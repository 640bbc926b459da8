package httpapi

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/netip"
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// testBody returns a body in a room, from the address 10.0.0.n.
func testBody(t *testing.T, r *room, n byte, announced int64) *body {
	t.Helper()
	b := r.newBody(announced, netip.AddrFrom4([4]byte{10, 0, 0, n}))
	b.ctx, b.setDeadline = t.Context(), func(time.Time) {}
	return b
}

// receiving returns a body of which that many bytes have arrived. When it is evicted,
// it is released, as by its reader.
func receiving(t *testing.T, r *room, n byte, announced, arrived int64) *body {
	t.Helper()
	b := testBody(t, r, n, announced)
	b.pace.progress(int(arrived), time.Now())
	if arrived > 0 {
		b.charge(max(arrived, smallBody))
	}
	b.setDeadline = func(at time.Time) {
		if at.Equal(longAgo) {
			go b.release()
		}
	}
	return b
}

// mustBeEmpty releases all bodies and checks that the room's accounts are empty.
func mustBeEmpty(t *testing.T, r *room) {
	t.Helper()
	for _, from := range r.senders {
		for _, b := range slices.Clone(from.bodies) {
			b.release()
		}
	}
	if r.all.held != 0 || r.all.leaving != 0 || len(r.senders) != 0 || len(r.all.queue) != 0 {
		t.Errorf("the room still has %d bytes held, %d leaving, %d addresses and %d waiting bodies", r.all.held, r.all.leaving, len(r.senders), len(r.all.queue))
	}
}

// age makes a body older by d.
func age(b *body, d time.Duration) {
	b.pace.pause(-d)
	b.pace.begun = b.pace.begun.Add(-d)
}

type readerFunc func([]byte) (int, error)

// Read implements io.Reader.
func (f readerFunc) Read(p []byte) (int, error) { return f(p) }

// TestBodyHoldsWhatArrived: a body holds chunks for the bytes that arrived, whatever
// it announced, and nothing before the first byte.
func TestBodyHoldsWhatArrived(t *testing.T) {
	const unit = chunkSize
	for _, test := range []struct {
		announced, sent int64
		held            []int64
	}{
		{100, 100, []int64{0, smallBody, 0}},
		{smallBody, smallBody, []int64{0, smallBody, 0}},
		{smallBody + 1, smallBody + 1, []int64{0, smallBody, 2 * smallBody, 0}},
		{3 * unit, 3 * unit, []int64{0, smallBody, unit + smallBody, 2*unit + smallBody, 3*unit + smallBody, 0}},
		{1600 * unit, 0, []int64{0}},
		{1600 * unit, 1, []int64{0, smallBody, 0}},
		{1600 * unit, unit + 1, []int64{0, smallBody, unit + smallBody, 0}},
		{-1, 2 * unit, []int64{0, smallBody, unit + smallBody, 2*unit + smallBody, 0}},
	} {
		t.Run(fmt.Sprintf("%d of %d", test.sent, test.announced), func(t *testing.T) {
			r := newRoom(1<<30, 1<<27)
			b := testBody(t, r, 1, test.announced)
			sent := bytes.Repeat([]byte("0123456789abcdef!"), int(test.sent)/17+1)[:test.sent]
			reader, held := bytes.NewReader(sent), []int64(nil)
			check(t, b.fill(readerFunc(func(p []byte) (int, error) {
				held = append(held, r.all.held)
				return reader.Read(p)
			})))
			check(t, b.join())
			if !bytes.Equal(b.data, sent) || cap(b.data) > max(smallBody, len(sent)) {
				t.Errorf("got %d bytes in a buffer of %d, want the %d sent", len(b.data), cap(b.data), len(sent))
			}
			b.release()
			if got := slices.Compact(append(held, r.all.held)); !slices.Equal(got, test.held) {
				t.Errorf("it held %v, want %v", got, test.held)
			}
			if len(r.senders) != 0 {
				t.Error("its address is still known")
			}
		})
	}
}

// TestRoom: a body takes one more chunk in a room of 16. Each of the others got its
// bytes at the beginning, age ago.
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
		chunks int64 // the announced length
		want   error
		leaves int // the index of the evicted one; -1: none
		why    error
		within time.Duration
	}{
		{"there is room", full[:3], 4, 1, nil, -1, nil, 0},
		{"the one that has stalled longest leaves", full, 5, 1, nil, 1, errEvicted, roomWait},
		{"where all are young and as large, the newcomer is refused", young, 5, 4, errFull, -1, nil, roomWait},
		{"where all are young, the newest leaves for a smaller one", young, 5, 1, nil, 3, errFull, roomWait},
		{"of the address that holds most", []sender{{1, 3, 0, false}, {2, 5, 400 * time.Millisecond, false}, {3, 4, 0, false}, {4, 4, 0, false}}, 5, 4, nil, 1, errFull, roomWait},
		{"one whose address has much is refused", young, 1, 1, errFull, -1, nil, roomWait},
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
					bodies = append(bodies, b)
				}
				b := testBody(t, r, test.from, test.chunks*unit)
				err := r.take(b, unit)
				left := slices.IndexFunc(bodies, func(b *body) bool { return b.verdict != nil })
				if !errors.Is(err, test.want) || left != test.leaves || time.Since(begin) > test.within {
					t.Errorf("got %v after %v, and number %d left; want %v within %v and %d", err, time.Since(begin), left, test.want, test.within, test.leaves)
				}
				if left >= 0 && !errors.Is(bodies[left].verdict, test.why) {
					t.Errorf("the evicted body fails with %v, want %v", bodies[left].verdict, test.why)
				}
				synctest.Wait()
				mustBeEmpty(t, r)
			})
		})
	}
}

// TestRoomForMany: one eviction makes room for all bodies that wait meanwhile, however
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
			t.Errorf("%d bodies were evicted, want 1", left)
		}
		mustBeEmpty(t, r)
	})
}

// TestRoomOfManySmall: one body is not enough; as many small ones are evicted as needed.
func TestRoomOfManySmall(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(16*chunkSize, 3*chunkSize)
		const small = chunkSize / smallBody
		for n := range byte(small) {
			b := receiving(t, r, n, chunkSize, 1)
			age(b, time.Minute)
		}
		decoding := testBody(t, r, 100, 0)
		decoding.whole = true
		decoding.charge(15 * chunkSize)
		begin := time.Now()
		if err := r.take(testBody(t, r, 101, chunkSize), chunkSize); err != nil || time.Since(begin) != roomWait {
			t.Errorf("got %v after %v", err, time.Since(begin))
		}
	})
}

// TestAdmit: a full room refuses a body before it is read, unless another one would be
// evicted for it.
func TestAdmit(t *testing.T) {
	for _, test := range []struct {
		name   string
		age    time.Duration // of the bodies that fill it, with four chunks each
		chunks int64         // the announced length
		frees  time.Duration // after which one is released; 0: none is
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

// TestShare: if the share of its address is full, a body waits up to shareWait for
// others to be done, or the slowest of them is evicted. Other addresses are not affected.
func TestShare(t *testing.T) {
	for _, test := range []struct {
		name  string
		age   time.Duration
		whole bool
		frees time.Duration // after which one is released; 0: none is
		held  int64         // by the body that asks
		want  error
		after time.Duration
	}{
		{"one is done", 0, true, 500 * time.Millisecond, 0, nil, 500 * time.Millisecond},
		{"none is done", 0, true, 0, 0, errFull, shareWait + roomWait},
		{"the slowest leaves", 2 * time.Second, false, 0, 0, nil, roomWait},
		{"one that holds something doesn't wait", 0, false, 0, smallBody, errFull, roomWait},
	} {
		t.Run(test.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				r := newRoom(64*largeChunk, 2*largeChunk)
				asks := receiving(t, r, 1, 0, test.held)
				for i := range 4 {
					b := receiving(t, r, 1, 0, 0)
					b.charge(4*largeChunk - test.held/4)
					b.pace.progress(i+1, time.Now())
					age(b, test.age)
					b.whole = test.whole
					if i == 0 && test.frees > 0 {
						time.AfterFunc(test.frees, b.release)
					}
				}
				begin := time.Now()
				check(t, r.take(testBody(t, r, 2, 0), chunkSize))
				deadline := begin // the last one set
				asks.setDeadline = func(at time.Time) { deadline = at }
				if err := r.take(asks, chunkSize); !errors.Is(err, test.want) || errors.Is(err, errEvicted) || time.Since(begin) > test.after {
					t.Errorf("got %v after %v, want %v after %v", err, time.Since(begin), test.want, test.after)
				}
				if !deadline.IsZero() {
					t.Errorf("the deadline is %v while the body waits, want none", deadline)
				}
				synctest.Wait()
				mustBeEmpty(t, r)
			})
		})
	}
}

// TestShareTakesTurns: an address may send many bodies at once. Those that fit into its
// share are read, and the others wait for them, unread.
func TestShareTakesTurns(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(320<<20, MaxBodyBytes(10<<20))
		errs := make(chan error)
		const senders, size, takes = 64, 4_200_000, 200 * time.Millisecond
		for range senders {
			b := testBody(t, r, 1, size)
			go func() {
				defer b.release()
				err := r.admit(b)
				if err == nil {
					b.source = bytes.NewReader(make([]byte, size))
					err = errors.Join(b.fill(b), b.join())
				}
				time.Sleep(takes)
				errs <- err
			}()
		}
		for range senders {
			if err := <-errs; err != nil {
				t.Error(err)
			}
		}
		synctest.Wait()
		mustBeEmpty(t, r)
	})
}

// TestWaitEnds when the caller is gone.
func TestWaitEnds(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRoom(16*chunkSize, 4*chunkSize)
		for range 3 {
			receiving(t, r, 1, chunkSize, chunkSize)
		}
		b := receiving(t, r, 1, 5*chunkSize, chunkSize)
		ctx, cancel := context.WithCancel(t.Context())
		b.ctx = ctx
		time.AfterFunc(roomWait/2, cancel)
		if err := r.take(b, 5*chunkSize); !errors.Is(err, context.Canceled) {
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
		if b.held > r.all.most/senderShare {
			t.Errorf("it holds %d bytes, a quarter is %d", b.held, r.all.most/senderShare)
		}
	}
}

// TestDefaultRoom: 64 uploads of 3 MB photos fit into the default room.
func TestDefaultRoom(t *testing.T) {
	r := newRoom(320<<20, MaxBodyBytes(10<<20))
	for i := range 64 {
		check(t, testBody(t, r, byte(i/8), 4_200_000).fill(bytes.NewReader(make([]byte, 4_200_000)))) // in Base64, with line breaks or escapes
	}
}

// TestKeepOnly: a small photo holds only its own bytes, not the rest of its body.
func TestKeepOnly(t *testing.T) {
	const unit = chunkSize
	for _, test := range []struct{ body, photo, held int64 }{
		{16 * unit, unit, unit},
		{16 * unit, 0, 0}, // a deletion
		{16 * unit, 12 * unit, 16*unit + smallBody},
		{100, 10, smallBody},
	} {
		r := newRoom(1<<30, 1<<27)
		b := testBody(t, r, 1, test.body)
		check(t, b.fill(bytes.NewReader(make([]byte, test.body))))
		check(t, b.join())
		photo := b.data[3 : 3+test.photo]
		photo = append(photo[:0], bytes.Repeat([]byte("x"), int(test.photo))...)
		got := b.keepOnly(photo)
		if !bytes.Equal(got, photo) || r.all.held != test.held || b.sender().held != test.held {
			t.Errorf("%d of %d bytes: got %d, and %d are held, want %d", test.photo, test.body, len(got), r.all.held, test.held)
		}
		b.release()
		if r.all.held != 0 {
			t.Errorf("%d of %d bytes: %d are held after release", test.photo, test.body, r.all.held)
		}
	}
}
