package sqlite

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

var (
	rightPIN = domain.OfferedPIN{Current: domain.PINHash{1}}
	wrongPIN = domain.OfferedPIN{Current: domain.PINHash{2}}
)

func withPIN(t *testing.T, db *DB) *CustomerRepo {
	t.Helper()
	addCustomer(t, db, alice)
	run(t, db, `UPDATE customers SET pin_hash = x'`+domain.Digest(rightPIN.Current).String()+`'`)
	return db.CustomerRepo()
}

// kinds counts by kind how 64 attempts at once end, through two handles.
func kinds(t *testing.T, offered domain.OfferedPIN) map[domain.Kind]int {
	t.Helper()
	url := newURL(t)
	handles := []*DB{started(t, url), started(t, url)}
	withPIN(t, handles[0])
	var (
		attempts sync.WaitGroup
		mu       sync.Mutex
		ends     = map[domain.Kind]int{}
	)
	for i := range 64 {
		attempts.Go(func() {
			err := handles[i%2].CustomerRepo().TryPIN(context.Background(), alice, offered)
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				ends[""]++
				return
			}
			ends[domain.AsError(err).Kind]++
		})
	}
	attempts.Wait()
	return ends
}

func TestPINsAtOnce(t *testing.T) {
	t.Parallel()
	if ends := kinds(t, rightPIN); ends[""] != 64 {
		t.Errorf("64 right PINs at once end with %v", ends)
	}
	if ends := kinds(t, wrongPIN); ends[domain.InvalidPIN] != domain.MaxWrongPINs || ends[domain.PINLocked] != 64-domain.MaxWrongPINs {
		t.Errorf("64 wrong PINs at once end with %v", ends)
	}
}

// guess returns how many of its wrong PINs were compared.
func guess(ctx context.Context, db *DB) (compared int) {
	for range guesses {
		if errors.Is(db.CustomerRepo().TryPIN(ctx, alice, wrongPIN), domain.InvalidPIN) {
			compared++
		}
	}
	return compared
}

func TestPINsAcrossProcesses(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	withPIN(t, db)
	var all sync.WaitGroup
	var counts [3]int
	for i := range counts {
		other := child(t, taskGuess, db)
		all.Go(func() {
			out, err := other.Output()
			if err == nil {
				_, err = fmt.Sscan(string(out), &counts[i])
			}
			if err != nil {
				t.Error(err)
			}
		})
	}
	compared := guess(t.Context(), db)
	all.Wait()
	for _, count := range counts {
		compared += count
	}
	if compared != domain.MaxWrongPINs {
		t.Errorf("%d wrong PINs were compared, want %d", compared, domain.MaxWrongPINs)
	}
}

func TestPINLockEnds(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	repo := withPIN(t, db)
	for range domain.MaxWrongPINs {
		wantKind(t, repo.TryPIN(t.Context(), alice, wrongPIN), domain.InvalidPIN)
	}
	err := repo.TryPIN(t.Context(), alice, rightPIN)
	wantKind(t, err, domain.PINLocked)
	if wait := domain.AsError(err).RetryAfter; wait <= 0 || wait > domain.PINLockDuration || wait%time.Microsecond != 0 {
		t.Errorf("RetryAfter = %v", wait)
	}
	endLock(t, db)
	must(t, repo.TryPIN(t.Context(), alice, rightPIN))
	if got := lockOf(t, db); got != "0 - 0" {
		t.Errorf("after a right PIN the lock is %s", got)
	}
	wantKind(t, repo.TryPIN(t.Context(), domain.CustomerRef{Fleet: 1, Customer: 1}, rightPIN), domain.CustomerNotFound)
}

