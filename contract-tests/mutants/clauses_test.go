package mutants

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/apilog"
	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/contract-tests/customerrepo"
	"github.com/fleetphoto/fleetphoto/contract-tests/fleetauth"
	"github.com/fleetphoto/fleetphoto/contract-tests/photostore"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// runnable is a clause that can be run on package memory.
type runnable struct {
	suite, name string
	files       string // prefix of the files of package memory that it runs on
	run         func(t *testing.T) error
}

func (r runnable) String() string { return r.suite + "/" + r.name }

// largest is the size of the largest photo, and mostImported how many customers
// are imported at most: here there is no server that might cut them.
const largest, mostImported = 20_000, 20

// allClauses are those of every suite that package memory passes.
func allClauses() []runnable {
	return slices.Concat(
		runnables("FleetAuth", "fleet_auth", fleetauth.Clauses(), openFleetAuth),
		runnables("FleetDirectory", "fleet_auth", fleetauth.DirectoryClauses(), openFleetDirectory),
		runnables("CustomerRepo", "customer", customerrepo.Clauses(), openCustomerRepo),
		runnables("CustomerDirectory", "customer", customerrepo.DirectoryClauses(mostImported), openCustomerDirectory),
		runnables("FleetCustomers", "fleet_customers", customerrepo.FleetClauses(mostImported), openFleetCustomers),
		runnables("PINKeyBinder", "customer", customerrepo.PINKeyClauses(), openCustomerDirectory),
		runnables("ChangeRecorder", "c", customerrepo.RecorderClauses(), openRecorder), // both files whose names begin so
		runnables("PhotoStore", "photo_store", photostore.Clauses(largest), openPhotoStore),
		runnables("PhotoLister", "photo_store", photostore.ListerClauses(), openPhotoStore),
		runnables("ApiLog", "api_log", apilog.Clauses(), openApiLog),
		runnables("ApiLogArchive", "api_log", apilog.ArchiveClauses(), openApiLog),
	)
}

func runnables[P any](suite, files string, clauses []clause.Clause[P], open func(t *testing.T) P) (all []runnable) {
	for _, c := range clauses {
		all = append(all, runnable{suite, c.Name, files, func(t *testing.T) error { return inBubble(t, c, open) }})
	}
	return all
}

// inBubble runs a clause where time passes when all goroutines wait: a port
// that hangs takes no time, and one that makes a pause lets all others go first.
func inBubble[P any](t *testing.T, c clause.Clause[P], open func(t *testing.T) P) (err error) {
	defer func() {
		if cause := recover(); cause != nil { // goroutines are left that nothing wakes
			err = fmt.Errorf("%v, %w", cause, err)
		}
	}()
	synctest.Test(t, func(t *testing.T) { err = c.Run(t.Context(), open(t)) })
	return err
}

func openFleetAuth(t *testing.T) *fleetauth.Port {
	return &fleetauth.Port{Open: func(fleets ...fleetauth.Seed) ports.FleetAuth {
		auth := memory.NewFleetAuth()
		for _, fleet := range fleets {
			must(t, auth.AddFleet(t.Context(), fleet.Fleet, domain.FleetKey{Hash: domain.APIKeyHash{1}, Label: "to be revoked"}))
			for _, key := range fleet.Keys {
				must(t, auth.AddKey(t.Context(), fleet.ID, key))
			}
			must(t, auth.RevokeKey(t.Context(), fleet.ID, "to be revoked"))
		}
		return auth
	}}
}

func openFleetDirectory(*testing.T) *fleetauth.Port {
	auth := memory.NewFleetAuth()
	return &fleetauth.Port{FleetAuth: auth, FleetDirectory: auth}
}

func openCustomerRepo(t *testing.T) *customerrepo.Port {
	return &customerrepo.Port{Open: func(customers ...domain.Customer) ports.CustomerRepo {
		repo := memory.NewCustomerRepo(time.Now)
		for _, c := range customers {
			_, err := repo.ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: c.Ref, Phone: c.Phone, PIN: c.PIN}})
			must(t, err)
		}
		return repo
	}}
}

func openCustomerDirectory(*testing.T) *customerrepo.Port {
	repo := memory.NewCustomerRepo(time.Now)
	return &customerrepo.Port{CustomerRepo: repo, CustomerDirectory: repo, PINKeyBinder: repo}
}

func openFleetCustomers(*testing.T) *customerrepo.Port { return housedIn(memory.New()) }

func housedIn(b *memory.Backend) *customerrepo.Port {
	return customerrepo.HousedPort(customerrepo.Housed{FleetCustomers: b.FleetCustomers(), Customers: b.CustomerRepo, Fleets: b.FleetAuth, Auth: b.FleetAuth})
}

func openRecorder(*testing.T) *customerrepo.Port {
	b := memory.New()
	return recordedIn(b, b.ChangeRecorder())
}

// recordedIn is for saboteurs too.
func recordedIn(b *memory.Backend, recorder ports.ChangeRecorder) *customerrepo.Port {
	return customerrepo.RecordedPort(customerrepo.Recorded{
		Recorder: recorder, Customers: b.CustomerRepo, Directory: b.CustomerRepo, Log: b.ApiLog, Archive: b.ApiLog,
	})
}

func openPhotoStore(*testing.T) photostore.Port {
	store := memory.NewPhotoStore()
	return photostore.Port{PhotoStore: store, PhotoLister: store}
}

func openApiLog(*testing.T) apilog.Port {
	log := memory.NewApiLog(time.Now)
	return apilog.Port{ApiLog: log, ApiLogArchive: log}
}

// TestClauses runs every clause on package memory as it is, or as the mutants
// that the variable asWorker lists: it prints which clause begins and which fails.
func TestClauses(t *testing.T) {
	work, isWorker := os.LookupEnv(asWorker)
	if !isWorker {
		for _, c := range allClauses() {
			if err := c.run(t); err != nil {
				t.Errorf("%v: %v", c, err)
			}
		}
		return
	}
	for _, job := range strings.Fields(work) {
		number, file, _ := strings.Cut(job, ":")
		t.Setenv(chooses, number)
		for _, c := range allClauses() {
			if file != "errors.go" && !strings.HasPrefix(file, c.files) {
				continue
			}
			fmt.Println(begins, number, c)
			if err := c.run(t); err != nil {
				fmt.Println(fails, number, c, strconv.Quote(err.Error()))
			}
		}
		fmt.Println(ends, number)
	}
}
