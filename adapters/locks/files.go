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

// poll is how often a lock that another process holds is tried.
const poll = 5 * time.Millisecond

// Files are locks by name, across all processes that use the same directory.
// Within this process, who has the turn of a name takes the operating system's
// lock on a file of that name. The system releases it when the process dies,
// however it dies.
//
// A file exists only while its lock is held: unlocking removes it. A killed
// process leaves its files behind, empty and unlocked, and the next holder of the
// lock removes them. Processes don't queue, so one of them may wait while another
// takes the lock repeatedly. A directory that was removed is made again.
type Files struct {
	dir   string
	turns Turns[string]
}

// NewFiles makes the locks in dir, whose parent exists when they are taken.
func NewFiles(dir string) *Files { return &Files{dir: dir} }

// Lock is a lock that is held.
type Lock struct {
	file  *flock.Flock
	leave func()
}

// Take waits for the lock with this name, which is that of a file, until ctx ends.
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

// lockFile takes the lock on the file with this name. As holders remove the
// file, the locked one may no longer be there. Such a lock excludes nobody, so
// it tries again.
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

// Prove fails unless the lock still excludes everyone else: whoever removes the
// file of a lock, or its directory, lets others in.
func (l *Lock) Prove() error {
	current, err := isAt(l.file)
	if err == nil && !current {
		err = errors.New("somebody removed the lock file " + l.file.Path())
	}
	return err
}

// Unlock gives the lock up. It removes the file while it is locked. Windows
// doesn't remove an open file, so there it unlocks first; the removal fails if
// the next holder has opened the file already, who then removes it. A failure
// leaves an unlocked file, which is harmless.
func (l *Lock) Unlock() {
	defer l.leave()
	if runtime.GOOS == "windows" {
		_ = cmp.Or(l.file.Unlock(), os.Remove(l.file.Path()))
		return
	}
	// A lock that was lost left its name to the next holder's file.
	if current, err := isAt(l.file); err == nil && current {
		_ = os.Remove(l.file.Path())
	}
	_ = l.file.Unlock()
}

// Waiting returns how many names somebody waits for or holds, in this process.
func (f *Files) Waiting() int { return f.turns.Len() }
