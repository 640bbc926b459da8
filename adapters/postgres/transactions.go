package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// begin begins a transaction. Its settings end with it, so they work through
// a pooler too. Who is frozen or cut off in the middle, perhaps holding a
// customer's row, loses it after twice the time that a call may take, which is
// before Repair looks at the call.
const begin = `BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL idle_in_transaction_session_timeout = '60s'`

// statementTimeout, which a URL may set too, is as long as a call may take.
const statementTimeout = `; SET LOCAL statement_timeout = '30s'`

const (
	// attempts is how often a transaction is tried that is lost against
	// another one, or whose connection turns out to be dead.
	attempts = 3
	// endTimeout is how long the end of a transaction may take, which ctx
	// doesn't interrupt: nobody would know how it ended.
	endTimeout = 5 * time.Second
)

// do runs f on a connection, and again while it is worth it. f leaves nothing
// behind when it fails, or is harmless to repeat.
func (db *DB) do(ctx context.Context, action string, f func(*pgxpool.Conn) error) error {
	err := db.once(ctx, f)
	for range attempts - 1 {
		if err == nil || !isWorthRepeating(err) || ctx.Err() != nil {
			break
		}
		if isLost(err) {
			db.pool.Reset() // the others are to the same server
		}
		err = db.once(ctx, f)
	}
	return translate(action, err)
}

func (db *DB) once(ctx context.Context, f func(*pgxpool.Conn) error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return noConnection{err}
	}
	defer conn.Release()
	return f(conn)
}

// write runs f in a transaction, and again while it is worth it.
func (db *DB) write(ctx context.Context, action string, f func(pgx.Tx) error) error {
	return db.do(ctx, action, func(conn *pgxpool.Conn) error {
		return db.transact(ctx, conn, func(tx pgx.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			return commit(ctx, tx)
		})
	})
}

// transact runs f in a transaction, which is rolled back unless f commits it.
func (db *DB) transact(ctx context.Context, conn *pgxpool.Conn, f func(pgx.Tx) error) error {
	tx, err := conn.BeginTx(ctx, pgx.TxOptions{BeginQuery: db.begin})
	if err != nil {
		return err
	}
	defer func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		_ = tx.Rollback(ctx) // after a commit it does nothing; where it fails, the connection ends
	}()
	return f(tx)
}

// commit makes a transaction durable, unless ctx has ended. It isn't to be
// repeated: where the connection is lost meanwhile, it may have succeeded.
func commit(ctx context.Context, tx pgx.Tx) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	return translate("commit", tx.Commit(ctx))
}

// update runs a statement that changes one row, whether or not it did already.
func (db *DB) update(ctx context.Context, action string, notFound *domain.Error, statement string, args ...any) error {
	return db.do(ctx, action, func(conn *pgxpool.Conn) error {
		changed, err := conn.Exec(ctx, statement, args...)
		if err == nil && changed.RowsAffected() == 0 {
			return notFound
		}
		return err
	})
}

// list returns the rows of a query, each as read makes it.
func list[T any](ctx context.Context, db *DB, action string, read func(rows.Row) (T, error), query string, args ...any) (all []T, err error) {
	err = db.do(ctx, action, func(conn *pgxpool.Conn) error {
		found, _ := conn.Query(ctx, query, args...) // collect returns its error
		all, err = collect(found, read)
		return err
	})
	return all, err
}

// collect returns the rows that were found, each as read makes it, or why the
// query failed.
func collect[T any](found pgx.Rows, read func(rows.Row) (T, error)) ([]T, error) {
	return pgx.CollectRows(found, func(row pgx.CollectableRow) (T, error) { return read(row) })
}

// ifNone is notFound when err says that there is no such row, and err otherwise.
func ifNone(err error, notFound *domain.Error) error {
	if errors.Is(err, pgx.ErrNoRows) {
		return notFound
	}
	return err
}

// takeTurn waits for the customer's turn in this DB, then for a slot, in memory,
// without a connection. Among processes the customer's row decides.
func (db *DB) takeTurn(ctx context.Context, ref domain.CustomerRef) (leave func(), err error) {
	giveUp, err := db.turns.Take(ctx, ref)
	if err != nil {
		return nil, err
	}
	select {
	case db.slots <- struct{}{}:
		return func() { <-db.slots; giveUp() }, nil
	case <-ctx.Done():
		giveUp()
		return nil, ctx.Err()
	}
}
