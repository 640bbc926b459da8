package locks

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"
)

// poll is how often Take tries a lock that another process holds.
const poll = 5 * time.Millisecond

// Files are locks by name, shared by all processes that use the same directory.
// Within a process, the caller whose turn it is for a name takes the operating
// system's lock on a file of that name. The system releases that lock when the
// process dies, however it dies.
//
// A file exists only while its lock is held: unlocking removes it. A killed
// process leaves its files behind, empty and unlocked; the next holder of the
// lock removes them. Processes don't queue, so one may wait while another takes
// the lock repeatedly. If the directory is removed, the next Take creates it
// again.
type Files struct {
	dir   string
	turns Turns[string]
}

// NewFiles returns the locks in dir. Take creates dir, but not its parent.
func NewFiles(dir string) *Files { return &Files{dir: dir} }

// Lock is a held lock.
type Lock struct {
	file  *flock.Flock
	leave func()
}

// Take waits until ctx ends for the lock with this name, which must be a valid
// file name.
func (f *Files) Take(ctx context.Context, name string) (*Lock, error) {
	leave, err := f.turns.Take(ctx, name)
	if err != nil {
		return nil, err
	}
	file, err := f.lockFile(ctx, name)
	if err != nil {
		leave()
		return nil, err
	}
	return &Lock{file, leave}, nil
}

// lockFile locks the file with this name. The previous holder may remove the
// file just before it is locked here; that lock excludes nobody, so lockFile
// tries again.
func (f *Files) lockFile(ctx context.Context, name string) (*flock.Flock, error) {
	file := flock.New(filepath.Join(f.dir, name), flock.SetFlag(os.O_CREATE|os.O_RDWR))
	for {
		_, err := file.TryLockContext(ctx, poll)
		if errors.Is(err, fs.ErrNotExist) {
			if err = os.Mkdir(f.dir, 0o750); err == nil || errors.Is(err, fs.ErrExist) {
				_, err = file.TryLockContext(ctx, poll)
			}
		}
		if err != nil {
			return nil, err
		}
		current, err := isAt(file)
		if err != nil || !current {
			err = errors.Join(err, file.Unlock())
		}
		if err != nil {
			return nil, err
		}
		if current {
			return file, nil
		}
	}
}

// isAt reports whether file is still the file at its path.
func isAt(file *flock.Flock) (bool, error) {
	locked, err := file.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(file.Path())
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(locked, there), err
}

// Prove fails unless the lock still excludes everyone else: removing a lock's
// file, or its directory, lets others in.
func (l *Lock) Prove() error {
	current, err := isAt(l.file)
	if err == nil && !current {
		err = errors.New("somebody removed the lock file " + l.file.Path())
	}
	return err
}

// Unlock releases the lock. It removes the file before it unlocks it. Windows
// can't remove an open file, so there it unlocks first; if the next holder has
// opened the file by then, the removal fails and that holder removes it. Any
// other failure leaves an unlocked file, which is harmless.
func (l *Lock) Unlock() {
	defer l.leave()
	if runtime.GOOS == "windows" {
		_ = cmp.Or(l.file.Unlock(), os.Remove(l.file.Path()))
		return
	}
	// If the lock was lost, the path may be that of the next holder's file.
	if current, err := isAt(l.file); err == nil && current {
		_ = os.Remove(l.file.Path())
	}
	_ = l.file.Unlock()
}

// Waiting returns how many names are held or waited for in this process.
func (f *Files) Waiting() int { return f.turns.Len() }
