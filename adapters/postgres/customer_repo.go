package postgres

import (
	"context"

	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// CustomerRepo is a ports.CustomerRepo in a PostgreSQL database.
type CustomerRepo struct{ db *DB }

var (
	_ ports.CustomerRepo      = (*CustomerRepo)(nil)
	_ ports.CustomerDirectory = (*CustomerRepo)(nil)
	_ ports.PINKeyBinder      = (*CustomerRepo)(nil)
)

// FindCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
	return r.find(ctx, rows.NoCustomer(ref), `WHERE fleet_id = $1 AND id = $2`, ref.Fleet, ref.Customer)
}

func (r *CustomerRepo) find(ctx context.Context, notFound *domain.Error, where string, args ...any) (found domain.Customer, err error) {
	err = r.db.do(ctx, "find customer", func(conn *pgxpool.Conn) error {
		found, err = rows.ScanCustomer(conn.QueryRow(ctx, rows.SelectCustomer+where, args...))
		return rows.IfNone(err, notFound)
	})
	if err != nil {
		return domain.Customer{}, err
	}
	return found, nil
}

// Customers implements ports.CustomerDirectory.
func (r *CustomerRepo) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.StoredCustomer, error) {
	return list(ctx, r.db, "list customers", rows.ScanStored, `
		SELECT page.*, coalesce(attempts, 0), locked_until, coalesce(wrong, 0)
		FROM (`+rows.SelectCustomer+`WHERE (fleet_id, id) > ($1, $2) ORDER BY fleet_id, id LIMIT $3) AS page
		LEFT JOIN LATERAL (SELECT * FROM pin_locks WHERE pin_locks.fleet_id = page.fleet_id AND customer_id = page.id LIMIT 1) AS lock ON true
		ORDER BY page.fleet_id, page.id`, after.Fleet, after.Customer, max(limit, 0))
}

// FindByPhone implements ports.CustomerRepo.
func (r *CustomerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	return r.find(ctx, rows.NoPhone(), `WHERE fleet_id = $1 AND phone = $2`, fleet, phone)
}

// SetCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) SetCustomer(ctx context.Context, ref domain.CustomerRef, change domain.CustomerChange) error {
	err := r.db.update(ctx, "set customer", rows.NoCustomer(ref), `
		UPDATE customers SET phone = coalesce(nullif($3::bigint, 0), phone), pin_hash = CASE WHEN $5 THEN pin_hash ELSE $4 END WHERE fleet_id = $1 AND id = $2`,
		ref.Fleet, ref.Customer, change.Phone, rows.Digest(change.PIN), change.KeepPIN)
	return dialect.IfDuplicate(err, rows.PhoneTaken, ref.Fleet)
}

// ChangePhoto implements ports.CustomerRepo.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.db.change(ctx, ref, 0, change.Closing(), storeRecord)
}

// RemoveCustomer implements ports.CustomerDirectory.
func (r *CustomerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return r.db.change(ctx, ref, 0, change.Closing(), removeCustomer)
}
