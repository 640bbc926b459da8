package sqlite

import (
	"context"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestWhatIsStoredOutlastsTheDB(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	first, err := Open(url)
	if err != nil {
		t.Fatal(err)
	}
	if err := migrateAndStart(t.Context(), first); err != nil {
		t.Fatal(err)
	}
	fleet := domain.Fleet{ID: alice.Fleet, Name: "Łódź\x00Taxi", Disabled: true}
	key := domain.FleetKey{Hash: domain.APIKeyHash{1}, Label: "Łódź\x00"}
	if err := first.FleetAuth().AddFleet(t.Context(), fleet, key); err != nil {
		t.Fatal(err)
	}
	addCustomer(t, first, alice)
	id, err := first.ApiLog().Open(t.Context(), domain.ApiCall{})
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}

	second := started(t, url)
	if got, err := second.FleetAuth().Authenticate(t.Context(), key.Hash); got != (domain.Caller{Fleet: fleet, Key: key.Label}) || err != nil {
		t.Errorf("Authenticate = %v, %v; want %v", got, err, fleet)
	}
	if got := size(t, second, alice); got != 0 {
		t.Errorf("size = %d, want 0", got)
	}
	if got, err := second.ApiLog().Entry(t.Context(), id); got != (domain.ApiLogEntry{ID: id}) || err != nil {
		t.Errorf("Entry = %v, %v", got, err)
	}
}

func TestPragmasOnEveryConnection(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	want := map[string]string{"journal_mode": "wal", "synchronous": "2", "foreign_keys": "1", "busy_timeout": "10000", "fullfsync": "1", "secure_delete": "1"}
	pools := append(make([]bool, maxReaders), true) // true: the writer
	for _, writes := range pools {
		pool, queryOnly := db.readers, "1"
		if writes {
			pool, queryOnly = db.writer, "0"
		}
		want["query_only"] = queryOnly
		conn, err := pool.Conn(t.Context()) // kept until the end: each is another one
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = conn.Close() }()
		for pragma, want := range want {
			var got string
			if err := conn.QueryRowContext(t.Context(), "PRAGMA "+pragma).Scan(&got); got != want || err != nil {
				t.Errorf("writes %v: %s = %q, %v; want %q", writes, pragma, got, err, want)
			}
		}
	}
}

