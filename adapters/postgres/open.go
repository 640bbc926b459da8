// Package postgres keeps fleets, customers and the API log in PostgreSQL 14 or
// newer, for any number of processes on any number of machines.
//
// App and tests import it; it imports ports and domain.
//
// It works through PgBouncer in transaction mode, and keeps to what a
// distributed database that speaks PostgreSQL has: no advisory locks, no
// extensions, no setting that outlives a transaction. Where PgBouncer
// keeps no prepared statements, which it does by default from 1.24 on, the URL
// needs default_query_exec_mode=cache_describe (or exec).
package postgres

import (
	"context"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/locks"
	"github.com/fleetphoto/fleetphoto/domain"
)

// DB is one database and the ports that it backs. Any number of DBs, in any
// number of processes, may share a database.
//
// A DB has at most pool_max_conns connections, 20 by default. A photo's change holds
// one while it runs, so at most three quarters of them, 15 of 20, serve changes; the
// others stay free for short calls. Further changes, and changes of a customer whom
// this DB is already changing, wait without a connection.
type DB struct {
	pool     *pgxpool.Pool
	turns    locks.Turns[domain.CustomerRef]
	slots    chan struct{} // one for each change that may run at once
	settings string        // the statement that makes a transaction's settings
	lease    time.Duration // how long a migration that was killed keeps others waiting
}

// Open makes a DB for a URL like postgres://user@host/database. What the URL
// leaves out comes from libpq's environment variables and files, PGPASSWORD and
// ~/.pgpass among them. Open doesn't connect; Start does.
func Open(rawURL string) (*DB, error) {
	config, err := parseURL(rawURL)
	if err != nil {
		return nil, err
	}
	// Each statement of a traced call makes a span with the statement's text, which
	// holds no values.
	config.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithDisableConnectionDetailsInAttributes())
	pool, err := pgxpool.NewWithConfig(context.Background(), config)
	if err != nil {
		return nil, err
	}
	size := int(config.MaxConns)
	db := &DB{pool: pool, slots: make(chan struct{}, size-max(1, size/4)), settings: settings, lease: lease}
	if config.ConnConfig.RuntimeParams["statement_timeout"] == "" {
		db.settings += statementTimeout
	}
	return db, nil
}

// FleetAuth is the fleets in this database.
func (db *DB) FleetAuth() *FleetAuth { return &FleetAuth{db} }

// CustomerRepo is the customers in this database.
func (db *DB) CustomerRepo() *CustomerRepo { return &CustomerRepo{db} }

// FleetCustomers is the customers of the fleets in this database.
func (db *DB) FleetCustomers() *FleetCustomers { return &FleetCustomers{db.CustomerRepo()} }

// ChangeRecorder stores a change of CustomerRepo and how it ended in ApiLog in
// one commit.
func (db *DB) ChangeRecorder() *ChangeRecorder { return &ChangeRecorder{db} }

// ApiLog is the API log in this database.
func (db *DB) ApiLog() *ApiLog { return &ApiLog{db} }

// Connections returns how many connections are in use, idle and allowed.
func (db *DB) Connections() (inUse, idle, most int) {
	now := db.pool.Stat()
	return int(now.AcquiredConns()), int(now.IdleConns()), int(now.MaxConns())
}

// Now returns the server's time. It fails with Unavailable.
func (db *DB) Now(ctx context.Context) (now time.Time, err error) {
	err = db.do(ctx, "read the clock", func(conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, `SELECT now()`).Scan(&now)
	})
	return now, err
}

// Identity returns what no other database has, whatever URL leads to this one. It
// fails with Unavailable, and where the server doesn't have what it is made of.
func (db *DB) Identity(ctx context.Context) (id string, err error) {
	err = db.do(ctx, "identify the database", func(conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, `SELECT extract(epoch FROM pg_postmaster_start_time()) || ' ' || oid FROM pg_database WHERE datname = current_database()`).Scan(&id)
	})
	return id, err
}

// oldestTested and newestTested are the major versions of PostgreSQL that the
// matrix in docs/backends.md begins and ends with.
const oldestTested, newestTested = 14, 18

// Server returns what server this is and its version, and whether this program
// is tested with it. It fails with Unavailable.
func (db *DB) Server(ctx context.Context) (name string, tested bool, err error) {
	err = db.do(ctx, "read the version", func(conn *pgxpool.Conn) error {
		return conn.QueryRow(ctx, `SELECT version()`).Scan(&name)
	})
	if words := strings.Fields(name); len(words) > 1 {
		name = words[0] + " " + words[1]
	}
	return name, isTested(name), err
}

// isTested reports whether name is a tested version such as "PostgreSQL 15.8", not
// another database that speaks PostgreSQL's protocol.
func isTested(name string) bool {
	found := regexp.MustCompile(`^PostgreSQL (\d+)(\.\d+)*$`).FindStringSubmatch(name)
	if found == nil {
		return false
	}
	major, err := strconv.Atoi(found[1])
	return err == nil && oldestTested <= major && major <= newestTested
}

// Close waits for the calls that run and ends all connections. The ports fail
// with Unavailable from then on.
func (db *DB) Close() error {
	db.pool.Close()
	return nil
}
