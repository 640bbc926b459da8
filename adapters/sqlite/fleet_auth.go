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
func (a *FleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (caller domain.Caller, err error) {
	fleet := &caller.Fleet
	err = a.db.readers.QueryRowContext(ctx, `
		SELECT fleets.id, fleets.name, fleets.disabled, fleets.require_pin, fleets.country, api_keys.label
		FROM api_keys JOIN fleets ON fleets.id = api_keys.fleet_id
		WHERE api_keys.hash = ?`, key[:]).Scan(&fleet.ID, &fleet.Name, &fleet.Disabled, &fleet.RequirePIN, &fleet.Country, &caller.Key)
	if err != nil {
		return domain.Caller{}, translate("authenticate", ifNone(err, rows.NoKey()))
	}
	return caller, nil
}

// AddFleet implements ports.FleetDirectory.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
	return a.db.write(ctx, "add fleet", func(ctx context.Context, tx *sql.Tx) error {
		_, err := tx.ExecContext(ctx, `INSERT INTO fleets (`+fleetColumns+`) VALUES (?, ?, ?, ?, ?)`, fleetValues(fleet)...)
		if err != nil {
			return ifDuplicate(err, "fleet %d exists already", fleet.ID)
		}
		return addKey(ctx, tx, fleet.ID, key)
	})
}

const fleetColumns = `id, name, disabled, require_pin, country`

// fleetValues are the values of fleetColumns.
func fleetValues(f domain.Fleet) []any {
	return []any{f.ID, f.Name, f.Disabled, f.RequirePIN, f.Country}
}

func addKey(ctx context.Context, tx *sql.Tx, fleet domain.FleetID, key domain.FleetKey) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO api_keys (hash, fleet_id, label, added_at) VALUES (?, ?, ?, ?)`,
		key.Hash[:], fleet, key.Label, micros(key.AddedAt))
	return ifDuplicate(err, "this API key, or a key %q of fleet %d, exists already", key.Label, fleet)
}

// AddKey implements ports.FleetDirectory.
func (a *FleetAuth) AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
	return a.db.write(ctx, "add key", func(ctx context.Context, tx *sql.Tx) error {
		if err := fleetExists(ctx, tx, fleet); err != nil {
			return err
		}
		return addKey(ctx, tx, fleet, key)
	})
}

// Keys implements ports.FleetDirectory.
func (a *FleetAuth) Keys(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error) {
	const action = "list keys"
	if err := fleetExists(ctx, a.db.readers, fleet); err != nil {
		return nil, translate(action, err)
	}
	keys, err := list(ctx, a.db.readers, scanKey, `SELECT hash, label, added_at FROM api_keys WHERE fleet_id = ? ORDER BY label`, fleet)
	return keys, translate(action, err)
}

func scanKey(row rows.Row) (key domain.FleetKey, err error) {
	err = row.Scan((*rows.Digest)(&key.Hash), &key.Label, (*rows.Time)(&key.AddedAt))
	return key, err
}

// RevokeKey implements ports.FleetDirectory.
func (a *FleetAuth) RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
	return a.db.update(ctx, "revoke key", rows.NoLabel(fleet, label), `DELETE FROM api_keys WHERE fleet_id = ? AND label = ?`, fleet, label)
}

func fleetExists(ctx context.Context, q querier, id domain.FleetID) error {
	return ifNone(q.QueryRowContext(ctx, `SELECT id FROM fleets WHERE id = ?`, id).Scan(&id), rows.NoFleet(id))
}

// SetFleet implements ports.FleetDirectory.
func (a *FleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	return a.db.update(ctx, "set fleet", rows.NoFleet(fleet.ID),
		`UPDATE fleets SET name = ?, disabled = ?, require_pin = ?, country = ? WHERE id = ?`,
		fleet.Name, fleet.Disabled, fleet.RequirePIN, fleet.Country, fleet.ID)
}

// Fleets implements ports.FleetDirectory.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	fleets, err := list(ctx, a.db.readers, scanFleet, `SELECT `+fleetColumns+` FROM fleets ORDER BY id`)
	return fleets, translate("list fleets", err)
}

func scanFleet(row rows.Row) (fleet domain.Fleet, err error) {
	err = row.Scan(&fleet.ID, &fleet.Name, &fleet.Disabled, &fleet.RequirePIN, &fleet.Country)
	return fleet, err
}
