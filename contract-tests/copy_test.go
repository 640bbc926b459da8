package contracttests_test

import (
	"path/filepath"
	"reflect"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/contract-tests/testserver"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

// copies are the databases between which servers move.
var copies = []struct{ from, to adapter[database] }{
	{find(databases, "sqlite"), find(databases, "postgres")},
	{find(databases, "postgres"), find(databases, "sqlite")},
	{find(databases, "memory"), adapter[database]{backend{"strangers", ""}, openStrangers}},
}

func copiedTo(from, to backend) backend { return backend{from.scheme + ":// → " + to.scheme, ""} }

// openStrangers opens a database of which nothing is known but the ports and roles
// that a copy takes: no call is stored and closed in one step.
func openStrangers(*testing.T) database {
	b := memory.New()
	var db database
	db.fleets = struct {
		ports.FleetAuth
		ports.FleetDirectory
	}{b.FleetAuth, b.FleetAuth}
	db.customers = struct {
		ports.CustomerRepo
		ports.CustomerDirectory
		ports.PINKeyBinder
	}{b.CustomerRepo, b.CustomerRepo, b.CustomerRepo}
	db.log = struct {
		ports.ApiLog
		ports.ApiLogArchive
	}{b.ApiLog, b.ApiLog}
	return db
}

// TestCopies: the whole contract is kept before a server's database is copied to
// another kind, and on the copy, which says the same in every port.
func TestCopies(t *testing.T) {
	cases, err := filepath.Glob("http/*.txtar")
	must(t, err)
	for _, c := range copies {
		on := []backend{copiedTo(c.from.backend, c.to.backend)}
		for _, b := range []backend{c.from.backend, c.to.backend} {
			on[0].server += b.server // one of them has one at most
		}
		tested.cell(t, "HTTP", 2*len(cases), func(t *testing.T) {
			from, to, photos := c.from.open(t), c.to.open(t), memory.NewPhotoStore()
			must(t, from.customers.BindPINKey(t.Context(), domain.PINKeyFingerprint{7}, domain.PINKeyFingerprint{}))
			contracttests.HTTPHandler(t, testserver.New(t, from.server(photos)), ours)
			copying := operator.CopyDatabase{
				From: from.copied(), To: to.copied(), Parts: operator.Parts(), Passed: func(operator.Part, int) {},
				Differs: func(what string) { t.Error(what) },
			}
			_, err := copying.Do(t.Context())
			must(t, err)
			if got, want := to.contents(t), from.contents(t); !reflect.DeepEqual(got, want) {
				t.Errorf("the copy has %+v\nwant %+v", got, want)
			}
			phone, err := domain.ParsePhoneNumber(testserver.LockPhone)
			must(t, err)
			locked, err := to.customers.FindByPhone(t.Context(), 689, phone)
			must(t, err)
			must(t, to.customers.UnlockPIN(t.Context(), locked.Ref)) // the suite locks it again
			contracttests.HTTPHandler(t, testserver.On(t, to.server(photos)), ours)
		}, on...)
	}
}

func (db database) copied() operator.Database {
	return operator.Database{Fleets: db.fleets, FleetCustomers: db.housed, Customers: db.customers, PINKeys: db.customers, Log: db.log}
}

// contents are all that a database says through the roles.
type contents struct {
	Fleets    []domain.Fleet
	Keys      map[domain.FleetID][]domain.FleetKey
	Customers []domain.StoredCustomer
	PINKey    domain.PINKeyFingerprint
	Entries   []domain.ApiLogEntry
}

func (db database) contents(t *testing.T) contents {
	t.Helper()
	return contentsOf(t, db.fleets, db.customers, db.customers, db.log)
}

func contentsOf(t *testing.T, directory ports.FleetDirectory, customers ports.CustomerDirectory, pinKeys ports.PINKeyBinder, log ports.ApiLogArchive) contents {
	t.Helper()
	const page = 5000
	c := contents{Keys: map[domain.FleetID][]domain.FleetKey{}}
	var err error
	c.Fleets, err = directory.Fleets(t.Context())
	must(t, err)
	for _, fleet := range c.Fleets {
		c.Keys[fleet.ID], err = directory.Keys(t.Context(), fleet.ID)
		must(t, err)
	}
	c.PINKey, err = pinKeys.BoundPINKey(t.Context())
	must(t, err)
	for after := (domain.CustomerRef{}); ; after = c.Customers[len(c.Customers)-1].Ref {
		more, err := customers.Customers(t.Context(), after, page)
		must(t, err)
		if len(more) == 0 {
			break
		}
		c.Customers = append(c.Customers, more...)
	}
	for after := domain.ApiLogID(0); ; after = c.Entries[len(c.Entries)-1].ID {
		more, err := log.Entries(t.Context(), after, page)
		must(t, err)
		if len(more) == 0 {
			break
		}
		c.Entries = append(c.Entries, more...)
	}
	if len(c.Fleets) == 0 || len(c.Customers) == 0 || len(c.Entries) == 0 {
		t.Errorf("got %d fleets, %d customers and %d calls", len(c.Fleets), len(c.Customers), len(c.Entries))
	}
	return c
}
