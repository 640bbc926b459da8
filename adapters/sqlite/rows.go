package sqlite

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"fmt"
	"time"
)

// micros is how a time is stored: microseconds since 1970 in UTC, NULL for
// the zero time.
func micros(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t.UnixMicro()
}

// microsUp is the first whole microsecond that isn't before t: a stored time is
// before t just when it is before that.
func microsUp(t time.Time) int64 { return t.Add(time.Microsecond - 1).UnixMicro() }

// timeColumn reads what micros stored.
type timeColumn struct{ into *time.Time }

// Scan implements sql.Scanner.
func (c timeColumn) Scan(value any) error {
	switch value := value.(type) {
	case nil:
		*c.into = time.Time{}
	case int64:
		*c.into = time.UnixMicro(value).UTC()
	default:
		return fmt.Errorf("want microseconds, got %T", value)
	}
	return nil
}

// digest is how a hash is stored: its bytes, NULL for the zero hash.
func digest(hash [sha256.Size]byte) any {
	if hash == ([sha256.Size]byte{}) {
		return nil
	}
	return hash[:]
}

// digestColumn reads what digest stored.
type digestColumn struct{ into *[sha256.Size]byte }

// Scan implements sql.Scanner.
func (c digestColumn) Scan(value any) error {
	stored, isBytes := value.([]byte)
	if value != nil && (!isBytes || len(stored) != sha256.Size) {
		return fmt.Errorf("want a hash of %d bytes, got %T", sha256.Size, value)
	}
	*c.into = [sha256.Size]byte{}
	copy(c.into[:], stored)
	return nil
}

// scanner is a *sql.Row or *sql.Rows.
type scanner interface{ Scan(into ...any) error }

// querier is a *sql.DB or *sql.Tx.
type querier interface {
	QueryContext(ctx context.Context, query string, args ...any) (*sql.Rows, error)
	QueryRowContext(ctx context.Context, query string, args ...any) *sql.Row
}

// list returns the rows of a query, each as read makes it.
func list[T any](ctx context.Context, db querier, read func(scanner) (T, error), query string, args ...any) (all []T, err error) {
	rows, err := db.QueryContext(ctx, query, args...)
	if err != nil {
		return nil, err
	}
	defer func() { _ = rows.Close() }() // rows.Err has said all
	for rows.Next() {
		one, err := read(rows)
		if err != nil {
			return nil, err
		}
		all = append(all, one)
	}
	if err := rows.Err(); err != nil {
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
