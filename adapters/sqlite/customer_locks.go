package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"time"

	"github.com/gofrs/flock"

	"github.com/fleetphoto/fleetphoto/domain"
)

// lockPoll is how often a lock that another process holds is tried.
const lockPoll = 5 * time.Millisecond

// customerLocks are locks by name, across all processes that use the same
// directory. Whoever waits in this process waits in a queue in memory; the
// first of the queue then takes the operating system's lock on a file of that
// name, which the system releases when the process dies, however it dies.
//
// There is a file only while its lock is held: unlocking removes it. A
// process that is killed leaves its files behind, empty and unlocked, and
// whoever takes such a lock next removes its file. Between processes there is
// no queue, so one of them may wait while another takes the lock repeatedly.
type customerLocks struct {
	dir string

	mu     sync.Mutex
	queues map[string]*queue
}

// queue is one name's: who sends to turn has its turn until it receives from it.
type queue struct {
	turn  chan struct{}
	users int // who wait or have the turn; guarded by customerLocks.mu
}

func newCustomerLocks(dir string) *customerLocks {
	return &customerLocks{dir: dir, queues: map[string]*queue{}}
}

// lockCustomer locks one customer.
func (l *customerLocks) lockCustomer(ctx context.Context, ref domain.CustomerRef) (unlock func(), err error) {
	return l.lock(ctx, fmt.Sprintf("%d-%d", ref.Fleet, ref.Customer))
}

// lock waits for the lock with this name until ctx ends.
func (l *customerLocks) lock(ctx context.Context, name string) (unlock func(), err error) {
	leave, err := l.queueUp(ctx, name)
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

// queueUp waits for the turn in this process.
func (l *customerLocks) queueUp(ctx context.Context, name string) (leave func(), err error) {
	l.mu.Lock()
	q := l.queues[name]
	if q == nil {
		q = &queue{turn: make(chan struct{}, 1)}
		l.queues[name] = q
	}
	q.users++
	l.mu.Unlock()

	select {
	case q.turn <- struct{}{}:
		return func() { <-q.turn; l.forget(name, q) }, nil
	case <-ctx.Done():
		l.forget(name, q)
		return nil, ctx.Err()
	}
}

func (l *customerLocks) forget(name string, q *queue) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if q.users--; q.users == 0 {
		delete(l.queues, name)
	}
}

// lockFile takes the lock on the file at path. As the holder removes the file,
// a lock may turn out to be on one that isn't at path any more, and then counts
// for nothing.
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

// removeAndUnlock removes the file while it is locked. Windows removes no file
// that anyone has open, so there it comes after, and fails where the next one
// has opened the file already, who then removes it. A failure leaves an
// unlocked file, which does no harm.
func removeAndUnlock(file *flock.Flock) {
	if runtime.GOOS != "windows" {
		_ = os.Remove(file.Path())
		_ = file.Unlock()
		return
	}
	_ = file.Unlock()
	_ = os.Remove(file.Path())
}
