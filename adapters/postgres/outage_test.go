package postgres

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/jackc/pgx/v5"
	"github.com/rs/zerolog"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// calls are calls of each method, each of which may be repeated and succeeds
// where alice exists.
func calls(db *DB) map[string]func(context.Context) error {
	fleets, customers, log := db.FleetAuth(), db.CustomerRepo(), db.ApiLog()
	var added, key = domain.FleetID(0), byte(0)
	var ref = alice
	return map[string]func(context.Context) error{
		"AddFleet": func(ctx context.Context) error {
			added, key = added+1, key+1
			return fleets.AddFleet(ctx, domain.Fleet{ID: 1000 + added}, domain.FleetKey{Hash: domain.APIKeyHash{key}})
		},
		"SetFleet": func(ctx context.Context) error { return fleets.SetFleet(ctx, domain.Fleet{ID: alice.Fleet}) },
		"Fleets":   func(ctx context.Context) error { _, err := fleets.Fleets(ctx); return err },
		"Authenticate": func(ctx context.Context) error {
			_, err := fleets.Authenticate(ctx, domain.APIKeyHash{})
			return err
		},
		"ImportCustomers": func(ctx context.Context) error {
			ref.Customer++
			_, err := customers.ImportCustomers(ctx, []domain.CustomerImport{{Ref: ref, Phone: domain.PhoneNumber(ref.Customer)}})
			return err
		},
		"SaveFleet": func(ctx context.Context) error {
			return fleets.SaveFleet(ctx, domain.Fleet{ID: 1000}, []domain.FleetKey{{Hash: domain.APIKeyHash{31: 1}}})
		},
		"SaveCustomers": func(ctx context.Context) error {
			_, err := customers.SaveCustomers(ctx, []domain.StoredCustomer{{Customer: domain.Customer{Ref: domain.CustomerRef{Fleet: 1000, Customer: 1}}}})
			return err
		},
		"Customers":   func(ctx context.Context) error { _, err := customers.Customers(ctx, alice, 10); return err },
		"BoundPINKey": func(ctx context.Context) error { _, err := customers.BoundPINKey(ctx); return err },
		"FindByPhone": func(ctx context.Context) error {
			_, err := customers.FindByPhone(ctx, alice.Fleet, domain.PhoneNumber(alice.Customer))
			return err
		},
		"TryPIN": func(ctx context.Context) error {
			if err := customers.TryPIN(ctx, alice, domain.OfferedPIN{}); !errors.Is(err, domain.InvalidPIN) {
				return err
			}
			return customers.UnlockPIN(ctx, alice)
		},
		"UnlockPIN":   func(ctx context.Context) error { return customers.UnlockPIN(ctx, alice) },
		"ChangePhoto": func(ctx context.Context) error { return customers.ChangePhoto(ctx, alice, grow) },
		"ChangePhotoAndClose": func(ctx context.Context) error {
			return db.ChangeRecorder().ChangePhotoAndClose(ctx, alice, 1, closing(grow, domain.Outcome{Result: domain.Valid}))
		},
		"Record": func(ctx context.Context) error {
			_, err := log.Record(ctx, anyCall, domain.Outcome{Result: domain.Valid})
			return err
		},
		"Open":       func(ctx context.Context) error { _, err := log.Open(ctx, anyCall); return err },
		"Close":      func(ctx context.Context) error { return log.Close(ctx, 1, domain.Outcome{Result: domain.Valid}) },
		"Unfinished": func(ctx context.Context) error { _, err := log.Unfinished(ctx, time.Hour, 0, 10); return err },
		"SaveEntries": func(ctx context.Context) error {
			return log.SaveEntries(ctx, []domain.ApiLogEntry{{ID: 1_000_000, Call: anyCall}}, 2_000_000)
		},
		"RemoveEntries": func(ctx context.Context) error { return log.RemoveEntries(ctx, []domain.ApiLogID{1_000_000}) },
		"Entries":       func(ctx context.Context) error { _, err := log.Entries(ctx, 0, 10); return err },
		"Entry":         func(ctx context.Context) error { _, err := log.Entry(ctx, 1); return err },
	}
}

// peopled is a database with what calls need.
func peopled(t *testing.T) (rawURL string, db *DB) {
	t.Helper()
	rawURL = newURL(t)
	db = started(t, rawURL)
	addCustomer(t, db, alice)
	must(t, db.FleetAuth().AddFleet(t.Context(), domain.Fleet{ID: alice.Fleet}, domain.FleetKey{}))
	if id, err := db.ApiLog().Open(t.Context(), anyCall); id != 1 || err != nil {
		t.Fatalf("Open = %d, %v", id, err)
	}
	return rawURL, db
}

