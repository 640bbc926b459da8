package contracttests_test

import (
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/gocloud"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// In an adapter's own tests, each of these is a test function.

func ExampleFleetAuth() {
	_ = func(t *testing.T) { // func TestFleetAuth(t *testing.T)
		contracttests.FleetAuth(t, func(t *testing.T, fleets ...contracttests.FleetSeed) ports.FleetAuth {
			auth := memory.NewFleetAuth()
			for _, fleet := range fleets { // or INSERT INTO …
				addFleets(t, auth, []contracttests.FleetSeed{fleet})
			}
			return auth
		})
	}
}

func ExampleFleetDirectory() {
	_ = func(t *testing.T) { // func TestFleetDirectory(t *testing.T)
		contracttests.FleetDirectory(t, func(*testing.T) (ports.FleetDirectory, ports.FleetAuth) {
			auth := memory.NewFleetAuth()
			return auth, auth
		})
	}
}

func ExampleCustomerRepo() {
	_ = func(t *testing.T) { // func TestCustomerRepo(t *testing.T)
		contracttests.CustomerRepo(t, func(t *testing.T, customers ...domain.Customer) ports.CustomerRepo {
			repo := memory.NewCustomerRepo(time.Now)
			for _, customer := range customers { // or INSERT INTO …
				addCustomer(t, repo, customer)
			}
			return repo
		})
	}
}

func ExampleCustomerDirectory() {
	_ = func(t *testing.T) { // func TestCustomerDirectory(t *testing.T)
		contracttests.CustomerDirectory(t, func(*testing.T) (ports.CustomerDirectory, ports.CustomerRepo) {
			repo := memory.NewCustomerRepo(time.Now)
			return repo, repo
		})
	}
}

func ExampleFleetCustomers() {
	_ = func(t *testing.T) { // func TestFleetCustomers(t *testing.T)
		contracttests.FleetCustomers(t, func(*testing.T) contracttests.Housed {
			db := memory.New()
			return contracttests.Housed{FleetCustomers: db.FleetCustomers(), Customers: db.CustomerRepo, Fleets: db.FleetAuth, Auth: db.FleetAuth}
		})
	}
}

func ExampleChangeRecorder() {
	_ = func(t *testing.T) { // func TestChangeRecorder(t *testing.T)
		contracttests.ChangeRecorder(t, func(*testing.T) contracttests.Recorded {
			db := memory.New()
			return contracttests.Recorded{
				Recorder: db.ChangeRecorder(), Customers: db.CustomerRepo, Directory: db.CustomerRepo, Log: db.ApiLog, Archive: db.ApiLog,
			}
		})
	}
}

func ExamplePhotoStore() {
	_ = func(t *testing.T) { // func TestPhotoStore(t *testing.T)
		contracttests.PhotoStore(t, func(*testing.T) ports.PhotoStore { return memory.NewPhotoStore() })
	}
}

func ExampleUnversionedPhotoStore() {
	_ = func(t *testing.T) { // func TestPhotoStore(t *testing.T)
		contracttests.UnversionedPhotoStore(t, func(t *testing.T) ports.PhotoStore {
			store, err := gocloud.Open("mem://")
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { _ = store.Close() })
			if err := store.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			return store
		})
	}
}

func ExamplePhotoLister() {
	_ = func(t *testing.T) { // func TestPhotoLister(t *testing.T)
		contracttests.PhotoLister(t, func(*testing.T) (ports.PhotoLister, ports.PhotoStore) {
			store := memory.NewPhotoStore()
			return store, store
		})
	}
}

func ExampleApiLog() {
	_ = func(t *testing.T) { // func TestApiLog(t *testing.T)
		contracttests.ApiLog(t, func(*testing.T) ports.ApiLog { return memory.NewApiLog(time.Now) })
	}
}

func ExampleApiLogArchive() {
	_ = func(t *testing.T) { // func TestApiLogArchive(t *testing.T)
		contracttests.ApiLogArchive(t, func(*testing.T) (ports.ApiLogArchive, ports.ApiLog) {
			log := memory.NewApiLog(time.Now)
			return log, log
		})
	}
}

func ExampleHTTP() {
	_ = func(t *testing.T) { // func TestHTTP(t *testing.T)
		contracttests.HTTP(t, contracttests.Target{
			BaseURL: "http://127.0.0.1:8080", // a server that runs
			APIKey:  "TEST1TEST1TEST1TEST1TEST1", Phone: "447700900123", PIN: "1234",
		})
	}
}
