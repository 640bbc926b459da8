package usecasetest

import (
	"context"
	"errors"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Steps notes what is asked of the ports, and lets a test act at any step: at
// "Put" before it is done, at "Put, done" after it. What the act returns is
// the step's failure.
type Steps struct {
	t    *testing.T
	mu   sync.Mutex
	Seen []string
	acts map[string]func() error
}

func (s *Steps) at(ctx context.Context, name string) error {
	if deadline, bounded := ctx.Deadline(); name != "Unfinished" && name != "Unfinished, done" && (!bounded || time.Until(deadline) > usecase.CallTimeout) {
		s.t.Errorf("%s has no deadline within %v", name, usecase.CallTimeout)
	}
	s.mu.Lock()
	s.Seen = append(s.Seen, name)
	act := s.acts[name]
	s.mu.Unlock()
	if act == nil {
		return nil
	}
	return act()
}

// Reset forgets what was seen, and sets what is done at which step.
func (s *Steps) Reset(acts map[string]func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.Seen, s.acts = nil, acts
}

// At calls call as the step with this name.
func At[T any](ctx context.Context, s *Steps, name string, call func() (T, error)) (value T, err error) {
	var none T
	if err := s.at(ctx, name); err != nil {
		return none, err
	}
	if value, err = call(); err == nil {
		err = s.at(ctx, name+", done")
	}
	if err != nil {
		return none, err
	}
	return value, nil
}

func atStep(ctx context.Context, s *Steps, name string, call func() error) error {
	_, err := At(ctx, s, name, func() (any, error) { return nil, call() })
	return err
}

type fleetAuth struct {
	ports.FleetAuth
	Steps *Steps
}

func (a fleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	return At(ctx, a.Steps, "Authenticate", func() (domain.Caller, error) { return a.FleetAuth.Authenticate(ctx, key) })
}

// CustomerRepo is that of package memory, step by step.
type CustomerRepo struct {
	*memory.CustomerRepo
	Steps *Steps
}

// FindByPhone implements its port.
func (r *CustomerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	return At(ctx, r.Steps, "FindByPhone", func() (domain.Customer, error) { return r.CustomerRepo.FindByPhone(ctx, fleet, phone) })
}

// FindCustomer implements its port.
func (r *CustomerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
	return At(ctx, r.Steps, "FindCustomer", func() (domain.Customer, error) { return r.CustomerRepo.FindCustomer(ctx, ref) })
}

// RemoveCustomer implements its port.
func (r *CustomerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return atStep(ctx, r.Steps, "RemoveCustomer", func() error {
		return r.CustomerRepo.RemoveCustomer(ctx, ref, r.watched(change, "remove record"))
	})
}

// TryPIN implements its port.
func (r *CustomerRepo) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	return atStep(ctx, r.Steps, "TryPIN", func() error { return r.CustomerRepo.TryPIN(ctx, ref, offered) })
}

// UnlockPIN implements its port.
func (r *CustomerRepo) UnlockPIN(ctx context.Context, ref domain.CustomerRef) error {
	return atStep(ctx, r.Steps, "UnlockPIN", func() error { return r.CustomerRepo.UnlockPIN(ctx, ref) })
}

// ChangePhoto implements its port.
func (r *CustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return atStep(ctx, r.Steps, "ChangePhoto", func() error {
		return r.CustomerRepo.ChangePhoto(ctx, ref, r.watched(change, "store record"))
	})
}

// watched is change with a step after it and one at each proof of the lock.
func (r *CustomerRepo) watched(change ports.PhotoChange, after string) ports.PhotoChange {
	return func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
		record, err := change(ctx, current, func(ctx context.Context) error {
			return atStep(ctx, r.Steps, "prove the lock", func() error { return stillLocked(ctx) })
		})
		if err != nil {
			return record, err
		}
		return record, r.Steps.at(ctx, after)
	}
}

// ImportCustomers implements its port.
func (r *CustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) (results []domain.ImportResult, err error) {
	err = atStep(ctx, r.Steps, "ImportCustomers", func() error {
		results, err = r.CustomerRepo.ImportCustomers(ctx, customers)
		return err
	})
	return results, err
}

// PhotoStore is that of package memory, step by step.
type PhotoStore struct {
	*memory.PhotoStore
	Steps *Steps
}

// Put implements its port.
func (s *PhotoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	return At(ctx, s.Steps, "Put", func() (domain.PhotoVersion, error) { return s.PhotoStore.Put(ctx, key, photo, over) })
}

// Delete implements its port.
func (s *PhotoStore) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	return atStep(ctx, s.Steps, "Delete", func() error { return s.PhotoStore.Delete(ctx, key, over) })
}

// Open implements its port.
func (s *PhotoStore) Open(ctx context.Context, key domain.PhotoKey) (content io.ReadSeekCloser, version domain.PhotoVersion, err error) {
	content, err = At(ctx, s.Steps, "Open photo", func() (io.ReadSeekCloser, error) {
		content, version, err = s.PhotoStore.Open(ctx, key)
		return reader{content, ctx, s.Steps}, err
	})
	return content, version, err
}

// Address gives every photo an address, which the store in memory doesn't.
func (s *PhotoStore) Address(ctx context.Context, key domain.PhotoKey) (string, error) {
	return At(ctx, s.Steps, "URL", func() (string, error) { return "https://photos.example.com/" + string(key), nil })
}

type reader struct {
	io.ReadSeekCloser
	ctx   context.Context //nolint:containedctx // of the Open that made it
	Steps *Steps
}

func (r reader) Read(p []byte) (int, error) {
	return At(r.ctx, r.Steps, "read photo", func() (int, error) { return r.ReadSeekCloser.Read(p) })
}

func (r reader) Close() error {
	return atStep(r.ctx, r.Steps, "close photo", r.ReadSeekCloser.Close)
}

// ApiLog is that of package memory, step by step.
type ApiLog struct {
	*memory.ApiLog
	Steps *Steps
}

// Record implements its port.
func (l *ApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	return At(ctx, l.Steps, "Record entry", func() (domain.ApiLogID, error) { return l.ApiLog.Record(ctx, call, outcome) })
}

// Open implements its port.
func (l *ApiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return At(ctx, l.Steps, "Open entry", func() (domain.ApiLogID, error) { return l.ApiLog.Open(ctx, call) })
}

// Close implements its port.
func (l *ApiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	return atStep(ctx, l.Steps, "Close entry", func() error { return l.ApiLog.Close(ctx, id, outcome) })
}

// Unfinished implements its port.
func (l *ApiLog) Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	return At(ctx, l.Steps, "Unfinished", func() ([]domain.ApiLogEntry, error) { return l.ApiLog.Unfinished(ctx, olderThan, after, limit) })
}

// Entry implements its port.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	return At(ctx, l.Steps, "Entry", func() (domain.ApiLogEntry, error) { return l.ApiLog.Entry(ctx, id) })
}

// What happens at a step.
const (
	Fails  = "fails"       // as ports say: with a Kind
	Breaks = "breaks"      // with an error that no port may return
	Panics = "panics"      // a bug
	Leaves = "caller left" // the call's ctx is cancelled; the step goes well
)

// Acting is what a step does so; cancel ends the call's ctx.
func Acting(what string, cancel context.CancelFunc) func() error {
	return map[string]func() error{
		Fails:  Down,
		Breaks: func() error { return errors.New("connection refused: 10.0.0.7") },
		Panics: func() error { panic("a bug in an adapter") },
		Leaves: func() error { cancel(); return nil },
	}[what]
}
