package sqlite

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/gofrs/flock"
)

// poll is how often a process asks whether it is the next one to write.
const poll = 2 * time.Millisecond

// writing is what a write does. Its statements run with the ctx that it gets.
type writing func(context.Context, *sql.Tx) error

// writes are those of this process. One at a time has the turn, by sending to it,
// and takes those along that wait.
type writes struct {
	turn    chan struct{}
	mu      sync.Mutex
	waiting []*waitingWrite
}

type waitingWrite struct {
	ctx   context.Context
	f     writing
	ended chan error // gets one value where another write took this one along
}

// errAlone is how a write ends that shall run again, in a transaction of its own.
var errAlone = errors.New("another write in the transaction failed")

// write runs f in a transaction that is the only one writing to the file,
// together with other writes that wait. When write returns nil, the transaction
// is on the disk; when the commit fails, or the file was deleted meanwhile, it
// may be. Once ctx has ended, f doesn't begin; what began isn't cut off. f runs a
// second time, alone, where another write in its transaction failed.
func (db *DB) write(ctx context.Context, action string, f writing) error {
	w := &waitingWrite{ctx, f, make(chan error, 1)}
	db.writes.join(w)
	var err error
	select {
	case db.writes.turn <- struct{}{}:
		err = db.writeTogether(action, w)
	case err = <-w.ended:
	case <-ctx.Done():
		if err = ctx.Err(); !db.writes.leave(w) {
			err = <-w.ended
		}
	}
	if errors.Is(err, errAlone) {
		return db.writeAlone(ctx, action, f)
	}
	return translate(action, err)
}

// writeTogether runs w, which has the turn, unless another write has run it, and
// then all that wait by then.
func (db *DB) writeTogether(action string, w *waitingWrite) error {
	defer func() { <-db.writes.turn }()
	if !db.writes.leave(w) {
		return <-w.ended
	}
	tx, end, err := db.begin(w.ctx, action)
	if err != nil {
		return err
	}
	defer end()
	others, shared := db.writes.take(), errAlone
	defer func() { // after a panic too
		for _, other := range others {
			other.ended <- shared
		}
	}()
	if err := w.run(tx); err != nil {
		return err
	}
	for _, other := range others {
		if !other.succeeds(tx) {
			return errAlone
		}
	}
	shared = db.commit(tx, action)
	return shared
}

// writeAlone is write with no other one in the transaction, and ctx may cut f off:
// for what takes long.
func (db *DB) writeAlone(ctx context.Context, action string, f writing) error {
	select {
	case db.writes.turn <- struct{}{}:
		defer func() { <-db.writes.turn }()
	case <-ctx.Done():
		return translate(action, ctx.Err())
	}
	tx, end, err := db.begin(ctx, action)
	if err != nil {
		return translate(action, err)
	}
	defer end()
	if err = f(ctx, tx); err == nil {
		err = db.commit(tx, action)
	}
	return translate(action, err)
}

// begin waits until no other process writes, or ctx ends, which doesn't end the
// transaction later.
//
// SQLite has no queue of processes: one that writes all the time would shut out
// those that wait, which try only now and then. So the process that is next holds
// a lock on the directory of the lock files while it waits, and one that has
// written needs that lock to write again. Where a directory can't be locked,
// processes take turns by chance.
func (db *DB) begin(ctx context.Context, action string) (tx *sql.Tx, end func(), err error) {
	if err := db.checkIntact(action); err != nil {
		return nil, nil, err
	}
	next := flock.New(locksOf(db.path), flock.SetFlag(os.O_RDONLY))
	_, _ = next.TryLockContext(ctx, poll)
	defer func() { _ = next.Unlock() }()

	lasting, cancel := context.WithCancel(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, cancel)
	if tx, err = db.writer.BeginTx(lasting, nil); err != nil {
		cancel()
		return nil, nil, cmp.Or(ctx.Err(), err)
	}
	end = func() {
		_ = tx.Rollback() // after a commit it does nothing
		cancel()
	}
	if !stop() {
		end()
		return nil, nil, ctx.Err()
	}
	return tx, end, nil
}

func (db *DB) commit(tx *sql.Tx, action string) error {
	if err := tx.Commit(); err != nil {
		return err
	}
	return db.checkIntact(action)
}

func (db *DB) checkIntact(action string) error {
	if err := db.intact(); err != nil {
		return unanswered(fmt.Errorf("sqlite: %s: %w", action, err))
	}
	return nil
}

func (w *waitingWrite) run(tx *sql.Tx) error {
	return w.f(context.WithoutCancel(w.ctx), tx)
}

// succeeds runs w in another write's goroutine. A panic comes again, in its own,
// when w runs alone.
func (w *waitingWrite) succeeds(tx *sql.Tx) (succeeded bool) {
	defer func() { _ = recover() }()
	return w.run(tx) == nil
}

func (ws *writes) join(w *waitingWrite) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.waiting = append(ws.waiting, w)
}

// leave says whether w was still waiting.
func (ws *writes) leave(w *waitingWrite) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	i := slices.Index(ws.waiting, w)
	if i >= 0 {
		ws.waiting = slices.Delete(ws.waiting, i, i+1)
	}
	return i >= 0
}

// take returns those that wait, but for those whose ctx has ended, which leave.
func (ws *writes) take() []*waitingWrite {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	var taken, left []*waitingWrite
	for _, w := range ws.waiting {
		if w.ctx.Err() == nil {
			taken = append(taken, w)
		} else {
			left = append(left, w)
		}
	}
	ws.waiting = left
	return taken
}
