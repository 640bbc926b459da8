// Command calls is the product on a stranger's database of maps, which has what
// a call needs and nothing for operators.
package main

import (
	"cmp"
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
		return app.Backend{FleetAuth: fleets{}, CustomerRepo: &customers{}, ApiLog: &log{}}, nil
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
	lock         domain.PINLock
	photo        domain.PhotoRecord
}

var ref = domain.CustomerRef{Fleet: 689, Customer: 452733}

func (c *customers) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	if err := ended(ctx); err != nil {
		return domain.Customer{}, err
	}
	if fleet != ref.Fleet || phone != number {
		return domain.Customer{}, domain.Errorf(domain.CustomerNotFound, "phone_number: this fleet has no customer with this number")
	}
	key, _ := domain.NewPINKey(slices.Repeat([]byte{1}, domain.MinPINKeyBytes))
	pin, _ := domain.ParsePIN("1234")
	c.mu.Lock()
	defer c.mu.Unlock()
	return domain.Customer{Ref: ref, Phone: phone, PIN: key.Hash(ref, pin), Photo: c.photo}, nil
}

func (c *customers) CountPINAttempt(ctx context.Context, customer domain.CustomerRef, now time.Time) error {
	return c.update(ctx, customer, func() (err error) { c.lock, err = c.lock.Count(now); return err })
}

func (c *customers) ResetPINLock(ctx context.Context, customer domain.CustomerRef) error {
	return c.update(ctx, customer, func() error { c.lock = domain.PINLock{}; return nil })
}

func (c *customers) ChangePhoto(ctx context.Context, customer domain.CustomerRef, change ports.PhotoChange) error {
	c.changing.Lock()
	defer c.changing.Unlock()
	var record domain.PhotoRecord
	err := c.update(ctx, customer, func() error { record = c.photo; return nil })
	if err != nil {
		return err
	}
	if record, err = change(ctx, record); err != nil {
		return err
	}
	return c.update(ctx, customer, func() error { c.photo = record; return nil })
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
}

func (l *log) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	if err := ended(ctx); err != nil {
		return 0, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	id := domain.ApiLogID(len(l.entries) + 1)
	l.entries = append(l.entries, domain.ApiLogEntry{ID: id, Call: call, Outcome: outcome})
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
	if entry := &l.entries[id-1]; entry.Outcome.IsOpen() {
		entry.Outcome = outcome
	}
	return nil
}

func (l *log) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	if err := ended(ctx); err != nil {
		return nil, err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	open := slices.DeleteFunc(slices.Clone(l.entries), func(e domain.ApiLogEntry) bool {
		return !e.Outcome.IsOpen() || !e.Call.ReceivedAt.Before(before)
	})
	slices.SortFunc(open, func(a, b domain.ApiLogEntry) int {
		return cmp.Or(a.Call.ReceivedAt.Compare(b.Call.ReceivedAt), cmp.Compare(a.ID, b.ID))
	})
	return open[:min(limit, len(open))], nil
}
