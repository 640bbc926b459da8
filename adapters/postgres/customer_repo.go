package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// CustomerRepo is a ports.CustomerRepo in a PostgreSQL database.
type CustomerRepo struct{ db *DB }

var (
	_ ports.CustomerRepo      = (*CustomerRepo)(nil)
	_ ports.CustomerDirectory = (*CustomerRepo)(nil)
	_ ports.PINKeyBinder      = (*CustomerRepo)(nil)
)

// FindCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
	return r.find(ctx, rows.NoCustomer(ref), `WHERE fleet_id = $1 AND id = $2`, ref.Fleet, ref.Customer)
}

func (r *CustomerRepo) find(ctx context.Context, notFound *domain.Error, where string, args ...any) (found domain.Customer, err error) {
	err = r.db.do(ctx, "find customer", func(conn *pgxpool.Conn) error {
		found, err = rows.ScanCustomer(conn.QueryRow(ctx, rows.SelectCustomer+where, args...))
		return ifNone(err, notFound)
	})
	if err != nil {
		return domain.Customer{}, err
	}
	return found, nil
}

// Customers implements ports.CustomerDirectory.
func (r *CustomerRepo) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
	return list(ctx, r.db, "list customers", rows.ScanCustomer,
		rows.SelectCustomer+`WHERE (fleet_id, id) > ($1, $2) ORDER BY fleet_id, id LIMIT $3`, after.Fleet, after.Customer, max(limit, 0))
}

// FindByPhone implements ports.CustomerRepo.
func (r *CustomerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	return r.find(ctx, rows.NoPhone(), `WHERE fleet_id = $1 AND phone = $2`, fleet, phone)
}

// CountPINAttempt implements ports.CustomerRepo.
func (r *CustomerRepo) CountPINAttempt(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
	return r.db.write(ctx, "count PIN attempt", func(tx pgx.Tx) error {
		var lock domain.PINLock
		err := tx.QueryRow(ctx,
			`SELECT attempts, locked_until FROM pin_locks WHERE fleet_id = $1 AND customer_id = $2 FOR UPDATE`, ref.Fleet, ref.Customer,
		).Scan(&lock.Attempts, (*rows.Time)(&lock.LockedUntil))
		if err != nil {
			return ifNone(err, rows.NoCustomer(ref))
		}
		counted, err := lock.Count(now)
		if err != nil {
			return err
		}
		_, err = tx.Exec(ctx, setPINLock, counted.Attempts, instant(counted.LockedUntil), ref.Fleet, ref.Customer)
		return err
	})
}

// ResetPINLock implements ports.CustomerRepo.
func (r *CustomerRepo) ResetPINLock(ctx context.Context, ref domain.CustomerRef) error {
	return r.db.update(ctx, "reset PIN lock", rows.NoCustomer(ref), setPINLock, 0, nil, ref.Fleet, ref.Customer)
}

const setPINLock = `UPDATE pin_locks SET attempts = $1, locked_until = $2 WHERE fleet_id = $3 AND customer_id = $4`

// ChangePhoto implements ports.CustomerRepo. While change runs, the customer's
// row is locked in a transaction.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.whileLocked(ctx, ref, func(tx pgx.Tx, record domain.PhotoRecord) error {
		return changeLocked(ctx, tx, ref, record, change)
	})
}

// RemoveCustomer implements ports.CustomerDirectory. It locks as ChangePhoto does.
func (r *CustomerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
	return r.whileLocked(ctx, ref, func(tx pgx.Tx, _ domain.PhotoRecord) error {
		if err := deletePhoto(ctx); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, `DELETE FROM customers WHERE fleet_id = $1 AND id = $2`, ref.Fleet, ref.Customer)
		if err == nil {
			_, err = tx.Exec(ctx, `DELETE FROM pin_locks WHERE fleet_id = $1 AND customer_id = $2`, ref.Fleet, ref.Customer)
		}
		if err == nil {
			err = commit(ctx, tx)
		}
		return translate("remove customer", err)
	})
}

// whileLocked runs f, which commits, in a transaction that holds the customer's
// row. What fails before f is repeated where that is worth it, f never.
func (r *CustomerRepo) whileLocked(ctx context.Context, ref domain.CustomerRef, f func(pgx.Tx, domain.PhotoRecord) error) error {
	leave, err := r.db.takeTurn(ctx, ref)
	if err != nil {
		return translate("wait for the customer's turn", err)
	}
	defer leave()

	var done error
	err = r.db.do(ctx, "lock the customer", func(conn *pgxpool.Conn) error {
		return r.db.transact(ctx, conn, func(tx pgx.Tx) error {
			record, err := lockPhoto(ctx, tx, ref)
			if err == nil {
				done = f(tx, record)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	return done
}

func lockPhoto(ctx context.Context, tx pgx.Tx, ref domain.CustomerRef) (record domain.PhotoRecord, err error) {
	err = tx.QueryRow(ctx,
		`SELECT `+rows.PhotoColumns+` FROM customers WHERE fleet_id = $1 AND id = $2 FOR UPDATE`, ref.Fleet, ref.Customer,
	).Scan(rows.PhotoInto(&record)...)
	return record, ifNone(err, rows.NoCustomer(ref))
}

func changeLocked(ctx context.Context, tx pgx.Tx, ref domain.CustomerRef, record domain.PhotoRecord, change ports.PhotoChange) error {
	record, err := change(ctx, record)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx,
		`UPDATE customers SET (`+rows.PhotoColumns+`) = ($1, $2, $3, $4, $5, $6) WHERE fleet_id = $7 AND id = $8`,
		append(rows.PhotoValues(record, instant(record.ChangedAt)), ref.Fleet, ref.Customer)...)
	if err == nil {
		err = commit(ctx, tx)
	}
	return translate("store the photo's record", err)
}

// BindPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BindPINKey(ctx context.Context, key domain.PINKeyFingerprint) error {
	return r.db.write(ctx, "bind PIN key", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO pin_key (id, fingerprint) VALUES (1, $1) ON CONFLICT (id) DO UPDATE SET fingerprint = $1
			WHERE NOT EXISTS (SELECT 1 FROM customers WHERE pin_hash IS NOT NULL)`, key[:])
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
