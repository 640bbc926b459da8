package contracttests

import (
	"context"
	"errors"
	"io"
	"path/filepath"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/gocloud"
	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/adapters/postgres"
	"github.com/fleetphoto/fleetphoto/adapters/sqlite"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/ports"
)

// database is what keeps all but the photos.
type database struct {
	fleets    FleetRoles
	customers CustomerRoles
	log       LogRoles
}

// The adapters of the matrix by the scheme of their URLs, in its order.
var (
	databases = []adapter[database]{
		{backend{"memory", ""}, openMemoryDatabase},
		{backend{"sqlite", ""}, openSQLite},
		{backend{"postgres", "postgres"}, openPostgres},
	}
	photoStores = []adapter[ports.PhotoStore]{
		{backend{"memory", ""}, func(*testing.T) ports.PhotoStore { return memory.NewPhotoStore() }},
		{backend{"mem", ""}, func(t *testing.T) ports.PhotoStore { return openGocloud(t, "mem://") }},
		{backend{"file", ""}, func(t *testing.T) ports.PhotoStore { return openGocloud(t, "file://"+filepath.ToSlash(t.TempDir())) }},
		{backend{"s3", "s3"}, func(t *testing.T) ports.PhotoStore { return openGocloud(t, servers.S3(t)) }},
		{backend{"gs", "gcs"}, func(t *testing.T) ports.PhotoStore { return openGocloud(t, servers.GS(t)) }},
		{backend{"azblob", "azure"}, func(t *testing.T) ports.PhotoStore { return openGocloud(t, servers.Azblob(t)) }},
	}
)

func TestFleetAuth(t *testing.T) {
	for _, a := range databases {
		tested.cell(t, "FleetAuth", len(fleetAuthClauses()), func(t *testing.T) {
			FleetAuth(t, func(t *testing.T) FleetRoles { return a.open(t).fleets })
		}, a.backend)
	}
}

func TestCustomerRepo(t *testing.T) {
	for _, a := range databases {
		tested.cell(t, "CustomerRepo", len(customerRepoClauses(1)), func(t *testing.T) {
			CustomerRepo(t, func(t *testing.T) CustomerRoles { return a.open(t).customers })
		}, a.backend)
	}
}

func TestApiLog(t *testing.T) {
	for _, a := range databases {
		tested.cell(t, "ApiLog", len(apiLogClauses()), func(t *testing.T) {
			ApiLog(t, func(t *testing.T) LogRoles { return a.open(t).log })
		}, a.backend)
	}
}

// TestPhotoStore runs both suites of a store, as each of these lists its photos.
func TestPhotoStore(t *testing.T) {
	clauses := len(photoStoreClauses(2_000)) + len(photoListerClauses())
	for _, a := range photoStores {
		tested.cell(t, "PhotoStore", clauses, func(t *testing.T) {
			PhotoStore(t, a.open)
			t.Run("lister", func(t *testing.T) {
				PhotoLister(t, func(t *testing.T) PhotoRoles { return asLister(t, a.open(t)) })
			})
		}, a.backend)
	}
}

func asLister(t *testing.T, store ports.PhotoStore) PhotoRoles {
	t.Helper()
	lister, lists := store.(PhotoRoles)
	if !lists {
		t.Fatalf("%T doesn't list its photos", store)
	}
	return lister
}

func openMemoryDatabase(*testing.T) database {
	b := memory.New()
	return database{b.FleetAuth, b.CustomerRepo, b.ApiLog}
}

func openSQLite(t *testing.T) database {
	t.Helper()
	db, err := sqlite.Open("sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "fleetphoto.db")))
	must(t, err)
	closeAtEnd(t, db)
	must(t, db.Migrate(t.Context()))
	must(t, db.Start(t.Context()))
	return database{db.FleetAuth(), db.CustomerRepo(), db.ApiLog()}
}

func openPostgres(t *testing.T) database {
	t.Helper()
	db, err := postgres.Open(servers.PostgresTemplate(t, migratePostgres))
	must(t, err)
	closeAtEnd(t, db)
	must(t, db.Start(t.Context()))
	return database{db.FleetAuth(), db.CustomerRepo(), db.ApiLog()}
}

func migratePostgres(rawURL string) error {
	db, err := postgres.Open(rawURL)
	if err != nil {
		return err
	}
	return errors.Join(db.Migrate(context.Background()), db.Close())
}

func openGocloud(t *testing.T, rawURL string) *gocloud.PhotoStore {
	t.Helper()
	store, err := gocloud.Open(rawURL)
	must(t, err)
	closeAtEnd(t, store)
	must(t, store.Start(t.Context()))
	return store
}

func closeAtEnd(t *testing.T, opened io.Closer) {
	t.Cleanup(func() {
		if err := opened.Close(); err != nil {
			t.Errorf("close: %v", err)
		}
	})
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
