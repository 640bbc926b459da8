package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"time"

	"github.com/gofrs/flock"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// lockPoll is how often a lock that another process holds is tried.
const lockPoll = 5 * time.Millisecond

// customerLocks are locks by name, across all processes that use the same
// directory. Within this process, who has the turn of a name takes the operating
// system's lock on a file of that name. The system releases it when the process
// dies, however it dies.
//
// A file exists only while its lock is held: unlocking removes it. A killed
// process leaves its files behind, empty and unlocked, and the next holder of the
// lock removes them. Processes don't queue, so one of them may wait while another
// takes the lock repeatedly.
type customerLocks struct {
	dir   string
	turns rows.Turns[string]
}

// lockCustomer locks one customer.
func (l *customerLocks) lockCustomer(ctx context.Context, ref domain.CustomerRef) (unlock func(), err error) {
	return l.lock(ctx, fmt.Sprintf("%d-%d", ref.Fleet, ref.Customer))
}

// lock waits for the lock with this name until ctx ends.
func (l *customerLocks) lock(ctx context.Context, name string) (unlock func(), err error) {
	leave, err := l.turns.Take(ctx, name)
	if err != nil {
		return nil, err
	}
	release, err := lockFile(ctx, filepath.Join(l.dir, name))
	if err != nil {
		leave()
		return nil, err
	}
	return func() { release(); leave() }, nil
}

// lockFile takes the lock on the file at path. As holders remove the file, the
// locked one may no longer be at path. Such a lock excludes nobody, so it tries
// again.
func lockFile(ctx context.Context, path string) (release func(), err error) {
	file := flock.New(path, flock.SetFlag(os.O_CREATE|os.O_RDWR))
	for {
		if _, err := file.TryLockContext(ctx, lockPoll); err != nil {
			return nil, err
		}
		current, err := isAt(file, path)
		if err != nil || !current {
			err = errors.Join(err, file.Unlock())
		}
		if err != nil {
			return nil, err
		}
		if current {
			return func() { removeAndUnlock(file) }, nil
		}
	}
}

func isAt(file *flock.Flock, path string) (bool, error) {
	locked, err := file.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(locked, there), err
}

// removeAndUnlock removes the file while it is locked. Windows doesn't remove an
// open file, so there it unlocks first; the removal fails if the next holder has
// opened the file already, who then removes it. A failure leaves an unlocked
// file, which is harmless.
func removeAndUnlock(file *flock.Flock) {
	if runtime.GOOS != "windows" {
		_ = os.Remove(file.Path())
		_ = file.Unlock()
		return
	}
	_ = file.Unlock()
	_ = os.Remove(file.Path())
}
