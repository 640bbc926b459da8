package sqlite

import (
	"context"
	"database/sql"
	"errors"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetAuth is a ports.FleetAuth in a SQLite file.
type FleetAuth struct{ db *DB }

var _ ports.FleetAuth = (*FleetAuth)(nil)

// Authenticate implements ports.FleetAuth.
func (a *FleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Fleet, error) {
	fleet, err := scanFleet(a.db.readers.QueryRowContext(ctx, `
		SELECT fleets.id, fleets.name, fleets.disabled
		FROM api_keys JOIN fleets ON fleets.id = api_keys.fleet_id
		WHERE api_keys.hash = ?`, key[:]))
	if errors.Is(err, sql.ErrNoRows) {
		return domain.Fleet{}, domain.Errorf(domain.InvalidHashID, "api_key: no live key like this")
	}
	if err != nil {
		return domain.Fleet{}, translate("authenticate", err)
	}
	return fleet, nil
}

// AddFleet implements ports.FleetAuth.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.APIKeyHash) error {
	return a.db.write(ctx, "add fleet", func(tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO fleets (id, name, disabled) VALUES (?, ?, ?)`,
			fleet.ID, fleet.Name, fleet.Disabled)
		if err != nil {
			return ifDuplicate(err, "fleet %d exists already", fleet.ID)
		}
		_, err = tx.ExecContext(ctx, `INSERT INTO api_keys (hash, fleet_id) VALUES (?, ?)`, key[:], fleet.ID)
		return ifDuplicate(err, "this API key exists already")
	})
}

// SetFleet implements ports.FleetAuth.
func (a *FleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	return a.db.write(ctx, "set fleet", func(tx *sql.Tx) error {
		found, err := changes(tx.ExecContext(ctx, `UPDATE fleets SET name = ?, disabled = ? WHERE id = ?`,
			fleet.Name, fleet.Disabled, fleet.ID))
		if err == nil && !found {
			return domain.Errorf(domain.NotFound, "there is no fleet %d", fleet.ID)
		}
		return err
	})
}

// Fleets implements ports.FleetAuth.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	fleets, err := list(ctx, a.db.readers, scanFleet, `SELECT id, name, disabled FROM fleets ORDER BY id`)
	return fleets, translate("list fleets", err)
}

func scanFleet(row scanner) (fleet domain.Fleet, err error) {
	err = row.Scan(&fleet.ID, &fleet.Name, &fleet.Disabled)
	return fleet, err
}
