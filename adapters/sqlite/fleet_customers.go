package sqlite

import (
	"context"
	"database/sql"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetCustomers is a ports.FleetCustomers in a SQLite file.
type FleetCustomers struct{ *CustomerRepo }

var _ ports.FleetCustomers = (*FleetCustomers)(nil)

// ImportCustomers implements ports.FleetCustomers.
func (f *FleetCustomers) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	return f.importAfter(ctx, customers, func(ctx context.Context, tx *sql.Tx) error {
		for _, fleet := range rows.FleetsOf(customers) {
			if err := fleetExists(ctx, tx, fleet); err != nil {
				return err
			}
		}
		return nil
	})
}

// RemoveFleet implements ports.FleetCustomers.
func (f *FleetCustomers) RemoveFleet(ctx context.Context, fleet domain.FleetID) error {
	return f.db.write(ctx, "remove fleet", func(ctx context.Context, tx *sql.Tx) error {
		if err := fleetExists(ctx, tx, fleet); err != nil {
			return err
		}
		return rows.RemoveFleet(rowsTx{ctx, tx}, fleet)
	})
}
