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

	// lease is how long a migration that was killed keeps others waiting. One
	// that runs renews it.
	lease = 15 * time.Second
	// lockPoll is how often a migration asks whether another one is done, and
	// lockPolls how many times. unlockPolls is how often it tries to say that it is.
	lockPoll, lockPolls, unlockPolls = 100 * time.Millisecond, 1200, 10
)

// Migrate brings the tables up to date. It may be repeated, and run in several
// processes at once. It fails with Unavailable where the server isn't reached,
// and otherwise with a sentence for the operator.
func (db *DB) Migrate(ctx context.Context) error {
	return db.withVersions(ctx, func(have, know int64) error {
		if have == know {
			return nil
		}
		return db.up(ctx)
	})
}

// Start makes sure that the tables are those that this version of the program
// migrates to. It fails with Unavailable where the server isn't reached, and
// otherwise with a sentence for the operator.
func (db *DB) Start(ctx context.Context) error {
	return db.withVersions(ctx, func(have, know int64) error {
		switch {
		case have == 0:
			return errors.New("it has no tables of this program; make them with: fleetphoto migrate")
		case have < know:
			return errors.New("its tables are older than this program; bring them up to date with: fleetphoto migrate")
		}
		return nil
	})
}

// withVersions makes sure that no newer version of the program made the tables,
// and tells f the version that they have and the one that the program knows.
func (db *DB) withVersions(ctx context.Context, f func(have, know int64) error) error {
	files, err := migrations.ReadDir("migrations")
	if err != nil {
		return err
	}
	know := int64(len(files)) // they are numbered from 1
	have, err := db.version(ctx)
	if err == nil && have > know {
		err = fmt.Errorf("a newer version of this program made it (its tables are version %d, this program knows %d); run that version, or restore a backup", have, know)
	}
	if err == nil {
		err = f(have, know)
	}
	if err != nil {
		return startError(db.pool.Config().ConnConfig.Database, err)
	}
	return nil
}

// version is the version of the tables; 0 where there are none.
func (db *DB) version(ctx context.Context) (have int64, err error) {
	err = db.once(ctx, func(conn *pgxpool.Conn) error {
		if encoding := conn.Conn().PgConn().ParameterStatus("server_encoding"); encoding != "UTF8" && encoding != "" {
			return fmt.Errorf("its encoding is %s, which doesn't hold every name; make one with ENCODING 'UTF8' TEMPLATE template0", encoding)
		}
		return conn.QueryRow(ctx, `SELECT coalesce(max(version_id), 0) FROM `+versionTable+` WHERE is_applied`).Scan(&have)
	})
	if code(err) == undefinedTable {
		return 0, nil
	}
	return have, err
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
