package sqlite

import (
	"bufio"
	"context"
	"errors"
	"os"
	"path/filepath"
	"strconv"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func TestChangePhotoAcrossHandles(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	handles := []*DB{started(t, url), started(t, url)}
	addCustomer(t, handles[0], alice)
	var inside atomic.Int32
	var changes sync.WaitGroup
	for worker := range 8 {
		changes.Go(func() {
			for range increments {
				err := handles[worker%2].CustomerRepo().ChangePhoto(context.Background(), alice, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
					if inside.Add(1) != 1 {
						t.Error("two changes at once")
					}
					defer inside.Add(-1)
					current.Info.Size++
					return current, nil
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	changes.Wait()
	if got := size(t, handles[0], alice); got != 8*increments {
		t.Errorf("%d changes were kept, want %d", got, 8*increments)
	}
	wantNoLocks(t, handles...)
}

func TestChangePhotoAcrossProcesses(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	addCustomer(t, db, alice)
	const children = 3
	var all sync.WaitGroup
	for range children {
		other := child(t, taskIncrement, db)
		all.Go(func() {
			if err := other.Run(); err != nil {
				t.Error(err)
			}
		})
	}
	if err := increment(t.Context(), db); err != nil {
		t.Error(err)
	}
	all.Wait()
	if got := size(t, db, alice); got != (children+1)*increments {
		t.Errorf("%d changes were kept, want %d", got, (children+1)*increments)
	}
	wantNoLocks(t, db)
}

func TestKilledHolderReleases(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	bob := domain.CustomerRef{Fleet: alice.Fleet, Customer: 7}
	addCustomer(t, db, alice)
	addCustomer(t, db, bob)
	holder := child(t, taskHold, db)
	stdout, err := holder.StdoutPipe()
	must(t, err)
	_, err = holder.StdinPipe() // open until Wait: the child waits for its end
	must(t, err)
	must(t, holder.Start())
	if line, err := bufio.NewReader(stdout).ReadString('\n'); line != "held\n" {
		t.Fatalf("the child said %q, %v", line, err)
	}

	// While the child holds the lock: others go on, alice's waits until its ctx ends.
	mustChange(t, db, bob)
	ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer cancel()
	wantGivenUp(ctx, t, db)

	// A change that waits goes on once the child is dead, and not before.
	var killed atomic.Bool
	waiting := make(chan error, 1)
	go func() {
		waiting <- db.CustomerRepo().ChangePhoto(context.Background(), alice, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			if !killed.Load() {
				t.Error("the change ran while another process held the lock")
			}
			current.Info.Size++
			return current, nil
		})
	}()
	killed.Store(true)
	must(t, holder.Process.Kill())
	if err := holder.Wait(); err == nil {
		t.Error("the child ended well, want killed")
	}
	must(t, <-waiting)
	if got := size(t, db, alice); got != 1 {
		t.Errorf("size = %d, want 1", got)
	}
	wantNoLocks(t, db)
}

func TestWaitingHonoursContext(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	holder, other := started(t, url), started(t, url)
	addCustomer(t, holder, alice)
	err := holder.CustomerRepo().ChangePhoto(t.Context(), alice, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		for _, db := range []*DB{holder, other} {
			ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond)
			wantGivenUp(ctx, t, db)
			cancel()
		}
		return current, nil
	})
	must(t, err)
	mustChange(t, other, alice)
	wantNoLocks(t, holder, other)
}

func TestFailedChangeReleases(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	addCustomer(t, db, alice)
	failure := errors.New("the store is down")
	err := db.CustomerRepo().ChangePhoto(t.Context(), alice, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
		return domain.PhotoRecord{}, failure
	})
	if err != failure { //nolint:errorlint // it is to come back as it is
		t.Errorf("ChangePhoto = %v, want the change's own error", err)
	}
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the panic did not come through")
			}
		}()
		_ = db.CustomerRepo().ChangePhoto(t.Context(), alice, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
			panic("a bug in the change")
		})
	}()
	mustChange(t, db, alice)
	wantNoLocks(t, db)
}

// The next holder of a lock whose file was left behind removes the file.
func TestLeftFileIsNoLock(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	addCustomer(t, db, alice)
	must(t, os.WriteFile(filepath.Join(locksOf(db.Path()), "689-452733"), nil, 0o600))
	mustChange(t, db, alice)
	wantNoLocks(t, db)
}

// Fifty customers change at once: each waits until all are inside.
func TestOtherCustomersDoNotWait(t *testing.T) {
	t.Parallel()
	url := newURL(t)
	handles := []*DB{started(t, url), started(t, url)}
	customers := make([]domain.CustomerRef, 50)
	for i := range customers {
		customers[i] = domain.CustomerRef{Fleet: 1, Customer: domain.CustomerID(i + 1)}
		addCustomer(t, handles[0], customers[i])
	}
	var changes, inside sync.WaitGroup
	inside.Add(len(customers))
	for i, customer := range customers {
		changes.Go(func() {
			err := handles[i%2].CustomerRepo().ChangePhoto(context.Background(), customer, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
				inside.Done()
				inside.Wait() // until all are inside
				return current, nil
			})
			if err != nil {
				t.Error(strconv.Itoa(i), err)
			}
		})
	}
	changes.Wait()
	wantNoLocks(t, handles...)
}

func mustChange(t *testing.T, db *DB, ref domain.CustomerRef) {
	t.Helper()
	must(t, db.CustomerRepo().ChangePhoto(t.Context(), ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		current.ChangedAt = time.UnixMicro(1).UTC()
		return current, nil
	}))
}

func wantGivenUp(ctx context.Context, t *testing.T, db *DB) {
	t.Helper()
	err := db.CustomerRepo().ChangePhoto(ctx, alice, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		t.Error("the change ran while another held the lock")
		return current, nil
	})
	if !errors.Is(err, domain.Unavailable) {
		t.Errorf("ChangePhoto = %v, want Unavailable", err)
	}
}

func wantNoLocks(t *testing.T, dbs ...*DB) {
	t.Helper()
	for _, db := range dbs {
		if left := db.locks.Waiting(); left > 0 {
			t.Errorf("%d queues are left", left)
		}
		if files, err := os.ReadDir(locksOf(db.Path())); err != nil || len(files) > 0 {
			t.Errorf("lock files are left: %v, %v", files, err)
		}
	}
}
