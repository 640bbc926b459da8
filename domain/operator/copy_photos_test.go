package operator_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// move is a world whose photos move to another store.
type move struct {
	*world
	to    *memory.PhotoStore
	copy  *operator.CopyPhotos
	found []operator.Finding
}

func newMove(t *testing.T) *move {
	t.Helper()
	m := &move{world: newWorld(t), to: memory.NewPhotoStore()}
	to := &usecasetest.PhotoStore{PhotoStore: m.to, Steps: m.Steps}
	m.copy = &operator.CopyPhotos{
		Directory: m.Customers, From: m.Backend.PhotoStore, Parallel: 3,
		To:      &usecase.ChangePhoto{Customers: m.Customers, Photos: to, Store: "new", Log: m.Log, Clock: m.Clock.Now},
		Orphans: &operator.OrphanPhotos{Customers: m.Customers, Lister: m.to, Photos: m.to, Clock: m.Clock.Now},
		Found:   func(f operator.Finding) { m.found = append(m.found, f) }, Passed: func(operator.Progress) {},
	}
	return m
}

func (m *move) put(store ports.PhotoStore, jpeg []byte) {
	m.T.Helper()
	held := usecasetest.Must(usecase.ReadHeld(m.T.Context(), store, customer.PhotoKey()))
	if _, err := store.Put(m.T.Context(), customer.PhotoKey(), usecasetest.Must(domain.NewPhoto(bytes.Clone(jpeg), 1, 1)), held.Version); err != nil {
		m.T.Fatal(err)
	}
}

// held describes the customer's photo in the new store.
func (m *move) held(ref domain.CustomerRef) domain.PhotoInfo {
	m.T.Helper()
	return heldBy(m.T, m.to, ref)
}

func TestCopyPhotos(t *testing.T) {
	t.Parallel()
	old, none := photo.Describe(oldPhoto), domain.PhotoInfo{}
	for _, test := range []struct {
		name   string
		before func(*move)
		did    operator.CopyReport // beside two customers who have no photo
		held   domain.PhotoInfo
		named  bool // the record names the new store, although nothing is copied
	}{
		{"not there", func(*move) {}, operator.CopyReport{Copied: 1, Bytes: old.Size}, old, false},
		{"there", func(m *move) { m.put(m.to, oldPhoto) }, operator.CopyReport{There: 1}, old, true},
		{"another one there", func(m *move) { m.put(m.to, newPhoto) }, operator.CopyReport{Copied: 1, Bytes: old.Size}, old, false},
		{"there, and another one since in the old store", func(m *move) { m.put(m.to, oldPhoto); m.Store(newPhoto) }, operator.CopyReport{There: 1}, old, true},
		{"deleted since it was copied", func(m *move) { m.put(m.to, oldPhoto); m.Store(nil); m.SetRecord(domain.PhotoRecord{}) }, operator.CopyReport{Deleted: 1}, none, false},
		{"deleted in the record alone", func(m *move) { m.SetRecord(domain.PhotoRecord{}) }, operator.CopyReport{There: 1}, none, false},
		{"in neither", func(m *move) { m.Store(nil) }, operator.CopyReport{Lost: 1}, none, false},
		{"others in both", func(m *move) { m.Store(newPhoto); m.put(m.to, picture(24)) }, operator.CopyReport{Lost: 1}, photo.Describe(picture(24)), false},
		{"no JPEG, as recorded", func(m *move) {
			m.put(m.Backend.PhotoStore, []byte{0xFF, 0xD8})
			m.SetRecord(domain.PhotoRecord{Info: photo.Describe([]byte{0xFF, 0xD8})})
		}, operator.CopyReport{Lost: 1}, none, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := newMove(t)
			test.before(m)
			record := m.Record(customer)
			test.did.There += 2
			test.did.Progress = operator.Progress{Customers: 3, After: domain.CustomerRef{Fleet: otherFleet, Customer: 452733}}
			var lost []operator.Finding
			if test.did.Lost > 0 {
				lost = []operator.Finding{{Key: customer.PhotoKey(), Damage: operator.Lost}}
			}
			if test.held.Exists() || test.did.Deleted > 0 {
				test.did.Orphans.Photos = 1
			}
			did, err := m.copy.Do(t.Context(), domain.CustomerRef{})
			if test.did.Copied+test.did.Deleted > 0 || test.named {
				record.Store, record.Version = "new", usecasetest.Must(usecase.ReadHeld(t.Context(), m.to, customer.PhotoKey())).Version
			}
			if err != nil || did != test.did || !slices.Equal(m.found, lost) || m.held(customer) != test.held || m.Record(customer) != record {
				t.Errorf("got %+v, %v, found %q; want %+v; held is %+v, the record %+v, want %+v", did, err, m.found, test.did, m.held(customer), m.Record(customer), record)
			}
			again, err := m.copy.Do(t.Context(), domain.CustomerRef{})
			if err != nil || again.There != 3-test.did.Lost || again.Lost != test.did.Lost || again.Different() != test.did.Lost {
				t.Errorf("again: got %+v, %v", again, err)
			}
		})
	}
}

