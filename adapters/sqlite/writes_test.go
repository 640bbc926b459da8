package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"runtime"
	"sync"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// together has all writes wait for the turn, and gives it to them.
func together(t *testing.T, db *DB, calls ...func()) {
	t.Helper()
	db.writes.turn <- struct{}{}
	var all sync.WaitGroup
	for i, call := range calls {
		all.Go(call)
		for waiting(db) <= i {
			runtime.Gosched()
		}
	}
	<-db.writes.turn
	all.Wait()
}

func waiting(db *DB) int {
	db.writes.mu.Lock()
	defer db.writes.mu.Unlock()
	return len(db.writes.waiting)
}

func addsFleet(id domain.FleetID, ran map[*sql.Tx]int) writing {
	return func(ctx context.Context, tx *sql.Tx) error {
		ran[tx]++
		_, err := tx.ExecContext(ctx, `INSERT INTO fleets (id, name, disabled) VALUES (?, '', 0)`, id)
		return err
	}
}

func adds(t *testing.T, db *DB, id domain.FleetID, ran map[*sql.Tx]int) func() {
	return func() {
		if err := db.write(context.Background(), "test", addsFleet(id, ran)); err != nil {
			t.Error(err)
		}
	}
}

func wantFleets(t *testing.T, db *DB, want string) {
	t.Helper()
	if got := text(t, db, `SELECT group_concat(id, ' ' ORDER BY id) FROM fleets`); got != want {
		t.Errorf("the fleets are %s, want %s", got, want)
	}
}

func TestWritesTogether(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	ran := map[*sql.Tx]int{} // one write at a time runs
	var calls []func()
	for id := range domain.FleetID(4) {
		calls = append(calls, adds(t, db, id+1, ran))
	}
	together(t, db, calls...)
	if len(ran) != 1 {
		t.Errorf("four writes that waited had %d transactions", len(ran))
	}
	wantFleets(t, db, "1 2 3 4")
}

// A write that fails, panics or is given up takes no other with it.
func TestFailedWritesTogether(t *testing.T) {
	t.Parallel()
	failure := domain.Errorf(domain.NotFound, "a failure")
	for name, bad := range map[string]func(*testing.T, *DB){
		"fails": func(t *testing.T, db *DB) {
			err := db.write(context.Background(), "test", func(context.Context, *sql.Tx) error { return failure })
			wantKind(t, err, domain.NotFound)
		},
		"rolls back": func(t *testing.T, db *DB) {
			err := db.write(context.Background(), "test", func(ctx context.Context, tx *sql.Tx) error {
				_, err := tx.ExecContext(ctx, `INSERT OR ROLLBACK INTO fleets (id, name, disabled) VALUES (3, NULL, 0)`)
				return err
			})
			wantKind(t, err, domain.Internal)
		},
		"panics": func(t *testing.T, db *DB) {
			defer func() {
				if cause := recover(); cause != "a bug" {
					t.Errorf("the panic is %v", cause)
				}
			}()
			_ = db.write(context.Background(), "test", func(context.Context, *sql.Tx) error { panic("a bug") })
		},
	} {
		for place := range 3 {
			t.Run(fmt.Sprint(name, place), func(t *testing.T) {
				t.Parallel()
				db := started(t, newURL(t))
				ran := map[*sql.Tx]int{}
				calls := []func(){func() { bad(t, db) }, func() { bad(t, db) }, func() { bad(t, db) }}
				for i := range calls {
					if i != place {
						calls[i] = adds(t, db, domain.FleetID(i+1), ran)
					}
				}
				together(t, db, calls...)
				wantFleets(t, db, []string{"2 3", "1 3", "1 2"}[place])
			})
		}
	}
}

// A write whose ctx ends while it waits doesn't run.
func TestGivenUpWhileWaiting(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	ran := map[*sql.Tx]int{}
	ctx, cancel := context.WithCancel(t.Context())
	db.writes.turn <- struct{}{}
	go cancel()
	err := db.write(ctx, "test", addsFleet(1, ran))
	if !errors.Is(err, domain.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	<-db.writes.turn
	must(t, db.write(t.Context(), "test", addsFleet(2, ran)))
	wantFleets(t, db, "2")
}
