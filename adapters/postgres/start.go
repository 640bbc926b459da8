package postgres

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"
)

//go:embed migrations/*.sql
var migrations embed.FS

const (
	versionTable = "fleetphoto_versions"
	lockTable    = "fleetphoto_migration_lock"

	// lease is how long a killed migration keeps others waiting. A running
	// migration renews it.
	lease = 15 * time.Second
	// A migration asks every lockPoll, up to lockPolls times, whether another one is
	// done, and tries up to unlockPolls times to release its own lock.
	lockPoll, lockPolls, unlockPolls = 100 * time.Millisecond, 1200, 10
)

// uses query the columns that the program needs, by the migration that adds them.
var uses = []struct{ migration, query string }{
	{"00001_create_tables.sql", `SELECT f.disabled, k.fleet_id, c.photo_changed_by, p.locked_until, l.ended_at
		FROM fleets f, api_keys k, customers c, pin_locks p, api_log l LIMIT 0`},
	{"00002_add_keys_and_details.sql", `SELECT k.label, k.added_at, l.key_label, l.details, l.outcome_details, p.fingerprint
		FROM api_keys k, api_log l, pin_key p LIMIT 0`},
	{"00003_add_versions_and_intents.sql", `SELECT c.photo_version, c.photo_store, p.wrong, l.intent_sha256, l.photo_store, l.opened_at, l.settled_at
		FROM customers c, pin_locks p, api_log l LIMIT 0`},
	{"00004_add_log_indexes.sql", `SELECT claimed_at FROM api_log_pruning LIMIT 0`},
	{"00005_add_fleet_policy.sql", `SELECT require_pin FROM fleets LIMIT 0`},
	{"00006_add_fleet_country.sql", `SELECT country FROM fleets LIMIT 0`},
}

// Migrate brings the tables up to date. It may be repeated, and run in several
// processes at once. It fails with Unavailable where the server isn't reached,
// and otherwise with a sentence for the operator.
func (db *DB) Migrate(ctx context.Context) error {
	return db.withVersions(ctx, func(have, know int64) error {
		if have >= know {
			return nil
		}
		return db.up(ctx)
	})
}

// Start makes sure that this version of the program can use the tables. It
// fails with Unavailable where the server isn't reached, and otherwise with a
// sentence for the operator.
func (db *DB) Start(ctx context.Context) error {
	return db.withVersions(ctx, func(have, know int64) error {
		switch {
		case have == 0:
			return errors.New("it has no tables of this program; make them with: fleetphoto migrate")
		case have < know:
			return errors.New("its tables are older than this program; bring them up to date with: fleetphoto migrate")
		}
		return db.complete(ctx)
	})
}

// complete fails where a table or a column that the program uses is missing.
func (db *DB) complete(ctx context.Context) error {
	return db.once(ctx, func(conn *pgxpool.Conn) error {
		for _, use := range uses {
			_, err := conn.Exec(ctx, use.query)
			if code := code(err); code == undefinedTable || code == undefinedColumn {
				err = fmt.Errorf("%w, which the migration %s should have made; restore a backup", err, use.migration)
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}

// withVersions makes sure that the tables don't need a newer version of the
// program, and tells f the version that they have and the one that the program
// knows.
func (db *DB) withVersions(ctx context.Context, f func(have, know int64) error) error {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	know := int64(len(files)) // they are numbered from 1
	have, need, err := db.versions(ctx)
	if err == nil && need > know {
		err = fmt.Errorf("a newer version of this program made its tables (they need one that knows version %d, this program knows %d); run that version, or restore a backup", need, know)
	}
	if err == nil {
		err = f(have, know)
	}
	if err != nil {
		return startError(db.pool.Config().ConnConfig.Database, err)
	}
	return nil
}

// versions are the version of the tables, 0 where there are none, and the
// oldest one that a program must know to use them.
func (db *DB) versions(ctx context.Context) (have, need int64, err error) {
	err = db.once(ctx, func(conn *pgxpool.Conn) error {
		if encoding := conn.Conn().PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" && encoding != "" {
			return fmt.Errorf("its encoding is %s, which doesn't hold every name; make one with ENCODING 'UTF8' TEMPLATE template0", encoding)
		}
		err := conn.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM `+versionTable+` WHERE is_applied`).Scan(&have)
		if err == nil {
			err = conn.QueryRow(ctx, `SELECT tables_version FROM schema_needs`).Scan(&need)
		}
		return err
	})
	if code(err) == undefinedTable {
		return have, have, nil
	}
	return have, need, err
}

// up migrates, one process at a time. The lock is a row with a lease, as a
// pooler and a distributed database have no locks of sessions.
func (db *DB) up(ctx context.Context) error {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	turn, err := lock.NewPostgresTableLocker(lock.WithTableName(lockTable), lock.WithTableLeaseDuration(db.lease),
		lock.WithTableHeartbeatInterval(db.lease/5), lock.WithTableLockTimeout(lockPoll, lockPolls), lock.WithTableUnlockTimeout(lockPoll, unlockPolls))
	if err != nil {
		return err
	}
	connections := stdlib.OpenDBFromPool(db.pool)
	defer func() { _ = connections.Close() }() // the pool stays open
	tables, err := goose.NewProvider(goose.DialectPostgres, connections, files, goose.WithDisableGlobalRegistry(true),
		goose.WithTableName(versionTable), goose.WithLocker(turn))
	if err != nil {
		return err
	}
	_, err = tables.Up(ctx)
	return err
}
