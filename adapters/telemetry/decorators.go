package telemetry

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetAuth returns next with its part of each call watched.
func (t *Telemetry) FleetAuth(next ports.FleetAuth) ports.FleetAuth { return fleetAuth{next, t} }

type fleetAuth struct {
	ports.FleetAuth
	watcher *Telemetry
}

// Authenticate implements ports.FleetAuth.
func (a fleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	ctx, end := a.watcher.begin(ctx, identify)
	caller, err := a.FleetAuth.Authenticate(ctx, key)
	end(err)
	return caller, err
}

// CustomerRepo returns next with its part of each call watched.
func (t *Telemetry) CustomerRepo(next ports.CustomerRepo) ports.CustomerRepo {
	return customerRepo{next, t}
}

type customerRepo struct {
	ports.CustomerRepo
	watcher *Telemetry
}

// FindByPhone implements ports.CustomerRepo.
func (r customerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	ctx, end := r.watcher.begin(ctx, find)
	customer, err := r.CustomerRepo.FindByPhone(ctx, fleet, phone)
	end(err)
	return customer, err
}

// CountPINAttempt implements ports.CustomerRepo.
func (r customerRepo) CountPINAttempt(ctx context.Context, customer domain.CustomerRef, now time.Time) error {
	ctx, end := r.watcher.begin(ctx, checkPIN)
	err := r.CustomerRepo.CountPINAttempt(ctx, customer, now)
	end(err)
	return err
}

// ResetPINLock implements ports.CustomerRepo.
func (r customerRepo) ResetPINLock(ctx context.Context, customer domain.CustomerRef) error {
	ctx, end := r.watcher.begin(ctx, checkPIN)
	err := r.CustomerRepo.ResetPINLock(ctx, customer)
	end(err)
	return err
}

// ChangePhoto implements ports.CustomerRepo. Its time is that of two stages:
// before change, and after it.
func (r customerRepo) ChangePhoto(ctx context.Context, customer domain.CustomerRef, change ports.PhotoChange) error {
	_, end := r.watcher.begin(ctx, wait)
	err := r.CustomerRepo.ChangePhoto(ctx, customer, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
		end(nil)
		record, err := change(ctx, current)
		if err != nil {
			end = func(error) {} // there is nothing to store
			return record, err
		}
		_, end = r.watcher.begin(ctx, storeRecord)
		return record, nil
	})
	end(err)
	return err
}

// PhotoStore returns next with its part of each call watched.
func (t *Telemetry) PhotoStore(next ports.PhotoStore) ports.PhotoStore { return photoStore{next, t} }

type photoStore struct {
	ports.PhotoStore
	watcher *Telemetry
}

// Put implements ports.PhotoStore.
func (s photoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo) error {
	ctx, end := s.watcher.begin(ctx, storePhoto)
	err := s.PhotoStore.Put(ctx, key, photo)
	end(err)
	return err
}

// Delete implements ports.PhotoStore.
func (s photoStore) Delete(ctx context.Context, key domain.PhotoKey) error {
	ctx, end := s.watcher.begin(ctx, storePhoto)
	err := s.PhotoStore.Delete(ctx, key)
	end(err)
	return err
}

// ApiLog returns next with its part of each call watched. It adds to what is
// logged of a call the times of its stages and the id of its trace.
func (t *Telemetry) ApiLog(next ports.ApiLog) ports.ApiLog { return apiLog{next, t} }

type apiLog struct {
	ports.ApiLog
	watcher *Telemetry
}

// Record implements ports.ApiLog.
func (l apiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	return l.ApiLog.Record(ctx, l.watcher.detailed(ctx, call), outcome)
}

// Open implements ports.ApiLog.
func (l apiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	call = l.watcher.detailed(ctx, call)
	ctx, end := l.watcher.begin(ctx, openEntry)
	id, err := l.ApiLog.Open(ctx, call)
	end(err)
	return id, err
}

// Close implements ports.ApiLog.
func (l apiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	if times := timesOf(ctx); times != nil {
		_, outcome.Details.Timings = times.logged()
	}
	ctx, end := l.watcher.begin(ctx, closeEntry)
	err := l.ApiLog.Close(ctx, id, outcome)
	end(err)
	return err
}

func (t *Telemetry) detailed(ctx context.Context, call domain.ApiCall) domain.ApiCall {
	times := timesOf(ctx)
	if times == nil {
		return call
	}
	call.Details.Timings, _ = times.logged()
	if t.traces != nil {
		call.Details.TraceID = traceID(ctx)
	}
	return call
}

// Reader returns next with its part of each call watched.
func (t *Telemetry) Reader(next usecase.PhotoReader) usecase.PhotoReader { return reader{next, t} }

type reader struct {
	usecase.PhotoReader
	watcher *Telemetry
}

// Read implements usecase.PhotoReader.
func (r reader) Read(ctx context.Context, data []byte) (domain.Photo, photo.Reading, error) {
	ctx, end := r.watcher.begin(ctx, readPhoto)
	picture, reading, err := r.PhotoReader.Read(ctx, data)
	end(err)
	return picture, reading, err
}
