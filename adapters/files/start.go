package files

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strconv"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The names in the directory beside those of the fleets.
const (
	probeName = ".fleetphoto-probe"
	locksDir  = ".fleetphoto-locks"
)

// Start creates the directory and checks that it can be written. Its error is a
// sentence for the operator.
func (s *PhotoStore) Start(ctx context.Context) error {
	err := s.makeRoot(s.path)
	if err == nil {
		err = s.probe(ctx)
	}
	if err == nil {
		s.root, err = os.Open(s.path)
	}
	if err == nil {
		s.started, err = s.root.Stat()
	}
	if err != nil {
		return fmt.Errorf("photos can't be kept in %s: %w; name a directory that this process may create, read and write", s.path, err)
	}
	return nil
}

// Close releases the directory. Open photos stay readable.
func (s *PhotoStore) Close() error {
	if s.root == nil {
		return nil
	}
	s.closed.Store(true)
	return s.root.Close()
}

// probe does what a Put does, with a small file.
func (s *PhotoStore) probe(ctx context.Context) error {
	lock, err := s.locks.Take(ctx, probeName)
	if err != nil {
		return fmt.Errorf("lock a file: %w", err)
	}
	defer lock.Unlock() // processes that start at the same time use the same name
	name := filepath.Join(s.path, probeName)
	_, err = s.write(name, []byte("fleetphoto wrote this to see whether it can.\n"), time.Now())
	return cmp.Or(err, unlessMissing(os.Remove(name)), s.syncDirectory(s.path))
}

// attached fails unless the root is still the directory that Start found.
// Without its volume, every photo would seem to be missing, and a new one would
// be stored where nobody finds it.
func (s *PhotoStore) attached() error {
	if s.started == nil || s.closed.Load() {
		return errors.New("the photo store is not started, or closed")
	}
	current, err := os.Stat(s.path)
	if err == nil && !os.SameFile(s.started, current) {
		err = errors.New("the photo directory is another one than at the start; mount or restore it and start again")
	}
	return err
}

// syncDirectory makes it durable that files in dir were created, renamed or
// removed.
func (s *PhotoStore) syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // Windows can't sync directories
	}
	file, err := os.OpenFile(dir, os.O_RDONLY|unpolled, 0)
	if err != nil {
		return err
	}
	return cmp.Or(s.sync(file), file.Close())
}

// makeDirectory creates dir durably. It syncs an existing directory, too:
// whoever created it may not have synced it yet.
func (s *PhotoStore) makeDirectory(dir string) error {
	if err := os.Mkdir(dir, directoryMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.syncDirectory(filepath.Dir(dir))
}

// makeRoot creates dir and its missing parents durably.
func (s *PhotoStore) makeRoot(dir string) error {
	parent := filepath.Dir(dir)
	_, err := os.Stat(dir)
	if err == nil {
		// Its creator may have been killed before the sync. The sync may fail: the
		// parent of an old directory need not be readable.
		_ = s.syncDirectory(parent)
		return nil
	}
	if !errors.Is(err, fs.ErrNotExist) || parent == dir {
		return err
	}
	if err := s.makeRoot(parent); err != nil {
		return err
	}
	return s.makeDirectory(dir)
}

// Sweep removes the temporary files that killed processes left more than
// usecase.SettleAfter ago: they hold photos that nothing else deletes. It may
// run at any time, even while other processes use the directory.
func (s *PhotoStore) Sweep(ctx context.Context) error {
	return translate("sweep", s.eachFile(ctx, func(name string, entry fs.DirEntry) (bool, error) {
		if !isTemporary(name) {
			return true, nil
		}
		return true, removeAbandoned(filepath.Join(s.path, filepath.FromSlash(name)), entry)
	}))
}

// isTemporary reports whether name is one that Put gives to a photo while it
// writes it: the key, a dot, the result of rand.Text and ".tmp". Older versions
// of this program used nanoseconds in hexadecimal instead of rand.Text.
func isTemporary(name string) bool {
	parts := temporaryPattern.FindStringSubmatch(name)
	if parts == nil {
		return false
	}
	if _, err := strconv.ParseInt("0"+parts[2], 16, 64); err != nil {
		return false
	}
	_, err := domain.ParsePhotoKey(parts[1])
	return err == nil
}

var temporaryPattern = regexp.MustCompile(`^(.+)\.(?:[A-Z2-7]{26}|([1-9a-f][0-9a-f]*))\.tmp$`)

// removeAbandoned removes a file that was last written to more than
// usecase.SettleAfter ago.
func removeAbandoned(name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its Put has ended, or another process swept it
	}
	if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < usecase.SettleAfter {
		return err
	}
	return unlessMissing(os.Remove(name))
}
