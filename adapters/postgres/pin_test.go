package postgres

import (
	"context"
	"errors"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

var (
	aPIN, newPIN = domain.PINHash{1}, domain.PINHash{2} // of the same PIN, under the old key and the new one
	right        = domain.OfferedPIN{Current: aPIN}
	wrong        = domain.OfferedPIN{Current: domain.PINHash{9}}
)

const guesses = 64

// guarded is a database where alice has aPIN.
func guarded(t *testing.T) *DB {
	t.Helper()
	db := started(t, newURL(t))
	_, err := db.CustomerRepo().ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: alice, Phone: 1, PIN: aPIN}})
	must(t, err)
	return db
}

func pinLock(t *testing.T, db *DB) (lock domain.PINLock) {
	t.Helper()
	must(t, db.pool.QueryRow(t.Context(), `SELECT attempts, wrong, locked_until FROM pin_locks`).Scan(
		&lock.Attempts, &lock.Wrong, (*rows.Time)(&lock.LockedUntil)))
	return lock
}

// kinds tries a PIN many times at once and counts what came of it; "" is success.
func kinds(try func() error) map[domain.Kind]int {
	var mu sync.Mutex
	var all sync.WaitGroup
	counts := map[domain.Kind]int{}
	for range guesses {
		all.Go(func() {
			err := try()
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				counts[""]++
			} else {
				counts[domain.AsError(err).Kind]++
			}
		})
	}
	all.Wait()
	return counts
}

func TestPINsAtOnce(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	try := func(offered domain.OfferedPIN) func() error {
		return func() error { return db.CustomerRepo().TryPIN(t.Context(), alice, offered) }
	}
	if got := kinds(try(right)); got[""] != guesses {
		t.Errorf("right PINs: %v, want %d successes", got, guesses)
	}
	if got := pinLock(t, db); got != (domain.PINLock{}) {
		t.Errorf("after right PINs the lock is %+v", got)
	}
	got := kinds(try(wrong))
	if got[domain.InvalidPIN] != domain.MaxWrongPINs || got[domain.PINLocked] != guesses-domain.MaxWrongPINs {
		t.Errorf("wrong PINs: %v, want %d InvalidPIN and the others PINLocked", got, domain.MaxWrongPINs)
	}
	if err := try(right)(); !errors.Is(err, domain.PINLocked) {
		t.Errorf("a right PIN, while locked = %v, want PINLocked", err)
	}
	must(t, db.CustomerRepo().UnlockPIN(t.Context(), alice))
	must(t, try(right)())
}

// A caller who hangs up counts no right PIN.
func TestRightPINsThatAreGivenUp(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	got := kinds(func() error {
		ctx, cancel := context.WithTimeout(t.Context(), rand.N(20*time.Millisecond))
		defer cancel()
		return db.CustomerRepo().TryPIN(ctx, alice, right)
	})
	if got[""]+got[domain.Unavailable] != guesses {
		t.Errorf("got %v, want successes and Unavailable", got)
	}
	if got := pinLock(t, db); got != (domain.PINLock{}) {
		t.Errorf("the lock is %+v, want none", got)
	}
	must(t, db.CustomerRepo().TryPIN(t.Context(), alice, right))
}

// What isn't stored isn't told: there are no guesses beyond those that are counted.
func TestPINIsToldAfterTheCommit(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	run(t, db, `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'full' USING ERRCODE = '53100'; END $$;
		CREATE CONSTRAINT TRIGGER refuses AFTER UPDATE ON pin_locks DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()`)
	if err := db.CustomerRepo().TryPIN(t.Context(), alice, wrong); !errors.Is(err, domain.Unavailable) {
		t.Errorf("a wrong PIN that isn't counted = %v, want Unavailable", err)
	}
	must(t, db.CustomerRepo().TryPIN(t.Context(), alice, right))
}

// The lock ends by the server's clock; a hundred wrong PINs lock for good.
func TestPINLockEnds(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	try := func(offered domain.OfferedPIN, want domain.Kind) {
		t.Helper()
		if err := db.CustomerRepo().TryPIN(t.Context(), alice, offered); !errors.Is(err, want) {
			t.Fatalf("TryPIN = %v, want %v", err, want)
		}
	}
	for range domain.MaxWrongPINsInAll / domain.MaxWrongPINs {
		for range domain.MaxWrongPINs {
			try(wrong, domain.InvalidPIN)
		}
		try(right, domain.PINLocked)
		run(t, db, `UPDATE pin_locks SET locked_until = clock_timestamp()`)
	}
	try(right, domain.PINLocked)
	run(t, db, `UPDATE pin_locks SET wrong = wrong - 1`)
	must(t, db.CustomerRepo().TryPIN(t.Context(), alice, right))
	if got := pinLock(t, db); got != (domain.PINLock{}) {
		t.Errorf("after a right PIN the lock is %+v", got)
	}
	must(t, db.CustomerRepo().TryPIN(t.Context(), alice, right))
}

// While a change holds the customer, a PIN under the old key is right at once,
// and is stored under the new key by the next one after the change.
func TestRotationWaitsForNoChange(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	both := domain.OfferedPIN{Current: newPIN, Old: aPIN}
	stored := func(want domain.PINHash) {
		t.Helper()
		if got, err := db.CustomerRepo().FindCustomer(t.Context(), alice); got.PIN != want || err != nil {
			t.Errorf("the stored PIN is %x, %v; want %x", got.PIN, err, want)
		}
	}
	must(t, db.CustomerRepo().ChangePhoto(bounded(t), alice, func(ctx context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		if err := db.CustomerRepo().TryPIN(ctx, alice, wrong); !errors.Is(err, domain.InvalidPIN) {
			t.Errorf("a wrong PIN = %v", err)
		}
		return current, db.CustomerRepo().TryPIN(ctx, alice, both)
	}))
	stored(aPIN)
	if got := kinds(func() error { return db.CustomerRepo().TryPIN(t.Context(), alice, both) }); got[""] != guesses {
		t.Errorf("right PINs: %v, want %d successes", got, guesses)
	}
	stored(newPIN)
}

func TestBindPINKeyThatRotates(t *testing.T) {
	t.Parallel()
	db := guarded(t)
	one, two, three := domain.PINKeyFingerprint{1}, domain.PINKeyFingerprint{2}, domain.PINKeyFingerprint{3}
	for _, step := range []struct {
		key, old domain.PINKeyFingerprint
		want     error
	}{
		{key: one},
		{key: two, want: domain.Conflict},
		{key: two, old: three, want: domain.Conflict},
		{key: two, old: one},
		{key: two, old: one},
		{key: one, want: domain.Conflict},
	} {
		if err := db.CustomerRepo().BindPINKey(t.Context(), step.key, step.old); !errors.Is(err, step.want) {
			t.Errorf("BindPINKey(%x, %x) = %v, want %v", step.key[0], step.old[0], err, step.want)
		}
	}
}
