package usecase_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// slowNetwork is a store whose next change is held, while its caller is told
// that nobody knows: deliver has the store carry it out.
type slowNetwork struct {
	ports.PhotoStore
	hold    bool
	deliver func() error
}

var errLost = domain.Errorf(domain.Unavailable, "no answer came")

func (s *slowNetwork) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	if !s.hold {
		return s.PhotoStore.Put(ctx, key, photo, over)
	}
	s.hold = false
	photo = usecasetest.Must(domain.NewPhoto([]byte(string(photo.JPEG())), photo.Info().Width, photo.Info().Height)) // its bytes are the caller's
	s.deliver = func() error {
		_, err := s.PhotoStore.Put(context.WithoutCancel(ctx), key, photo, over)
		return err
	}
	return "", errLost
}

func (s *slowNetwork) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	if !s.hold {
		return s.PhotoStore.Delete(ctx, key, over)
	}
	s.hold = false
	s.deliver = func() error { return s.PhotoStore.Delete(context.WithoutCancel(ctx), key, over) }
	return errLost
}

func newSlowWorld(t *testing.T) (*world, *slowNetwork) {
	t.Helper()
	w := newWorld(t)
	network := &slowNetwork{PhotoStore: w.Backend.PhotoStore}
	w.Changes.Photos = network
	return w, network
}

func (w *world) do(call func(*usecase.Request)) error {
	w.T.Helper()
	request := w.Request()
	call(&request)
	_, err := w.Update.Do(w.T.Context(), request)
	return err
}

func putOld(request *usecase.Request) { request.Photo = []byte(string(oldPhoto)) }

// A request that the network holds, its caller told that nobody knows, never
// replaces what a later call was told is stored, whenever it arrives.
func TestLateRequest(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name        string
		held, later func(*usecase.Request)
		left        string
	}{
		{"a put after a put", put, putOld, "old"},
		{"a put after a deletion", put, remove, "none"},
		{"a deletion after a put", remove, put, "new"},
		{"a deletion after a deletion", remove, remove, "none"},
	} {
		for _, arrives := range []string{"before the later call", "after it", "between both looks"} {
			t.Run(test.name+", "+arrives, func(t *testing.T) {
				t.Parallel()
				w, network := newSlowWorld(t)
				network.hold = true
				if err := w.do(test.held); !errors.Is(err, domain.Unavailable) || strings.Contains(domain.AsError(err).Public, "nothing was changed") {
					t.Fatalf("the held call: got %v, want that nobody knows", err)
				}
				deliver := func(when string) {
					if when == arrives {
						_ = network.deliver() // refused or not: nobody hears of it
					}
				}
				deliver("before the later call")
				if err := w.do(test.later); err != nil {
					t.Fatalf("the later call: %v", err)
				}
				deliver("after it")
				if _, err := w.Look(usecase.SettleAfter); err != nil {
					t.Fatal(err)
				}
				deliver("between both looks")
				if _, err := w.Look(usecase.LateAfter); err != nil {
					t.Fatal(err)
				}
				if got, want := w.State(), (stateOf(test.left, test.left+" by 3", "interrupted; valid")); got != want {
					t.Errorf("left is %+v, want %+v", got, want)
				}
				w.CheckSettled()
			})
		}
	}
}

