package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"slices"

	"github.com/fleetphoto/fleetphoto/domain"
)

// importSettings are those of a connection that imports, from then on: a batch
// changes pages all over the file, which come from memory, and go from the
// write-ahead log into the file once for several batches.
const importSettings = `PRAGMA cache_size = -12000; PRAGMA wal_autocheckpoint = 10000`

// ImportCustomers implements ports.CustomerDirectory.
func (r *CustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) (results []domain.ImportResult, err error) {
	err = r.db.write(ctx, "import customers", func(tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, importSettings); err != nil {
			return err
		}
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

// PlanImport implements ports.CustomerDirectory.
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

// planImport is domain.PlanImport on what is stored. Of a customer who isn't
// imported, but has the phone number of one who is, the PIN isn't looked up.
func planImport(ctx context.Context, tx *sql.Tx, customers []domain.CustomerImport) ([]domain.ImportResult, []domain.Customer, error) {
	known, err := lookUp(ctx, tx, customers, `c.id = wanted.value`, `c.pin_hash`, func(c domain.CustomerImport) int64 { return int64(c.Ref.Customer) })
	if err != nil {
		return nil, nil, err
	}
	numbers := make(map[domain.CustomerRef]domain.PhoneNumber, len(known))
	for _, c := range known {
		numbers[c.Ref] = c.Phone
	}
	unsure := slices.DeleteFunc(slices.Clone(customers), func(c domain.CustomerImport) bool { return numbers[c.Ref] == c.Phone })
	owners, err := lookUp(ctx, tx, unsure, `c.phone = wanted.value`, `NULL`, func(c domain.CustomerImport) int64 { return int64(c.Phone) })
	if err != nil {
		return nil, nil, err
	}
	results, after := domain.PlanImport(append(owners, known...), customers) // who is in both is as in known
	return results, after, nil
}

// lookUp finds the stored customers for which the condition holds, wanted.value
// being what of gives for one of the customers. Their photos it leaves out.
func lookUp(ctx context.Context, tx *sql.Tx, customers []domain.CustomerImport, condition, pin string, of func(domain.CustomerImport) int64) (stored []domain.Customer, err error) {
	values := map[domain.FleetID][]int64{}
	for _, c := range customers {
		values[c.Ref.Fleet] = append(values[c.Ref.Fleet], of(c))
	}
	for fleet, wanted := range values {
		slices.Sort(wanted) // neighbours are on the same page
		text, err := json.Marshal(wanted)
		if err != nil {
			return nil, err
		}
		found, err := list(ctx, tx, scanImported, `
			SELECT c.fleet_id, c.id, c.phone, `+pin+` FROM json_each(?) AS wanted CROSS JOIN customers AS c ON c.fleet_id = ? AND `+condition, string(text), fleet)
		if err != nil {
			return nil, err
		}
		stored = append(stored, found...)
	}
	return stored, nil
}

func scanImported(row scanner) (c domain.Customer, err error) {
	err = row.Scan(&c.Ref.Fleet, &c.Ref.Customer, &c.Phone, digestColumn{(*[32]byte)(&c.PIN)})
	return c, err
}

// applyImport makes the changes, in their order, then the additions, in the
// order of their phone numbers: so each page of that index is come to once.
func applyImport(ctx context.Context, tx *sql.Tx, results []domain.ImportResult, after []domain.Customer) error {
	var changed, added []domain.Customer
	for i, c := range after {
		switch results[i] {
		case domain.Changed:
			changed = append(changed, c)
		case domain.Added:
			added = append(added, c)
		case domain.Unchanged, domain.PhoneTaken:
		}
	}
	slices.SortFunc(added, func(a, b domain.Customer) int { return cmp.Compare(a.Phone, b.Phone) })
	err := applyEach(ctx, tx, `UPDATE customers SET phone = ?3, pin_hash = ?4 WHERE fleet_id = ?1 AND id = ?2`, changed)
	if err != nil {
		return err
	}
	return applyEach(ctx, tx, `
		INSERT INTO customers (fleet_id, id, phone, pin_hash, photo_size, photo_width, photo_height, photo_changed_by)
		VALUES (?1, ?2, ?3, ?4, 0, 0, 0, 0)`, added)
}

// applyEach runs a statement for each customer. One for many would keep a
// journal of its own, which takes longer than it spares.
func applyEach(ctx context.Context, tx *sql.Tx, statement string, customers []domain.Customer) error {
	prepared, err := tx.PrepareContext(ctx, statement)
	if err != nil {
		return err
	}
	defer func() { _ = prepared.Close() }() // the transaction's end says all
	for _, c := range customers {
		if _, err := prepared.ExecContext(ctx, int64(c.Ref.Fleet), int64(c.Ref.Customer), int64(c.Phone), digest(c.PIN)); err != nil {
			return err
		}
	}
	return nil
}
