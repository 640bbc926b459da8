package sqlite

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/pressly/goose/v3"
)

//go:embed migrations/*.sql
var migrations embed.FS

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
	unlock, err := db.locks.lock(ctx, startLock)
	if err != nil {
		return fmt.Errorf("cannot lock the database %s for its migration: %w", db.path, err)
	}
	defer unlock()
	if err := createFile(db.path); err != nil {
		return fmt.Errorf("cannot make the database file: %w", err)
	}
	return db.withTables(ctx, func(tables *goose.Provider) error {
		_, err := tables.Up(ctx)
		return err
	})
}

// Start makes sure that the file can be written and that its tables are those
// that this version of the program migrates to. It fails with a sentence for
// the operator.
func (db *DB) Start(ctx context.Context) error {
	if _, err := os.Lstat(db.path); errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("there is no database file %s; make it with: fleetphoto migrate", db.path)
	}
	if err := db.makeLocks(); err != nil {
		return err
	}
	return db.withTables(ctx, func(tables *goose.Provider) error {
		pending, err := tables.HasPending(ctx)
		if err == nil && pending {
			err = errors.New("its tables are older than this program; bring them up to date with: fleetphoto migrate")
		}
		return err
	})
}

// makeLocks makes the directory of the lock files, beside what may be the
// database.
func (db *DB) makeLocks() error {
	if err := db.checkFile(); err != nil {
		return err
	}
	if err := makeDirs(db.locks.dir); err != nil {
		return fmt.Errorf("cannot make the directory of the database: %w", err)
	}
	return nil
}

// checkFile refuses what can't be the database. A symbolic link is refused
// because the locks lie beside the file: two names in two directories would
// have two sets of them.
func (db *DB) checkFile() error {
	info, err := os.Lstat(db.path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil
	case err != nil:
		return fmt.Errorf("cannot open the database file: %w", err)
	case info.Mode()&fs.ModeSymlink != 0:
		return fmt.Errorf("the database file %s is a symbolic link; name the file that it points to", db.path)
	case !info.Mode().IsRegular():
		return fmt.Errorf("the database file %s is a directory or another thing that is no file; name a file", db.path)
	}
	return nil
}

// makeDirs makes dir and what is missing above it, to outlast a power cut.
func makeDirs(dir string) error {
	err := os.Mkdir(dir, 0o750)
	if parent := filepath.Dir(dir); errors.Is(err, fs.ErrNotExist) && parent != dir {
		if err := makeDirs(parent); err != nil {
			return err
		}
		err = os.Mkdir(dir, 0o750)
	}
	if err == nil {
		return syncDir(filepath.Dir(dir))
	}
	if info, statErr := os.Stat(dir); statErr == nil && info.IsDir() {
		return nil
	}
	return err
}

// syncDir makes what was created in dir outlast a power cut. Windows and some
// file systems can't sync a directory and need not.
func syncDir(dir string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	err = file.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, file.Close())
}

// createFile makes an empty file where there is none. An existing one isn't
// opened: closing it would drop the locks that SQLite holds on it elsewhere in
// this process.
func createFile(path string) error {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := errors.Join(file.Sync(), file.Close()); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

// withTables makes sure that the file can be written, and that no newer version
// of the program made its tables, and lets f use the migrations.
func (db *DB) withTables(ctx context.Context, f func(*goose.Provider) error) error {
	err := db.checkWritable(ctx)
	if err != nil {
		return startError(db.path, err)
	}
	tables, err := db.tables(ctx)
	if err == nil {
		err = f(tables)
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

func (db *DB) tables(ctx context.Context) (*goose.Provider, error) {
	files, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return nil, err
	}
	provider, err := goose.NewProvider(goose.DialectSQLite3, db.writer, files, goose.WithDisableGlobalRegistry(true))
	if err != nil {
		return nil, err
	}
	have, know, err := provider.GetVersions(ctx)
	if err == nil && have > know {
		err = fmt.Errorf("a newer version of this program made it (its tables are version %d, this program knows %d); run that version, or restore a backup", have, know)
	}
	return provider, err
}