// A first photo whose request arrives after its deletion was acknowledged is the
// one thing that no fence holds off: there is no version to name. Repair deletes
// it again, at either look.
func TestFirstPhotoComesBackAfterItsDeletion(t *testing.T) {
	t.Parallel()
	firstPhoto := func(request *usecase.Request) { request.Phone.Number, request.PIN = pinlessPhone, domain.PIN{} }
	for _, arrives := range []time.Duration{0, usecase.SettleAfter} {
		w, network := newSlowWorld(t)
		network.hold = true
		if err := w.do(firstPhoto); err == nil {
			t.Fatal("the held call succeeded")
		}
		if err := w.do(func(request *usecase.Request) { firstPhoto(request); remove(request) }); err != nil {
			t.Fatal(err)
		}
		var deleted int
		for _, look := range []time.Duration{usecase.SettleAfter, usecase.LateAfter} {
			if arrives == 0 || arrives < look {
				if err := network.deliver(); arrives == 0 && err != nil {
					t.Fatal(err)
				}
				arrives = usecase.LateAfter
			}
			report, err := w.Look(look)
			if err != nil {
				t.Fatal(err)
			}
			deleted += report.Deleted
		}
		if w.Stored(pinless).Exists() || w.Record(pinless).Info.Exists() || deleted != 1 {
			t.Errorf("the store holds %+v, the record says %+v, and %d were deleted again; want none, none and 1", w.Stored(pinless), w.Record(pinless), deleted)
		}
		w.CheckSettled(pinless)
	}
}

// A Repair that has lost the lock deletes nothing again: a photo may have been
// acknowledged since it read the store.
func TestNothingIsDeletedAgainWithoutTheLock(t *testing.T) {
	t.Parallel()
	w, network := newSlowWorld(t)
	firstPhoto := func(request *usecase.Request) { request.Phone.Number, request.PIN = pinlessPhone, domain.PIN{} }
	network.hold = true
	_ = w.do(firstPhoto) // which arrives after its deletion
	if err := w.do(func(request *usecase.Request) { firstPhoto(request); remove(request) }); err != nil {
		t.Fatal(err)
	}
	if err := network.deliver(); err != nil {
		t.Fatal(err)
	}
	w.Steps.Reset(map[string]func() error{"prove the lock": down})
	if report, err := w.Look(usecase.SettleAfter); err == nil || report.Deleted != 0 {
		t.Errorf("got %+v, %v; want an error, and nothing deleted", report, err)
	}
	if !w.Stored(pinless).Exists() {
		t.Error("the photo was deleted")
	}
}

// What came after the deletion stays: it isn't what an open entry meant to store.
func TestPhotoAfterADeletionStays(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.OpenEntry(customer, start) // cut off
	if err := w.do(remove); err != nil {
		t.Fatal(err)
	}
	w.Store(newPhoto) // by nobody who is known
	if report, err := w.Settle(); err != nil || report.Deleted != 0 || report.Corrected != 1 {
		t.Errorf("got %+v, %v", report, err)
	}
	if want := (stateOf("new", "new by 0", "interrupted; valid")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
}

// The second try: over the version that the store has, if the lock still holds.
func TestConflict(t *testing.T) {
	t.Parallel()
	const unavailable = "Service Unavailable, 2"
	again := func(w *world) { w.Store(oldPhoto) } // the same bytes, and another version
	for _, test := range []struct {
		name  string
		steps map[string]func(*world) error
		told  string
		left  state
	}{
		{"the record names another version", nil, "valid, 2", stateOf("new", "new by 2", "valid")},
		{"the lock was lost", map[string]func(*world) error{"prove the lock": func(*world) error { return down() }}, unavailable, stateOf("old", "old by 1", "open")},
		{"the version can't be read", map[string]func(*world) error{"Open photo": func(*world) error { return down() }}, unavailable, stateOf("old", "old by 1", "open")},
		{"somebody changes it once more", map[string]func(*world) error{"prove the lock": func(w *world) error { again(w); return nil }}, unavailable, stateOf("old", "old by 1", "open")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			again(w)
			acts := map[string]func() error{}
			for name, act := range test.steps {
				acts[name] = func() error { return act(w) }
			}
			w.Steps.Reset(acts)
			answer, err := w.Update.Do(t.Context(), w.Request())
			if got := told(answer, err); got != test.told {
				t.Errorf("the caller is told %s, want %s (%v)", got, test.told, err)
			}
			if err != nil && !strings.Contains(domain.AsError(err).Public, "it is not known whether it was made") {
				t.Errorf("the caller is told %q", domain.AsError(err).Public)
			}
			if w.State() != test.left {
				t.Errorf("left is %+v, want %+v", w.State(), test.left)
			}
			if test.told == "valid, 2" {
				want := []string{"Put", "Open photo", "Open photo, done", "close photo", "close photo, done", "prove the lock", "prove the lock, done", "Put", "Put, done"}
				if got := strings.Join(w.Steps.Seen, " "); !strings.Contains(got, strings.Join(want, " ")) {
					t.Errorf("the steps are %q, want among them %q", w.Steps.Seen, want)
				}
			}
		})
	}
}

