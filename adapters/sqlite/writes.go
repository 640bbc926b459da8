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

// writing is the work of a write. It must use the ctx that it is given.
type writing func(context.Context, *sql.Tx) error

// writes queues the writes of this process. The write that holds turn, by having
// sent to it, also runs the writes that are waiting.
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

// errAlone tells a write to run again, in a transaction of its own.
var errAlone = errors.New("another write in the transaction failed")

// write runs f in the only transaction that is writing to the file, which other
// waiting writes may share. If write returns nil, the transaction is on disk; if
// the commit fails, or the file was deleted meanwhile, it may be. f doesn't begin
// once ctx has ended, but isn't interrupted when it has begun. If another write in
// the transaction fails, f runs a second time, alone.
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

// writeTogether runs w, which has the turn, and then all waiting writes. If another
// write has already run w, it only returns the result.
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

// writeAlone is write for long work: f has the transaction to itself, and ctx
// interrupts it.
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

// begin waits until no other process writes, or until ctx ends. Once begun, the
// transaction doesn't end with ctx.
//
// SQLite has no queue of processes: a process that writes all the time would starve
// the others, which retry only now and then. So a waiting process locks the
// directory of the lock files, and every process needs that lock to begin its next
// write. Where a directory can't be locked, the order is left to chance.
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

// succeeds runs w in another write's goroutine. A panic is only a failure here:
// it happens again, in w's own goroutine, when w runs alone.
func (w *waitingWrite) succeeds(tx *sql.Tx) (succeeded bool) {
	defer func() { _ = recover() }()
	return w.run(tx) == nil
}

func (ws *writes) join(w *waitingWrite) {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	ws.waiting = append(ws.waiting, w)
}

// leave removes w from the queue and reports whether it was still waiting.
func (ws *writes) leave(w *waitingWrite) bool {
	ws.mu.Lock()
	defer ws.mu.Unlock()
	i := slices.Index(ws.waiting, w)
	if i >= 0 {
		ws.waiting = slices.Delete(ws.waiting, i, i+1)
	}
	return i >= 0
}

// take removes and returns the waiting writes whose ctx hasn't ended.
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
