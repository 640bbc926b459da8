// Command calls is the product on a stranger's database of maps, which has what
// a call needs and nothing for operators.
package main

import (
	"context"
	"os"
	"slices"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func main() {
	catalogue := app.Adapters()
	catalogue.Databases["map"] = func(string) (app.Backend, error) {
		return app.Backend{FleetAuth: fleets{}, CustomerRepo: newCustomers(), ApiLog: &log{}}, nil
	}
	os.Exit(app.Main(context.Background(), os.Args[1:], catalogue))
}

const number domain.PhoneNumber = 447700900123

func ended(ctx context.Context) error {
	if ctx.Err() != nil {
		return domain.Errorf(domain.Unavailable, "the call was given up; try again").WithCause(ctx.Err())
	}
	return nil
}

type fleets struct{}

func (fleets) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	known, _ := domain.ParseAPIKey("TEST1TEST1TEST1TEST1TEST1")
	if err := ended(ctx); err != nil || key == known.Hash() {
		return domain.Caller{Fleet: domain.Fleet{ID: 689}, Key: domain.FirstKey}, err
	}
	return domain.Caller{}, domain.Errorf(domain.InvalidHashID, "api_key: no live key like this")
}

// customers is one customer, whose PIN is 1234 under the key of the test.
type customers struct {
	mu, changing sync.Mutex
	alone        domain.Customer
	lock         domain.PINLock
}

var ref = domain.CustomerRef{Fleet: 689, Customer: 452733}

func newCustomers() *customers {
	key, _ := domain.NewPINKey(slices.Repeat([]byte{1}, domain.MinPINKeyBytes))
	pin, _ := domain.ParsePIN("1234")
	return &customers{alone: domain.Customer{Ref: ref, Phone: number, PIN: key.Hash(ref, pin)}}
}

func (c *customers) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	if err := ended(ctx); err != nil {
		return domain.Customer{}, err
	}
	if fleet != ref.Fleet || phone != number {
		return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.alone, nil
}

func (c *customers) TryPIN(ctx context.Context, customer domain.CustomerRef, offered domain.OfferedPIN) error {
	return c.update(ctx, customer, func() (err error) {
		c.lock, c.alone.PIN, err = c.lock.Try(c.alone.PIN, offered, time.Now())
		return err
	})
}

func (c *customers) ChangePhoto(ctx context.Context, customer domain.CustomerRef, change ports.PhotoChange) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	var record domain.PhotoRecord
	err := c.update(ctx, customer, func() error { record = c.alone.Photo; return nil })
	if err != nil {
		return err
	}
	if record, err = change(ctx, record, ended); err != nil {
		return err
	}
	return c.update(ctx, customer, func() error { c.alone.Photo = record; return nil })
}

func (c *customers) update(ctx context.Context, customer domain.CustomerRef, f func() error) error {
	if err := ended(ctx); err != nil {
		return err
	}
	if customer != ref {
		return domain.Errorf(domain.CustomerNotFound, "there is no such customer")
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return f()
}

type log struct {
	mu      sync.Mutex
	entries []domain.ApiLogEntry
	written []time.Time // when each was
}

func (l *log) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := domain.ApiLogID(len(l.entries) + 1)
	l.entries = append(l.entries, domain.ApiLogEntry{ID: id, Call: call, Outcome: outcome})
	l.written = append(l.written, time.Now())
	return id, nil
}

func (l *log) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return l.Record(ctx, call, domain.Outcome{})
}

func (l *log) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	if err := ended(ctx); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if id < 1 || int(id) > len(l.entries) {
		return domain.Errorf(domain.NotFound, "there is no log entry %d", id)
	}
	if is := &l.entries[id-1].Outcome; is.IsOpen() || is.Result == domain.Interrupted && outcome.Result == domain.Valid {
		*is = outcome
	}
	return nil
}

func (l *log) Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) (open []domain.ApiLogEntry, err error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for i, entry := range l.entries {
		if entry.Outcome.IsOpen() && entry.ID > after && time.Since(l.written[i]) > olderThan && len(open) < limit {
			open = append(open, entry)
		}
	}
	return open, nil
}
