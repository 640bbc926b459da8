package contracttests_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/sqlite"
	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/contract-tests/apilog"
	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/contract-tests/customerrepo"
	"github.com/fleetphoto/fleetphoto/contract-tests/fleetauth"
	"github.com/fleetphoto/fleetphoto/contract-tests/photostore"
	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// TestPublicTexts calls every method while the backend is down: no public text
// names its host, its path or a secret.
func TestPublicTexts(t *testing.T) {
	t.Parallel()
	const password = "only-on-loopback" // of the servers
	t.Run("sqlite", func(t *testing.T) {
		t.Parallel()
		path := filepath.Join(t.TempDir(), "secret-name.db")
		db, err := sqlite.Open("sqlite://" + filepath.ToSlash(path))
		must(t, err)
		must(t, db.Migrate(t.Context()))
		must(t, db.Start(t.Context()))
		must(t, db.Close())
		checkPublicTexts(t, database{db.FleetAuth(), db.CustomerRepo(), db.ApiLog(), db.ChangeRecorder(), db.FleetCustomers()}, path, "secret-name")
	})
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		proxy, rawURL := proxiedPostgres(t)
		must(t, migratePostgres(rawURL))
		db := startPostgres(t, rawURL)
		proxy.Stop()
		u := parse(t, rawURL)
		checkPublicTexts(t, database{db.FleetAuth(), db.CustomerRepo(), db.ApiLog(), db.ChangeRecorder(), db.FleetCustomers()}, u.Host, u.Hostname(), u.Port(), filepath.Base(u.Path), password)
	})
	t.Run("file", func(t *testing.T) {
		t.Parallel()
		directory := filepath.Join(t.TempDir(), "secret-name")
		must(t, os.Mkdir(directory, 0o700))
		store := openFile(t, directory)
		must(t, os.RemoveAll(directory))
		must(t, os.WriteFile(directory, nil, 0o600))
		checkPublicTextsOfPhotos(t, store, directory, "secret-name")
	})
	t.Run("s3", func(t *testing.T) {
		t.Parallel()
		proxy, rawURL := proxiedS3(t)
		store := openGocloud(t, rawURL)
		proxy.Stop()
		checkPublicTextsOfPhotos(t, store, proxy.Listen, parse(t, rawURL).Host, parse(t, rawURL).Query().Get("prefix"), password)
	})
	t.Run("azblob", func(t *testing.T) {
		t.Parallel()
		rawURL := servers.Azblob(t)
		proxy := newProxy(t, parse(t, rawURL).Query().Get("domain"))
		store := openGocloud(t, withParameter(t, rawURL, "domain", proxy.Listen))
		proxy.Stop()
		checkPublicTextsOfPhotos(t, store, proxy.Listen, parse(t, rawURL).Host, parse(t, rawURL).Query().Get("prefix"))
	})
}

func checkPublicTexts(t *testing.T, db database, forbidden ...string) {
	t.Helper()
	fail(t, &fleetauth.Port{FleetAuth: db.fleets, FleetDirectory: db.fleets}, slices.Concat(fleetauth.Calls(), fleetauth.DirectoryCalls()), forbidden)
	fail(t, &customerrepo.Port{CustomerRepo: db.customers, CustomerDirectory: db.customers, PINKeyBinder: db.customers},
		slices.Concat(customerrepo.Calls(), customerrepo.DirectoryCalls(), customerrepo.PINKeyCalls()), forbidden)
	fail(t, customerrepo.HousedPort(db.housing()), customerrepo.FleetCalls(), forbidden)
	fail(t, customerrepo.RecordedPort(db.recorded()), customerrepo.RecorderCalls(), forbidden)
	fail(t, apilog.Port{ApiLog: db.log, ApiLogArchive: db.log}, slices.Concat(apilog.Calls(), apilog.ArchiveCalls()), forbidden)
}

func checkPublicTextsOfPhotos(t *testing.T, store ports.PhotoStore, forbidden ...string) {
	t.Helper()
	fail(t, photostore.Port{PhotoStore: store, PhotoLister: store.(ports.PhotoLister)}, slices.Concat(photostore.Calls(), photostore.ListerCalls()), forbidden)
}

// fail makes calls that must fail, at once as some are repeated for a while.
func fail[P any](t *testing.T, port P, calls []clause.Call[P], forbidden []string) {
	t.Helper()
	const patience = time.Minute
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for i, err := range clause.Together(len(calls), func(i int) error { return calls[i].Do(ctx, port) }) {
		if !errors.As(err, new(*domain.Error)) {
			t.Errorf("%s, while the backend is down: got %v", calls[i].Method, err)
		}
		if err := contracttests.CheckPublic(err, forbidden...); err != nil {
			t.Errorf("%s: %v", calls[i].Method, err)
		}
	}
}
