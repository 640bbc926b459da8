package gocloud

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"runtime"
	"strings"
)

// Photos are personal data: nobody but the owner and the group reads them.
const (
	directoryMode = 0o750
	fileMode      = 0o640
)

// restrict takes the permissions beyond fileMode from file, and adds none.
func restrict(file *os.File) error {
	info, err := file.Stat()
	if err != nil || info.Mode().Perm()&^fileMode == 0 {
		return err
	}
	return file.Chmod(info.Mode().Perm() & fileMode)
}

// syncDirectory makes what was created, renamed and removed in dir durable.
func (d *directory) syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it can't sync directories
	}
	file, err := os.Open(dir)
	if err != nil {
		return err
	}
	if err := d.sync(file); err != nil {
		_ = file.Close()
		return err
	}
	return file.Close()
}

// makeDirectoriesOf makes the directories of key below the root, from the top.
func (d *directory) makeDirectoriesOf(key string) error {
	dir := d.path
	for name := range strings.SplitSeq(path.Dir(key), "/") {
		dir = filepath.Join(dir, name)
		if err := d.makeDirectory(dir); err != nil {
			return err
		}
	}
	return nil
}

// makeDirectory makes dir, durably. A directory that is there already may have
// been made by someone who hasn't synced it yet, so the first look at each
// directory syncs too.
func (d *directory) makeDirectory(dir string) error {
	err := os.Mkdir(dir, directoryMode)
	existed := errors.Is(err, fs.ErrExist)
	if err != nil && !existed {
		return err
	}
	if _, known := d.durable.Load(dir); known && existed {
		return nil
	}
	if err := d.syncDirectory(filepath.Dir(dir)); err != nil {
		return err
	}
	d.durable.Store(dir, nil)
	return nil
}

// makeRoot makes dir and what is missing above it, durably.
func (d *directory) makeRoot(dir string) error {
	parent := filepath.Dir(dir)
	_, err := os.Stat(dir)
	if err == nil {
		// Whoever made it may have been killed before the sync. What has been
		// there for long may lie in a directory that can't be opened.
		_ = d.syncDirectory(parent)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) || parent == dir {
		return err
	}
	if err := d.makeRoot(parent); err != nil {
		return err
	}
	if err := os.Mkdir(dir, directoryMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return d.syncDirectory(parent)
}
