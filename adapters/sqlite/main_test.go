package sqlite

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// A test that needs another process runs this test binary again with this set,
// in the directory of the database.
const childTask = "SQLITE_TEST_CHILD_TASK"

const (
	databaseName = "fleetphoto.db"

	taskHold      = "hold"      // take the customer's lock, say so, keep it until stdin ends
	taskIncrement = "increment" // add increments to the customer's record
	increments    = 20
	taskGuess     = "guess" // offer guesses wrong PINs and say how many of them were compared
	guesses       = 8
)

var alice = domain.CustomerRef{Fleet: 689, Customer: 452733}

func TestMain(m *testing.M) {
	if task := os.Getenv(childTask); task != "" {
		if err := runChild(task); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func runChild(task string) error {
	ctx := context.Background()
	db, err := Open("sqlite://" + databaseName)
	if err != nil {
		return err
	}
	if err := migrateAndStart(ctx, db); err != nil {
		return err
	}
	switch task {
	case taskIncrement:
		return increment(ctx, db)
	case taskGuess:
		_, err := fmt.Print(guess(ctx, db))
		return err
	}
	return db.CustomerRepo().ChangePhoto(ctx, alice, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		fmt.Println("held")
		_, err := bufio.NewReader(os.Stdin).ReadByte()
		return current, err
	})
}

// increment counts up the size in alice's record, which loses counts unless
// each change sees the one before.
func increment(ctx context.Context, db *DB) error {
	for range increments {
		err := db.CustomerRepo().ChangePhoto(ctx, alice, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			current.Info.Size++
			return current, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}

func child(t *testing.T, task string, db *DB) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), self)
	cmd.Dir = filepath.Dir(db.Path())
	cmd.Env = append(os.Environ(), childTask+"="+task)
	cmd.Stderr = os.Stderr
	return cmd
}

func newURL(t *testing.T) string {
	t.Helper()
	return "sqlite://" + filepath.ToSlash(filepath.Join(t.TempDir(), "data", databaseName))
}

func started(t *testing.T, url string) *DB {
	t.Helper()
	db, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	if err := migrateAndStart(t.Context(), db); err != nil {
		t.Fatal(err)
	}
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
	if err != nil {
		t.Fatal(err)
	}
}

func size(t *testing.T, db *DB, ref domain.CustomerRef) int64 {
	t.Helper()
	found, err := db.CustomerRepo().FindByPhone(t.Context(), ref.Fleet, domain.PhoneNumber(ref.Customer))
	if err != nil {
		t.Fatal(err)
	}
	return found.Photo.Info.Size
}
