//go:build chaos

package chaos_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// What the product's times are under the tag chaos.
const (
	settleAfter = 14 * time.Second
	lateAfter   = 25 * time.Second
	repairEvery = 2 * time.Second
)

// TestHeldRequest has a request to the store held until its caller was answered
// and a later call was acknowledged: then it changes nothing.
func TestHeldRequest(t *testing.T) {
	t.Parallel()
	put, remove := []string{http.MethodPut, http.MethodPost}, []string{http.MethodDelete} // Google's puts are POSTs
	for _, on := range []struct {
		name     string
		use      func(*backends, *testing.T)
		requests [][]string
	}{
		{"s3", func(b *backends, t *testing.T) { b.useS3(t, servers.S3(t)) }, [][]string{put, remove}},
		{"azblob", (*backends).useAzblob, [][]string{put, remove}},
		{"gs", (*backends).useGS, [][]string{put}}, // the stand-in ignores the condition of a DELETE
	} {
		t.Run(on.name, func(t *testing.T) {
			t.Parallel()
			b := newBackends(t)
			b.usePostgres(t)
			on.use(b, t)
			w := newWorld(t, b, len(on.requests)+1, nil)
			for i, methods := range on.requests {
				w.heldRequest(1+i, methods)
			}
			w.check()
		})
	}
}

func (w *world) heldRequest(customer int, methods []string) {
	w.t.Helper()
	r := w.replicas[0]
	w.mustChange(r, customer, newPhoto(1))
	var photo []byte
	if methods[0] != http.MethodDelete {
		photo = newPhoto(2)
	}
	held := w.store.hold(methods...)
	if a, _ := w.change(r, customer, photo); a.Error != "Service Unavailable" || a.outcome() != unknown {
		w.t.Errorf("%s: while the store holds the request: got %+v", methods[0], a)
	}
	later := newPhoto(3)
	w.mustChange(r, customer, later)
	if status := held.deliver(); status/100 != 4 {
		w.t.Errorf("%s: the late request is answered with %d, want a refusal", methods[0], status)
	}
	w.holds(customer, later)
}

// TestRepeatedRequest has a change carried out twice before it is answered, so that
// the answer is a refusal, and then the store or the database go away: the caller
// isn't told that nothing was changed.
func TestRepeatedRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgresAndS3(t), 4, nil)
	nothing := func() {}
	for i, network := range []struct{ cut, mend func() }{
		{nothing, nothing},
		{w.store.refuse, w.store.accept},
		{w.database.Stop, func() { must(t, w.database.Start()) }},
	} {
		customer := 1 + i
		w.mustChange(w.replicas[0], customer, newPhoto(1))
		w.store.set(func(r *http.Request) treatment {
			if r.Method != http.MethodPut {
				return pass
			}
			w.store.set(nil)
			return func(p *storeProxy, w http.ResponseWriter, r *http.Request) {
				repeat(0)(p, w, r)
				_ = http.NewResponseController(w).Flush() // the caller may have left
				network.cut()
			}
		})
		if a, _ := w.change(w.replicas[0], customer, newPhoto(2)); a.outcome() == unchanged {
			t.Errorf("customer %d: got %+v", customer, a)
		}
		network.mend()
	}
	w.check()
}

// holds fails the test unless store and record have this photo; nil: none.
func (w *world) holds(customer int, photo []byte) {
	w.t.Helper()
	stored, err := w.stored(customer)
	must(w.t, err)
	recorded, err := w.recorded()
	must(w.t, err)
	if wanted := digestOf(photo); stored != wanted || recorded[customer] != wanted {
		w.t.Errorf("customer %d: want %s, the store holds %s, the record says %s", customer, short(wanted), short(stored), short(recorded[customer]))
	}
}

// TestLateFirstPhoto has a first photo arrive after Repair has looked for it: the
// second look makes the record say so. Where the photo was deleted meanwhile, it
// is deleted again.
func TestLateFirstPhoto(t *testing.T) {
	t.Parallel()
	const kept, deleted = 1, 2
	w := newWorld(t, postgresAndS3(t), 3, nil)
	r := w.replicas[0]
	photo := newPhoto(1)
	requests := map[int]*held{}
	for _, customer := range []int{kept, deleted} {
		requests[customer] = w.store.hold(http.MethodPut)
		if a, _ := w.change(r, customer, photo); a.outcome() != unknown {
			t.Errorf("while the store holds the request: got %+v", a)
		}
	}
	w.mustChange(r, deleted, nil)
	time.Sleep(settleAfter + 2*repairEvery) // nobody says when it has looked
	for customer, request := range requests {
		if status := request.deliver(); status != http.StatusOK {
			t.Errorf("customer %d: the late request is answered with %d", customer, status)
		}
	}
	w.check()
	w.holds(kept, photo)
	w.holds(deleted, nil)
}

// TestUnchangedForEver has the store refuse connections: what a caller was told to
// be unchanged stays so, and the log tells the same.
func TestUnchangedForEver(t *testing.T) {
	t.Parallel()
	w := newWorld(t, postgresAndS3(t), 1, nil)
	before := newPhoto(1)
	w.mustChange(w.replicas[0], 1, before)
	w.store.refuse()
	for _, photo := range [][]byte{newPhoto(2), nil} {
		a, _ := w.change(w.replicas[0], 1, photo)
		if a.Error != "Service Unavailable" || a.ID == 0 || !strings.Contains(a.Detail, "nothing was changed") {
			t.Errorf("while the store refuses connections: got %+v", a)
		}
	}
	w.store.accept()
	time.Sleep(lateAfter + 2*repairEvery) // so that Repair has looked at all that it would look at
	w.check()
	w.holds(1, before)
}
