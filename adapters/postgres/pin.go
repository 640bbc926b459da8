package postgres

import (
	"cmp"
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// TryPIN implements ports.CustomerRepo. It holds the row of the PIN's lock alone.
// Where nothing is to be stored, there is nothing to commit.
func (r *CustomerRepo) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	return r.db.do(ctx, "try PIN", func(conn *pgxpool.Conn) error {
		return r.db.transact(ctx, conn, func(tx pgx.Tx) error {
			before, stored, now, err := lockPIN(ctx, tx, ref)
			if err != nil {
				return err
			}
			after, pin, tried := before.Try(stored, offered, now)
			if after != before {
				_, err = tx.Exec(ctx, setPINLock, after.Attempts, after.Wrong, instant(after.LockedUntil), ref.Fleet, ref.Customer)
			}
			if err == nil && pin != stored {
				_, err = tx.Exec(ctx, rehashPIN, rows.Digest(pin), rows.Digest(stored), ref.Fleet, ref.Customer)
			}
			if err == nil && (after != before || pin != stored) {
				err = commit(ctx, tx)
			}
			return cmp.Or(err, tried)
		})
	})
}

func lockPIN(ctx context.Context, tx pgx.Tx, ref domain.CustomerRef) (lock domain.PINLock, stored domain.PINHash, now time.Time, err error) {
	err = tx.QueryRow(ctx, `
		SELECT attempts, wrong, locked_until, pin_hash, clock_timestamp()
		FROM pin_locks JOIN customers ON customers.fleet_id = pin_locks.fleet_id AND customers.id = customer_id
		WHERE pin_locks.fleet_id = $1 AND customer_id = $2 FOR UPDATE OF pin_locks`, ref.Fleet, ref.Customer,
	).Scan(&lock.Attempts, &lock.Wrong, (*rows.Time)(&lock.LockedUntil), (*rows.Digest)(&stored), &now)
	return lock, stored, now, ifNone(err, rows.NoCustomer(ref))
}

// UnlockPIN implements ports.CustomerDirectory.
func (r *CustomerRepo) UnlockPIN(ctx context.Context, ref domain.CustomerRef) error {
	return r.db.update(ctx, "unlock PIN", rows.NoCustomer(ref), setPINLock, 0, 0, nil, ref.Fleet, ref.Customer)
}

const (
	setPINLock = `UPDATE pin_locks SET attempts = $1, wrong = $2, locked_until = $3 WHERE fleet_id = $4 AND customer_id = $5`

	// rehashPIN leaves the PIN to the next right one where a change of the photo
	// holds the customer's row, for which TryPIN doesn't wait.
	rehashPIN = `UPDATE customers SET pin_hash = $1 WHERE fleet_id = $3 AND id = (
		SELECT id FROM customers WHERE fleet_id = $3 AND id = $4 AND pin_hash = $2 FOR NO KEY UPDATE SKIP LOCKED)`
)

// BindPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BindPINKey(ctx context.Context, key, old domain.PINKeyFingerprint) error {
	return r.db.write(ctx, "bind PIN key", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO pin_key (id, fingerprint) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET fingerprint = $1
			WHERE pin_key.fingerprint = $2 OR NOT EXISTS (SELECT 1 FROM customers WHERE pin_hash IS NOT NULL)`, key[:], old[:])
		if err != nil {
			return err
		}
		var bound domain.PINKeyFingerprint
		err = tx.QueryRow(ctx, `SELECT fingerprint FROM pin_key WHERE id = 1`).Scan((*rows.Digest)(&bound))
		if err == nil && bound != key {
			return rows.OtherPINKey()
		}
		return err
	})
}
