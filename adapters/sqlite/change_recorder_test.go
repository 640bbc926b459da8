package sqlite

import (
	"context"
	"errors"
	"os"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

var (
	newRecord = domain.PhotoRecord{
		Info:      domain.PhotoInfo{SHA256: domain.Digest{1}, Size: 2, Width: 3, Height: 4},
		ChangedAt: time.UnixMicro(5).UTC(), ChangedBy: 6, Version: "7", Store: "file:///photos",
	}
	done = domain.Outcome{Result: domain.Valid, EndedAt: time.UnixMicro(8).UTC(), Details: domain.OutcomeDetails{After: newRecord.Info}}
)

func toNewRecord(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
	return newRecord, done, nil
}

// opened returns a database with alice, and an open entry of its log.
func opened(t *testing.T) (*DB, domain.ApiLogID) {
	t.Helper()
	db := started(t, newURL(t))
	addCustomer(t, db, alice)
	id, err := db.ApiLog().Open(t.Context(), domain.ApiCall{})
	must(t, err)
	return db, id
}

func wantState(t *testing.T, db *DB, record domain.PhotoRecord, id domain.ApiLogID, outcome domain.Outcome) {
	t.Helper()
	if got, err := db.CustomerRepo().FindCustomer(t.Context(), alice); got.Photo != record || err != nil {
		t.Errorf("the record is %+v, %v; want %+v", got.Photo, err, record)
	}
	if got, err := db.ApiLog().Entry(t.Context(), id); got.Outcome != outcome || err != nil {
		t.Errorf("the outcome is %+v, %v; want %+v", got.Outcome, err, outcome)
	}
}

func TestChangeRecorder(t *testing.T) {
	t.Parallel()
	db, id := opened(t)
	recorder := db.ChangeRecorder()
	must(t, recorder.ChangePhotoAndClose(t.Context(), alice, id, toNewRecord))
	wantState(t, db, newRecord, id, done)
	must(t, recorder.ChangePhotoAndClose(t.Context(), alice, id+1, toNewRecord)) // no such entry

	id, err := db.ApiLog().Open(t.Context(), domain.ApiCall{})
	must(t, err)
	must(t, recorder.RemoveCustomerAndClose(t.Context(), alice, id, toNewRecord))
	if got, err := db.ApiLog().Entry(t.Context(), id); got.Outcome != done || err != nil {
		t.Errorf("the outcome is %+v, %v", got.Outcome, err)
	}
	wantKind(t, recorder.RemoveCustomerAndClose(t.Context(), alice, id, toNewRecord), domain.CustomerNotFound)
	wantNoLocks(t, db)
}

func TestChangeRecorderStoresBothOrNeither(t *testing.T) {
	t.Parallel()
	db, id := opened(t)
	run(t, db, `CREATE TRIGGER refuse BEFORE UPDATE ON api_log BEGIN SELECT RAISE(ABORT, 'refused'); END`)
	recorder := db.ChangeRecorder()
	for _, method := range []func(context.Context, domain.CustomerRef, domain.ApiLogID, ports.ClosingChange) error{
		recorder.ChangePhotoAndClose, recorder.RemoveCustomerAndClose,
	} {
		if err := method(t.Context(), alice, id, toNewRecord); err == nil {
			t.Error("the entry was closed all the same")
		}
		wantState(t, db, domain.PhotoRecord{}, id, domain.Outcome{})
	}
}

// A change whose lock was lost learns it when it asks, and isn't stored if it
// doesn't ask. The directory of the locks comes back by itself.
func TestLostLock(t *testing.T) {
	t.Parallel()
	db, id := opened(t)
	bob := domain.CustomerRef{Fleet: 1, Customer: 1}
	addCustomer(t, db, bob)
	err := db.ChangeRecorder().ChangePhotoAndClose(t.Context(), alice, id,
		func(ctx context.Context, _ domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
			must(t, stillLocked(ctx))
			must(t, os.RemoveAll(locksOf(db.Path())))
			wantKind(t, stillLocked(ctx), domain.Unavailable)
			mustChange(t, db, bob) // makes the directory again
			wantKind(t, stillLocked(ctx), domain.Unavailable)
			return newRecord, done, nil
		})
	wantKind(t, err, domain.Unavailable)
	wantState(t, db, domain.PhotoRecord{}, id, domain.Outcome{})

	ctx, cancel := context.WithCancel(t.Context())
	err = db.CustomerRepo().ChangePhoto(ctx, alice, func(ctx context.Context, _ domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
		cancel()
		return newRecord, stillLocked(ctx)
	})
	if !errors.Is(err, domain.Unavailable) || !errors.Is(err, context.Canceled) {
		t.Errorf("with a ctx that ended: got %v", err)
	}
	wantNoLocks(t, db)
}

// Valid alone replaces Interrupted, and an outcome without a result leaves the
// entry open.
func TestClose(t *testing.T) {
	t.Parallel()
	db, id := opened(t)
	settled := domain.Outcome{SettledAt: time.UnixMicro(9).UTC()}
	interrupted := domain.Outcome{Result: domain.Interrupted, EndedAt: time.UnixMicro(10).UTC(), SettledAt: settled.SettledAt}
	failed := domain.Outcome{Result: domain.Failed, Error: domain.Unavailable}
	for _, step := range []struct{ closes, want domain.Outcome }{
		{settled, settled}, {interrupted, interrupted}, {settled, interrupted}, {failed, interrupted},
		{done, done}, {interrupted, done}, {failed, done}, {domain.Outcome{}, done},
	} {
		must(t, db.ApiLog().Close(t.Context(), id, step.closes))
		wantState(t, db, domain.PhotoRecord{}, id, step.want)
	}
	wantKind(t, db.ApiLog().Close(t.Context(), id+1, done), domain.NotFound)
}

// Unfinished goes by when the database opened the entry, whatever the server's
// clock says.
func TestUnfinished(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	call := domain.ApiCall{ReceivedAt: time.Date(2400, time.January, 1, 0, 0, 0, 0, time.UTC), Intent: domain.Digest{1}, Store: "mem://"}
	var ids [4]domain.ApiLogID
	for i := range ids {
		var err error
		ids[i], err = db.ApiLog().Open(t.Context(), call)
		must(t, err)
	}
	must(t, db.ApiLog().Close(t.Context(), ids[1], done))
	run(t, db, `UPDATE api_log SET opened_at = opened_at - 3600000000 WHERE id <> 4`)
	for _, test := range []struct {
		olderThan time.Duration
		after     domain.ApiLogID
		limit     int
		want      []domain.ApiLogID
	}{
		{time.Hour, 0, 9, []domain.ApiLogID{ids[0], ids[2]}},
		{-time.Hour, 0, 9, []domain.ApiLogID{ids[0], ids[2], ids[3]}},
		{time.Hour, 0, 1, ids[:1]},
		{time.Hour, ids[0], 9, ids[2:3]},
		{2 * time.Hour, 0, 9, nil},
		{time.Hour, 0, 0, nil},
	} {
		found, err := db.ApiLog().Unfinished(t.Context(), test.olderThan, test.after, test.limit)
		if err != nil || len(found) != len(test.want) {
			t.Errorf("%v: got %v, %v", test, found, err)
			continue
		}
		for i, id := range test.want {
			if found[i] != (domain.ApiLogEntry{ID: id, Call: call}) {
				t.Errorf("%v: got %+v", test, found[i])
			}
		}
	}
}
