package usecase_test

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// verify looks at everything and returns what is found, a line each.
func (w *world) verify(repair bool) (usecase.VerifyReport, []string, error) {
	w.t.Helper()
	v, found := w.verification(repair)
	report, err := v.Do(w.t.Context(), domain.CustomerRef{})
	slices.Sort(*found)
	return report, *found, err
}

func (w *world) verification(repair bool) (*usecase.VerifyPhotos, *[]string) {
	var found []string
	return &usecase.VerifyPhotos{
		Customers: w.repair.Customers, Photos: w.repair.Photos, Reader: photo.NewReader(limits, 1), Clock: w.clock.Now, Parallel: 3, Repair: repair,
		Found: func(f usecase.Finding) {
			found = append(found, fmt.Sprintf("%d %s %v", f.Key.Customer().Customer, f.Damage, f.Settled))
		},
		Passed: func(usecase.Progress) {},
	}, &found
}

func TestVerifyPhotos(t *testing.T) {
	t.Parallel()
	foreign := append([]byte{0xFF, 0xD8}, "no JPEG"...)
	for _, test := range []struct {
		name          string
		damage        func(*world)
		found         usecase.Damage
		before, after state
	}{
		{"nothing", func(*world) {}, "", state{"old", "old by 1", ""}, state{"old", "old by 1", ""}},
		{"nothing where there is none", func(w *world) { w.store(nil); w.setRecord(domain.PhotoRecord{}) }, "", state{"none", "none by 0", ""}, state{"none", "none by 0", ""}},
		{"missing", func(w *world) { w.store(nil) }, usecase.Missing, state{"none", "old by 1", ""}, state{"none", "none by 0", ""}},
		{"different", func(w *world) { w.store(newPhoto) }, usecase.Different, state{"new", "old by 1", ""}, state{"new", "new by 0", ""}},
		{"unrecorded", func(w *world) { w.setRecord(domain.PhotoRecord{}) }, usecase.Unrecorded, state{"old", "none by 0", ""}, state{"old", "old by 0", ""}},
		{"cut off", func(w *world) { w.store(newPhoto[:len(newPhoto)-30]) }, usecase.Broken, state{"", "old by 1", ""}, state{"", "old by 1", ""}},
		{"no JPEG", func(w *world) { w.store(foreign) }, usecase.Broken, state{"", "old by 1", ""}, state{"", "old by 1", ""}},
		{"no JPEG, unrecorded", func(w *world) { w.store(foreign); w.setRecord(domain.PhotoRecord{}) }, usecase.Broken, state{"", "none by 0", ""}, state{"", "none by 0", ""}},
		{"no JPEG, as recorded", func(w *world) {
			w.store(foreign)
			w.setRecord(domain.PhotoRecord{Info: photo.Describe(foreign)})
		}, usecase.Broken, state{"", " by 0", ""}, state{"", " by 0", ""}},
		{"over the limits", func(w *world) { w.store(picture(64)) }, usecase.Different, state{"", "old by 1", ""}, state{"", " by 0", ""}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			test.damage(w)
			for _, run := range []struct {
				repair bool
				left   state
			}{{false, test.before}, {true, test.after}} {
				want := usecase.VerifyReport{Progress: usecase.Progress{Customers: 3, After: domain.CustomerRef{Fleet: otherFleet, Customer: 452733}}, Found: map[usecase.Damage]int{}}
				var lines []string
				if test.found != "" {
					settled := run.repair && test.found != usecase.Broken
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
				if got := w.state(); got != run.left {
					t.Errorf("repair %v: left is %+v, want %+v", run.repair, got, run.left)
				}
			}
			if report, _, err := w.verify(false); err != nil || (report.Wrong() > 0) != (test.found == usecase.Broken) {
				t.Errorf("after the repair: %+v, %v", report, err)
			}
		})
	}
}

