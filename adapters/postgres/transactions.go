package postgres

import (
	"context"
	"errors"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// settings makes those of a transaction. They end with it, so they work through
// a pooler too. Who is frozen or cut off in the middle, perhaps holding a
// customer's row, loses it after twice the time that a call may take, which is
// before Repair looks at the call.
const settings = `SELECT set_config('idle_in_transaction_session_timeout', '60s', true)`

// statementTimeout, which a URL may set too, is as long as a call may take.
const statementTimeout = `, set_config('statement_timeout', '30s', true)`

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
	for try := 1; ; try++ {
		err := db.once(ctx, f)
		if err == nil || errors.As(err, new(noConnection)) || ctx.Err() != nil {
			return translate(action, err)
		}
		if isLost(err) {
			db.pool.Reset() // the others are to the same server
		}
		if try == attempts || !isWorthRepeating(err) {
			return translate(action, err)
		}
	}
}

func (db *DB) once(ctx context.Context, f func(*pgxpool.Conn) error) error {
	conn, err := db.pool.Acquire(ctx)
	if err != nil {
		return noConnection{err}
	}
	defer conn.Release()
	return f(conn)
}

// autocommit runs a statement that is a transaction of its own, in one round
// trip, and reads its one row into. It is repeated only where it surely was not
// carried out. Without a row it fails with pgx.ErrNoRows.
func (db *DB) autocommit(ctx context.Context, action string, into []any, statement string, args ...any) error {
	return db.do(ctx, action, func(conn *pgxpool.Conn) error {
		carriedOut := false
		found, _ := conn.Query(ctx, statement, args...) // ForEachRow returns its error
		_, err := pgx.ForEachRow(found, into, func() error { carriedOut = true; return nil })
		switch {
		case err == nil && !carriedOut:
			return pgx.ErrNoRows
		case carriedOut || !isSurelyUndone(err):
			return translate(action, err) // which is not repeated
		}
		return err
	})
}

// write runs f in a transaction, and again while it is worth it.
func (db *DB) write(ctx context.Context, action string, f func(pgx.Tx) error) error {
	return db.do(ctx, action, func(conn *pgxpool.Conn) error {
		return transact(ctx, conn, db.begin(), func(tx pgx.Tx) error {
			if err := f(tx); err != nil {
				return err
			}
			return commit(ctx, tx, &pgx.Batch{})
		})
	})
}

// begin begins a transaction. What is queued after it takes no round trip more.
func (db *DB) begin() *pgx.Batch {
	first := &pgx.Batch{}
	first.BeginTx(pgx.TxOptions{IsoLevel: pgx.ReadCommitted})
	first.Queue(db.settings)
	return first
}

// transact runs first, which begins a transaction, and f in it. It is rolled
// back unless f commits it.
func transact(ctx context.Context, conn *pgxpool.Conn, first *pgx.Batch, f func(pgx.Tx) error) error {
	begun := conn.SendBatch(ctx, first)
	defer func() {
		if conn.Conn().PgConn().TxStatus() == 'I' {
			return
		}
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
		defer cancel()
		_ = begun.Tx().Rollback(ctx) // where it fails, the connection ends
	}()
	if err := begun.Close(); err != nil {
		return err
	}
	return f(begun.Tx())
}

// commit runs last, the last statements of a transaction, and makes it durable,
// in one round trip, unless ctx has ended. Where one of them fails, the server
// doesn't get to the commit. It isn't to be repeated: where the connection is
// lost meanwhile, it may have succeeded.
func commit(ctx context.Context, tx pgx.Tx, last *pgx.Batch) error {
	if ctx.Err() != nil {
		return ctx.Err()
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), endTimeout)
	defer cancel()
	last.Queue("COMMIT").Exec(func(ended pgconn.CommandTag) error {
		if ended.String() != "COMMIT" { // a statement failed before, and nobody minded
			return pgx.ErrTxCommitRollback
		}
		return nil
	})
	return translate("commit", tx.SendBatch(ctx, last).Close())
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
