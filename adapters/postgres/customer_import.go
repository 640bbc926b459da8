package postgres

import (
	"context"
	"errors"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ImportCustomers implements ports.CustomerRepo. What is unchanged isn't
// locked. Who adds or changes the same at the same time makes it begin again.
func (r *CustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) (results []domain.ImportResult, err error) {
	err = r.db.write(ctx, "import customers", func(tx pgx.Tx) error {
		var after []domain.Customer
		if results, after, err = planImport(ctx, tx, customers); err != nil {
			return err
		}
		return applyImport(ctx, tx, customers, results, after)
	})
	if err != nil {
		return nil, err
	}
	return results, nil
}

// PlanImport implements ports.CustomerRepo.
func (r *CustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) (results []domain.ImportResult, err error) {
	err = r.db.write(ctx, "plan an import", func(tx pgx.Tx) error {
		results, _, err = planImport(ctx, tx, customers)
		return err
	})
	return results, err
}

// planImport is domain.PlanImport on what is stored.
func planImport(ctx context.Context, tx pgx.Tx, customers []domain.CustomerImport) ([]domain.ImportResult, []domain.Customer, error) {
	var fleets, ids, phones []int64
	for _, c := range customers {
		fleets, ids, phones = append(fleets, int64(c.Ref.Fleet)), append(ids, int64(c.Ref.Customer)), append(phones, int64(c.Phone))
	}
	rows, _ := tx.Query(ctx, // CollectRows returns its error
		selectCustomer+`WHERE (fleet_id, id) IN (SELECT * FROM unnest($1::bigint[], $2::bigint[]))
		UNION `+selectCustomer+`WHERE (fleet_id, phone) IN (SELECT * FROM unnest($1::bigint[], $3::bigint[]))`, fleets, ids, phones)
	stored, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (domain.Customer, error) { return scanCustomer(row) })
	if err != nil {
		return nil, nil, err
	}
	results, after := domain.PlanImport(stored, customers)
	return results, after, nil
}

// applyImport makes the changes, in their order, then the additions. A PIN that
// is kept isn't written, as another import may have changed it meanwhile.
func applyImport(ctx context.Context, tx pgx.Tx, customers []domain.CustomerImport, results []domain.ImportResult, after []domain.Customer) error {
	changes := &pgx.Batch{}
	var fleets, ids, phones []int64
	var pins [][]byte
	for i, c := range after {
		pin, _ := digest(c.PIN).([]byte) // nil: none
		switch results[i] {
		case domain.Changed:
			changes.Queue(`UPDATE customers SET phone = $1, pin_hash = CASE WHEN $2 THEN pin_hash ELSE $3 END WHERE fleet_id = $4 AND id = $5`,
				c.Phone, customers[i].KeepPIN, pin, c.Ref.Fleet, c.Ref.Customer)
		case domain.Added:
			fleets, ids = append(fleets, int64(c.Ref.Fleet)), append(ids, int64(c.Ref.Customer))
			phones, pins = append(phones, int64(c.Phone)), append(pins, pin)
		}
	}
	if err := changeEach(ctx, tx, changes); err != nil || len(ids) == 0 {
		return ifRaced(err)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO customers (fleet_id, id, phone, pin_hash, photo_size, photo_width, photo_height, photo_changed_by)
		SELECT *, 0, 0, 0, 0 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])`, fleets, ids, phones, pins)
	if err == nil {
		_, err = tx.Exec(ctx, `
			INSERT INTO pin_locks (fleet_id, customer_id, attempts) SELECT *, 0 FROM unnest($1::bigint[], $2::bigint[])`+forgetLock, fleets, ids)
	}
	return ifRaced(err)
}

// changeEach runs statements that change one row each.
func changeEach(ctx context.Context, tx pgx.Tx, changes *pgx.Batch) error {
	if changes.Len() == 0 {
		return nil
	}
	results := tx.SendBatch(ctx, changes)
	for range changes.Len() {
		changed, err := results.Exec()
		if err == nil && changed.RowsAffected() == 0 {
			err = errRaced
		}
		if err != nil {
			return errors.Join(err, results.Close())
		}
	}
	return results.Close()
}

// ifRaced says that a key that was free when it was looked up isn't any more.
func ifRaced(err error) error {
	if code(err) == uniqueViolation {
		return errors.Join(errRaced, err)
	}
	return err
}
