package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// TryPIN implements ports.CustomerRepo. The statement stores the attempt's result;
// the verdict follows from the state before it.
func (r *CustomerRepo) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	var before domain.PINLock
	var stored domain.PINHash
	var now time.Time
	err := r.db.autocommit(ctx, "try PIN",
		[]any{&before.Attempts, &before.Wrong, (*rows.Time)(&before.LockedUntil), (*rows.Digest)(&stored), &now, nil},
		tryPIN, tryValues(ref, offered)...)
	if err != nil {
		return rows.IfNone(err, rows.NoCustomer(ref))
	}
	_, _, err = before.Try(stored, offered, now)
	return err
}

// tryPIN stores the result of domain.PINLock.Try and returns the state before it.
// It waits only for the row in pin_locks: before sees that row as the last attempt
// left it, even if the statement began earlier, and the rest builds on before.
// tried is empty while the PIN is locked. If a photo's change holds the customer's
// row, rehashed skips it, and the next right PIN is rehashed instead. If nothing is
// stored, the commit doesn't wait for the disk.
const tryPIN = `
	WITH before AS (
		SELECT attempts, wrong, locked_until, pin_hash, clock_timestamp() AS now
		FROM pin_locks JOIN customers ON customers.fleet_id = pin_locks.fleet_id AND customers.id = customer_id
		WHERE pin_locks.fleet_id = $1 AND customer_id = $2 FOR UPDATE OF pin_locks
	), tried AS (
		SELECT *, coalesce(pin_hash IN ($3, $4), false) AS matches, CASE WHEN locked_until IS NULL THEN attempts ELSE 0 END + 1 AS attempt
		FROM before WHERE wrong < $5 AND (locked_until > now) IS NOT TRUE
	), counted AS (
		UPDATE pin_locks SET
			attempts = CASE WHEN matches THEN 0 ELSE attempt END,
			wrong = CASE WHEN matches THEN 0 ELSE tried.wrong + 1 END,
			locked_until = CASE WHEN NOT matches AND attempt >= $6 THEN now + $7::bigint * interval '1 microsecond' END
		FROM tried WHERE fleet_id = $1 AND customer_id = $2
			AND (NOT matches OR tried.attempts <> 0 OR tried.wrong <> 0 OR tried.locked_until IS NOT NULL)
		RETURNING true
	), rehashed AS (
		UPDATE customers SET pin_hash = $3 WHERE fleet_id = $1 AND id = (
			SELECT id FROM customers JOIN tried ON customers.pin_hash = tried.pin_hash
			WHERE fleet_id = $1 AND id = $2 AND matches AND tried.pin_hash IS DISTINCT FROM $3 FOR NO KEY UPDATE OF customers SKIP LOCKED)
		RETURNING true
	)
	SELECT attempts, wrong, locked_until, pin_hash, now, CASE WHEN NOT EXISTS (SELECT * FROM counted UNION ALL SELECT * FROM rehashed)
		THEN set_config('synchronous_commit', 'off', true) END
	FROM before`

// tryValues are the values of tryPIN.
func tryValues(ref domain.CustomerRef, offered domain.OfferedPIN) []any {
	return []any{
		ref.Fleet, ref.Customer, rows.Digest(offered.Current), rows.Digest(offered.Old),
		domain.MaxWrongPINsInAll, domain.MaxWrongPINs, domain.PINLockDuration.Microseconds(),
	}
}

// UnlockPIN implements ports.CustomerDirectory.
func (r *CustomerRepo) UnlockPIN(ctx context.Context, ref domain.CustomerRef) error {
	return r.db.update(ctx, "unlock PIN", rows.NoCustomer(ref),
		`UPDATE pin_locks SET attempts = 0, wrong = 0, locked_until = NULL WHERE fleet_id = $1 AND customer_id = $2`, ref.Fleet, ref.Customer)
}

// BindPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BindPINKey(ctx context.Context, key, old domain.PINKeyFingerprint) error {
	return r.db.write(ctx, "bind PIN key", func(tx pgx.Tx) error { return rows.BindPINKey(rowsTx{ctx, tx}, key, old) })
}
