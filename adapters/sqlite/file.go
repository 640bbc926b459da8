package sqlite

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"syscall"
)

// remember notes which file is the database, before a connection opens it.
func (db *DB) remember() error {
	info, err := os.Stat(db.path)
	if err == nil {
		db.file.CompareAndSwap(nil, &info)
	}
	return err
}

// intact fails, with a sentence for the operator, unless the file at path is the
// one that the connections have open: SQLite keeps writing to a deleted file, and
// those writes are lost. The write-ahead log, which exists as long as a connection
// does, must exist too.
func (db *DB) intact() error {
	opened := db.file.Load()
	there, err := os.Stat(db.path)
	if err == nil {
		_, err = os.Stat(db.path + "-wal")
	}
	switch {
	case opened == nil:
		return errors.New("the database was not started")
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	case err != nil || !os.SameFile(*opened, there):
		return fmt.Errorf("the database file %s, or the -wal beside it, was deleted or replaced since this process opened it; stop the server, move the file back, or remove the -wal and -shm that are left of it and restore a backup, and start the server again", db.path)
	}
	return nil
}

// locksOf returns the directory of the lock files of the database at path.
func locksOf(path string) string { return path + "-locks" }

// makeLocks makes the directory of the lock files beside the database file.
func (db *DB) makeLocks() error {
	if err := db.checkFile(); err != nil {
		return err
	}
	if err := makeDirs(locksOf(db.path)); err != nil {
		return fmt.Errorf("cannot make the directory of the database: %w", err)
	}
	return nil
}

// checkFile fails if path can't be the database. A symbolic link can't: the lock
// files are beside the database, so two names in two directories would have two
// sets of locks.
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

// makeDirs makes dir and its missing parents, so that they survive a power cut.
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

// syncDir makes new files in dir survive a power cut. Windows and some file systems
// can't sync a directory and needn't.
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