// twice is a network that carries each request out twice, and answers with the
// second one's answer.
type twice struct{ ports.PhotoStore }

func (s twice) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	_, _ = s.PhotoStore.Put(ctx, key, photo, over)
	return s.PhotoStore.Put(ctx, key, photo, over)
}

// A conflict doesn't say that nothing was carried out.
func TestConflictWithOneself(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Changes.Photos = twice{w.Photos}
	w.Steps.Reset(map[string]func() error{"prove the lock": down})
	if err := w.do(put); strings.Contains(domain.AsError(err).Public, "nothing was changed") {
		t.Errorf("the caller is told %v", err)
	}
	if want := (stateOf("new", "old by 1", "open")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
	w.Changes.Photos = w.Photos
	w.checkRecovers(stateOf("new", "new by 0", "interrupted"))
}

// A store that is surely unchanged closes the entry, and the call says so.
func TestUnchanged(t *testing.T) {
	t.Parallel()
	for _, call := range []func(*usecase.Request){put, remove} {
		w := newWorld(t)
		refused := func() error { return domain.Errorf(domain.Unavailable, "the disk is full").AsUnchanged() }
		w.Steps.Reset(map[string]func() error{"Put": refused, "Delete": refused})
		err := w.do(call)
		if got, want := domain.AsError(err).Public, "nothing was changed: the disk is full"; got != want {
			t.Errorf("the caller is told %q, want %q", got, want)
		}
		if want := (stateOf("old", "old by 1", "error Service Unavailable")); w.State() != want {
			t.Errorf("left is %+v, want %+v", w.State(), want)
		}
		if got, want := w.Entries()[1].Outcome.Detail, domain.AsError(err).Public; got != want {
			t.Errorf("the log says %q, want %q", got, want)
		}
	}
}

// A call whose process was frozen for so long that Repair may have settled it sends nothing.
func TestFrozenCallSendsNothing(t *testing.T) {
	t.Parallel()
	for pause, want := range map[time.Duration]state{
		usecase.SettleAfter:                    stateOf("new", "new by 2", "valid"),
		usecase.SettleAfter + time.Millisecond: stateOf("old", "old by 1", "error Service Unavailable"),
	} {
		w := newWorld(t)
		w.Steps.Reset(map[string]func() error{"ChangePhoto": func() error { w.Clock.Advance(pause); return nil }})
		_ = w.do(put) // what is left is what counts
		if w.State() != want {
			t.Errorf("frozen for %v: left is %+v, want %+v", pause, w.State(), want)
		}
	}
}

// The record of another store says nothing of what this one holds.
func TestRecordOfAnotherStore(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	record := w.Record(customer)
	record.Store = "elsewhere"
	w.SetRecord(record)
	if err := w.do(put); err != nil {
		t.Fatal(err)
	}
	if want := (stateOf("new", "new by 2", "valid")); w.State() != want || w.Record(customer).Store != usecasetest.Store {
		t.Errorf("left is %+v in %q, want %+v", w.State(), w.Record(customer).Store, want)
	}
}

// Entries of another store are left to those who have it, and what this store
// holds is no news of a customer whose photo was changed in another one since.
func TestRepairOfOtherStores(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Changes.Store = "elsewhere"
	w.Steps.Reset(map[string]func() error{"Put": down})
	_ = w.do(put) // its entry is left open
	w.Changes.Store = usecasetest.Store
	w.Steps.Reset(nil)
	if report, err := w.Settle(); err != nil || report != (usecase.RepairReport{}) {
		t.Errorf("another store's entry: got %+v, %v", report, err)
	}
	renamed := usecase.Repair{Changes: w.Changes, AllStores: true}
	if report, err := renamed.Do(t.Context()); err != nil || report.Interrupted != 1 {
		t.Errorf("another store's entry, which is this one: got %+v, %v", report, err)
	}
	w.OpenEntry(customer, start)
	w.Changes.Store = "elsewhere"
	moved := w.Record(customer)
	moved.Store, moved.ChangedAt, moved.ChangedBy = usecasetest.Store, start.Add(time.Second), 7
	w.SetRecord(moved)
	w.Store(newPhoto)
	if report, err := w.Settle(); err != nil || report.Interrupted != 1 || report.Corrected != 0 || w.Record(customer) != moved {
		t.Errorf("a customer who has moved: got %+v, %v, and the record %+v", report, err, w.Record(customer))
	}
}

// The photo of a customer who was removed doesn't come back for good.
func TestRepairOfARemovedCustomer(t *testing.T) {
	t.Parallel()
	w, network := newSlowWorld(t)
	network.hold = true
	if err := w.do(func(request *usecase.Request) { request.Phone.Number, request.PIN = pinlessPhone, domain.PIN{} }); err == nil {
		t.Fatal("the held call succeeded")
	}
	call := domain.ApiCall{ReceivedAt: start, Fleet: pinless.Fleet, Customer: pinless.Customer, Operation: domain.RemoveCustomer}
	if _, err := w.Changes.Remove(t.Context(), w.Backend.CustomerRepo, call); err != nil {
		t.Fatal(err)
	}
	if err := network.deliver(); err != nil {
		t.Fatal(err)
	}
	if _, err := w.Settle(); err != nil || w.Stored(pinless).Exists() {
		t.Errorf("the store holds %+v, %v", w.Stored(pinless), err)
	}
}

// With one database the log can't say anything else than the record.
func TestRecorder(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Changes.Recorder = w.Backend.ChangeRecorder()
	w.Steps.Reset(map[string]func() error{"Close entry": down})
	if err := w.do(put); err != nil {
		t.Fatal(err)
	}
	if err := w.do(remove); err != nil {
		t.Fatal(err)
	}
	if want := (stateOf("none", "none by 3", "valid; valid")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
	w.OpenEntry(customer, start)
	w.Store(oldPhoto)
	if _, err := w.Settle(); err != nil {
		t.Fatal(err)
	}
	if want := (stateOf("old", "old by 0", "valid; valid; interrupted")); w.State() != want {
		t.Errorf("repaired is %+v, want %+v", w.State(), want)
	}
}

// Where the log is another database, an entry whose closing failed is closed as
// soon as the log answers, even where Repair took it for cut off meanwhile.
func TestClosingIsTriedAgain(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		outage time.Duration
		want   string
	}{
		{0, "valid"},
		{time.Minute, "valid"},
		{usecase.SettleAfter, "open"},
	} {
		synctest.Test(t, func(t *testing.T) {
			w := newWorld(t)
			begun := time.Now()
			w.Steps.Reset(map[string]func() error{"Close entry": func() error {
				if time.Since(begun) < test.outage {
					return down()
				}
				return nil
			}})
			if err := w.do(put); err != nil {
				t.Fatal(err)
			}
			w.Changes.Wait(t.Context())
			if want := (stateOf("new", "new by 2", test.want)); w.State() != want {
				t.Errorf("an outage of %v: left is %+v, want %+v", test.outage, w.State(), want)
			}
		})
	}
}
