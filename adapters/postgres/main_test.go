package postgres

import (
	"bufio"
	"context"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// A test that needs another process runs this test binary again with these set.
const (
	childTask = "POSTGRES_TEST_CHILD_TASK"
	childURL  = "POSTGRES_TEST_CHILD_URL"

	taskMigrate   = "migrate"   // migrate and start
	taskHold      = "hold"      // lock alice's row, say so, keep it until stdin ends, say how it went
	taskIncrement = "increment" // add increments to alice's record
	increments    = 20
)

// What takes long in production takes this long in tests.
const (
	shortLease = 3 * time.Second
	shortIdle  = `SELECT set_config('idle_in_transaction_session_timeout', '1s', true)`
)

var (
	alice   = domain.CustomerRef{Fleet: 689, Customer: 452733}
	anyCall = domain.ApiCall{ReceivedAt: time.Date(2026, time.March, 29, 12, 0, 0, 123_457_000, time.UTC)}
)

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		if err := runChild(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(servers.Main(m))
}

func runChild(task string) error {
	ctx := context.Background()
	db, err := Open(os.Getenv(childURL))
	if err != nil {
		return err
	}
	db.lease, db.settings = shortLease, shortIdle
	switch task {
	case taskMigrate:
		return migrateAndStart(ctx, db)
	case taskIncrement:
		return increment(ctx, db)
	}
	err = db.CustomerRepo().ChangePhoto(ctx, alice, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		fmt.Println("held")
		_, _ = bufio.NewReader(os.Stdin).ReadByte() // until the end
		current.Info.Size += 1000
		return current, nil
	})
	fmt.Println(domain.AsError(err).Kind)
	return nil
}

func child(t *testing.T, task, rawURL string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	must(t, err)
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Env = append(os.Environ(), childTask+"="+task, childURL+"="+rawURL)
	cmd.Stderr = os.Stderr
	return cmd
}

// increment counts up the size in alice's record, which loses counts unless
// each change sees the one before.
func increment(ctx context.Context, db *DB) error {
	for range increments {
		if err := db.CustomerRepo().ChangePhoto(ctx, alice, grow); err != nil {
			return err
		}
	}
	return nil
}

func grow(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
	current.Info.Size++
	return current, nil
}

// closing is change that ends with this outcome.
func closing(change ports.PhotoChange, outcome domain.Outcome) ports.ClosingChange {
	return func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		record, err := change(ctx, current, stillLocked)
		return record, outcome, err
	}
}

// newURL returns the URL of a database with tables.
func newURL(t *testing.T) string {
	t.Helper()
	return servers.PostgresTemplate(t, func(rawURL string) error {
		db, err := Open(rawURL)
		if err != nil {
			return err
		}
		defer func() { _ = db.Close() }()
		return db.Migrate(context.Background())
	})
}

// with adds a parameter to a URL.
func with(t *testing.T, rawURL, name, value string) string {
	t.Helper()
	u, err := url.Parse(rawURL)
	must(t, err)
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = strings.ReplaceAll(query.Encode(), "+", "%20")
	return u.String()
}

func opened(t *testing.T, rawURL string) *DB {
	t.Helper()
	db, err := Open(rawURL)
	must(t, err)
	t.Cleanup(func() { must(t, db.Close()) })
	return db
}

func started(t *testing.T, rawURL string) *DB {
	t.Helper()
	db := opened(t, rawURL)
	must(t, db.Start(t.Context()))
	return db
}

func migrateAndStart(ctx context.Context, db *DB) error {
	if err := db.Migrate(ctx); err != nil {
		return err
	}
	return db.Start(ctx)
}

func addCustomer(t *testing.T, db *DB, ref domain.CustomerRef) {
	t.Helper()
	_, err := db.CustomerRepo().ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: ref, Phone: domain.PhoneNumber(ref.Customer)}})
	must(t, err)
}

func size(t *testing.T, db *DB, ref domain.CustomerRef) int64 {
	t.Helper()
	found, err := db.CustomerRepo().FindByPhone(t.Context(), ref.Fleet, domain.PhoneNumber(ref.Customer))
	must(t, err)
	return found.Photo.Info.Size
}

// run makes a statement that returns no rows.
func run(t *testing.T, db *DB, statement string, args ...any) {
	t.Helper()
	_, err := db.pool.Exec(t.Context(), statement, args...)
	must(t, err)
}

// bounded is for what may hang when something is wrong.
func bounded(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	return ctx
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
