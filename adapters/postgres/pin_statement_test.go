package postgres

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// tryPIN does what domain.PINLock.Try says, whatever is stored and offered. Its
// commit need not be durable where nothing is stored, and only there.
func TestPINStatementIsTheDomains(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	oneOf := func(of ...domain.PINHash) domain.PINHash { return of[rand.N(len(of))] }
	seen := map[string]bool{}
	for range 1000 {
		before := domain.PINLock{Attempts: rand.N(8), Wrong: []int{0, 1, 4, 98, 99, 100, 101}[rand.N(7)]}
		if rand.N(2) == 0 {
			before.LockedUntil = time.Now().Add(rand.N(time.Hour) - 30*time.Minute).UTC().Truncate(time.Microsecond)
		}
		if rand.N(4) == 0 {
			before = domain.PINLock{}
		}
		stored := oneOf(domain.PINHash{}, aPIN, newPIN)
		offered := domain.OfferedPIN{Current: oneOf(domain.PINHash{}, aPIN, newPIN), Old: oneOf(domain.PINHash{}, aPIN, newPIN)}
		got := tryOnce(t, db, before, stored, offered)
		after, pin, err := before.Try(stored, offered, got.now)
		if want := (tried{before, stored, after, pin, got.now, after != before || pin != stored}); got != want {
			t.Fatalf("Try(%+v) of %+v, %x: got %+v, want %+v", offered, before, stored[0], got, want)
		}
		seen[fmt.Sprint(errors.Is(err, domain.InvalidPIN), errors.Is(err, domain.PINLocked), got.durable)] = true
	}
	if len(seen) != 4 { // right ones, with and without something to store, wrong ones and locked ones
		t.Errorf("not all cases came up: %v", seen)
	}
}

// tried is what tryPIN returned and stored.
type tried struct {
	before  domain.PINLock
	stored  domain.PINHash
	after   domain.PINLock
	pin     domain.PINHash
	now     time.Time
	durable bool
}

// tryOnce tries a PIN of alice, in a transaction that stores nothing.
func tryOnce(t *testing.T, db *DB, before domain.PINLock, stored domain.PINHash, offered domain.OfferedPIN) (got tried) {
	t.Helper()
	ctx := t.Context()
	tx, err := db.pool.Begin(ctx)
	must(t, err)
	defer func() { must(t, tx.Rollback(context.WithoutCancel(ctx))) }()
	set := &pgx.Batch{}
	set.Queue(`SET LOCAL synchronous_commit = on`)
	set.Queue(`UPDATE pin_locks SET attempts = $1, wrong = $2, locked_until = $3 WHERE customer_id = $4`, before.Attempts, before.Wrong, instant(before.LockedUntil), alice.Customer)
	set.Queue(`UPDATE customers SET pin_hash = $1 WHERE id = $2`, rows.Digest(stored), alice.Customer)
	set.Queue(tryPIN, tryValues(alice, offered)...).QueryRow(func(row pgx.Row) error {
		return row.Scan(&got.before.Attempts, &got.before.Wrong, (*rows.Time)(&got.before.LockedUntil), (*rows.Digest)(&got.stored), &got.now, nil)
	})
	set.Queue(`SELECT attempts, wrong, locked_until, pin_hash, current_setting('synchronous_commit') = 'on'
		FROM pin_locks, customers WHERE id = $1 AND customer_id = $1`, alice.Customer).QueryRow(func(row pgx.Row) error {
		return row.Scan(&got.after.Attempts, &got.after.Wrong, (*rows.Time)(&got.after.LockedUntil), (*rows.Digest)(&got.pin), &got.durable)
	})
	must(t, tx.SendBatch(ctx, set).Close())
	got.now = got.now.UTC()
	return got
}

// Whoever waits for another attempt goes by what that one stored.
func TestPINAfterAnotherAttempt(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	for _, test := range []struct {
		name     string
		attempts int
		locked   bool
		offered  domain.OfferedPIN
		want     error
		after    int
	}{
		{"a right one, while unlocked", 4, false, right, nil, 0},
		{"a right one, while locked", 5, true, right, domain.PINLocked, 5},
		{"a wrong one, while unlocked", 4, false, wrong, domain.InvalidPIN, 5},
		{"a wrong one, while locked", 5, true, wrong, domain.PINLocked, 5},
	} {
		must(t, db.CustomerRepo().UnlockPIN(t.Context(), alice))
		other, err := db.pool.Begin(bounded(t))
		must(t, err)
		t.Cleanup(func() { _ = other.Rollback(context.Background()) })
		_, err = other.Exec(t.Context(), `UPDATE pin_locks SET attempts = $1, wrong = $1, locked_until = CASE WHEN $2 THEN clock_timestamp() + interval '1 hour' END`,
			test.attempts, test.locked)
		must(t, err)
		result := make(chan error, 1)
		go func() { result <- db.CustomerRepo().TryPIN(bounded(t), alice, test.offered) }()
		until(t, db, `SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`)
		must(t, other.Commit(t.Context()))
		if err := <-result; !errors.Is(err, test.want) {
			t.Errorf("%s = %v, want %v", test.name, err, test.want)
		}
		if got := pinLock(t, db); got.Attempts != test.after || got.Wrong != test.after || got.LockedUntil.IsZero() != (test.after < domain.MaxWrongPINs) {
			t.Errorf("after %s the lock is %+v, want %d attempts", test.name, got, test.after)
		}
	}
}
