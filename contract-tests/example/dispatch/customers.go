package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Customers is a ports.CustomerRepo on the table dispatch.clients, which belongs
// to another program: company_no is the fleet, client_no the customer, and mobile
// a text as people write numbers. It is read only. PINs, their locks and the
// photos' records are in the schema fleetphoto. A customer whom nobody has given
// a PIN there has none.
type Customers struct {
	calls, changes *pgxpool.Pool // a change holds a connection while it runs: the rest never waits for one
	country        string        // the code that numbers lack which begin with a 0
	turns          sync.Map      // domain.CustomerRef → chan struct{}: a hundred bytes a customer, for good
}

var _ ports.CustomerRepo = (*Customers)(nil)

// tables are those of our own. The schema, as somebody makes it who may:
//
//	CREATE SCHEMA fleetphoto AUTHORIZATION fleetphoto;
//	GRANT USAGE ON SCHEMA dispatch TO fleetphoto;
//	GRANT SELECT ON dispatch.clients TO fleetphoto;
const tables = `
	CREATE TABLE IF NOT EXISTS fleetphoto.photos (
		company_no bigint, client_no bigint, record json NOT NULL DEFAULT '{}', PRIMARY KEY (company_no, client_no));
	CREATE TABLE IF NOT EXISTS fleetphoto.pins (
		company_no bigint, client_no bigint, hash bytea, attempts int NOT NULL DEFAULT 0, wrong int NOT NULL DEFAULT 0,
		locked_until timestamptz NOT NULL DEFAULT '0001-01-01 00:00:00+00', PRIMARY KEY (company_no, client_no))`

// Open makes Customers of dispatch://user:password@host/database?country=44
// without connecting.
func Open(rawURL string) (*Customers, error) {
	u, err := url.Parse(rawURL)
	if err != nil || u.Scheme != "dispatch" {
		return nil, errors.New("want dispatch://user:password@host/database?country=44") // err repeats the password
	}
	query := u.Query()
	c := &Customers{country: query.Get("country")}
	if strings.Trim(c.country, "0123456789") != "" || strings.HasPrefix(c.country, "0") {
		return nil, errors.New("country: want a country code such as 44")
	}
	query.Del("country")
	u.Scheme, u.RawQuery = "postgres", query.Encode()
	for _, pool := range []**pgxpool.Pool{&c.calls, &c.changes} {
		if *pool, err = pgxpool.New(context.Background(), u.String()); err != nil {
			return nil, errors.New("the rest of the URL is not one of PostgreSQL")
		}
	}
	return c, nil
}

// Migrate makes the tables, in one process at a time.
func (c *Customers) Migrate(ctx context.Context) error {
	return translate(pgx.BeginFunc(ctx, c.calls, func(tx pgx.Tx) error {
		if _, err := tx.Exec(ctx, `SELECT pg_advisory_xact_lock(hashtext('fleetphoto'))`); err != nil {
			return err
		}
		_, err := tx.Exec(ctx, tables)
		return err
	}))
}

// Close implements io.Closer.
func (c *Customers) Close() error {
	c.calls.Close()
	c.changes.Close()
	return nil
}

// FindByPhone implements ports.CustomerRepo. Two customers with one number are
// none: the photo could become the wrong one's.
func (c *Customers) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	rows, _ := c.calls.Query(ctx, `
		SELECT client_no, coalesce(record, '{}'), hash
		FROM dispatch.clients LEFT JOIN fleetphoto.photos USING (company_no, client_no) LEFT JOIN fleetphoto.pins USING (company_no, client_no)
		WHERE company_no = $1 AND regexp_replace(mobile, '\D', '', 'g') = ANY($2) LIMIT 2`, fleet, c.spellings(phone)) // CollectRows returns its error
	found, err := pgx.CollectRows(rows, func(row pgx.CollectableRow) (domain.Customer, error) {
		customer, pin := domain.Customer{Ref: domain.CustomerRef{Fleet: fleet}, Phone: phone}, []byte{}
		err := row.Scan(&customer.Ref.Customer, &customer.Photo, &pin)
		copy(customer.PIN[:], pin)
		return customer, err
	})
	switch {
	case err != nil:
		return domain.Customer{}, translate(err)
	case len(found) == 0:
		return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number")
	case len(found) > 1:
		return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has more than one customer with this number; ask the fleet to correct its list")
	}
	return found[0], nil
}

// spellings are the digits of the number in each form: 447700900123,
// 00447700900123, 07700900123, and 4407700900123 of +44 (0)7700 900123.
func (c *Customers) spellings(phone domain.PhoneNumber) []string {
	digits := fmt.Sprint(int64(phone))
	all := []string{digits, "00" + digits}
	if national, found := strings.CutPrefix(digits, c.country); found && c.country != "" {
		all = append(all, "0"+national, c.country+"0"+national)
	}
	return all
}

