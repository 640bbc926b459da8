package operator_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

// verify looks at everything and returns what is found, a line each.
func (w *world) verify(repair bool) (operator.VerifyReport, []string, error) {
	w.T.Helper()
	v, found := w.verification(repair)
	report, err := v.Do(w.T.Context(), domain.CustomerRef{})
	slices.Sort(*found)
	return report, *found, err
}

func (w *world) verification(repair bool) (*operator.VerifyPhotos, *[]string) {
	var found []string
	return &operator.VerifyPhotos{
		Directory: w.Customers, Customers: w.Changes.Customers, Photos: w.Changes.Photos, Store: usecasetest.Store, Reader: photo.NewBatchReader(limits, 1), Clock: w.Clock.Now, Parallel: 3, Repair: repair,
		Found: func(f operator.Finding) {
			found = append(found, fmt.Sprintf("%d %s %v", f.Key.Customer().Customer, f.Damage, f.Settled))
		},
		Passed: func(operator.Progress) {},
	}, &found
}

func TestVerifyPhotos(t *testing.T) {
	t.Parallel()
	foreign := append([]byte{0xFF, 0xD8}, "no JPEG"...)
	for _, test := range []struct {
		name          string
		damage        func(*world)
		found         operator.Damage
		before, after state
	}{
		{"nothing", func(*world) {}, "", stateOf("old", "old by 1", ""), stateOf("old", "old by 1", "")},
		{"nothing where there is none", func(w *world) { w.Store(nil); w.SetRecord(domain.PhotoRecord{}) }, "", stateOf("none", "none by 0", ""), stateOf("none", "none by 0", "")},
		{"missing", func(w *world) { w.Store(nil) }, operator.Missing, stateOf("none", "old by 1", ""), stateOf("none", "none by 0", "")},
		{"different", func(w *world) { w.Store(newPhoto) }, operator.Different, stateOf("new", "old by 1", ""), stateOf("new", "new by 0", "")},
		{"unrecorded", func(w *world) { w.SetRecord(domain.PhotoRecord{}) }, operator.Unrecorded, stateOf("old", "none by 0", ""), stateOf("old", "old by 0", "")},
		{"cut off", func(w *world) { w.Store(newPhoto[:len(newPhoto)-30]) }, operator.Broken, stateOf("", "old by 1", ""), stateOf("", "old by 1", "")},
		{"no JPEG", func(w *world) { w.Store(foreign) }, operator.Broken, stateOf("", "old by 1", ""), stateOf("", "old by 1", "")},
		{"no JPEG, unrecorded", func(w *world) { w.Store(foreign); w.SetRecord(domain.PhotoRecord{}) }, operator.Broken, stateOf("", "none by 0", ""), stateOf("", "none by 0", "")},
		{"no JPEG, as recorded", func(w *world) {
			w.Store(foreign)
			w.SetRecord(domain.PhotoRecord{Info: photo.Describe(foreign)})
		}, operator.Broken, stateOf("", " by 0", ""), stateOf("", " by 0", "")},
		{"over the limits", func(w *world) { w.Store(picture(64)) }, operator.Different, stateOf("", "old by 1", ""), stateOf("", " by 0", "")},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.damage(w)
			for _, run := range []struct {
				repair bool
				left   state
			}{{false, test.before}, {true, test.after}} {
				want := operator.VerifyReport{Progress: operator.Progress{Customers: 3, After: domain.CustomerRef{Fleet: otherFleet, Customer: 452733}}, Found: map[operator.Damage]int{}}
				var lines []string
				if test.found != "" {
					settled := run.repair && test.found != operator.Broken
					lines = []string{fmt.Sprintf("452733 %s %v", test.found, settled)}
					want.Found[test.found] = 1
					if settled {
						want.Settled = 1
					}
				}
				report, found, err := w.verify(run.repair)
				if err != nil || !slices.Equal(found, lines) || report.Progress != want.Progress || !maps.Equal(report.Found, want.Found) || report.Settled != want.Settled || report.Wrong() != len(lines)-want.Settled {
					t.Errorf("repair %v: got %+v, %q, %v; want %+v, %q", run.repair, report, found, err, want, lines)
				}
				if got := w.State(); got != run.left {
					t.Errorf("repair %v: left is %+v, want %+v", run.repair, got, run.left)
				}
			}
			if report, _, err := w.verify(false); err != nil || (report.Wrong() > 0) != (test.found == operator.Broken) {
				t.Errorf("after the repair: %+v, %v", report, err)
			}
		})
	}
}

func TestVerifyPhotosSaysWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Store(newPhoto)
	w.Clock.Advance(time.Hour + 999*time.Nanosecond)
	if _, _, err := w.verify(true); err != nil {
		t.Fatal(err)
	}
	if want := (domain.PhotoRecord{Info: photo.Describe(newPhoto), ChangedAt: start.Add(time.Hour), Version: w.Version(customer), Store: usecasetest.Store}); w.Record(customer) != want {
		t.Errorf("the record is %+v, want %+v", w.Record(customer), want)
	}
}

// waits tells that someone waits for a customer's lock.
type waits struct {
	ports.CustomerRepo
	began chan struct{}
}

func (r waits) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	close(r.began)
	return r.CustomerRepo.ChangePhoto(ctx, ref, change)
}