func TestVerifyPhotosSaysWhen(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store(newPhoto)
	w.clock.Advance(time.Hour + 999*time.Nanosecond)
	if _, _, err := w.verify(true); err != nil {
		t.Fatal(err)
	}
	if want := (domain.PhotoRecord{Info: photo.Describe(newPhoto), ChangedAt: start.Add(time.Hour)}); w.record(customer) != want {
		t.Errorf("the record is %+v, want %+v", w.record(customer), want)
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
	w.steps.reset(map[string]func() error{"Put, done": func() error {
		go func() {
			_, err := v.Do(t.Context(), domain.CustomerRef{})
			done <- err
		}()
		<-repo.began
		return nil
	}})
	if _, err := w.update.Do(t.Context(), w.request()); err != nil {
		t.Fatal(err)
	}
	if err := <-done; err != nil || len(*found) > 0 {
		t.Errorf("got %q, %v", *found, err)
	}
	if want := (state{"new", "new by 2", "valid"}); w.state() != want {
		t.Errorf("left is %+v, want %+v", w.state(), want)
	}
}

// Whatever fails in a repair: it says so, and nothing is made worse.
func TestVerifyPhotosFailsAtEachStep(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]state{
		"Open photo": {"new", "old by 1", ""}, "read photo": {"new", "old by 1", ""}, "close photo": {"new", "old by 1", ""},
		"ChangePhoto": {"new", "old by 1", ""}, "store record": {"new", "old by 1", ""}, "ChangePhoto, done": {"new", "new by 0", ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.store(newPhoto)
			w.steps.reset(map[string]func() error{name: down})
			report, found, err := w.verify(true)
			if !errors.Is(err, domain.Unavailable) || found != nil || report.Wrong() != 0 || !strings.Contains(fmt.Sprint(err), "customers failed, and the others were looked at; the first was customer ") {
				t.Errorf("got %+v, %q, %v", report, found, err)
			}
			if got := w.state(); got != want {
				t.Errorf("left is %+v, want %+v", got, want)
			}
		})
	}
}

// removedFirst removes a customer while someone waits for its lock.
type removedFirst struct{ ports.CustomerRepo }

func (r removedFirst) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return errors.Join(
		r.RemoveCustomer(ctx, ref, func(context.Context) error { return nil }),
		r.CustomerRepo.ChangePhoto(ctx, ref, change),
	)
}

func TestVerifyPhotosOfARemovedCustomer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.store(nil)
	w.repair.Customers = removedFirst{w.repair.Customers}
	if report, found, err := w.verify(true); err != nil || found != nil || report.Customers != 3 {
		t.Errorf("got %+v, %q, %v", report, found, err)
	}
}

// populate adds n customers of fleet 5, without a photo.
func (w *world) populate(n int) {
	w.t.Helper()
	var all []domain.CustomerImport
	for i := range n {
		all = append(all, domain.CustomerImport{Ref: domain.CustomerRef{Fleet: 5, Customer: domain.CustomerID(i + 1)}, Phone: domain.PhoneNumber(i + 1)})
	}
	for batch := range slices.Chunk(all, ports.MaxImport) {
		if _, err := w.backend.CustomerRepo.ImportCustomers(w.t.Context(), batch); err != nil {
			w.t.Fatal(err)
		}
	}
}

func TestVerifyPhotosPages(t *testing.T) {
	t.Parallel()
	for _, number := range []int{499, 500, 501, 1000, 1203} {
		w := newWorld(t)
		w.populate(number - 3)
		probe := domain.Customer{Ref: domain.CustomerRef{Customer: 7}, Photo: domain.PhotoRecord{Info: photo.Describe(oldPhoto)}}
		if err := w.backend.CustomerRepo.AddCustomer(t.Context(), probe); err != nil {
			t.Fatal(err)
		}
		v, found := w.verification(false)
		var passed []usecase.Progress
		v.Passed = func(p usecase.Progress) { passed = append(passed, p) }
		report, err := v.Do(t.Context(), domain.CustomerRef{})
		last := usecase.Progress{Customers: number, After: domain.CustomerRef{Fleet: otherFleet, Customer: 452733}}
		if err != nil || *found != nil || report.Progress != last || len(passed) != (number+499)/500 || passed[len(passed)-1] != last {
			t.Errorf("%d customers: got %+v, %q, %+v, %v", number, report, *found, passed, err)
		}
		again, err := v.Do(t.Context(), passed[0].After)
		if want := number - passed[0].Customers; err != nil || again.Customers != want {
			t.Errorf("%d customers, after %+v: got %+v, %v, want %d", number, passed[0].After, again, err, want)
		}
	}
}

func TestVerifyPhotosGivesUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.populate(2000)
	w.repair.Photos = downStore{w.repair.Photos}
	report, _, err := w.verify(false)
	if !errors.Is(err, domain.Unavailable) || report.Customers > 30 || report.After != (domain.CustomerRef{}) || !strings.Contains(fmt.Sprint(err), "and the others were given up") {
		t.Errorf("got %+v, %v", report, err)
	}
}

func TestVerifyPhotosStopsWithItsContext(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.populate(1200)
	v, _ := w.verification(false)
	ctx, cancel := context.WithCancel(t.Context())
	v.Passed = func(usecase.Progress) { cancel() }
	report, err := v.Do(ctx, domain.CustomerRef{})
	if !errors.Is(err, context.Canceled) || report.Progress != (usecase.Progress{Customers: 500, After: domain.CustomerRef{Fleet: 5, Customer: 500}}) {
		t.Errorf("got %+v, %v", report, err)
	}
	v.Passed = func(usecase.Progress) {}
	if rest, err := v.Do(t.Context(), report.After); err != nil || rest.Customers != 703 {
		t.Errorf("the rest: got %+v, %v", rest, err)
	}
}