// A photo whose customer was removed is found, and deleted where that is wanted.
// TestCopyPhotosForABackup changes nothing but the store to copy to.
func TestCopyPhotosForABackup(t *testing.T) {
	t.Parallel()
	old, latest, none := photo.Describe(oldPhoto), photo.Describe(newPhoto), domain.PhotoInfo{}
	for _, test := range []struct {
		name   string
		before func(*move)
		did    operator.CopyReport // beside two customers who have no photo
		held   domain.PhotoInfo
	}{
		{"not there", func(*move) {}, operator.CopyReport{Copied: 1, Bytes: old.Size}, old},
		{"there", func(m *move) { m.put(m.to, oldPhoto) }, operator.CopyReport{There: 1}, old},
		{"an older one there", func(m *move) { m.put(m.to, picture(24)) }, operator.CopyReport{Copied: 1, Bytes: old.Size}, old},
		{"newer than the record", func(m *move) { m.Store(newPhoto) }, operator.CopyReport{Copied: 1, Bytes: latest.Size}, latest},
		{"newer than the record, and there", func(m *move) { m.Store(newPhoto); m.put(m.to, newPhoto) }, operator.CopyReport{There: 1}, latest},
		{"deleted since", func(m *move) { m.put(m.to, oldPhoto); m.Store(nil); m.SetRecord(domain.PhotoRecord{}) }, operator.CopyReport{Deleted: 1}, none},
		{"added since, without a record yet", func(m *move) { m.put(m.to, oldPhoto); m.SetRecord(domain.PhotoRecord{}) }, operator.CopyReport{There: 1}, old},
		{"in neither", func(m *move) { m.Store(nil) }, operator.CopyReport{Lost: 1}, none},
		{"gone, and there is an older one", func(m *move) { m.Store(nil); m.put(m.to, picture(24)) }, operator.CopyReport{Lost: 1}, photo.Describe(picture(24))},
		{"no JPEG", func(m *move) { m.put(m.Backend.PhotoStore, []byte{0xFF, 0xD8}) }, operator.CopyReport{Lost: 1}, none},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			m := newMove(t)
			test.before(m)
			m.copy.Backup = true
			record, log := m.Record(customer), usecasetest.Must(m.Backend.ApiLog.List(t.Context(), domain.ApiLogFilter{}, 100))
			m.Steps.Reset(nil)
			for run := range 2 {
				if run == 1 && test.did.Copied+test.did.Deleted > 0 { // nothing is left to do
					test.did = operator.CopyReport{There: 1}
				}
				did, err := m.copy.Do(t.Context(), domain.CustomerRef{})
				if did.There != test.did.There+2 || did.Copied != test.did.Copied || did.Bytes != test.did.Bytes || did.Deleted != test.did.Deleted || did.Lost != test.did.Lost || err != nil || m.held(customer) != test.held {
					t.Errorf("run %d: got %+v, %v; want %+v; held is %+v, want %+v", run, did, err, test.did, m.held(customer), test.held)
				}
			}
			if m.Record(customer) != record || slices.Contains(m.Steps.Seen, "ChangePhoto") || len(usecasetest.Must(m.Backend.ApiLog.List(t.Context(), domain.ApiLogFilter{}, 100))) != len(log) {
				t.Errorf("the record is %+v, want %+v; steps were %q", m.Record(customer), record, m.Steps.Seen)
			}
		})
	}
}

