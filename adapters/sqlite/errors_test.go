package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

func TestUnavailable(t *testing.T) {
	t.Parallel()
	for name, arrange := range map[string]func(t *testing.T, db *DB) context.Context{
		"closed": func(t *testing.T, db *DB) context.Context {
			must(t, db.Close())
			return t.Context()
		},
		"ctx_ended": func(t *testing.T, _ *DB) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		},
		"writer_taken": whileWriting,
		"file_locked": func(t *testing.T, db *DB) context.Context {
			return whileWriting(t, started(t, "sqlite://"+filepath.ToSlash(db.Path())))
		},
		"disk_full": func(t *testing.T, db *DB) context.Context {
			_, err := db.writer.ExecContext(t.Context(), "PRAGMA max_page_count = 1")
			must(t, err)
			return t.Context()
		},
		"read_only": func(t *testing.T, db *DB) context.Context {
			_, err := db.writer.ExecContext(t.Context(), "PRAGMA query_only = on")
			must(t, err)
			return t.Context()
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db := started(t, newURL(t))
			ctx := arrange(t, db)
			// Larger than a page, so that the file has to grow.
			call := domain.ApiCall{From: strings.Repeat("x", 10_000)}
			_, err := db.ApiLog().Open(ctx, call)
			wantUnavailable(t, db, err)
		})
	}
}

// whileWriting holds the write lock until the test ends, and returns a ctx
// that ends while others wait for it.
func whileWriting(t *testing.T, db *DB) context.Context {
	tx, err := db.writer.BeginTx(context.Background(), nil)
	must(t, err)
	t.Cleanup(func() { must(t, tx.Rollback()) })
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	t.Cleanup(cancel)
	return ctx
}

func TestUnavailableWithoutFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := Open("sqlite://" + filepath.ToSlash(dir) + "/f.db")
	must(t, err)
	_, err = db.FleetAuth().Fleets(t.Context())
	wantUnavailable(t, db, err)
	_, err = db.ApiLog().Open(t.Context(), domain.ApiCall{})
	wantUnavailable(t, db, err)
	wantUnavailable(t, db, db.CustomerRepo().ChangePhoto(t.Context(), alice, nil))
	must(t, db.Close())
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("a port made %v, %v", entries, err)
	}
}

func wantUnavailable(t *testing.T, db *DB, err error) {
	t.Helper()
	failure := domain.AsError(err)
	if failure.Kind != domain.Unavailable || failure.Cause == nil {
		t.Errorf("got %v, want Unavailable with a cause", err)
	}
	if strings.Contains(failure.Public, filepath.Base(db.Path())) || strings.Contains(failure.Public, "sqlite") {
		t.Errorf("the public text tells too much: %s", failure.Public)
	}
}

// A ctx that ended leaves the one writing connection usable.
func TestWritingGoesOn(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	for range 50 {
		ctx, cancel := context.WithCancel(t.Context())
		go cancel()
		if _, err := db.ApiLog().Open(ctx, domain.ApiCall{}); err != nil && !errors.Is(err, domain.Unavailable) {
			t.Errorf("Open = %v, want Unavailable or nothing", err)
		}
		cancel()
		if _, err := db.ApiLog().Open(t.Context(), domain.ApiCall{}); err != nil {
			t.Fatal(err)
		}
	}
}

func TestBugsAreInternal(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	for _, statement := range []string{
		`SELECT nothing FROM nowhere`,
		`INSERT INTO api_keys (hash, fleet_id) VALUES (x'00', 1)`,
		`INSERT INTO fleets (id, name, disabled) VALUES ('text', '', 0)`,
	} {
		err := db.write(t.Context(), "test", func(ctx context.Context, tx *sql.Tx) error {
			_, err := tx.ExecContext(ctx, statement)
			return err
		})
		if domain.AsError(err).Kind != domain.Internal {
			t.Errorf("%s: got %v, want Internal", statement, err)
		}
	}
	var hash rows.Digest
	err := db.readers.QueryRowContext(t.Context(), `SELECT x'00'`).Scan(&hash)
	if got := domain.AsError(translate("test", err)); got.Kind != domain.Internal {
		t.Errorf("a hash of one byte: got %v, want Internal", got)
	}
}

func TestUnfinishedUsesItsIndex(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	var plan string
	var ignored any
	err := db.readers.QueryRowContext(t.Context(), "EXPLAIN QUERY PLAN "+selectUnfinished, 1, 1, 1).
		Scan(&ignored, &ignored, &ignored, &plan)
	if err != nil || !strings.Contains(plan, "INDEX api_log_open (id>?)") {
		t.Errorf("the plan is %q, %v", plan, err)
	}
}