// hangUp makes the server end all connections but those of db.
func hangUp(t *testing.T, db *DB) {
	t.Helper()
	var pids []int32
	must(t, db.pool.QueryRow(t.Context(), `SELECT coalesce(array_agg(pid), '{}') FROM pg_stat_activity
		WHERE datname = current_database() AND application_name <> $1`, keeper).Scan(&pids))
	run(t, db, `SELECT pg_terminate_backend(pid) FROM unnest($1::int[]) AS pid`, pids)
	until(t, db, `SELECT count(*) = 0 FROM pg_stat_activity WHERE pid = ANY($1)`, pids)
}

const keeper = "keeper"

// While nobody answers each call is Unavailable; when the server is back, all is well at once.
func TestServerStopsAndComesBack(t *testing.T) {
	t.Parallel()
	rawURL, direct := peopled(t)
	address := direct.pool.Config().ConnConfig
	quiet := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(quiet, "postgres", "127.0.0.1:0", fmt.Sprintf("%s:%d", address.Host, address.Port))
	must(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	host, port, _ := strings.Cut(proxy.Listen, ":")
	db := started(t, with(t, with(t, rawURL, "host", host), "port", port))
	for name, call := range calls(db) {
		must(t, call(t.Context()))
		proxy.Stop()
		for range 2 {
			failure := domain.AsError(call(t.Context()))
			if failure.Kind != domain.Unavailable || failure.Cause == nil {
				t.Errorf("%s of a server that is stopped = %v, want Unavailable with a cause", name, failure)
			}
			if strings.Contains(failure.Public, "127.0.0.1") || strings.Contains(failure.Public, "postgres") {
				t.Errorf("%s: the public text tells too much: %s", name, failure.Public)
			}
		}
		must(t, proxy.Start())
		if err := call(t.Context()); err != nil {
			t.Errorf("%s of a server that is back = %v", name, err)
		}
	}
}

// A server that was restarted quickly has hung up on every connection in the
// pool, which nobody notices before using one.
func TestDeadConnectionsAreReplaced(t *testing.T) {
	t.Parallel()
	rawURL, db := peopled(t)
	other := started(t, with(t, rawURL, "application_name", keeper))
	for name, call := range calls(db) {
		warm(t, db)
		hangUp(t, other)
		if err := call(t.Context()); err != nil {
			t.Errorf("%s on a dead connection = %v", name, err)
		}
	}
}

// warm makes several connections that are idle in the pool.
func warm(t *testing.T, db *DB) {
	t.Helper()
	for range 5 {
		conn, err := db.pool.Acquire(t.Context())
		must(t, err)
		defer conn.Release()
		must(t, conn.Ping(t.Context()))
	}
}

// A connection that ends in the middle of a change: nobody runs it again.
func TestConnectionLostInChange(t *testing.T) {
	t.Parallel()
	rawURL, db := peopled(t)
	other := started(t, with(t, rawURL, "application_name", keeper))
	runs := 0
	err := db.CustomerRepo().ChangePhoto(t.Context(), alice, func(ctx context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		runs++
		hangUp(t, other)
		return grow(ctx, current, nil)
	})
	if !errors.Is(err, domain.Unavailable) || runs != 1 {
		t.Errorf("ChangePhoto = %v after %d runs, want Unavailable after 1", err, runs)
	}
	if got := size(t, db, alice); got != 0 {
		t.Errorf("size = %d, want 0", got)
	}
	must(t, db.CustomerRepo().ChangePhoto(t.Context(), alice, grow))
}

// A connection that ends while its change waits for the row: it waits again.
func TestConnectionLostBeforeChange(t *testing.T) {
	t.Parallel()
	rawURL, db := peopled(t)
	other := started(t, with(t, rawURL, "application_name", keeper))
	waiting := make(chan error, 1)
	must(t, other.CustomerRepo().ChangePhoto(t.Context(), alice, func(ctx context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		go func() { waiting <- db.CustomerRepo().ChangePhoto(t.Context(), alice, grow) }()
		const waits = `SELECT count(*) = 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`
		until(t, other, waits)
		hangUp(t, other)
		until(t, other, waits)
		return grow(ctx, current, nil)
	}))
	must(t, <-waiting)
	if got := size(t, db, alice); got != 2 {
		t.Errorf("size = %d, want 2", got)
	}
}

// A server that doesn't write any more, as one that was the primary: Unavailable,
// and the connections to it aren't kept.
func TestReadOnlyServer(t *testing.T) {
	t.Parallel()
	rawURL, direct := peopled(t)
	name := direct.pool.Config().ConnConfig.Database
	run(t, direct, `ALTER DATABASE `+name+` SET default_transaction_read_only = on`)
	db := started(t, rawURL)
	warm(t, db)
	for range 2 {
		if _, err := db.ApiLog().Open(t.Context(), anyCall); !errors.Is(err, domain.Unavailable) {
			t.Errorf("Open on a read-only server = %v, want Unavailable", err)
		}
	}
	if _, err := db.ApiLog().Entry(t.Context(), 1); err != nil {
		t.Errorf("Entry on a read-only server = %v", err)
	}
	warm(t, db)
	run(t, direct, `ALTER DATABASE `+name+` RESET default_transaction_read_only`)
	if _, err := db.ApiLog().Open(t.Context(), anyCall); err != nil {
		t.Errorf("Open when the server writes again = %v", err)
	}
}

// What comes of each SQLSTATE, and how often the transaction is tried.
func TestKindOfEachFailure(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	for code, want := range map[string]struct {
		kind  domain.Kind
		tries int
	}{
		"08006": {domain.Unavailable, attempts}, // connection failure
		"22023": {domain.Internal, 1},           // a wrong value
		"23505": {domain.Internal, 1},           // unique violation where none is expected
		"25006": {domain.Unavailable, attempts}, // read-only
		"25P03": {domain.Unavailable, 1},        // idle too long
		"40001": {domain.Unavailable, attempts}, // serialization failure
		"40P01": {domain.Unavailable, attempts}, // deadlock
		"42501": {domain.Internal, 1},           // no right to a table
		"42P01": {domain.Internal, 1},           // no such table
		"53100": {domain.Unavailable, 1},        // disk full
		"53300": {domain.Unavailable, 1},        // too many connections
		"55P03": {domain.Unavailable, 1},        // lock not available
		"57014": {domain.Unavailable, 1},        // statement timeout
		"57P01": {domain.Unavailable, attempts}, // shutting down
		"58030": {domain.Unavailable, 1},        // I/O error
		"XX000": {domain.Internal, 1},           // a bug in the server
	} {
		tries := 0
		err := db.write(t.Context(), "test", func(tx pgx.Tx) error {
			tries++
			_, err := tx.Exec(t.Context(), `DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '`+code+`'; END $$`)
			return err
		})
		if failure := domain.AsError(err); failure.Kind != want.kind || tries != want.tries {
			t.Errorf("%s: got %v after %d tries, want %s after %d", code, err, tries, string(want.kind), want.tries)
		}
	}
}

// A transaction that loses against another one is tried again, and stored once.
func TestLostAgainstAnother(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	tries := 0
	must(t, db.write(t.Context(), "test", func(tx pgx.Tx) error {
		if _, err := tx.Exec(t.Context(), `INSERT INTO fleets VALUES (1, '', false)`); err != nil {
			return err
		}
		if tries++; tries < attempts {
			_, err := tx.Exec(t.Context(), `DO $$ BEGIN RAISE EXCEPTION 'raised' USING ERRCODE = '40001'; END $$`)
			return err
		}
		return nil
	}))
	if fleets, err := db.FleetAuth().Fleets(t.Context()); len(fleets) != 1 || err != nil || tries != attempts {
		t.Errorf("after %d tries there are %v, %v; want one fleet after %d", tries, fleets, err, attempts)
	}
}

func TestTimeoutsInTransactions(t *testing.T) {
	t.Parallel()
	rawURL := newURL(t)
	for _, test := range []struct{ rawURL, want string }{
		{rawURL, "read committed, 30s, 1min"},
		{with(t, rawURL, "statement_timeout", "5s"), "read committed, 5s, 1min"},
	} {
		db := started(t, test.rawURL)
		var got string
		must(t, db.write(t.Context(), "test", func(tx pgx.Tx) error {
			return tx.QueryRow(t.Context(), `SELECT concat_ws(', ', current_setting('transaction_isolation'),
				current_setting('statement_timeout'), current_setting('idle_in_transaction_session_timeout'))`).Scan(&got)
		}))
		if got != test.want {
			t.Errorf("a transaction has %s, want %s", got, test.want)
		}
	}
}
