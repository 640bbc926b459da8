package contracttests_test

import (
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/gocloud"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/ports"
)

// In an adapter's own tests, each of these is a test function.

func ExampleFleetAuth() {
	_ = func(t *testing.T) { // func TestFleetAuth(t *testing.T)
		contracttests.FleetAuth(t, func(*testing.T) contracttests.FleetRoles { return memory.NewFleetAuth() })
	}
}

func ExampleCustomerRepo() {
	_ = func(t *testing.T) { // func TestCustomerRepo(t *testing.T)
		contracttests.CustomerRepo(t, func(*testing.T) contracttests.CustomerRoles { return memory.NewCustomerRepo() })
	}
}

func ExamplePhotoStore() {
	_ = func(t *testing.T) { // func TestPhotoStore(t *testing.T)
		contracttests.PhotoStore(t, func(t *testing.T) ports.PhotoStore {
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
		contracttests.PhotoLister(t, func(*testing.T) contracttests.PhotoRoles { return memory.NewPhotoStore() })
	}
}

func ExampleApiLog() {
	_ = func(t *testing.T) { // func TestApiLog(t *testing.T)
		contracttests.ApiLog(t, func(*testing.T) contracttests.LogRoles { return memory.NewApiLog() })
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
