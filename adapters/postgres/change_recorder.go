package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ChangeRecorder is a ports.ChangeRecorder in a PostgreSQL database.
type ChangeRecorder struct{ db *DB }

var _ ports.ChangeRecorder = (*ChangeRecorder)(nil)

// ChangePhotoAndClose implements ports.ChangeRecorder.
func (r *ChangeRecorder) ChangePhotoAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return r.db.change(ctx, ref, entry, change, storeRecord)
}

// RemoveCustomerAndClose implements ports.ChangeRecorder.
func (r *ChangeRecorder) RemoveCustomerAndClose(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	return r.db.change(ctx, ref, entry, change, removeCustomer)
}

// storing queues the statements that store a change of the customer.
type storing func(last *pgx.Batch, ref domain.CustomerRef, record domain.PhotoRecord)

// change runs change in a transaction that has locked the customer's row, and stores
// the result and, unless entry is 0, the entry's outcome. Failures before change runs
// may be retried; change itself runs at most once.
func (db *DB) change(ctx context.Context, ref domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange, store storing) error {
	leave, err := db.takeTurn(ctx, ref)
	if err != nil {
		return translate("wait for the customer's turn", err)
	}
	defer leave()

	var done error
	err = db.do(ctx, "lock the customer", func(conn *pgxpool.Conn) error {
		var record domain.PhotoRecord
		first := db.begin()
		first.Queue(lockPhoto, ref.Fleet, ref.Customer).QueryRow(func(row pgx.Row) (err error) {
			record, err = scanLocked(row, ref)
			return err
		})
		return transact(ctx, conn, first, func(tx pgx.Tx) error {
			done = changeLocked(ctx, tx, ref, record, entry, change, store)
			return nil
		})
	})
	if err != nil {
		return err
	}
	return done
}

const lockPhoto = `SELECT ` + rows.PhotoColumns + ` FROM customers WHERE fleet_id = $1 AND id = $2 FOR UPDATE`

// scanLocked reads the row of lockPhoto.
func scanLocked(row pgx.Row, ref domain.CustomerRef) (record domain.PhotoRecord, err error) {
	err = row.Scan(rows.PhotoInto(&record)...)
	return record, rows.IfNone(err, rows.NoCustomer(ref))
}

func changeLocked(
	ctx context.Context, tx pgx.Tx, ref domain.CustomerRef, current domain.PhotoRecord, entry domain.ApiLogID, change ports.ClosingChange, store storing,
) error {
	record, outcome, err := change(ctx, current, func(ctx context.Context) error {
		again, err := scanLocked(tx.QueryRow(ctx, lockPhoto, ref.Fleet, ref.Customer), ref)
		if err != nil || again != current {
			return domain.Errorf(domain.Unavailable, "the customer's lock was lost; try again").WithCause(err)
		}
		return nil
	})
	if err != nil {
		return err
	}
	last := &pgx.Batch{}
	store(last, ref, record)
	if entry != 0 {
		last.Queue(closeEntry, closeValues(entry, outcome)...)
	}
	return translate("store the change", commit(ctx, tx, last))
}

func storeRecord(last *pgx.Batch, ref domain.CustomerRef, record domain.PhotoRecord) {
	last.Queue(
		`UPDATE customers SET (`+rows.PhotoColumns+`) = ($1, $2, $3, $4, $5, $6, $7, $8) WHERE fleet_id = $9 AND id = $10`,
		append(rows.PhotoValues(record, instant(record.ChangedAt)), ref.Fleet, ref.Customer)...)
}

func removeCustomer(last *pgx.Batch, ref domain.CustomerRef, _ domain.PhotoRecord) {
	last.Queue(`DELETE FROM customers WHERE fleet_id = $1 AND id = $2`, ref.Fleet, ref.Customer)
	last.Queue(`DELETE FROM pin_locks WHERE fleet_id = $1 AND customer_id = $2`, ref.Fleet, ref.Customer)
}
