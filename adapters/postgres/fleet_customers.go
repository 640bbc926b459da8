package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetCustomers is a ports.FleetCustomers in a PostgreSQL database. An import and a
// new key take a shared lock on the fleet's row; its removal takes an exclusive one
// before it looks for customers.
type FleetCustomers struct{ *CustomerRepo }

var _ ports.FleetCustomers = (*FleetCustomers)(nil)

// ImportCustomers implements ports.FleetCustomers.
func (f *FleetCustomers) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	return f.importAfter(ctx, customers, func(tx pgx.Tx) error { return keepFleets(ctx, tx, rows.FleetsOf(customers)...) })
}

// keepFleets keeps fleets from being removed until the transaction ends.
func keepFleets(ctx context.Context, tx pgx.Tx, fleets ...domain.FleetID) error {
	found, _ := tx.Query(ctx, `SELECT id FROM fleets WHERE id = ANY($1::bigint[]) FOR KEY SHARE`, fleets) // CollectRows returns its error
	kept, err := pgx.CollectRows(found, pgx.RowTo[domain.FleetID])
	if err != nil {
		return err
	}
	return rows.LacksFleet(fleets, kept)
}

// RemoveFleet implements ports.FleetCustomers.
func (f *FleetCustomers) RemoveFleet(ctx context.Context, fleet domain.FleetID) error {
	return f.db.write(ctx, "remove fleet", func(tx pgx.Tx) error {
		if err := rows.IfNone(tx.QueryRow(ctx, `SELECT id FROM fleets WHERE id = $1 FOR UPDATE`, fleet).Scan(&fleet), rows.NoFleet(fleet)); err != nil {
			return err
		}
		return rows.RemoveFleet(rowsTx{ctx, tx}, fleet)
	})
}
