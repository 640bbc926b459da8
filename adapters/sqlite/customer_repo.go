package sqlite

import (
	"cmp"
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
		return domain.Customer{}, translate("find customer", rows.IfNone(err, notFound))
	}
	return found, nil
}

// Customers implements ports.CustomerDirectory.
func (r *CustomerRepo) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.StoredCustomer, error) {
	customers, err := list(ctx, r.db.readers, rows.ScanStored, `
		SELECT `+rows.CustomerColumns+`, pin_attempts, pin_locked_until, pin_wrong FROM customers
		WHERE (fleet_id, id) > (?, ?) ORDER BY fleet_id, id LIMIT ?`, after.Fleet, after.Customer, max(limit, 0))
	return customers, translate("list customers", err)
}

// TryPIN implements ports.CustomerRepo.
func (r *CustomerRepo) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	var verdict error
	err := r.db.write(ctx, "try PIN", func(ctx context.Context, tx *sql.Tx) error {
		var (
			lock   domain.PINLock
			stored domain.PINHash
			at     rows.Time
		)
		err := tx.QueryRowContext(ctx, `
			SELECT pin_hash, pin_attempts, pin_locked_until, pin_wrong, `+now+` FROM customers WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer,
		).Scan((*rows.Digest)(&stored), &lock.Attempts, (*rows.Time)(&lock.LockedUntil), &lock.Wrong, &at)
		if err != nil {
			return rows.IfNone(err, rows.NoCustomer(ref))
		}
		var after domain.PINLock
		var pin domain.PINHash
		after, pin, verdict = lock.Try(stored, offered, time.Time(at))
		if after == lock && pin == stored {
			return nil
		}
		_, err = tx.ExecContext(ctx, `
			UPDATE customers SET pin_hash = ?, pin_attempts = ?, pin_locked_until = ?, pin_wrong = ? WHERE fleet_id = ? AND id = ?`,
			rows.Digest(pin), after.Attempts, micros(after.LockedUntil), after.Wrong, ref.Fleet, ref.Customer)
		return err
	})
	return cmp.Or(err, verdict)
}

// SetCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) SetCustomer(ctx context.Context, ref domain.CustomerRef, change domain.CustomerChange) error {
	err := r.db.update(ctx, "set customer", rows.NoCustomer(ref), `
		UPDATE customers SET phone = coalesce(nullif(?3, 0), phone), pin_hash = iif(?5, pin_hash, ?4) WHERE fleet_id = ?1 AND id = ?2`,
		ref.Fleet, ref.Customer, change.Phone, rows.Digest(change.PIN), change.KeepPIN)
	return dialect.IfDuplicate(err, rows.PhoneTaken, ref.Fleet)
}

// ChangePhoto implements ports.CustomerRepo.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.db.change(ctx, ref, change.Closing(), storeRecord, 0)
}

// RemoveCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.db.change(ctx, ref, change.Closing(), removeCustomer, 0)
}

// UnlockPIN implements ports.CustomerDirectory.
func (r *CustomerRepo) UnlockPIN(ctx context.Context, ref domain.CustomerRef) error {
	return r.db.update(ctx, "unlock PIN", rows.NoCustomer(ref),
		`UPDATE customers SET pin_attempts = 0, pin_locked_until = NULL, pin_wrong = 0 WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer)
}

// BindPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BindPINKey(ctx context.Context, key, old domain.PINKeyFingerprint) error {
	return r.db.write(ctx, "bind PIN key", func(ctx context.Context, tx *sql.Tx) error {
		return rows.BindPINKey(rowsTx{ctx, tx}, key, old)
	})
}