func TestCopyPhotosOfNobody(t *testing.T) {
	t.Parallel()
	m := newMove(t)
	gone := domain.CustomerRef{Fleet: ourFleet, Customer: 404}
	if _, err := m.to.Put(t.Context(), gone.PhotoKey(), usecasetest.Must(domain.NewPhoto(bytes.Clone(newPhoto), 1, 1)), domain.NoPhoto); err != nil {
		t.Fatal(err)
	}
	for _, test := range []struct {
		remove    bool
		orphans   operator.OrphanReport
		different int
	}{
		{false, operator.OrphanReport{Photos: 2, Orphans: 1}, 1},
		{true, operator.OrphanReport{Photos: 2, Orphans: 1, Deleted: 1}, 0},
		{true, operator.OrphanReport{Photos: 1}, 0},
	} {
		m.found, m.copy.Orphans.Delete = nil, test.remove
		did, err := m.copy.Do(t.Context(), domain.CustomerRef{})
		var found []operator.Finding
		if test.orphans.Orphans > 0 {
			found = []operator.Finding{{Key: gone.PhotoKey(), Damage: operator.Orphan, Settled: test.remove}}
		}
		if err != nil || did.Orphans != test.orphans || did.Different() != test.different || !slices.Equal(m.found, found) {
			t.Errorf("deleting is %v: got %+v, %v, found %q; want %+v, %q", test.remove, did, err, m.found, test.orphans, found)
		}
	}
}

func TestCopyPhotosLocksOnlyWhereThereIsSomethingToDo(t *testing.T) {
	t.Parallel()
	m := newMove(t)
	for _, want := range []bool{true, false} {
		if _, err := m.copy.Do(t.Context(), domain.CustomerRef{}); err != nil || slices.Contains(m.Steps.Seen, "ChangePhoto") != want {
			t.Errorf("locked is %v, want %v; %v", !want, want, err)
		}
		m.Steps.Reset(nil)
	}
}

// Most customers have no photo, and asking a store for each of them takes long.
func TestCopyPhotosAsksForPhotosThatAreRecorded(t *testing.T) {
	t.Parallel()
	m := newMove(t)
	m.put(m.to, oldPhoto)
	if did, err := m.copy.Do(t.Context(), domain.CustomerRef{}); err != nil || did.There != 3 {
		t.Errorf("got %+v, %v", did, err)
	}
	asked := slices.DeleteFunc(m.Steps.Seen, func(step string) bool { return step != "Open photo" })
	if len(asked) != 2 { // one customer has a photo, and is looked at without the lock and with it
		t.Errorf("the store was asked %d times for the photos of three customers", len(asked))
	}
}

// Whatever fails in a copy: it says so, the record stays, and the next one does the rest.
func TestCopyPhotosFailsAtEachStep(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"Open entry", "Open photo", "ChangePhoto", "Put", "Put, done", "read photo", "close photo", "Open photo, done", "store record", "ChangePhoto, done"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := newMove(t)
			m.Steps.Reset(map[string]func() error{name: down})
			if did, err := m.copy.Do(t.Context(), domain.CustomerRef{}); !errors.Is(err, domain.Unavailable) || did.Copied != 0 || did.After == (domain.CustomerRef{Fleet: otherFleet, Customer: 452733}) {
				t.Errorf("got %+v, %v", did, err)
			}
			if m.Stored(customer) != photo.Describe(oldPhoto) || m.Record(customer).Info != photo.Describe(oldPhoto) {
				t.Errorf("left is %+v, and the record %+v", m.Stored(customer), m.Record(customer))
			}
			m.Steps.Reset(nil)
			if did, err := m.copy.Do(t.Context(), domain.CustomerRef{}); err != nil || did.There+did.Copied != 3 || m.held(customer) != photo.Describe(oldPhoto) {
				t.Errorf("the next one: %+v, %v", did, err)
			}
		})
	}
}

// alters stores something else than is put.
type alters struct{ ports.PhotoStore }

func (s alters) Put(ctx context.Context, key domain.PhotoKey, _ domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	return s.PhotoStore.Put(ctx, key, usecasetest.Must(domain.NewPhoto(bytes.Clone(newPhoto), 1, 1)), over)
}

func TestCopyPhotosReadsBack(t *testing.T) {
	t.Parallel()
	m := newMove(t)
	m.copy.To.Photos = alters{m.to}
	did, err := m.copy.Do(t.Context(), domain.CustomerRef{})
	if did.Copied != 0 || !strings.Contains(fmt.Sprint(err), "holds something else than was put there") {
		t.Errorf("got %+v, %v", did, err)
	}
}

