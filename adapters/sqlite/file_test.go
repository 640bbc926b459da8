package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// No write that begins after the database is gone succeeds, while eight at once
// go on writing.
func TestLostFileTakesNoWrite(t *testing.T) {
	t.Parallel()
	needsUnlink(t)
	for name, lose := range map[string]func(t *testing.T, path string){
		"file":     func(t *testing.T, path string) { remove(t, path) },
		"wal":      func(t *testing.T, path string) { remove(t, path+"-wal") },
		"all":      func(t *testing.T, path string) { remove(t, path, path+"-wal", path+"-shm") },
		"folder":   func(t *testing.T, path string) { must(t, os.Rename(filepath.Dir(path), t.TempDir()+"/elsewhere")) },
		"replaced": replace,
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			db, _ := opened(t)
			var lost atomic.Bool
			var writers, writing sync.WaitGroup
			writing.Add(8)
			for range 8 {
				writers.Go(func() { writeUntilLost(t, db, &lost, writing.Done) })
			}
			writing.Wait()
			lose(t, db.Path())
			lost.Store(true)
			writers.Wait()

			_, err := db.ApiLog().Record(t.Context(), domain.ApiCall{}, done)
			wantUnavailable(t, db, err)
			wantUnavailable(t, db, db.CustomerRepo().TryPIN(t.Context(), domain.CustomerRef{}, domain.OfferedPIN{}))
			wantUnavailable(t, db, db.CustomerRepo().ChangePhoto(t.Context(), alice, nil))
			if cause := domain.AsError(err).Cause; !strings.Contains(cause.Error(), db.Path()) || !strings.Contains(cause.Error(), "start the server again") {
				t.Errorf("the cause is %v", cause)
			}
		})
	}
}

func writeUntilLost(t *testing.T, db *DB, lost *atomic.Bool, began func()) {
	for first := true; ; first = false {
		wasLost := lost.Load()
		_, err := db.ApiLog().Open(context.Background(), domain.ApiCall{})
		if first {
			began()
		}
		switch {
		case err == nil && wasLost:
			t.Error("a write succeeded in a database that was gone")
			return
		case err != nil:
			if !errors.Is(err, domain.Unavailable) {
				t.Errorf("got %v, want Unavailable", err)
			}
			if wasLost {
				return
			}
		}
	}
}

func needsUnlink(t *testing.T) {
	t.Helper()
	if runtime.GOOS == "windows" {
		t.Skip("Windows removes no file that is open")
	}
}

func remove(t *testing.T, paths ...string) {
	for _, path := range paths {
		must(t, os.Remove(path))
	}
}

// replace puts a copy of the database in its place.
func replace(t *testing.T, path string) {
	content, err := os.ReadFile(path)
	must(t, err)
	must(t, os.WriteFile(path+".copy", content, 0o600))
	must(t, os.Rename(path+".copy", path))
}

// A file that is removed during the transaction keeps nothing of it.
func TestLostFileBeforeTheCommit(t *testing.T) {
	t.Parallel()
	needsUnlink(t)
	db := started(t, newURL(t))
	wantUnavailable(t, db, db.write(t.Context(), "test", func(ctx context.Context, tx *sql.Tx) error {
		remove(t, db.Path())
		_, err := tx.ExecContext(ctx, `INSERT INTO fleets (id, name, disabled) VALUES (1, '', 0)`)
		return err
	}))
	if err := db.Start(t.Context()); err == nil || !strings.Contains(err.Error(), "there is no database at "+db.Path()+"; is this the server's directory?") {
		t.Errorf("Start = %v", err)
	}
}

// A process that finds no database makes another one, which isn't that of a
// server that runs.
func TestTwoDatabasesAtOnePath(t *testing.T) {
	t.Parallel()
	needsUnlink(t)
	url := newURL(t)
	db := started(t, url)
	addCustomer(t, db, alice)
	remove(t, db.Path(), db.Path()+"-wal", db.Path()+"-shm")
	other := started(t, url)
	addCustomer(t, other, alice)
	wantUnavailable(t, db, db.CustomerRepo().UnlockPIN(t.Context(), alice))
	must(t, other.CustomerRepo().UnlockPIN(t.Context(), alice))
	for name, do := range map[string]func(context.Context) error{"Migrate": db.Migrate, "Start": db.Start} {
		if err := do(t.Context()); err == nil || !strings.Contains(err.Error(), "was deleted or replaced") {
			t.Errorf("%s = %v", name, err)
		}
	}
}