func TestStartsAtOnce(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	var starts sync.WaitGroup
	for range 8 {
		db, err := Open(url)
		if err != nil {
			t.Fatal(err)
		}
		starts.Go(func() {
			for range 2 {
				if err := migrateAndStart(context.Background(), db); err != nil {
					t.Error(err)
				}
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	starts.Wait()
	addCustomer(t, started(t, url), alice)
}

func TestFilePermissions(t *testing.T) {
	t.Parallel()
	if runtime.GOOS == "windows" {
		t.Skip("Windows has other permissions")
	}
	db := started(t, newURL(t))
	addCustomer(t, db, alice)
	for path, want := range map[string]os.FileMode{
		db.Path(): 0o600, db.Path() + "-wal": 0o600, db.Path() + "-shm": 0o600, filepath.Dir(db.Path()): 0o750 | os.ModeDir,
	} {
		info, err := os.Stat(path)
		if err != nil {
			t.Error(err)
		} else if info.Mode() != want {
			t.Errorf("%s has %v, want %v", path, info.Mode(), want)
		}
	}
}

func TestStartRefuses(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange func(t *testing.T, path string)
		want    string
	}{
		"text":            {arrangeFile(strings.Repeat("not a database\n", 100)), "is not a SQLite database"},
		"short_text":      {arrangeFile("short"), "is not a SQLite database"},
		"newer":           {arrangeNewer, "a newer version of this program made it (its tables need a program that knows version 99, this one knows 6)"},
		"directory":       {arrangeDirectory, "is a directory"},
		"symlink":         {arrangeSymlink, "is a symbolic link"},
		"no_directory":    {arrangeFileAsDirectory, "not a directory"},
		"no_lock_folders": {arrangeFileAsLocks, "cannot make the directory of the database"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data", "f.db")
			test.arrange(t, path)
			db, err := Open("sqlite://" + filepath.ToSlash(path))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			for name, do := range map[string]func(context.Context) error{"Migrate": db.Migrate, "Start": db.Start} {
				if err := do(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) || strings.Contains(err.Error(), "\n") {
					t.Errorf("%s = %v; want one line with %q", name, err, test.want)
				}
			}
		})
	}
}

// A database is used that a newer version made, if that one says so. It may have
// removed what this version doesn't use.
func TestStartOnNewerTables(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	run(t, db, newer, `ALTER TABLE customers ADD COLUMN later TEXT`, `DROP TABLE api_log_pruning`)
	must(t, migrateAndStart(t.Context(), db))
	addCustomer(t, db, alice)
}

func TestStartOnLackingTables(t *testing.T) {
	t.Parallel()
	for change, want := range map[string]string{
		`ALTER TABLE fleets DROP COLUMN country`:            "no column fleets.country, which the migration 00006_add_fleet_country.sql makes",
		`ALTER TABLE fleets DROP COLUMN require_pin`:        "no column fleets.require_pin, which the migration 00005_add_fleet_policy.sql makes",
		`ALTER TABLE customers DROP COLUMN pin_wrong`:       "no column customers.pin_wrong, which the migration 00003_add_versions_and_settling.sql makes",
		`ALTER TABLE api_log RENAME COLUMN detail TO other`: "no column api_log.detail, which the migration 00001_create_tables.sql makes",
		`DROP TABLE pin_key`:                                "no column pin_key.id, which the migration 00002_add_keys_and_details.sql makes",
	} {
		db := started(t, newURL(t))
		run(t, db, change)
		must(t, db.Migrate(t.Context()))
		if err := db.Start(t.Context()); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: Start = %v; want a sentence with %q", change, err, want)
		}
	}
}

// TestStartDoesNotMigrate: who switched the migration off wants to do it alone.
func TestStartDoesNotMigrate(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		arrange func(t *testing.T, path string)
		want    string
	}{
		"no_file":  {func(*testing.T, string) {}, "; is this the server's directory? make one with: fleetphoto migrate"},
		"no_table": {arrangeEmpty, "bring them up to date with: fleetphoto migrate"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			path := filepath.Join(t.TempDir(), "data", "f.db")
			test.arrange(t, path)
			db, err := Open("sqlite://" + filepath.ToSlash(path))
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = db.Close() }()
			for range 2 { // the first leaves nothing that the second takes for tables
				if err := db.Start(t.Context()); err == nil || !strings.Contains(err.Error(), test.want) {
					t.Errorf("Start = %v; want a sentence with %q", err, test.want)
				}
			}
		})
	}
}

func arrangeEmpty(t *testing.T, path string) {
	must(t, os.MkdirAll(filepath.Dir(path), 0o750))
	must(t, createFile(path))
}

func arrangeFile(content string) func(t *testing.T, path string) {
	return func(t *testing.T, path string) {
		must(t, os.MkdirAll(filepath.Dir(path), 0o750))
		must(t, os.WriteFile(path, []byte(content), 0o600))
	}
}

const newer = `INSERT INTO goose_db_version (version_id, is_applied) VALUES (99, 1)`

func arrangeNewer(t *testing.T, path string) {
	db := started(t, "sqlite://"+filepath.ToSlash(path))
	run(t, db, newer, `UPDATE schema_needs SET tables_version = 99`)
}

func arrangeDirectory(t *testing.T, path string) { must(t, os.MkdirAll(path, 0o750)) }

func arrangeSymlink(t *testing.T, path string) {
	must(t, os.MkdirAll(filepath.Dir(path), 0o750))
	must(t, os.Symlink("elsewhere.db", path))
}

func arrangeFileAsDirectory(t *testing.T, path string) {
	must(t, os.WriteFile(filepath.Dir(path), nil, 0o600))
}

func arrangeFileAsLocks(t *testing.T, path string) {
	must(t, os.MkdirAll(filepath.Dir(path), 0o750))
	must(t, createFile(path))
	must(t, os.WriteFile(path+"-locks", nil, 0o600))
}

func run(t *testing.T, db *DB, statements ...string) {
	t.Helper()
	for _, statement := range statements {
		_, err := db.writer.ExecContext(t.Context(), statement)
		must(t, err)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
