package postgres

import (
	"context"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetAuth is a ports.FleetAuth in a PostgreSQL database.
type FleetAuth struct{ db *DB }

var _ ports.FleetAuth = (*FleetAuth)(nil)

// Authenticate implements ports.FleetAuth.
func (a *FleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (fleet domain.Fleet, err error) {
	unknown := domain.Errorf(domain.InvalidHashID, "api_key: no live key like this")
	err = a.db.do(ctx, "authenticate", func(conn *pgxpool.Conn) error {
		fleet, err = scanFleet(conn.QueryRow(ctx, `
			SELECT fleets.id, fleets.name, fleets.disabled
			FROM api_keys JOIN fleets ON fleets.id = api_keys.fleet_id
			WHERE api_keys.hash = $1`, key[:]))
		return ifNone(err, unknown)
	})
	if err != nil {
		return domain.Fleet{}, err
	}
	return fleet, nil
}

// AddFleet implements ports.FleetAuth.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.APIKeyHash) error {
	return a.db.write(ctx, "add fleet", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO fleets (id, name, disabled) VALUES ($1, $2, $3)`,
			fleet.ID, text(fleet.Name), fleet.Disabled)
		if err != nil {
			return ifDuplicate(err, "fleet %d exists already", fleet.ID)
		}
		_, err = tx.Exec(ctx, `INSERT INTO api_keys (hash, fleet_id) VALUES ($1, $2)`, key[:], fleet.ID)
		return ifDuplicate(err, "this API key exists already")
	})
}

// SetFleet implements ports.FleetAuth.
func (a *FleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	return a.db.update(ctx, "set fleet", domain.Errorf(domain.NotFound, "there is no fleet %d", fleet.ID),
		`UPDATE fleets SET name = $1, disabled = $2 WHERE id = $3`, text(fleet.Name), fleet.Disabled, fleet.ID)
}

// Fleets implements ports.FleetAuth.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	return list(ctx, a.db, "list fleets", scanFleet, `SELECT id, name, disabled FROM fleets ORDER BY id`)
}

func scanFleet(row pgx.Row) (fleet domain.Fleet, err error) {
	err = row.Scan(&fleet.ID, textColumn{&fleet.Name}, &fleet.Disabled)
	return fleet, err
}
