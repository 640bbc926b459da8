package sqlite

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ImportCustomers implements ports.CustomerRepo.
func (r *CustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) (results []domain.ImportResult, err error) {
	err = r.db.write(ctx, "import customers", func(tx *sql.Tx) error {
		var after []domain.Customer
		if results, after, err = planImport(ctx, tx, customers); err != nil {
			return err
		}
		return applyImport(ctx, tx, results, after)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// PlanImport implements ports.CustomerRepo.
func (r *CustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	const action = "plan an import"
	tx, err := r.db.readers.BeginTx(ctx, nil)
	if err != nil {
		return nil, translate(action, err)
	}
	defer func() { _ = tx.Rollback() }() // it only read
	results, _, err := planImport(ctx, tx, customers)
	return results, translate(action, err)
}

// planImport is domain.PlanImport on what is stored.
func planImport(ctx context.Context, tx *sql.Tx, customers []domain.CustomerImport) ([]domain.ImportResult, []domain.Customer, error) {
	wanted := make([][3]int64, len(customers))
	for i, c := range customers {
		wanted[i] = [3]int64{int64(c.Ref.Fleet), int64(c.Ref.Customer), int64(c.Phone)}
	}
	text, err := json.Marshal(wanted)
	if err != nil {
		return nil, nil, err
	}
	stored, err := list(ctx, tx, scanCustomer, `
		WITH wanted AS (SELECT value ->> 0 AS fleet, value ->> 1 AS customer, value ->> 2 AS number FROM json_each(?))
		`+selectCustomer+`WHERE (fleet_id, id) IN (SELECT fleet, customer FROM wanted)
		UNION `+selectCustomer+`WHERE (fleet_id, phone) IN (SELECT fleet, number FROM wanted)`, string(text))
	if err != nil {
		return nil, nil, err
	}
	results, after := domain.PlanImport(stored, customers)
	return results, after, nil
}

// applyImport makes the changes, in their order, then the additions.
func applyImport(ctx context.Context, tx *sql.Tx, results []domain.ImportResult, after []domain.Customer) error {
	change, changeErr := tx.PrepareContext(ctx, `UPDATE customers SET phone = ?, pin_hash = ? WHERE fleet_id = ? AND id = ?`)
	add, addErr := tx.PrepareContext(ctx, insertCustomer)
	if err := errors.Join(changeErr, addErr); err != nil {
		return err
	}
	for i, c := range after {
		if results[i] == domain.Changed {
			if _, err := change.ExecContext(ctx, c.Phone, digest(c.PIN), c.Ref.Fleet, c.Ref.Customer); err != nil {
				return err
			}
		}
	}
	for i, c := range after {
		if results[i] == domain.Added {
			if _, err := add.ExecContext(ctx, customerValues(c)...); err != nil {
				return err
			}
		}
	}
	return nil
}
