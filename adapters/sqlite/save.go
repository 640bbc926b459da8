package sqlite

import (
	"context"
	"database/sql"
	"errors"
	"strings"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// SaveFleet implements ports.FleetDirectory.
func (a *FleetAuth) SaveFleet(ctx context.Context, fleet domain.Fleet, keys []domain.FleetKey) error {
	return a.db.write(ctx, "save fleet", func(ctx context.Context, tx *sql.Tx) error {
		return dialect.SaveFleet(rowsTx{ctx, tx}, fleet, keys)
	})
}

// SaveCustomers implements ports.CustomerDirectory.
func (r *CustomerRepo) SaveCustomers(ctx context.Context, customers []domain.StoredCustomer) (taken []domain.CustomerRef, err error) {
	err = r.db.writeAlone(ctx, "save customers", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, importSettings); err != nil {
			return err
		}
		taken, err = rows.Save(rowsTx{ctx, tx}, customers)
		return err
	})
	if err != nil {
		return nil, err
	}
	return taken, nil
}

// Park implements rows.SaveTx. A phone number is positive, and its own negative id
// nobody else's.
func (t rowsTx) Park(customers []domain.StoredCustomer) error {
	return execEach(t.ctx, t.tx, `UPDATE customers SET phone = -id WHERE fleet_id = ? AND id = ?`, customers,
		func(c domain.StoredCustomer) []any { return []any{c.Ref.Fleet, c.Ref.Customer} })
}

// Save implements rows.SaveTx.
func (t rowsTx) Save(customers []domain.StoredCustomer) error {
	const columns = rows.CustomerColumns + `, pin_attempts, pin_locked_until, pin_wrong`
	return execEach(t.ctx, t.tx, `
		INSERT INTO customers (`+columns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (fleet_id, id) `+rows.Replacing(columns), customers,
		func(c domain.StoredCustomer) []any {
			return append(rows.CustomerValues(c.Customer, micros(c.Photo.ChangedAt)), c.Lock.Attempts, micros(c.Lock.LockedUntil), c.Lock.Wrong)
		})
}

// BoundPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BoundPINKey(ctx context.Context) (bound domain.PINKeyFingerprint, err error) {
	err = r.db.readers.QueryRowContext(ctx, `SELECT fingerprint FROM pin_key WHERE id = 1`).Scan((*rows.Digest)(&bound))
	if errors.Is(err, sql.ErrNoRows) {
		return domain.PINKeyFingerprint{}, nil
	}
	return bound, translate("read the PIN key", err)
}

// Entries implements ports.ApiLogArchive.
func (l *ApiLog) Entries(ctx context.Context, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	entries, err := list(ctx, l.db.readers, dialect.ScanEntry, rows.SelectEntry+`WHERE id > ? ORDER BY id LIMIT ?`, after, max(limit, 0))
	return entries, translate("list entries by id", err)
}

// SaveEntries implements ports.ApiLogArchive.
func (l *ApiLog) SaveEntries(ctx context.Context, entries []domain.ApiLogEntry, through domain.ApiLogID) error {
	return l.db.writeAlone(ctx, "save entries", func(ctx context.Context, tx *sql.Tx) error {
		if _, err := tx.ExecContext(ctx, importSettings); err != nil {
			return err
		}
		if err := skipIDs(ctx, tx, through); err != nil {
			return err
		}
		const columns = `id, opened_at, ` + rows.EntryColumns
		return execEach(ctx, tx, `
			INSERT INTO api_log (`+columns+`) VALUES (?, `+now+`, `+strings.Repeat("?, ", 15)+`?) ON CONFLICT (id) `+rows.Replacing(columns), entries,
			func(entry domain.ApiLogEntry) []any {
				return append([]any{entry.ID}, dialect.EntryValues(entry.Call, entry.Outcome)...)
			})
	})
}

// skipIDs makes the ids go on above through. SQLite does so by itself above the ids
// that are stored.
func skipIDs(ctx context.Context, tx *sql.Tx, through domain.ApiLogID) error {
	changed, err := changes(tx.ExecContext(ctx, `UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = 'api_log'`, through))
	if err == nil && !changed {
		_, err = tx.ExecContext(ctx, `INSERT INTO sqlite_sequence (name, seq) VALUES ('api_log', ?)`, through)
	}
	return err
}

// RemoveEntries implements ports.ApiLogArchive.
func (l *ApiLog) RemoveEntries(ctx context.Context, ids []domain.ApiLogID) error {
	return l.db.writeAlone(ctx, "remove entries", func(ctx context.Context, tx *sql.Tx) error {
		return execEach(ctx, tx, `DELETE FROM api_log WHERE id = ?`, ids, func(id domain.ApiLogID) []any { return []any{id} })
	})
}

// execEach runs a statement with the values of each. A single statement for all of
// them would keep a journal of its own, which takes longer.
func execEach[T any](ctx context.Context, tx *sql.Tx, statement string, all []T, values func(T) []any) error {
	for _, one := range all {
		if _, err := tx.ExecContext(ctx, statement, values(one)...); err != nil {
			return err
		}
	}
	return nil
}
