package sqlite

import (
	"context"
	"database/sql"
	"errors"
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
	found, err := rows.ScanCustomer(r.db.readers.QueryRowContext(ctx, rows.SelectCustomer+`WHERE fleet_id = ? AND phone = ?`, fleet, phone))
	if errors.Is(err, sql.ErrNoRows) {
		return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number")
	}
	if err != nil {
		return domain.Customer{}, translate("find customer", err)
	}
	return found, nil
}

// FindCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
	found, err := rows.ScanCustomer(r.db.readers.QueryRowContext(ctx, rows.SelectCustomer+`WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer))
	if err != nil {
		return domain.Customer{}, translate("find customer", ifNoCustomer(err, ref))
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
			return ifNoCustomer(err, ref)
		}
		counted, err := lock.Count(now)
		if err != nil {
			return err
		}
		return setPINLock(ctx, tx, ref, counted)
	})
}

// ResetPINLock implements ports.CustomerRepo.
func (r *CustomerRepo) ResetPINLock(ctx context.Context, ref domain.CustomerRef) error {
	return r.db.write(ctx, "reset PIN lock", func(tx *sql.Tx) error {
		return setPINLock(ctx, tx, ref, domain.PINLock{})
	})
}

func setPINLock(ctx context.Context, tx *sql.Tx, ref domain.CustomerRef, lock domain.PINLock) error {
	return update(ctx, tx, ref, `UPDATE customers SET pin_attempts = ?, pin_locked_until = ? WHERE fleet_id = ? AND id = ?`,
		lock.Attempts, micros(lock.LockedUntil))
}

// ChangePhoto implements ports.CustomerRepo. While change runs, the customer's
// lock file is held and no transaction.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	unlock, err := r.db.locks.lockCustomer(ctx, ref)
	if err != nil {
		return translate("wait for the customer's lock", err)
	}
	defer unlock()

	record, err := r.photoRecord(ctx, ref)
	if err != nil {
		return translate("read the photo's record", err)
	}
	if record, err = change(ctx, record); err != nil {
		return err
	}
	return r.db.write(ctx, "store the photo's record", func(tx *sql.Tx) error {
		return update(ctx, tx, ref, `
			UPDATE customers SET (`+rows.PhotoColumns+`) = (?, ?, ?, ?, ?, ?) WHERE fleet_id = ? AND id = ?`,
			rows.PhotoValues(record, micros(record.ChangedAt))...)
	})
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
	return r.db.write(ctx, "remove customer", func(tx *sql.Tx) error {
		return update(ctx, tx, ref, `DELETE FROM customers WHERE fleet_id = ? AND id = ?`)
	})
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
			return domain.Errorf(domain.Conflict, "the stored PINs were hashed under another key")
		}
		return err
	})
}

func (r *CustomerRepo) photoRecord(ctx context.Context, ref domain.CustomerRef) (domain.PhotoRecord, error) {
	var record domain.PhotoRecord
	err := r.db.readers.QueryRowContext(ctx,
		`SELECT `+rows.PhotoColumns+` FROM customers WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer,
	).Scan(rows.PhotoInto(&record)...)
	return record, ifNoCustomer(err, ref)
}

// update runs a statement whose last two parameters are the customer's ids.
func update(ctx context.Context, tx *sql.Tx, ref domain.CustomerRef, statement string, values ...any) error {
	found, err := changes(tx.ExecContext(ctx, statement, append(values, ref.Fleet, ref.Customer)...))
	if err == nil && !found {
		err = sql.ErrNoRows
	}
	return ifNoCustomer(err, ref)
}

func ifNoCustomer(err error, ref domain.CustomerRef) error {
	if errors.Is(err, sql.ErrNoRows) {
		return domain.Errorf(domain.CustomerNotFound, "there is no customer %d in fleet %d", ref.Customer, ref.Fleet)
	}
	return err
}
