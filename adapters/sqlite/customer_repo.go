package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// CustomerRepo is a ports.CustomerRepo in a SQLite file.
type CustomerRepo struct{ db *DB }

var (
	_ ports.CustomerRepo      = (*CustomerRepo)(nil)
	_ ports.CustomerDirectory = (*CustomerRepo)(nil)
	_ ports.PINKeyBinder      = (*CustomerRepo)(nil)
)

// FindByPhone implements ports.CustomerRepo.
func (r *CustomerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	return r.find(ctx, rows.NoPhone(), `WHERE fleet_id = ? AND phone = ?`, fleet, phone)
}

// FindCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
	return r.find(ctx, rows.NoCustomer(ref), `WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer)
}

func (r *CustomerRepo) find(ctx context.Context, notFound *domain.Error, where string, args ...any) (domain.Customer, error) {
	found, err := rows.ScanCustomer(r.db.readers.QueryRowContext(ctx, rows.SelectCustomer+where, args...))
	if err != nil {
		return domain.Customer{}, translate("find customer", ifNone(err, notFound))
	}
	return found, nil
}

// Customers implements ports.CustomerDirectory.
func (r *CustomerRepo) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
	customers, err := list(ctx, r.db.readers, rows.ScanCustomer,
		rows.SelectCustomer+`WHERE (fleet_id, id) > (?, ?) ORDER BY fleet_id, id LIMIT ?`, after.Fleet, after.Customer, max(limit, 0))
	return customers, translate("list customers", err)
}

// CountPINAttempt implements ports.CustomerRepo.
func (r *CustomerRepo) CountPINAttempt(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
	return r.db.write(ctx, "count PIN attempt", func(tx *sql.Tx) error {
		var lock domain.PINLock
		err := tx.QueryRowContext(ctx,
			`SELECT pin_attempts, pin_locked_until FROM customers WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer,
		).Scan(&lock.Attempts, (*rows.Time)(&lock.LockedUntil))
		if err != nil {
			return ifNone(err, rows.NoCustomer(ref))
		}
		counted, err := lock.Count(now)
		if err != nil {
			return err
		}
		_, err = tx.ExecContext(ctx, setPINLock, counted.Attempts, micros(counted.LockedUntil), ref.Fleet, ref.Customer)
		return err
	})
}

// ResetPINLock implements ports.CustomerRepo.
func (r *CustomerRepo) ResetPINLock(ctx context.Context, ref domain.CustomerRef) error {
	return r.db.update(ctx, "reset PIN lock", rows.NoCustomer(ref), setPINLock, 0, nil, ref.Fleet, ref.Customer)
}

const setPINLock = `UPDATE customers SET pin_attempts = ?, pin_locked_until = ? WHERE fleet_id = ? AND id = ?`

// ChangePhoto implements ports.CustomerRepo. While change runs, the customer's
// lock file is held and no transaction.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	unlock, err := r.db.locks.lockCustomer(ctx, ref)
	if err != nil {
		return translate("wait for the customer's lock", err)
	}
	defer unlock()

	found, err := r.FindCustomer(ctx, ref)
	if err != nil {
		return err
	}
	record, err := change(ctx, found.Photo)
	if err != nil {
		return err
	}
	return r.db.update(ctx, "store the photo's record", rows.NoCustomer(ref),
		`UPDATE customers SET (`+rows.PhotoColumns+`) = (?, ?, ?, ?, ?, ?) WHERE fleet_id = ? AND id = ?`,
		append(rows.PhotoValues(record, micros(record.ChangedAt)), ref.Fleet, ref.Customer)...)
}

// RemoveCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
	unlock, err := r.db.locks.lockCustomer(ctx, ref)
	if err != nil {
		return translate("wait for the customer's lock", err)
	}
	defer unlock()

	if _, err := r.FindCustomer(ctx, ref); err != nil {
		return err
	}
	if err := deletePhoto(ctx); err != nil {
		return err
	}
	return r.db.update(ctx, "remove customer", rows.NoCustomer(ref), `DELETE FROM customers WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer)
}

// BindPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BindPINKey(ctx context.Context, key domain.PINKeyFingerprint) error {
	return r.db.write(ctx, "bind PIN key", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO pin_key (id, fingerprint) VALUES (1, ?1) ON CONFLICT (id) DO UPDATE SET fingerprint = ?1
			WHERE NOT EXISTS (SELECT 1 FROM customers WHERE pin_hash IS NOT NULL)`, key[:])
		if err != nil {
			return err
		}
		var bound domain.PINKeyFingerprint
		err = tx.QueryRowContext(ctx, `SELECT fingerprint FROM pin_key`).Scan((*rows.Digest)(&bound))
		if err == nil && bound != key {
			return rows.OtherPINKey()
		}
		return err
	})
}
