package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"fmt"

	"github.com/fleetphoto/fleetphoto/adapters/locks"
	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ChangeRecorder is a ports.ChangeRecorder in a SQLite file.
type ChangeRecorder struct{ db *DB }

var _ ports.ChangeRecorder = (*ChangeRecorder)(nil)

// ChangePhotoAndClose implements ports.ChangeRecorder.
func (r *ChangeRecorder) ChangePhotoAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return r.db.change(ctx, ref, change, storeRecord, entry)
}

// RemoveCustomerAndClose implements ports.ChangeRecorder.
func (r *ChangeRecorder) RemoveCustomerAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return r.db.change(ctx, ref, change, removeCustomer, entry)
}

// storing stores the result of a change of a customer.
type storing func(context.Context, *sql.Tx, domain.CustomerRef, domain.PhotoRecord) (sql.Result, error)

func storeRecord(ctx context.Context, tx *sql.Tx, ref domain.CustomerRef, record domain.PhotoRecord) (sql.Result, error) {
	return tx.ExecContext(ctx, `UPDATE customers SET (`+rows.PhotoColumns+`) = (?, ?, ?, ?, ?, ?, ?, ?) WHERE fleet_id = ? AND id = ?`,
		append(rows.PhotoValues(record, micros(record.ChangedAt)), ref.Fleet, ref.Customer)...)
}

func removeCustomer(ctx context.Context, tx *sql.Tx, ref domain.CustomerRef, _ domain.PhotoRecord) (sql.Result, error) {
	return tx.ExecContext(ctx, `DELETE FROM customers WHERE fleet_id = ? AND id = ?`, ref.Fleet, ref.Customer)
}

// change runs change and then, in one transaction, stores the result and, unless
// entry is 0, closes the entry. While change runs, it holds the customer's lock file
// but no transaction.
func (db *DB) change(ctx context.Context, ref domain.CustomerRef, change ports.ClosingChange, store storing, entry domain.ApiLogID) error {
	if err := db.checkIntact("change a photo"); err != nil {
		return err
	}
	lock, err := db.locks.Take(ctx, fmt.Sprintf("%d-%d", ref.Fleet, ref.Customer))
	if err != nil {
		return translate("wait for the customer's lock", err)
	}
	defer lock.Unlock()
	found, err := db.CustomerRepo().FindCustomer(ctx, ref)
	if err != nil {
		return err
	}
	stillLocked := proofOf(lock)
	record, outcome, err := change(ctx, found.Photo, stillLocked)
	if err != nil {
		return err
	}
	return db.write(ctx, "store the photo's record", func(ctx context.Context, tx *sql.Tx) error {
		if err := stillLocked(ctx); err != nil {
			return err
		}
		stored, err := changes(store(ctx, tx, ref, record))
		if err == nil && !stored {
			err = rows.NoCustomer(ref)
		}
		if err == nil && entry != 0 {
			_, err = closeEntry(ctx, tx, entry, outcome)
		}
		return err
	})
}

func proofOf(lock *locks.Lock) ports.LockProof {
	return func(ctx context.Context) error {
		if err := cmp.Or(ctx.Err(), lock.Prove()); err != nil {
			return domain.Errorf(domain.Unavailable, "it is not certain that nobody else changes this customer; try again").WithCause(err)
		}
		return nil
	}
}
