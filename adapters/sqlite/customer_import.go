package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// importSettings make imports on this connection faster, from then on: a batch
// changes pages all over the file, so the cache is larger, and several batches
// share a checkpoint.
const importSettings = `PRAGMA cache_size = -12000; PRAGMA wal_autocheckpoint = 10000`

// ImportCustomers implements ports.CustomerDirectory.
func (r *CustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	return r.importAfter(ctx, customers, func(context.Context, *sql.Tx) error { return nil })
}

// importAfter imports in a transaction that begins with check.
func (r *CustomerRepo) importAfter(ctx context.Context, customers []domain.CustomerImport, check writing) (results []domain.ImportResult, err error) {
	err = r.db.writeAlone(ctx, "import customers", func(ctx context.Context, tx *sql.Tx) error {
		if err := check(ctx, tx); err != nil {
			return err
		}
		if _, err := tx.ExecContext(ctx, importSettings); err != nil {
			return err
		}
		results, err = rows.Import(rowsTx{ctx, tx}, customers)
		return err
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// PlanImport implements ports.CustomerDirectory.
func (r *CustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	const action = "plan an import"
	tx, err := r.db.readers.BeginTx(ctx, nil)
	if err != nil {
		return nil, translate(action, err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	results, err := rows.PlanImport(rowsTx{ctx, tx}, customers)
	return results, translate(action, err)
}

// rowsTx is a transaction as package rows uses it.
type rowsTx struct {
	ctx context.Context
	tx  *sql.Tx
}

var (
	_ rows.Tx     = rowsTx{}
	_ rows.SaveTx = rowsTx{}
)

func (t rowsTx) Exec(statement string, args ...any) (int64, error) {
	result, err := t.tx.ExecContext(t.ctx, statement, args...)
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (t rowsTx) QueryRow(query string, args ...any) rows.Row {
	return t.tx.QueryRowContext(t.ctx, query, args...)
}

func (t rowsTx) Find(fleet domain.FleetID, column string, values []int64) ([]domain.Customer, error) {
	wanted, err := json.Marshal(values)
	if err != nil {
		return nil, err
	}
	return list(t.ctx, t.tx, rows.ScanImported, `
		SELECT c.fleet_id, c.id, c.phone, c.pin_hash
		FROM json_each(?) AS wanted CROSS JOIN customers AS c ON c.fleet_id = ? AND c.`+column+` = wanted.value`, string(wanted), fleet)
}

func (t rowsTx) Change(customers []domain.CustomerImport) error {
	return t.each(customers, `UPDATE customers SET phone = ?3, pin_hash = iif(?5, pin_hash, ?4) WHERE fleet_id = ?1 AND id = ?2`)
}

func (t rowsTx) Add(customers []domain.CustomerImport) error {
	return t.each(customers, `
		INSERT INTO customers (fleet_id, id, phone, pin_hash, photo_size, photo_width, photo_height, photo_changed_by)
		VALUES (?1, ?2, ?3, iif(?5, NULL, ?4), 0, 0, 0, 0)`)
}

func (t rowsTx) each(customers []domain.CustomerImport, statement string) error {
	return execEach(t.ctx, t.tx, statement, customers, func(c domain.CustomerImport) []any {
		return []any{c.Ref.Fleet, c.Ref.Customer, c.Phone, rows.Digest(c.PIN), c.KeepPIN}
	})
}
