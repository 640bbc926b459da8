package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// ImportCustomers implements ports.CustomerDirectory. Unchanged customers are not
// locked. When another process adds or changes the same customers at the same
// time, it starts over.
func (r *CustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	return r.importAfter(ctx, customers, func(pgx.Tx) error { return nil })
}

// importAfter imports in a transaction that begins with check.
func (r *CustomerRepo) importAfter(ctx context.Context, customers []domain.CustomerImport, check func(pgx.Tx) error) (results []domain.ImportResult, err error) {
	err = r.db.write(ctx, "import customers", func(tx pgx.Tx) error {
		if err := check(tx); err != nil {
			return err
		}
		results, err = rows.Import(rowsTx{ctx, tx}, customers)
		if code(err) == uniqueViolation { // the row was not there when it was looked up
			err = errors.Join(errRaced, err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// PlanImport implements ports.CustomerDirectory.
func (r *CustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) (results []domain.ImportResult, err error) {
	err = r.db.write(ctx, "plan an import", func(tx pgx.Tx) error {
		results, err = rows.PlanImport(rowsTx{ctx, tx}, customers)
		return err
	})
	return results, err
}

// rowsTx is a transaction as package rows uses it.
type rowsTx struct {
	ctx context.Context
	tx  pgx.Tx
}

var (
	_ rows.Tx     = rowsTx{}
	_ rows.SaveTx = rowsTx{}
)

func (t rowsTx) Exec(statement string, args ...any) (int64, error) {
	result, err := t.tx.Exec(t.ctx, statement, args...)
	return result.RowsAffected(), err
}

func (t rowsTx) QueryRow(query string, args ...any) rows.Row {
	return t.tx.QueryRow(t.ctx, query, args...)
}

// Find has a LIMIT so that the server looks up each value by the index, whatever
// its statistics of a table say that may be growing by this very import.
func (t rowsTx) Find(fleet domain.FleetID, column string, values []int64) ([]domain.Customer, error) {
	found, _ := t.tx.Query(t.ctx, // collect returns its error
		`SELECT found.* FROM unnest($2::bigint[]) AS wanted (value) CROSS JOIN LATERAL (
			SELECT fleet_id, id, phone, pin_hash FROM customers WHERE fleet_id = $1 AND `+column+` = wanted.value LIMIT 1
		) AS found`, fleet, values)
	return collect(found, rows.ScanImported)
}

// Change leaves a PIN that is kept to the statement, as another import may have
// changed it since it was read.
func (t rowsTx) Change(customers []domain.CustomerImport) error {
	if len(customers) == 0 {
		return nil
	}
	changes := &pgx.Batch{}
	for _, c := range customers {
		changes.Queue(`UPDATE customers SET phone = $1, pin_hash = CASE WHEN $2 THEN pin_hash ELSE $3 END WHERE fleet_id = $4 AND id = $5`,
			c.Phone, c.KeepPIN, rows.Digest(c.PIN), c.Ref.Fleet, c.Ref.Customer)
	}
	results := t.tx.SendBatch(t.ctx, changes)
	for range customers {
		changed, err := results.Exec()
		if err == nil && changed.RowsAffected() == 0 { // it was removed since it was read
			err = errRaced
		}
		if err != nil {
			return errors.Join(err, results.Close())
		}
	}
	return results.Close()
}

func (t rowsTx) Add(customers []domain.CustomerImport) error {
	if len(customers) == 0 {
		return nil
	}
	var fleets, ids, phones []int64
	var pins [][]byte
	for _, c := range customers {
		pin := rows.Digest(c.PIN).Bytes()
		if c.KeepPIN {
			pin = nil
		}
		fleets, ids = append(fleets, int64(c.Ref.Fleet)), append(ids, int64(c.Ref.Customer))
		phones, pins = append(phones, int64(c.Phone)), append(pins, pin)
	}
	_, err := t.tx.Exec(t.ctx, `
		INSERT INTO customers (fleet_id, id, phone, pin_hash, photo_size, photo_width, photo_height, photo_changed_by)
		SELECT *, 0, 0, 0, 0 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])`, fleets, ids, phones, pins)
	if err != nil {
		return err
	}
	// A customer who was removed by hand has left a lock.
	_, err = t.tx.Exec(t.ctx, `
		INSERT INTO pin_locks (fleet_id, customer_id, attempts) SELECT *, 0 FROM unnest($1::bigint[], $2::bigint[])
		ON CONFLICT (fleet_id, customer_id) DO UPDATE SET attempts = 0, wrong = 0, locked_until = NULL`, fleets, ids)
	return err
}
