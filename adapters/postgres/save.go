package postgres

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// SaveFleet implements ports.FleetDirectory.
func (a *FleetAuth) SaveFleet(ctx context.Context, fleet domain.Fleet, keys []domain.FleetKey) error {
	return a.db.write(ctx, "save fleet", func(tx pgx.Tx) error { return dialect.SaveFleet(rowsTx{ctx, tx}, fleet, keys) })
}

// SaveCustomers implements ports.CustomerDirectory. When another process adds or
// changes the same customers at the same time, it starts over.
func (r *CustomerRepo) SaveCustomers(ctx context.Context, customers []domain.StoredCustomer) (taken []domain.CustomerRef, err error) {
	err = r.db.write(ctx, "save customers", func(tx pgx.Tx) error {
		taken, err = rows.Save(rowsTx{ctx, tx}, customers)
		if code(err) == uniqueViolation { // the row was not there when it was looked up
			err = errors.Join(errRaced, err)
		}
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
	var refs table
	for _, c := range customers {
		refs = append(refs, []any{c.Ref.Fleet, c.Ref.Customer})
	}
	return refs.exec(t.ctx, t.tx, `
		UPDATE customers SET phone = -id FROM unnest($1::bigint[], $2::bigint[]) AS moving (fleet, customer)
		WHERE fleet_id = moving.fleet AND id = moving.customer`)
}

// Save implements rows.SaveTx.
func (t rowsTx) Save(customers []domain.StoredCustomer) error {
	var stored, locks table
	for _, c := range customers {
		stored = append(stored, rows.CustomerValues(c.Customer, instant(c.Photo.ChangedAt)))
		locks = append(locks, []any{c.Ref.Fleet, c.Ref.Customer, c.Lock.Attempts, c.Lock.Wrong, instant(c.Lock.LockedUntil)})
	}
	err := stored.exec(t.ctx, t.tx, `
		INSERT INTO customers (`+rows.CustomerColumns+`)
		SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bytea[], $5::bytea[], $6::bigint[], $7::bigint[], $8::bigint[],
			$9::timestamptz[], $10::bigint[], $11::text[], $12::text[])
		ON CONFLICT (fleet_id, id) `+rows.Replacing(rows.CustomerColumns))
	if err != nil {
		return err
	}
	return locks.exec(t.ctx, t.tx, `
		INSERT INTO pin_locks (`+lockColumns+`) SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::bigint[], $4::bigint[], $5::timestamptz[])
		ON CONFLICT (fleet_id, customer_id) `+rows.Replacing(lockColumns))
}

const lockColumns = `fleet_id, customer_id, attempts, wrong, locked_until`

// BoundPINKey implements ports.PINKeyBinder.
func (r *CustomerRepo) BoundPINKey(ctx context.Context) (bound domain.PINKeyFingerprint, err error) {
	err = r.db.do(ctx, "read the PIN key", func(conn *pgxpool.Conn) error {
		err := conn.QueryRow(ctx, `SELECT fingerprint FROM pin_key WHERE id = 1`).Scan((*rows.Digest)(&bound))
		if errors.Is(err, pgx.ErrNoRows) {
			return nil
		}
		return err
	})
	return bound, err
}

// SaveEntries implements ports.ApiLogArchive.
func (l *ApiLog) SaveEntries(ctx context.Context, entries []domain.ApiLogEntry, through domain.ApiLogID) error {
	var values table
	for _, entry := range entries {
		through = max(through, entry.ID)
		values = append(values, append([]any{entry.ID}, dialect.EntryValues(entry.Call, entry.Outcome)...))
	}
	return l.db.write(ctx, "save entries", func(tx pgx.Tx) error {
		if err := skipIDs(ctx, tx, through); err != nil {
			return err
		}
		return values.exec(ctx, tx, `
			INSERT INTO api_log (id, `+rows.EntryColumns+`) OVERRIDING SYSTEM VALUE
			SELECT * FROM unnest($1::bigint[], $2::timestamptz[], $3::text[], $4::bigint[], $5::text[], $6::bigint[], $7::text[], $8::text[], $9::text[],
				$10::bytea[], $11::text[], $12::text[], $13::text[], $14::text[], $15::timestamptz[], $16::timestamptz[], $17::text[])
			ON CONFLICT (shard, id) `+rows.Replacing(rows.EntryColumns+`, opened_at`)) // which is excluded with its default
	})
}

// lastID is the last id that was given out, NULL where none was.
const lastID = `pg_sequence_last_value(pg_get_serial_sequence('api_log', 'id')::regclass)`

// skipIDs makes the ids go on above through. While it raises them, nobody else takes one.
func skipIDs(ctx context.Context, tx pgx.Tx, through domain.ApiLogID) error {
	var behind bool
	if err := tx.QueryRow(ctx, `SELECT coalesce(`+lastID+`, 0) < $1`, through).Scan(&behind); err != nil || !behind {
		return err
	}
	if _, err := tx.Exec(ctx, `LOCK TABLE api_log IN SHARE ROW EXCLUSIVE MODE`); err != nil {
		return err
	}
	_, err := tx.Exec(ctx, `SELECT setval(pg_get_serial_sequence('api_log', 'id'), greatest(`+lastID+`, $1))`, through)
	return err
}

// Entries implements ports.ApiLogArchive. Each shard has its entries in order.
func (l *ApiLog) Entries(ctx context.Context, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	return list(ctx, l.db, "list entries by id", dialect.ScanEntry, entriesByID, after, max(limit, 0))
}

var entriesByID = func() string {
	var shards []string
	for shard := range 16 {
		shards = append(shards, fmt.Sprintf(`(%s WHERE shard = %d AND id > $1 ORDER BY id LIMIT $2)`, rows.SelectEntry, shard))
	}
	return strings.Join(shards, " UNION ALL ") + " ORDER BY id LIMIT $2"
}()

// RemoveEntries implements ports.ApiLogArchive.
func (l *ApiLog) RemoveEntries(ctx context.Context, ids []domain.ApiLogID) error {
	var removed table
	for _, id := range ids {
		removed = append(removed, []any{id})
	}
	return l.db.write(ctx, "remove entries", func(tx pgx.Tx) error {
		return removed.exec(ctx, tx, `DELETE FROM api_log USING unnest($1::bigint[]) AS gone WHERE shard = gone % 16 AND id = gone`)
	})
}

// table is rows of values.
type table [][]any

// exec runs a statement whose parameters are the columns. Without rows it does nothing.
func (t table) exec(ctx context.Context, tx pgx.Tx, statement string) error {
	if len(t) == 0 {
		return nil
	}
	columns := make([]any, len(t[0]))
	for i := range columns {
		var err error
		if columns[i], err = t.column(i); err != nil {
			return err
		}
	}
	_, err := tx.Exec(ctx, statement, columns...)
	return err
}

// column returns a column as a slice of its type: pgx may have to tell by that how to
// encode it. Without a value it is of times, as a hash has its type.
func (t table) column(i int) (any, error) {
	var numbers []int64
	var texts []string
	var hashes [][]byte
	var times []*time.Time
	for _, row := range t {
		if hash, is := row[i].(rows.Digest); is {
			hashes = append(hashes, hash.Bytes())
			continue
		}
		value, err := driver.DefaultParameterConverter.ConvertValue(row[i])
		if err != nil {
			return nil, err
		}
		switch value := value.(type) {
		case int64:
			numbers = append(numbers, value)
		case string:
			texts = append(texts, value)
		case time.Time:
			times = append(times, &value)
		default:
			times = append(times, nil)
		}
	}
	switch {
	case numbers != nil:
		return numbers, nil
	case texts != nil:
		return texts, nil
	case hashes != nil:
		return hashes, nil
	}
	return times, nil
}
