package postgres

import (
	"cmp"
	"context"
	"slices"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetAuth is a ports.FleetAuth in a PostgreSQL database.
type FleetAuth struct{ db *DB }

var (
	_ ports.FleetAuth      = (*FleetAuth)(nil)
	_ ports.FleetDirectory = (*FleetAuth)(nil)
)

// Authenticate implements ports.FleetAuth.
func (a *FleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (caller domain.Caller, err error) {
	fleet := &caller.Fleet
	err = a.db.do(ctx, "authenticate", func(conn *pgxpool.Conn) error {
		err := conn.QueryRow(ctx, `
			SELECT fleets.id, fleets.name, fleets.disabled, fleets.require_pin, fleets.country, api_keys.label
			FROM api_keys JOIN fleets ON fleets.id = api_keys.fleet_id
			WHERE api_keys.hash = $1`, key[:],
		).Scan(&fleet.ID, &fleet.Name, &fleet.Disabled, &fleet.RequirePIN, &fleet.Country, &caller.Key)
		return ifNone(err, rows.NoKey())
	})
	if err != nil {
		return domain.Caller{}, err
	}
	fleet.Name, caller.Key = original(fleet.Name), original(caller.Key)
	return caller, nil
}

// AddFleet implements ports.FleetDirectory.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
	return a.db.write(ctx, "add fleet", func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `INSERT INTO fleets (`+fleetColumns+`) VALUES ($1, $2, $3, $4, $5)`, fleetValues(fleet)...)
		if err != nil {
			return ifDuplicate(err, "fleet %d exists already", fleet.ID)
		}
		return addKey(ctx, tx, fleet.ID, key)
	})
}

const fleetColumns = `id, name, disabled, require_pin, country`

// fleetValues are the values of fleetColumns.
func fleetValues(f domain.Fleet) []any {
	return []any{f.ID, text(f.Name), f.Disabled, f.RequirePIN, f.Country}
}

func addKey(ctx context.Context, tx pgx.Tx, fleet domain.FleetID, key domain.FleetKey) error {
	_, err := tx.Exec(ctx, `INSERT INTO api_keys (hash, fleet_id, label, added_at) VALUES ($1, $2, $3, $4)`,
		key.Hash[:], fleet, text(key.Label), instant(key.AddedAt))
	return ifDuplicate(err, "this API key, or a key %q of fleet %d, exists already", key.Label, fleet)
}

// AddKey implements ports.FleetDirectory.
func (a *FleetAuth) AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
	return a.db.write(ctx, "add key", func(tx pgx.Tx) error {
		if err := keepFleets(ctx, tx, fleet); err != nil {
			return err
		}
		return addKey(ctx, tx, fleet, key)
	})
}

// Keys implements ports.FleetDirectory. Labels are compared by bytes, whatever the
// database's collation.
func (a *FleetAuth) Keys(ctx context.Context, fleet domain.FleetID) (keys []domain.FleetKey, err error) {
	err = a.db.do(ctx, "list keys", func(conn *pgxpool.Conn) error {
		if err := fleetExists(ctx, conn, fleet); err != nil {
			return err
		}
		found, _ := conn.Query(ctx, `SELECT hash, label, added_at FROM api_keys WHERE fleet_id = $1`, fleet) // collect returns its error
		keys, err = collect(found, scanKey)
		return err
	})
	slices.SortFunc(keys, func(x, y domain.FleetKey) int { return cmp.Compare(x.Label, y.Label) })
	return keys, err
}

func scanKey(row rows.Row) (key domain.FleetKey, err error) {
	err = row.Scan((*rows.Digest)(&key.Hash), &key.Label, (*rows.Time)(&key.AddedAt))
	key.Label = original(key.Label)
	return key, err
}

// RevokeKey implements ports.FleetDirectory.
func (a *FleetAuth) RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
	return a.db.update(ctx, "revoke key", rows.NoLabel(fleet, label),
		`DELETE FROM api_keys WHERE fleet_id = $1 AND label = $2`, fleet, text(label))
}

// querier is a transaction or a connection.
type querier interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

func fleetExists(ctx context.Context, q querier, id domain.FleetID) error {
	err := q.QueryRow(ctx, `SELECT id FROM fleets WHERE id = $1`, id).Scan(&id)
	return ifNone(err, rows.NoFleet(id))
}

// SetFleet implements ports.FleetDirectory.
func (a *FleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	return a.db.update(ctx, "set fleet", rows.NoFleet(fleet.ID),
		`UPDATE fleets SET name = $1, disabled = $2, require_pin = $3, country = $4 WHERE id = $5`,
		text(fleet.Name), fleet.Disabled, fleet.RequirePIN, fleet.Country, fleet.ID)
}

// Fleets implements ports.FleetDirectory.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	return list(ctx, a.db, "list fleets", scanFleet, `SELECT `+fleetColumns+` FROM fleets ORDER BY id`)
}

func scanFleet(row rows.Row) (fleet domain.Fleet, err error) {
	err = row.Scan(&fleet.ID, &fleet.Name, &fleet.Disabled, &fleet.RequirePIN, &fleet.Country)
	fleet.Name = original(fleet.Name)
	return fleet, err
}
