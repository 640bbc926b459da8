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
func (db database) contents(t *testing.T) []any {
	t.Helper()
	fleets, err := db.fleets.Fleets(t.Context())
	must(t, err)
	keys := map[domain.FleetID][]domain.FleetKey{}
	for _, fleet := range fleets {
		keys[fleet.ID], err = db.fleets.Keys(t.Context(), fleet.ID)
		must(t, err)
	}
	const all = 1000
	customers, err := db.customers.Customers(t.Context(), domain.CustomerRef{}, all)
	must(t, err)
	key, err := db.customers.BoundPINKey(t.Context())
	must(t, err)
	entries, err := db.log.Entries(t.Context(), 0, all)
	must(t, err)
	if len(fleets) == 0 || len(customers) == 0 || len(entries) == 0 || len(entries) == all {
		t.Errorf("got %d fleets, %d customers and %d calls", len(fleets), len(customers), len(entries))
	}
	return []any{fleets, keys, customers, key, entries}
}
