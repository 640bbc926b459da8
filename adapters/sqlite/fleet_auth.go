package sqlite

import (
	"context"
	"database/sql"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetAuth is a ports.FleetAuth in a SQLite file.
type FleetAuth struct{ db *DB }

var (
	_ ports.FleetAuth      = (*FleetAuth)(nil)
	_ ports.FleetDirectory = (*FleetAuth)(nil)
)

// Authenticate implements ports.FleetAuth.
func (a *FleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	caller, err := dialect.ScanCaller(a.db.readers.QueryRowContext(ctx, rows.SelectCaller, key[:]))
	return caller, translate("authenticate", err)
}

// AddFleet implements ports.FleetDirectory.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
	return a.db.write(ctx, "add fleet", func(ctx context.Context, tx *sql.Tx) error {
		return dialect.AddFleet(rowsTx{ctx, tx}, fleet, key)
	})
}

// AddKey implements ports.FleetDirectory.
func (a *FleetAuth) AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
	return a.db.write(ctx, "add key", func(ctx context.Context, tx *sql.Tx) error {
		if err := fleetExists(ctx, tx, fleet); err != nil {
			return err
		}
		return dialect.AddKey(rowsTx{ctx, tx}, fleet, key)
	})
}

// Keys implements ports.FleetDirectory.
func (a *FleetAuth) Keys(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error) {
	const action = "list keys"
	if err := fleetExists(ctx, a.db.readers, fleet); err != nil {
		return nil, translate(action, err)
	}
	keys, err := list(ctx, a.db.readers, dialect.ScanKey, rows.SelectKeys+` ORDER BY label`, fleet)
	return keys, translate(action, err)
}

// RevokeKey implements ports.FleetDirectory.
func (a *FleetAuth) RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
	return a.db.update(ctx, "revoke key", rows.NoLabel(fleet, label), rows.DeleteKey, fleet, label)
}

func fleetExists(ctx context.Context, q querier, id domain.FleetID) error {
	return rows.IfNone(q.QueryRowContext(ctx, `SELECT id FROM fleets WHERE id = ?`, id).Scan(&id), rows.NoFleet(id))
}

// SetFleet implements ports.FleetDirectory.
func (a *FleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	return a.db.update(ctx, "set fleet", rows.NoFleet(fleet.ID), rows.UpdateFleet, dialect.FleetValues(fleet)...)
}

// Fleets implements ports.FleetDirectory.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	fleets, err := list(ctx, a.db.readers, dialect.ScanFleet, rows.SelectFleets)
	return fleets, translate("list fleets", err)
}