func TestCopyPhotosOfARemovedCustomer(t *testing.T) {
	t.Parallel()
	m := newMove(t)
	m.copy.To.Customers = removedFirst{m.Customers}
	if did, err := m.copy.Do(t.Context(), domain.CustomerRef{}); err != nil || did.Copied != 0 || m.held(customer).Exists() {
		t.Errorf("got %+v, %v", did, err)
	}
}

// TestMoveWithTheServiceRunning goes docs/operate.md's way from one store to another
// while callers change and delete photos: servers on the old store, then on
// either, then on the new one, with copies all the time. In the end the record
// and the new store have what each customer's last call left, and callers whose
// photo was deleted find none.
func TestMoveWithTheServiceRunning(t *testing.T) {
	t.Parallel()
	const callers, callsEach = 24, 30
	m := newMove(t)
	on := func(name domain.PhotoStoreName, store ports.PhotoStore) *usecase.UpdateCustomerPhoto {
		server := *m.Update
		server.Fleets = m.Backend.FleetAuth
		server.Changes = &usecase.ChangePhoto{Customers: m.Backend.CustomerRepo, Photos: store, Store: name, Log: m.Backend.ApiLog, Clock: m.Clock.Now}
		return &server
	}
	oldServer, newServer := on("old", m.Backend.PhotoStore), on("new", m.to)
	m.copy.Repairs = []*usecase.Repair{{Changes: oldServer.Changes, Again: true}, {Changes: newServer.Changes, Again: true}}
	m.copy.To, m.copy.Directory, m.copy.Orphans.Customers = newServer.Changes, m.Backend.CustomerRepo, m.Backend.CustomerRepo
	key := m.Keys[ourFleet]
	last := make([]domain.PhotoInfo, callers) // of each caller's customer
	for i := range callers {
		ref := domain.CustomerRef{Fleet: ourFleet, Customer: domain.CustomerID(1000 + i)}
		if _, err := m.Backend.CustomerRepo.ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: ref, Phone: domain.PhoneNumber(1000 + i)}}); err != nil {
			t.Fatal(err)
		}
	}
	// phase has each caller make calls, to a server that choose names, while copies run.
	phase := func(name string, choose func() *usecase.UpdateCustomerPhoto) {
		var calling, copying sync.WaitGroup
		var over atomic.Bool
		copying.Go(func() {
			for !over.Load() {
				if did, err := m.copy.Do(t.Context(), domain.CustomerRef{}); err != nil || did.Different() > 0 {
					t.Errorf("%s: the copy did %+v, %v", name, did, err)
				}
			}
		})
		for i := range callers {
			calling.Go(func() {
				for range callsEach {
					request := usecase.Request{APIKey: key, Phone: domain.DialledPhone{Number: domain.PhoneNumber(1000 + i)}, Delete: rand.IntN(3) == 0, Photo: picture(1 + rand.IntN(32))}
					answer, err := choose().Do(t.Context(), request)
					if err != nil {
						t.Error(err)
					}
					last[i] = answer.Stored
				}
			})
		}
		calling.Wait()
		over.Store(true)
		copying.Wait()
	}
	phase("before the switch", func() *usecase.UpdateCustomerPhoto { return oldServer })
	phase("during the switch", func() *usecase.UpdateCustomerPhoto {
		if rand.IntN(2) == 0 {
			return oldServer
		}
		return newServer
	})
	phase("after the switch", func() *usecase.UpdateCustomerPhoto { return newServer })
	if did, err := m.copy.Do(t.Context(), domain.CustomerRef{}); err != nil || did.Different() > 0 {
		t.Errorf("the last copy did %+v, %v", did, err)
	}
	for i := range callers {
		ref := domain.CustomerRef{Fleet: ourFleet, Customer: domain.CustomerID(1000 + i)}
		known, err := m.Backend.CustomerRepo.FindCustomer(t.Context(), ref)
		if held := m.held(ref); err != nil || held != last[i] || known.Photo.Info != last[i] {
			t.Errorf("customer %d: the new store holds %+v, the record says %+v, the last call stored %+v; %v", i, held, known.Photo.Info, last[i], err)
		}
	}
	v, found := m.verification(false)
	v.Photos, v.Directory, v.Customers = m.to, m.Backend.CustomerRepo, m.Backend.CustomerRepo
	if report, err := v.Do(t.Context(), domain.CustomerRef{}); err != nil || report.Wrong() > 0 {
		t.Errorf("photos verify finds %q, %v", *found, err)
	}
}
