package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

var valid = domain.Outcome{Result: domain.Valid, EndedAt: anyCall.ReceivedAt}

// The record and the entry are stored together, or neither is.
func TestChangeAndClose(t *testing.T) {
	t.Parallel()
	_, db := peopled(t) // whose entry 1 is open
	recorder, ctx := db.ChangeRecorder(), t.Context()
	run(t, db, `
		CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'refused'; END $$;
		CREATE TRIGGER refuses BEFORE UPDATE ON api_log FOR EACH ROW EXECUTE FUNCTION refuse()`)
	changes := func() []error {
		return []error{
			recorder.ChangePhotoAndClose(ctx, alice, 1, closing(grow, valid)),
			recorder.RemoveCustomerAndClose(ctx, alice, 1, closing(grow, valid)),
		}
	}
	for _, err := range changes() {
		if !errors.Is(err, domain.Internal) {
			t.Errorf("a change whose entry can't be closed = %v, want Internal", err)
		}
	}
	checkStored(t, db, 0, domain.Outcome{})
	run(t, db, `DROP TRIGGER refuses ON api_log`)

	failure := domain.Errorf(domain.Unavailable, "failed")
	failing := func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
		return domain.PhotoRecord{}, failure
	}
	if err := recorder.ChangePhotoAndClose(ctx, alice, 1, closing(failing, valid)); err != failure { //nolint:errorlint // it is to come back as it is
		t.Errorf("a change that fails = %v, want %v", err, failure)
	}
	checkStored(t, db, 0, domain.Outcome{})

	looked := domain.Outcome{SettledAt: anyCall.ReceivedAt}
	must(t, recorder.ChangePhotoAndClose(ctx, alice, 1, closing(grow, looked)))
	checkStored(t, db, 1, looked)
	must(t, recorder.ChangePhotoAndClose(ctx, alice, 99, closing(grow, valid)))
	checkStored(t, db, 2, looked)
	must(t, recorder.ChangePhotoAndClose(ctx, alice, 1, closing(grow, valid)))
	checkStored(t, db, 3, valid)
	must(t, recorder.RemoveCustomerAndClose(ctx, alice, 1, closing(grow, domain.Outcome{Result: domain.Failed})))
	for _, err := range changes() {
		if !errors.Is(err, domain.CustomerNotFound) {
			t.Errorf("a change without a customer = %v, want CustomerNotFound", err)
		}
	}
	if entry, err := db.ApiLog().Entry(ctx, 1); entry.Outcome != valid || err != nil {
		t.Errorf("Entry = %+v, %v; want %+v", entry.Outcome, err, valid)
	}
}

func checkStored(t *testing.T, db *DB, want int64, outcome domain.Outcome) {
	t.Helper()
	if got := size(t, db, alice); got != want {
		t.Errorf("size = %d, want %d", got, want)
	}
	if entry, err := db.ApiLog().Entry(t.Context(), 1); entry.Outcome != outcome || err != nil {
		t.Errorf("Entry = %+v, %v; want %+v", entry.Outcome, err, outcome)
	}
}

// What each outcome makes of an entry.
func TestCloseOverOutcome(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	interrupted, failed := domain.Outcome{Result: domain.Interrupted}, domain.Outcome{Result: domain.Failed, Error: domain.Unavailable}
	looked := domain.Outcome{SettledAt: anyCall.ReceivedAt}
	for _, test := range []struct{ before, then, want domain.Outcome }{
		{domain.Outcome{}, looked, looked},
		{looked, valid, valid},
		{looked, interrupted, interrupted},
		{interrupted, valid, valid},
		{interrupted, failed, interrupted},
		{interrupted, looked, interrupted},
		{valid, interrupted, valid},
		{failed, valid, failed},
	} {
		id, err := db.ApiLog().Record(t.Context(), anyCall, test.before)
		must(t, err)
		must(t, db.ApiLog().Close(t.Context(), id, test.then))
		if got, err := db.ApiLog().Entry(t.Context(), id); got.Outcome != test.want || err != nil {
			t.Errorf("%+v over %+v makes it %+v, %v; want %+v", test.then, test.before, got.Outcome, err, test.want)
		}
	}
}

// The proof fails once the lock is lost, whoever lost it, and the record stays.
func TestProofOfTheLock(t *testing.T) {
	t.Parallel()
	rawURL, db := peopled(t)
	other := started(t, with(t, rawURL, "application_name", keeper))
	for name, change := range map[string]func(context.Context, ports.ClosingChange) error{
		"ChangePhotoAndClose": func(ctx context.Context, change ports.ClosingChange) error {
			return db.ChangeRecorder().ChangePhotoAndClose(ctx, alice, 1, change)
		},
		"RemoveCustomerAndClose": func(ctx context.Context, change ports.ClosingChange) error {
			return db.ChangeRecorder().RemoveCustomerAndClose(ctx, alice, 1, change)
		},
	} {
		err := change(bounded(t), func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
			must(t, stillLocked(ctx))
			must(t, stillLocked(ctx))
			hangUp(t, other)
			for range 2 {
				if err := stillLocked(ctx); !errors.Is(err, domain.Unavailable) {
					t.Errorf("%s: the proof of a lock that is lost = %v, want Unavailable", name, err)
				}
			}
			current.Info.Size++
			return current, valid, nil
		})
		if !errors.Is(err, domain.Unavailable) {
			t.Errorf("%s = %v, want Unavailable", name, err)
		}
		checkStored(t, other, 0, domain.Outcome{})
	}
}
