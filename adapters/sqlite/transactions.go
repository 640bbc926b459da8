package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// update runs a statement that changes one row.
func (db *DB) update(ctx context.Context, action string, notFound *domain.Error, statement string, args ...any) error {
	return db.write(ctx, action, func(ctx context.Context, tx *sql.Tx) error {
		found, err := changes(tx.ExecContext(ctx, statement, args...))
		if err == nil && !found {
			return notFound
		}
		return err
	})
}

var dialect = rows.Dialect{Text: asItIs, Original: asItIs, Time: micros, IsDuplicate: isDuplicate}

func asItIs(text string) string { return text }

// micros is how a time is stored: microseconds since 1970 in UTC, NULL for
// the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// microsUp is t, rounded up to the microsecond: a stored time is before t if and
// only if it is before that.
func microsUp(t time.Time) any { return t.Add(time.Microsecond - 1).UnixMicro() }

// querier is a *sql.DB or *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// list returns the rows of a query, each as read makes it.
func list[T any](ctx context.Context, db querier, read func(rows.Row) (T, error), query string, args ...any) (all []T, err error) {
	found, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = found.Close() }() // Err has said all
	for found.Next() {
		one, err := read(found)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	return all, nil
}

// changes says whether a statement changed a row.
func changes(result sql.Result, err error) (bool, error) {
	if err != nil {
		return false, err
	}
	count, err := result.RowsAffected()
	return count > 0, err
}
