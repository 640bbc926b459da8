package postgres

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ImportCustomers implements ports.CustomerDirectory. What is unchanged isn't
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

// PlanImport implements ports.CustomerDirectory.
func (r *CustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) (results []domain.ImportResult, err error) {
	err = r.db.write(ctx, "plan an import", func(tx pgx.Tx) error {
		results, _, err = planImport(ctx, tx, customers)
		return err
	})
	return results, err
}

// planImport is domain.PlanImport on what is stored. Of a customer who isn't
// imported, but has the phone number of one who is, the PIN isn't looked up.
func planImport(ctx context.Context, tx pgx.Tx, customers []domain.CustomerImport) ([]domain.ImportResult, []domain.Customer, error) {
	known, err := lookUp(ctx, tx, customers, `id`, `pin_hash`, func(c domain.CustomerImport) int64 { return int64(c.Ref.Customer) })
	if err != nil {
		return nil, nil, err
	}
	numbers := make(map[domain.CustomerRef]domain.PhoneNumber, len(known))
	for _, c := range known {
		numbers[c.Ref] = c.Phone
	}
	unsure := slices.DeleteFunc(slices.Clone(customers), func(c domain.CustomerImport) bool { return numbers[c.Ref] == c.Phone })
	owners, err := lookUp(ctx, tx, unsure, `phone`, `NULL::bytea`, func(c domain.CustomerImport) int64 { return int64(c.Phone) })
	if err != nil {
		return nil, nil, err
	}
	results, after := domain.PlanImport(append(owners, known...), customers) // who is in both is as in known
	return results, after, nil
}

// lookUp finds the stored customers who have in this column what of gives for
// one of the customers. Their photos it leaves out.
func lookUp(ctx context.Context, tx pgx.Tx, customers []domain.CustomerImport, column, pin string, of func(domain.CustomerImport) int64) ([]domain.Customer, error) {
	if len(customers) == 0 {
		return nil, nil
	}
	fleets, values := make([]int64, len(customers)), make([]int64, len(customers))
	for i, c := range customers {
		fleets[i], values[i] = int64(c.Ref.Fleet), of(c)
	}
	// LIMIT has the server look up each by the index, whatever it believes of
	// the table, which may be growing by this very import.
	rows, _ := tx.Query(ctx, // CollectRows returns its error
		`SELECT found.* FROM unnest($1::bigint[], $2::bigint[]) AS wanted (fleet, value) CROSS JOIN LATERAL (
			SELECT fleet_id, id, phone, `+pin+` FROM customers WHERE fleet_id = wanted.fleet AND `+column+` = wanted.value LIMIT 1
		) AS found`, fleets, values)
	return pgx.CollectRows(rows, func(row pgx.CollectableRow) (c domain.Customer, err error) {
		err = row.Scan(&c.Ref.Fleet, &c.Ref.Customer, &c.Phone, digestColumn{(*[32]byte)(&c.PIN)})
		return c, err
	})
}

// applyImport makes the changes, in their order, then the additions, in the
// order of their phone numbers: so each page of that index is come to once. A
// PIN that is kept isn't written, as another import may have changed it meanwhile.
func applyImport(ctx context.Context, tx pgx.Tx, customers []domain.CustomerImport, results []domain.ImportResult, after []domain.Customer) error {
	changes := &pgx.Batch{}
	var added []domain.Customer
	for i, c := range after {
		switch results[i] {
		case domain.Changed:
			changes.Queue(`UPDATE customers SET phone = $1, pin_hash = CASE WHEN $2 THEN pin_hash ELSE $3 END WHERE fleet_id = $4 AND id = $5`,
				c.Phone, customers[i].KeepPIN, digest(c.PIN), c.Ref.Fleet, c.Ref.Customer)
		case domain.Added:
			added = append(added, c)
		case domain.Unchanged, domain.PhoneTaken:
		}
	}
	if err := changeEach(ctx, tx, changes); err != nil {
		return ifRaced(err)
	}
	slices.SortFunc(added, func(a, b domain.Customer) int { return cmp.Compare(a.Phone, b.Phone) })
	return ifRaced(addAll(ctx, tx, added))
}

func addAll(ctx context.Context, tx pgx.Tx, added []domain.Customer) error {
	if len(added) == 0 {
		return nil
	}
	var fleets, ids, phones []int64
	var pins [][]byte
	for _, c := range added {
		pin, _ := digest(c.PIN).([]byte) // nil: none
		fleets, ids = append(fleets, int64(c.Ref.Fleet)), append(ids, int64(c.Ref.Customer))
		phones, pins = append(phones, int64(c.Phone)), append(pins, pin)
	}
	_, err := tx.Exec(ctx, `
		INSERT INTO customers (fleet_id, id, phone, pin_hash, photo_size, photo_width, photo_height, photo_changed_by)
		SELECT *, 0, 0, 0, 0 FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[])`, fleets, ids, phones, pins)
	if err == nil {
		_, err = tx.Exec(ctx, `
			INSERT INTO pin_locks (fleet_id, customer_id, attempts) SELECT *, 0 FROM unnest($1::bigint[], $2::bigint[])`+forgetLock, fleets, ids)
	}
	return err
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
