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

// settings sets the settings of a transaction. They end with it, so they work
// through a pooler too. A process that freezes or is cut off while it holds a
// customer's row loses it after twice the longest time of a call, which is before
// Repair looks at the call.
const settings = `SELECT set_config('idle_in_transaction_session_timeout', '60s', true)`

// statementTimeout limits a statement to the longest time of a call, unless the URL
// sets a limit.
const statementTimeout = `, set_config('statement_timeout', '30s', true)`

const (
	// attempts is how often a transaction is tried that conflicts with another
	// one, or whose connection turns out to be dead.
	attempts = 3
	// endTimeout limits a commit or rollback. ctx doesn't interrupt them, as the
	// outcome would be unknown.
	endTimeout = 5 * time.Second
)

// do runs f on a connection and retries it where that may help. A failed f must
// have stored nothing, or be harmless to repeat.
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

// autocommit runs a statement as a transaction of its own, in one round trip, and
// reads its only row into into. It retries only if the statement certainly had no
// effect. Without a row it fails with pgx.ErrNoRows.
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

// write runs f in a transaction and retries it where that may help.
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

// begin begins a transaction. Statements queued after it share its round trip.
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

// commit runs last, the last statements of a transaction, and commits it in the
// same round trip, unless ctx has ended. If one of them fails, the transaction is
// not committed. Don't retry it: if the connection is lost meanwhile, the commit
// may have succeeded.
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

// takeTurn waits, without using a connection, until no other change of the customer
// runs in this DB and a slot is free. The row's lock orders changes of different
// processes.
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
