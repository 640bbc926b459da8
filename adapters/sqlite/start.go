package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pressly/goose/v3"
)

// startLock is held by the one Start that is under way, in any process. No
// customer's lock has this name.
const startLock = "start"

// Migrate makes the directory and the file where they are missing and brings
// the tables up to date. It may be repeated, and run in several processes at
// once. It fails with a sentence for the operator.
func (db *DB) Migrate(ctx context.Context) error {
	if err := db.makeLocks(); err != nil {
		return err
	}
	lock, err := db.locks.Take(ctx, startLock)
	if err != nil {
		return fmt.Errorf("cannot lock the database %s for its migration: %w", db.path, err)
	}
	defer lock.Unlock()
	if err := createFile(db.path); err != nil {
		return fmt.Errorf("cannot make the database file: %w", err)
	}
	return db.withTables(ctx, func(tables *goose.Provider) error {
		_, err := tables.Up(ctx)
		return err
	})
}

// Start makes sure that the file can be written and that this version of the
// program can use its tables. It fails with a sentence for the operator.
func (db *DB) Start(ctx context.Context) error {
	if _, err := os.Lstat(db.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database at %s; is this the server's directory? make one with: fleetphoto migrate", db.path)
	}
	if err := db.makeLocks(); err != nil {
		return err
	}
	return db.withTables(ctx, func(tables *goose.Provider) error {
		have, know, err := tables.GetVersions(ctx)
		switch {
		case err != nil || have > know: // those who removed a column have said who may go on without it
			return err
		case have < know:
			return errors.New("its tables are older than this program; bring them up to date with: fleetphoto migrate")
		}
		return db.checkColumns(ctx)
	})
}

// withTables makes sure that the file can be written, and that this version of
// the program may use its tables, and lets f use the migrations.
func (db *DB) withTables(ctx context.Context, f func(*goose.Provider) error) error {
	tables, err := provider(db.writer)
	for _, check := range []func() error{
		db.remember,
		func() error { return db.checkWritable(ctx) },
		func() error { return db.checkNeeds(ctx, tables) },
		func() error { return f(tables) },
		db.intact,
	} {
		if err == nil {
			err = check()
		}
	}
	if err != nil {
		return startError(db.path, err)
	}
	return nil
}

func (db *DB) checkWritable(ctx context.Context) error {
	var mode string
	if err := db.writer.QueryRowContext(ctx, "PRAGMA journal_mode").Scan(&mode); err != nil {
		return err
	}
	if mode != "wal" {
		return errors.New("its file system lacks the shared memory that SQLite needs; put it on a local disk")
	}
	tx, err := db.writer.BeginTx(ctx, nil) // takes the write lock, which a read-only file refuses
	if err != nil {
		return err
	}
	return tx.Rollback()
}