func TestPINLocksForGood(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	repo := withPIN(t, db)
	for range domain.MaxWrongPINsInAll {
		wantKind(t, repo.TryPIN(t.Context(), alice, wrongPIN), domain.InvalidPIN)
		endLock(t, db)
	}
	err := repo.TryPIN(t.Context(), alice, rightPIN)
	wantKind(t, err, domain.PINLocked)
	if wait := domain.AsError(err).RetryAfter; wait != 0 {
		t.Errorf("RetryAfter = %v, want 0", wait)
	}
	must(t, repo.UnlockPIN(t.Context(), alice))
	if got := lockOf(t, db); got != "0 - 0" {
		t.Errorf("after UnlockPIN the lock is %s", got)
	}
	must(t, repo.TryPIN(t.Context(), alice, rightPIN))
	wantKind(t, repo.UnlockPIN(t.Context(), domain.CustomerRef{Fleet: 1, Customer: 1}), domain.CustomerNotFound)
}

// A PIN that is stored under the old key is stored under the current one once it
// is offered, and nothing is written where nothing changes.
func TestPINWrites(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	repo := withPIN(t, db)
	rotated := domain.OfferedPIN{Current: domain.PINHash{3}, Old: rightPIN.Current}
	for _, step := range []struct {
		offered domain.OfferedPIN
		want    error
		writes  int
	}{
		{rightPIN, nil, 0},
		{rotated, nil, 1},
		{rotated, nil, 0},
		{rightPIN, domain.InvalidPIN, 1},
		{wrongPIN, domain.InvalidPIN, 1},
		{wrongPIN, domain.InvalidPIN, 1},
		{wrongPIN, domain.InvalidPIN, 1},
		{wrongPIN, domain.InvalidPIN, 1},
		{wrongPIN, domain.PINLocked, 0},
		{rotated, domain.PINLocked, 0},
	} {
		before := written(t, db)
		if err := repo.TryPIN(t.Context(), alice, step.offered); !errors.Is(err, step.want) {
			t.Errorf("%v: got %v, want %v", step, err, step.want)
		}
		if got := written(t, db) - before; got != step.writes {
			t.Errorf("%v: %d rows were written", step, got)
		}
	}
}

func TestBindPINKey(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	repo := db.CustomerRepo()
	first, second := domain.PINKeyFingerprint{1}, domain.PINKeyFingerprint{2}
	must(t, repo.BindPINKey(t.Context(), second, domain.PINKeyFingerprint{}))
	must(t, repo.BindPINKey(t.Context(), first, domain.PINKeyFingerprint{})) // no customer has a PIN
	withPIN(t, db)
	wantKind(t, repo.BindPINKey(t.Context(), second, domain.PINKeyFingerprint{}), domain.Conflict)
	wantKind(t, repo.BindPINKey(t.Context(), second, domain.PINKeyFingerprint{3}), domain.Conflict)
	must(t, repo.BindPINKey(t.Context(), first, domain.PINKeyFingerprint{}))
	must(t, repo.BindPINKey(t.Context(), second, first))
	must(t, repo.BindPINKey(t.Context(), second, first))
	wantKind(t, repo.BindPINKey(t.Context(), first, domain.PINKeyFingerprint{}), domain.Conflict)
}

func endLock(t *testing.T, db *DB) {
	t.Helper()
	run(t, db, `UPDATE customers SET pin_locked_until = 1 WHERE pin_locked_until IS NOT NULL`)
}

func lockOf(t *testing.T, db *DB) string {
	t.Helper()
	return text(t, db, `SELECT pin_attempts || ' ' || ifnull(pin_locked_until, '-') || ' ' || pin_wrong FROM customers`)
}

// text returns the one value of a query.
func text(t *testing.T, db *DB, query string) (value string) {
	t.Helper()
	must(t, db.writer.QueryRowContext(t.Context(), query).Scan(&value))
	return strings.TrimSpace(value)
}

// written returns how many rows the writing connection has written.
func written(t *testing.T, db *DB) (rows int) {
	t.Helper()
	must(t, db.writer.QueryRowContext(t.Context(), `SELECT total_changes()`).Scan(&rows))
	return rows
}

func wantKind(t *testing.T, err error, want domain.Kind) {
	t.Helper()
	if !errors.Is(err, want) {
		t.Errorf("got %v, want %v", err, want)
	}
}
