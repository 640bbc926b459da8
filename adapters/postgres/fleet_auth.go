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
	err = a.db.do(ctx, "authenticate", func(conn *pgxpool.Conn) error {
		caller, err = dialect.ScanCaller(conn.QueryRow(ctx, rows.SelectCaller, key[:]))
		return err
	})
	return caller, err
}

// AddFleet implements ports.FleetDirectory.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
	return a.db.write(ctx, "add fleet", func(tx pgx.Tx) error { return dialect.AddFleet(rowsTx{ctx, tx}, fleet, key) })
}

// AddKey implements ports.FleetDirectory.
func (a *FleetAuth) AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
	return a.db.write(ctx, "add key", func(tx pgx.Tx) error {
		if err := keepFleets(ctx, tx, fleet); err != nil {
			return err
		}
		return dialect.AddKey(rowsTx{ctx, tx}, fleet, key)
	})
}

// Keys implements ports.FleetDirectory. Labels are compared by bytes, whatever the
// database's collation.
func (a *FleetAuth) Keys(ctx context.Context, fleet domain.FleetID) (keys []domain.FleetKey, err error) {
	err = a.db.do(ctx, "list keys", func(conn *pgxpool.Conn) error {
		if err := fleetExists(ctx, conn, fleet); err != nil {
			return err
		}
		found, _ := conn.Query(ctx, rows.SelectKeys, fleet) // collect returns its error
		keys, err = collect(found, dialect.ScanKey)
		return err
	})
	slices.SortFunc(keys, func(x, y domain.FleetKey) int { return cmp.Compare(x.Label, y.Label) })
	return keys, err
}

// RevokeKey implements ports.FleetDirectory.
func (a *FleetAuth) RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
	return a.db.update(ctx, "revoke key", rows.NoLabel(fleet, label), rows.DeleteKey, fleet, text(string(label)))
}

// querier is a transaction or a connection.
type querier interface {
	QueryRow(ctx context.Context, query string, args ...any) pgx.Row
}

func fleetExists(ctx context.Context, q querier, id domain.FleetID) error {
	err := q.QueryRow(ctx, `SELECT id FROM fleets WHERE id = $1`, id).Scan(&id)
	return rows.IfNone(err, rows.NoFleet(id))
}

// SetFleet implements ports.FleetDirectory.
func (a *FleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	return a.db.update(ctx, "set fleet", rows.NoFleet(fleet.ID), rows.UpdateFleet, dialect.FleetValues(fleet)...)
}

// Fleets implements ports.FleetDirectory.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	return list(ctx, a.db, "list fleets", dialect.ScanFleet, rows.SelectFleets)
}
