package postgres

import (
	"context"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// CustomerRepo is a ports.CustomerRepo in a PostgreSQL database.
type CustomerRepo struct{ db *DB }

var _ ports.CustomerRepo = (*CustomerRepo)(nil)

const photoColumns = `photo_sha256, photo_size, photo_width, photo_height, photo_changed_at, photo_changed_by`

// AddCustomer implements ports.CustomerRepo.
func (r *CustomerRepo) AddCustomer(ctx context.Context, added domain.Customer) error {
	return r.db.write(ctx, "add customer", func(tx pgx.Tx) error {
		args := []any{added.Ref.Fleet, added.Ref.Customer, added.Phone, digest(added.PIN)}
		_, err := tx.Exec(ctx,
			`INSERT INTO customers (fleet_id, id, phone, pin_hash, `+photoColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
			append(args, photoValues(added.Photo)...)...)
		if err != nil {
			return ifDuplicate(err, "fleet %d has a customer with this id or this phone number already", added.Ref.Fleet)
		}
		_, err = tx.Exec(ctx, `
			INSERT INTO pin_locks (fleet_id, customer_id, attempts) VALUES ($1, $2, 0)
			ON CONFLICT (fleet_id, customer_id) DO UPDATE SET attempts = 0, locked_until = NULL`, // left of a customer removed by hand
			added.Ref.Fleet, added.Ref.Customer)
		return err
	})
}

// FindByPhone implements ports.CustomerRepo.
func (r *CustomerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	found := domain.Customer{Ref: domain.CustomerRef{Fleet: fleet}, Phone: phone}
	into := append([]any{&found.Ref.Customer, digestColumn{(*[32]byte)(&found.PIN)}}, photoInto(&found.Photo)...)
	err := r.db.do(ctx, "find customer", func(conn *pgxpool.Conn) error {
		err := conn.QueryRow(ctx,
			`SELECT id, pin_hash, `+photoColumns+` FROM customers WHERE fleet_id = $1 AND phone = $2`, fleet, phone,
		).Scan(into...)
		return ifNone(err, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number"))
	})
	if err != nil {
		return domain.Customer{}, err
	}
	return found, nil
}

// CountPINAttempt implements ports.CustomerRepo.
func (r *CustomerRepo) CountPINAttempt(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
	return r.db.write(ctx, "count PIN attempt", func(tx pgx.Tx) error {
		var lock domain.PINLock
		err := tx.QueryRow(ctx,
			`SELECT attempts, locked_until FROM pin_locks WHERE fleet_id = $1 AND customer_id = $2 FOR UPDATE`, ref.Fleet, ref.Customer,
		).Scan(&lock.Attempts, timeColumn{&lock.LockedUntil})
		if err != nil {
			return ifNone(err, noCustomer(ref))
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
	return r.db.update(ctx, "reset PIN lock", noCustomer(ref), setPINLock, 0, nil, ref.Fleet, ref.Customer)
}

const setPINLock = `UPDATE pin_locks SET attempts = $1, locked_until = $2 WHERE fleet_id = $3 AND customer_id = $4`

// ChangePhoto implements ports.CustomerRepo. While change runs, the customer's
// row is locked in a transaction. What fails before change is repeated where
// that is worth it, change and what follows never.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	leave, err := r.db.turns.take(ctx, ref)
	if err != nil {
		return translate("wait for the customer's turn", err)
	}
	defer leave()

	var changed error
	err = r.db.do(ctx, "lock the customer", func(conn *pgxpool.Conn) error {
		return r.db.transact(ctx, conn, func(tx pgx.Tx) error {
			record, err := lockPhoto(ctx, tx, ref)
			if err == nil {
				changed = changeLocked(ctx, tx, ref, record, change)
			}
			return err
		})
	})
	if err != nil {
		return err
	}
	return changed
}

func lockPhoto(ctx context.Context, tx pgx.Tx, ref domain.CustomerRef) (record domain.PhotoRecord, err error) {
	err = tx.QueryRow(ctx,
		`SELECT `+photoColumns+` FROM customers WHERE fleet_id = $1 AND id = $2 FOR UPDATE`, ref.Fleet, ref.Customer,
	).Scan(photoInto(&record)...)
	return record, ifNone(err, noCustomer(ref))
}

func changeLocked(ctx context.Context, tx pgx.Tx, ref domain.CustomerRef, record domain.PhotoRecord, change ports.PhotoChange) error {
	record, err := change(ctx, record)
	if err != nil {
		return err
	}
	_, err = tx.Exec(ctx,
		`UPDATE customers SET (`+photoColumns+`) = ($1, $2, $3, $4, $5, $6) WHERE fleet_id = $7 AND id = $8`,
		append(photoValues(record), ref.Fleet, ref.Customer)...)
	if err == nil {
		err = commit(ctx, tx)
	}
	return translate("store the photo's record", err)
}

func noCustomer(ref domain.CustomerRef) *domain.Error {
	return domain.Errorf(domain.CustomerNotFound, "there is no customer %d in fleet %d", ref.Customer, ref.Fleet)
}

// photoValues are the values of photoColumns.
func photoValues(record domain.PhotoRecord) []any {
	return []any{
		digest(record.Info.SHA256), record.Info.Size, record.Info.Width, record.Info.Height,
		instant(record.ChangedAt), record.ChangedBy,
	}
}

// photoInto is where photoColumns are read to.
func photoInto(record *domain.PhotoRecord) []any {
	return []any{
		digestColumn{&record.Info.SHA256}, &record.Info.Size, &record.Info.Width, &record.Info.Height,
		timeColumn{&record.ChangedAt}, &record.ChangedBy,
	}
}
