package usecase_test

import (
	"context"
	"io"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// steps notes what is asked of the ports, and lets a test act at any step: at
// "Put" before it is done, at "Put, done" after it. What the act returns is
// the step's failure.
type steps struct {
	t    *testing.T
	mu   sync.Mutex
	seen []string
	acts map[string]func() error
}

func (s *steps) at(ctx context.Context, name string) error {
	if deadline, bounded := ctx.Deadline(); name != "Unfinished" && name != "Unfinished, done" && (!bounded || time.Until(deadline) > usecase.CallTimeout) {
		s.t.Errorf("%s has no deadline within %v", name, usecase.CallTimeout)
	}
	s.mu.Lock()
	s.seen = append(s.seen, name)
	act := s.acts[name]
	s.mu.Unlock()
	if act == nil {
		return nil
	}
	return act()
}

func (s *steps) reset(acts map[string]func() error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.seen, s.acts = nil, acts
}

func step[T any](ctx context.Context, s *steps, name string, call func() (T, error)) (value T, err error) {
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

func stepOf(ctx context.Context, s *steps, name string, call func() error) error {
	_, err := step(ctx, s, name, func() (any, error) { return nil, call() })
	return err
}

type fleetAuth struct {
	ports.FleetAuth
	steps *steps
}

func (a fleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	return step(ctx, a.steps, "Authenticate", func() (domain.Caller, error) { return a.FleetAuth.Authenticate(ctx, key) })
}

type customerRepo struct {
	ports.CustomerRepo
	steps *steps
}

func (r customerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	return step(ctx, r.steps, "FindByPhone", func() (domain.Customer, error) { return r.CustomerRepo.FindByPhone(ctx, fleet, phone) })
}

func (r customerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
	return step(ctx, r.steps, "FindCustomer", func() (domain.Customer, error) { return r.CustomerRepo.FindCustomer(ctx, ref) })
}

func (r customerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
	return stepOf(ctx, r.steps, "RemoveCustomer", func() error {
		return r.CustomerRepo.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
			if err := deletePhoto(ctx); err != nil {
				return err
			}
			return r.steps.at(ctx, "remove record")
		})
	})
}

func (r customerRepo) CountPINAttempt(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
	return stepOf(ctx, r.steps, "CountPINAttempt", func() error { return r.CustomerRepo.CountPINAttempt(ctx, ref, now) })
}

func (r customerRepo) ResetPINLock(ctx context.Context, ref domain.CustomerRef) error {
	return stepOf(ctx, r.steps, "ResetPINLock", func() error { return r.CustomerRepo.ResetPINLock(ctx, ref) })
}

func (r customerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return stepOf(ctx, r.steps, "ChangePhoto", func() error {
		return r.CustomerRepo.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
			record, err := change(ctx, current)
			if err != nil {
				return record, err
			}
			return record, r.steps.at(ctx, "store record")
		})
	})
}

func (r customerRepo) AddCustomer(ctx context.Context, customer domain.Customer) error {
	return stepOf(ctx, r.steps, "AddCustomer", func() error { return r.CustomerRepo.AddCustomer(ctx, customer) })
}

type photoStore struct {
	ports.PhotoStore
	steps *steps
}

func (s photoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	return stepOf(ctx, s.steps, "Put", func() error { return s.PhotoStore.Put(ctx, key, photo) })
}

func (s photoStore) Delete(ctx context.Context, key domain.PhotoKey) error {
	return stepOf(ctx, s.steps, "Delete", func() error { return s.PhotoStore.Delete(ctx, key) })
}

func (s photoStore) Open(ctx context.Context, key domain.PhotoKey) (io.ReadSeekCloser, error) {
	return step(ctx, s.steps, "Open photo", func() (io.ReadSeekCloser, error) {
		content, err := s.PhotoStore.Open(ctx, key)
		return reader{content, ctx, s.steps}, err
	})
}

// URL gives every photo an address of its own, which the store in memory has not.
func (s photoStore) URL(ctx context.Context, key domain.PhotoKey) (string, error) {
	return step(ctx, s.steps, "URL", func() (string, error) { return "https://photos.example.com/" + string(key), nil })
}

type reader struct {
	io.ReadSeekCloser
	ctx   context.Context //nolint:containedctx // of the Open that made it
	steps *steps
}

func (r reader) Read(p []byte) (int, error) {
	return step(r.ctx, r.steps, "read photo", func() (int, error) { return r.ReadSeekCloser.Read(p) })
}

func (r reader) Close() error {
	return stepOf(r.ctx, r.steps, "close photo", r.ReadSeekCloser.Close)
}

type apiLog struct {
	ports.ApiLog
	steps *steps
}

func (l apiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	return step(ctx, l.steps, "Record entry", func() (domain.ApiLogID, error) { return l.ApiLog.Record(ctx, call, outcome) })
}

func (l apiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return step(ctx, l.steps, "Open entry", func() (domain.ApiLogID, error) { return l.ApiLog.Open(ctx, call) })
}

func (l apiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	return stepOf(ctx, l.steps, "Close entry", func() error { return l.ApiLog.Close(ctx, id, outcome) })
}

func (l apiLog) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	return step(ctx, l.steps, "Unfinished", func() ([]domain.ApiLogEntry, error) { return l.ApiLog.Unfinished(ctx, before, limit) })
}

func (l apiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	return step(ctx, l.steps, "Entry", func() (domain.ApiLogEntry, error) { return l.ApiLog.Entry(ctx, id) })
}
