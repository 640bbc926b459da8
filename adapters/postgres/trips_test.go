package postgres

import (
	"context"
	"errors"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// A call takes five round trips and two commits; a PIN adds one of each, and so
// does a log that is another database.
func TestTripsAndCommits(t *testing.T) {
	t.Parallel()
	rawURL, direct := peopled(t)
	setPIN(t, direct)
	wire := newWire(t, rawURL, direct)
	db := started(t, wire.url)
	for name, test := range map[string]struct {
		call           func() error
		trips, commits int
	}{
		"a call":           {func() error { return wholeCall(t.Context(), db, nil) }, 5, 2},
		"with a PIN":       {func() error { return wholeCall(t.Context(), db, &right) }, 6, 3},
		"a wrong PIN":      {func() error { return tryWrongPIN(t.Context(), db) }, 1, 1},
		"with another log": {func() error { return changeAndClose(t.Context(), db) }, 4, 3},
	} {
		must(t, test.call()) // the connection knows its statements then
		trips, commits, err := wire.counted(test.call)
		if trips != test.trips || commits != test.commits || err != nil {
			t.Errorf("%s takes %d round trips and %d commits, %v; want %d and %d", name, trips, commits, err, test.trips, test.commits)
		}
	}
}

// wholeCall is what a call that changes a photo asks of the database.
func wholeCall(ctx context.Context, db *DB, pin *domain.OfferedPIN) error {
	_, err := db.FleetAuth().Authenticate(ctx, domain.APIKeyHash{})
	if err != nil {
		return err
	}
	found, err := db.CustomerRepo().FindByPhone(ctx, alice.Fleet, domain.PhoneNumber(alice.Customer))
	if err == nil && pin != nil {
		err = db.CustomerRepo().TryPIN(ctx, found.Ref, *pin)
	}
	if err != nil {
		return err
	}
	id, err := db.ApiLog().Open(ctx, anyCall)
	if err != nil {
		return err
	}
	return db.ChangeRecorder().ChangePhotoAndClose(ctx, found.Ref, id, closing(grow, valid))
}

// changeAndClose is a change whose log might be another database.
func changeAndClose(ctx context.Context, db *DB) error {
	id, err := db.ApiLog().Open(ctx, anyCall)
	if err == nil {
		err = db.CustomerRepo().ChangePhoto(ctx, alice, grow)
	}
	if err == nil {
		err = db.ApiLog().Close(ctx, id, valid)
	}
	return err
}

func tryWrongPIN(ctx context.Context, db *DB) error {
	if err := db.CustomerRepo().TryPIN(ctx, alice, wrong); !errors.Is(err, domain.InvalidPIN) {
		return err
	}
	return nil
}

func setPIN(t *testing.T, db *DB) {
	t.Helper()
	_, err := db.CustomerRepo().ImportCustomers(t.Context(), []domain.CustomerImport{{Ref: alice, Phone: domain.PhoneNumber(alice.Customer), PIN: aPIN}})
	must(t, err)
}

// What was sent and isn't answered may have been carried out. It isn't sent again.
func TestAnswerLost(t *testing.T) {
	t.Parallel()
	rawURL, direct := peopled(t) // whose entry 1 is open
	setPIN(t, direct)
	wire := newWire(t, rawURL, direct)
	db := started(t, wire.url)
	ctx := t.Context()
	for name, test := range map[string]struct {
		statement string
		call      func() error
		carried   string // out, once
	}{
		"Open": {"INSERT", func() error { _, err := db.ApiLog().Open(ctx, anyCall); return err },
			`SELECT count(*) = 1 FROM api_log WHERE id > 1 AND result = ''`},
		"Record": {"INSERT", func() error {
			_, err := db.ApiLog().Record(ctx, anyCall, domain.Outcome{Result: domain.Failed})
			return err
		},
			`SELECT count(*) = 1 FROM api_log WHERE result = 'error'`},
		"TryPIN": {"WITH", func() error { return db.CustomerRepo().TryPIN(ctx, alice, wrong) },
			`SELECT attempts = 1 AND wrong = 1 FROM pin_locks`},
		"AddFleet": {"COMMIT", func() error {
			return db.FleetAuth().AddFleet(ctx, domain.Fleet{ID: 1}, domain.FleetKey{Hash: domain.APIKeyHash{1}})
		},
			`SELECT count(*) = 1 FROM fleets WHERE id = 1`},
		"ChangePhotoAndClose": {"COMMIT", func() error { return db.ChangeRecorder().ChangePhotoAndClose(ctx, alice, 1, closing(grow, valid)) },
			`SELECT photo_size = 1 AND result = 'valid' FROM customers, api_log WHERE api_log.id = 1`},
	} {
		if err := wire.losing(test.statement, test.call); !errors.Is(err, domain.Unavailable) {
			t.Errorf("%s, whose answer is lost = %v, want Unavailable", name, err)
		}
		var once bool
		must(t, direct.pool.QueryRow(ctx, test.carried).Scan(&once))
		if !once {
			t.Errorf("%s wasn't carried out once: %s is false", name, test.carried)
		}
	}
}
