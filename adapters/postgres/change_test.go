package postgres

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func TestChangePhotoAcrossPools(t *testing.T) {
	t.Parallel()
	rawURL := newURL(t)
	pools := []*DB{started(t, rawURL), started(t, rawURL)}
	addCustomer(t, pools[0], alice)
	var inside atomic.Int32
	var changes sync.WaitGroup
	for worker := range 8 {
		changes.Go(func() {
			for range increments {
				err := pools[worker%2].CustomerRepo().ChangePhoto(t.Context(), alice, func(ctx context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
					if inside.Add(1) != 1 {
						t.Error("two changes at once")
					}
					defer inside.Add(-1)
					return grow(ctx, current, nil)
				})
				if err != nil {
					t.Error(err)
				}
			}
		})
	}
	changes.Wait()
	if got := size(t, pools[0], alice); got != 8*increments {
		t.Errorf("%d changes were kept, want %d", got, 8*increments)
	}
	for _, db := range pools {
		if db.turns.Len() > 0 || len(db.slots) > 0 {
			t.Errorf("%d queues and %d slots are left", db.turns.Len(), len(db.slots))
		}
	}
}

func TestChangePhotoAcrossProcesses(t *testing.T) {
	t.Parallel()
	rawURL := newURL(t)
	db := started(t, rawURL)
	addCustomer(t, db, alice)
	const children = 3
	var all sync.WaitGroup
	for range children {
		other := child(t, taskIncrement, rawURL)
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
}

// However many changes there are, the rest of the pool is for everything else.
func TestChangesLeaveConnections(t *testing.T) {
	t.Parallel()
	rawURL, _ := peopled(t)
	db := started(t, with(t, rawURL, "pool_max_conns", "4"))
	const slots, waiting = 3, 10
	customers := make([]domain.CustomerRef, slots+waiting)
	for i := range customers {
		customers[i] = domain.CustomerRef{Fleet: 1, Customer: domain.CustomerID(i + 1)}
		addCustomer(t, db, customers[i])
	}
	over := make(chan struct{})
	var inside, changes sync.WaitGroup
	inside.Add(slots)
	var ran atomic.Int32
	for _, customer := range customers {
		changes.Go(func() {
			err := db.CustomerRepo().ChangePhoto(t.Context(), customer, func(ctx context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
				if ran.Add(1) <= slots {
					inside.Done()
				}
				<-over
				return grow(ctx, current, nil)
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	inside.Wait()
	ctx := bounded(t)
	for name, call := range calls(db) {
		if strings.HasPrefix(name, "ChangePhoto") {
			continue
		}
		if err := call(ctx); err != nil {
			t.Errorf("%s, while all changes are taken: %v", name, err)
		}
	}
	if got := ran.Load(); got != slots {
		t.Errorf("%d changes run at once, want %d", got, slots)
	}
	ctx, cancel := context.WithCancel(ctx)
	cancel()
	if err := db.CustomerRepo().ChangePhoto(ctx, alice, grow); !errors.Is(err, domain.Unavailable) {
		t.Errorf("a change whose ctx ends while it waits for a slot = %v, want Unavailable", err)
	}
	close(over)
	changes.Wait()
	if got := ran.Load(); got != slots+waiting {
		t.Errorf("%d changes ran, want %d", got, slots+waiting)
	}
}

// However much the error of a change looks like the database's own, nobody runs
// the change again, and the error comes back as it is.
func TestFailedChangeIsNotRepeated(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	addCustomer(t, db, alice)
	for _, failure := range []error{io.ErrUnexpectedEOF, &pgconn.PgError{Code: serializationFailure}, context.DeadlineExceeded} {
		runs := 0
		err := db.CustomerRepo().ChangePhoto(t.Context(), alice, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
			runs++
			return domain.PhotoRecord{}, failure
		})
		if err != failure || runs != 1 { //nolint:errorlint // it is to come back as it is
			t.Errorf("ChangePhoto = %v after %d runs, want %v after 1", err, runs, failure)
		}
	}
}
