package contracttests

import (
	"path/filepath"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/gocloud"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/adapters/sqlite"
	"github.com/fleetphoto/fleetphoto/ports"
)

// The matrix: every port of every adapter.
var (
	fleetAuths = map[string]func(*testing.T) ports.FleetAuth{
		"memory": func(*testing.T) ports.FleetAuth { return memory.NewFleetAuth() },
		"sqlite": func(t *testing.T) ports.FleetAuth { return openSQLite(t).FleetAuth() },
	}
	customerRepos = map[string]func(*testing.T) ports.CustomerRepo{
		"memory": func(*testing.T) ports.CustomerRepo { return memory.NewCustomerRepo() },
		"sqlite": func(t *testing.T) ports.CustomerRepo { return openSQLite(t).CustomerRepo() },
	}
	photoStores = map[string]func(*testing.T) ports.PhotoStore{
		"memory":      func(*testing.T) ports.PhotoStore { return memory.NewPhotoStore() },
		"gocloudFile": func(t *testing.T) ports.PhotoStore { return openGocloud(t, "file://"+filepath.ToSlash(t.TempDir())) },
		"gocloudMem":  func(t *testing.T) ports.PhotoStore { return openGocloud(t, "mem://") },
	}
	apiLogs = map[string]func(*testing.T) ports.ApiLog{
		"memory": func(*testing.T) ports.ApiLog { return memory.NewApiLog() },
		"sqlite": func(t *testing.T) ports.ApiLog { return openSQLite(t).ApiLog() },
	}
)

func TestFleetAuth(t *testing.T)    { proveEach(t, fleetAuths, FleetAuth) }
func TestCustomerRepo(t *testing.T) { proveEach(t, customerRepos, CustomerRepo) }
func TestPhotoStore(t *testing.T)   { proveEach(t, photoStores, PhotoStore) }
func TestApiLog(t *testing.T)       { proveEach(t, apiLogs, ApiLog) }

func proveEach[P any](t *testing.T, adapters map[string]func(*testing.T) P, suite func(*testing.T, func(*testing.T) P)) {
	t.Helper()
	for name, open := range adapters {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			suite(t, open)
		})
	}
}

func openSQLite(t *testing.T) *sqlite.DB {
	t.Helper()
	db, err := sqlite.Open("sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "fleetphoto.db")))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Errorf("close the database: %v", err)
		}
	})
	if err := db.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	return db
}

func openGocloud(t *testing.T, rawURL string) *gocloud.PhotoStore {
	t.Helper()
	store, err := gocloud.Open(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	if err := store.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := store.Close(); err != nil {
			t.Errorf("close the store: %v", err)
		}
	})
	return store
}