// TryPIN implements ports.CustomerRepo.
func (c *Customers) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	var verdict error
	err := transact(ctx, c.calls, func(tx pgx.Tx) error {
		var lock domain.PINLock
		var stored domain.PINHash
		var hash []byte
		var now time.Time
		err := lockRow(ctx, tx, ref, "pins", "hash, attempts, wrong, locked_until, clock_timestamp()", &hash, &lock.Attempts, &lock.Wrong, &lock.LockedUntil, &now)
		if err != nil {
			return err
		}
		copy(stored[:], hash)
		lock, stored, verdict = lock.Try(stored, offered, now)
		if stored != (domain.PINHash{}) {
			hash = stored[:]
		}
		_, err = tx.Exec(ctx, `UPDATE fleetphoto.pins SET hash = $3, attempts = $4, wrong = $5, locked_until = $6 WHERE company_no = $1 AND client_no = $2`,
			ref.Fleet, ref.Customer, hash, lock.Attempts, lock.Wrong, lock.LockedUntil)
		return err
	})
	if err != nil {
		return err
	}
	return verdict
}

// ChangePhoto implements ports.CustomerRepo. Within this process its callers wait
// without a connection; among processes the row decides.
func (c *Customers) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	made, _ := c.turns.LoadOrStore(ref, make(chan struct{}, 1))
	turn := made.(chan struct{})
	select {
	case turn <- struct{}{}:
		defer func() { <-turn }()
	case <-ctx.Done():
		return translate(ctx.Err())
	}
	return transact(ctx, c.changes, func(tx pgx.Tx) error {
		var current domain.PhotoRecord
		if err := lockRow(ctx, tx, ref, "photos", "record", &current); err != nil {
			return err
		}
		record, err := change(ctx, current, func(ctx context.Context) error {
			return translate(lockRow(ctx, tx, ref, "photos", "record", &domain.PhotoRecord{})) // fails unless the transaction, and with it the lock, is still there
		})
		if err != nil {
			return passedOn{err}
		}
		_, err = tx.Exec(ctx, `UPDATE fleetphoto.photos SET record = $3 WHERE company_no = $1 AND client_no = $2`, ref.Fleet, ref.Customer, record)
		return err
	})
}

// lockRow locks the customer's row in a table of ours, which it makes where there
// is none yet, until tx ends, and reads columns of it. It fails with
// CustomerNotFound where they have no such customer.
func lockRow(ctx context.Context, tx pgx.Tx, ref domain.CustomerRef, table, columns string, into ...any) error {
	_, err := tx.Exec(ctx, `INSERT INTO fleetphoto.`+table+` (company_no, client_no)
		SELECT company_no, client_no FROM dispatch.clients WHERE company_no = $1 AND client_no = $2 ON CONFLICT DO NOTHING`, ref.Fleet, ref.Customer)
	if err != nil {
		return err
	}
	err = tx.QueryRow(ctx, `SELECT `+columns+` FROM fleetphoto.`+table+` AS ours JOIN dispatch.clients USING (company_no, client_no)
		WHERE company_no = $1 AND client_no = $2 FOR UPDATE OF ours`, ref.Fleet, ref.Customer).Scan(into...)
	if errors.Is(err, pgx.ErrNoRows) {
		return domain.Errorf(domain.CustomerNotFound, "there is no customer %d in fleet %d", ref.Customer, ref.Fleet)
	}
	return err
}

// passedOn is an error of a change, which nobody translates.
type passedOn struct{ error }

// transact runs f in a transaction. Once f has returned, ctx doesn't cut it off:
// nobody would know how it ended. Who is frozen meanwhile loses it after a minute,
// which is before Repair looks at the call.
func transact(ctx context.Context, pool *pgxpool.Pool, f func(pgx.Tx) error) error {
	const patience = 5 * time.Second
	tx, err := pool.Begin(ctx)
	if err != nil {
		return translate(err)
	}
	defer func() {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		_ = tx.Rollback(ending) // after a commit it does nothing
	}()
	if _, err = tx.Exec(ctx, `SET LOCAL idle_in_transaction_session_timeout = '60s'`); err == nil {
		err = f(tx)
	}
	if known := (passedOn{}); errors.As(err, &known) {
		return known.error
	}
	if err == nil {
		err = ctx.Err()
	}
	if err == nil {
		ending, cancel := context.WithTimeout(context.WithoutCancel(ctx), patience)
		defer cancel()
		err = tx.Commit(ending)
	}
	return translate(err)
}

// translate says what callers may know. The cause is for the log alone.
func translate(err error) error {
	if err == nil || errors.As(err, new(*domain.Error)) {
		return err
	}
	return domain.Errorf(domain.Unavailable, "the customers' database doesn't answer as it should; try again later").WithCause(fmt.Errorf("dispatch: %w", err))
}