// TestVerifyPhotosBesideACall that has changed the store, and not yet the
// record: that is no damage.
func TestVerifyPhotosBesideACall(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v, found := w.verification(true)
	repo := waits{v.Customers, make(chan struct{})}
	v.Customers = repo
	done := make(chan error)
	w.Steps.Reset(map[string]func() error{"Put, done": func() error {
		go func() {
			_, err := v.Do(t.Context(), domain.CustomerRef{})
			done <- err
		}()
		<-repo.began
		return nil
	}})
	if _, err := w.Update.Do(t.Context(), w.Request()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || len(*found) > 0 {
		t.Errorf("got %q, %v", *found, err)
	}
	if want := (stateOf("new", "new by 2", "valid")); w.State() != want {
		t.Errorf("left is %+v, want %+v", w.State(), want)
	}
}

// Whatever fails in a repair: it says so, and nothing is made worse.
func TestVerifyPhotosFailsAtEachStep(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]state{
		"Open photo": stateOf("new", "old by 1", ""), "read photo": stateOf("new", "old by 1", ""), "close photo": stateOf("new", "old by 1", ""),
		"ChangePhoto": stateOf("new", "old by 1", ""), "store record": stateOf("new", "old by 1", ""), "ChangePhoto, done": stateOf("new", "new by 0", ""),
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.Store(newPhoto)
			w.Steps.Reset(map[string]func() error{name: down})
			report, found, err := w.verify(true)
			if !errors.Is(err, domain.Unavailable) || found != nil || report.Wrong() != 0 || !strings.Contains(fmt.Sprint(err), "customers failed, and the others were done; the first was customer ") {
				t.Errorf("got %+v, %q, %v", report, found, err)
			}
			if got := w.State(); got != want {
				t.Errorf("left is %+v, want %+v", got, want)
			}
		})
	}
}

// removedFirst removes a customer while someone waits for its lock.
type removedFirst struct{ *usecasetest.CustomerRepo }

func (r removedFirst) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return errors.Join(
		r.RemoveCustomer(ctx, ref, keepsRecord),
		r.CustomerRepo.ChangePhoto(ctx, ref, change),
	)
}

func TestVerifyPhotosOfARemovedCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Store(nil)
	w.Changes.Customers = removedFirst{w.Customers}
	if report, found, err := w.verify(true); err != nil || found != nil || report.Customers != 3 {
		t.Errorf("got %+v, %q, %v", report, found, err)
	}
}

// populate adds n customers of fleet 5, without a photo.
func (w *world) populate(n int) {
	w.T.Helper()
	var all []domain.CustomerImport
	for i := range n {
		all = append(all, domain.CustomerImport{Ref: domain.CustomerRef{Fleet: 5, Customer: domain.CustomerID(i + 1)}, Phone: domain.PhoneNumber(i + 1)})
	}
	if _, err := w.Backend.CustomerRepo.ImportCustomers(w.T.Context(), all); err != nil {
		w.T.Fatal(err)
	}
}

func TestVerifyPhotosPages(t *testing.T) {
	t.Parallel()
	for _, number := range []int{499, 500, 501, 1000, 1203} {
		w := newWorld(t)
		w.populate(number - 3)
		probe := domain.CustomerRef{Customer: 7}
		_, err := w.Backend.CustomerRepo.ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: probe}})
		if err == nil {
			err = w.Backend.CustomerRepo.ChangePhoto(t.Context(), probe, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
				return domain.PhotoRecord{Info: photo.Describe(oldPhoto)}, nil
			})
		}
		if err != nil {
			t.Fatal(err)
		}
		v, found := w.verification(false)
		var passed []operator.Progress
		v.Passed = func(p operator.Progress) { passed = append(passed, p) }
		report, err := v.Do(t.Context(), domain.CustomerRef{})
		last := operator.Progress{Customers: number, After: domain.CustomerRef{Fleet: otherFleet, Customer: 452733}}
		if err != nil || *found != nil || report.Progress != last || len(passed) != (number+499)/500 || passed[len(passed)-1] != last {
			t.Errorf("%d customers: got %+v, %q, %+v, %v", number, report, *found, passed, err)
		}
		again, err := v.Do(t.Context(), passed[0].After)
		if want := number - passed[0].Customers; err != nil || again.Customers != want {
			t.Errorf("%d customers, after %+v: got %+v, %v, want %d", number, passed[0].After, again, err, want)
		}
	}
}

type downStore struct{ ports.PhotoStore }

func (downStore) Open(context.Context, domain.PhotoKey) (io.ReadSeekCloser, domain.PhotoVersion, error) {
	return nil, "", down()
}

func TestVerifyPhotosGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.populate(2000)
	verify, _ := w.verification(false)
	verify.Photos = downStore{}
	report, err := verify.Do(t.Context(), domain.CustomerRef{})
	if !errors.Is(err, domain.Unavailable) || report.Customers > 30 || report.After != (domain.CustomerRef{}) || !strings.Contains(fmt.Sprint(err), "and the others were not tried") {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestVerifyPhotosStopsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.populate(1200)
	v, _ := w.verification(false)
	ctx, cancel := context.WithCancel(t.Context())
	v.Passed = func(operator.Progress) { cancel() }
	report, err := v.Do(ctx, domain.CustomerRef{})
	if !errors.Is(err, context.Canceled) || report.Progress != (operator.Progress{Customers: 500, After: domain.CustomerRef{Fleet: 5, Customer: 500}}) {
		t.Errorf("got %+v, %v", report, err)
	}
	v.Passed = func(operator.Progress) {}
	if rest, err := v.Do(t.Context(), report.After); err != nil || rest.Customers != 703 {
		t.Errorf("the rest: got %+v, %v", rest, err)
	}
}
