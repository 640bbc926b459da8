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

// What lies in the directory beside the fleets.
const (
	probeName = ".fleetphoto-probe"
	locksDir  = ".fleetphoto-locks"
)

// Start creates the directory and proves that it can be written, or says in a
// sentence for the operator why it can't be.
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

// Close gives back what Start took. Photos that are open stay readable.
func (s *PhotoStore) Close() error {
	if s.root == nil {
		return nil
	}
	s.closed.Store(true)
	return s.root.Close()
}

// probe does once, with a small file, what a Put does.
func (s *PhotoStore) probe(ctx context.Context) error {
	lock, err := s.locks.Take(ctx, probeName)
	if err != nil {
		return fmt.Errorf("lock a file: %w", err)
	}
	defer lock.Unlock() // others that start at the same time use the same name
	name := filepath.Join(s.path, probeName)
	_, err = s.write(name, []byte("fleetphoto wrote this to see whether it can.\n"), time.Now())
	return cmp.Or(err, unlessMissing(os.Remove(name)), s.syncDirectory(s.path))
}

// attached fails unless the root is the directory that Start found. Without
// its volume every photo would seem to be missing, and a new one would be
// stored where nobody finds it.
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

// syncDirectory makes what was created, renamed and removed in dir durable.
func (s *PhotoStore) syncDirectory(dir string) error {
	if runtime.GOOS == "windows" {
		return nil // it can't sync directories
	}
	file, err := os.OpenFile(dir, os.O_RDONLY|unpolled, 0)
	if err != nil {
		return err
	}
	return cmp.Or(s.sync(file), file.Close())
}

// makeDirectory makes dir, durably. One that is there already may have been made
// by someone who hasn't synced it yet, so it is synced too.
func (s *PhotoStore) makeDirectory(dir string) error {
	if err := os.Mkdir(dir, directoryMode); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return s.syncDirectory(filepath.Dir(dir))
}

// makeRoot makes dir and what is missing above it, durably.
func (s *PhotoStore) makeRoot(dir string) error {
	parent := filepath.Dir(dir)
	_, err := os.Stat(dir)
	if err == nil {
		// Whoever made it may have been killed before the sync. What has been
		// there for long may lie in a directory that can't be opened.
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

// Sweep removes the temporary files that killed processes left longer than
// usecase.SettleAfter ago: they hold photos that nobody can delete otherwise. It
// is safe beside everything else, in other processes too.
func (s *PhotoStore) Sweep(ctx context.Context) error {
	return translate("sweep", s.eachFile(ctx, func(name string, entry fs.DirEntry) (bool, error) {
		if !isTemporary(name) {
			return true, nil
		}
		return true, removeAbandoned(filepath.Join(s.path, filepath.FromSlash(name)), entry)
	}))
}

// isTemporary says whether name is what Put calls a photo while it writes it:
// the key, a dot, what rand.Text returns or, as older versions of this program
// had it, nanoseconds in hexadecimal, and ".tmp".
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

// removeAbandoned removes a file that nobody has written to for long.
func removeAbandoned(name string, entry fs.DirEntry) error {
	info, err := entry.Info()
	if errors.Is(err, fs.ErrNotExist) {
		return nil // its Put is done, or another process swept it
	}
	if err != nil || !info.Mode().IsRegular() || time.Since(info.ModTime()) < usecase.SettleAfter {
		return err
	}
	return unlessMissing(os.Remove(name))
}
