package telemetry

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetAuth decorates next so that its stages of a call are watched.
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

// CustomerRepo decorates next so that its stages of a call are watched.
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

// TryPIN implements ports.CustomerRepo.
func (r customerRepo) TryPIN(ctx context.Context, customer domain.CustomerRef, offered domain.OfferedPIN) error {
	ctx, end := r.watcher.begin(ctx, checkPIN)
	err := r.CustomerRepo.TryPIN(ctx, customer, offered)
	end(err)
	return err
}

// ChangePhoto implements ports.CustomerRepo.
func (r customerRepo) ChangePhoto(ctx context.Context, customer domain.CustomerRef, change ports.PhotoChange) error {
	watched := r.watcher.watchChange(ctx, change.Closing())
	err := r.CustomerRepo.ChangePhoto(ctx, customer, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
		record, _, err := watched.change(ctx, current, stillLocked)
		return record, err
	})
	watched.end(err)
	return err
}

// ChangeRecorder decorates next so that its stages of a call are watched. Nil
// stays nil.
func (t *Telemetry) ChangeRecorder(next ports.ChangeRecorder) ports.ChangeRecorder {
	if next == nil {
		return nil
	}
	return changeRecorder{next, t}
}

type changeRecorder struct {
	ports.ChangeRecorder
	watcher *Telemetry
}

// ChangePhotoAndClose implements ports.ChangeRecorder. The outcome's timings
// lack the time to store it.
func (r changeRecorder) ChangePhotoAndClose(ctx context.Context, customer domain.CustomerRef, entry domain.ApiLogID, change ports.ClosingChange) error {
	watched := r.watcher.watchChange(ctx, change)
	err := r.ChangeRecorder.ChangePhotoAndClose(ctx, customer, entry, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		record, outcome, err := watched.change(ctx, current, stillLocked)
		if times := timesOf(ctx); times != nil {
			_, outcome.Details.Timings = times.logged()
		}
		return record, outcome, err
	})
	watched.end(err)
	return err
}

// watchedChange is a change with two watched stages: the wait before it, and
// storing its record after it.
type watchedChange struct {
	change ports.ClosingChange
	end    func(error)
}

func (t *Telemetry) watchChange(ctx context.Context, change ports.ClosingChange) *watchedChange {
	watched := &watchedChange{}
	_, watched.end = t.begin(ctx, wait)
	watched.change = func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, domain.Outcome, error) {
		watched.end(nil)
		record, outcome, err := change(ctx, current, stillLocked)
		if err != nil {
			watched.end = func(error) {} // there is nothing to store
			return record, outcome, err
		}
		_, watched.end = t.begin(ctx, storeRecord)
		return record, outcome, nil
	}
	return watched
}

// PhotoStore decorates next so that its stages of a call are watched.
func (t *Telemetry) PhotoStore(next ports.PhotoStore) ports.PhotoStore { return photoStore{next, t} }

type photoStore struct {
	ports.PhotoStore
	watcher *Telemetry
}

// Put implements ports.PhotoStore.
func (s photoStore) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	ctx, end := s.watcher.begin(ctx, storePhoto)
	version, err := s.PhotoStore.Put(ctx, key, photo, over)
	end(err)
	return version, err
}

// Delete implements ports.PhotoStore.
func (s photoStore) Delete(ctx context.Context, key domain.PhotoKey, over domain.PhotoVersion) error {
	ctx, end := s.watcher.begin(ctx, storePhoto)
	err := s.PhotoStore.Delete(ctx, key, over)
	end(err)
	return err
}

// ApiLog decorates next so that its stages of a call are watched. It adds the
// times of the stages and the id of the trace to the entries.
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

// Reader decorates next so that its stages of a call are watched.
func (t *Telemetry) Reader(next usecase.PhotoReader) usecase.PhotoReader { return reader{next, t} }

type reader struct {
	usecase.PhotoReader
	watcher *Telemetry
}

// Read implements usecase.PhotoReader.
func (r reader) Read(ctx context.Context, fleet domain.FleetID, data []byte) (domain.Photo, photo.Reading, error) {
	ctx, end := r.watcher.begin(ctx, readPhoto)
	picture, reading, err := r.PhotoReader.Read(ctx, fleet, data)
	end(err)
	return picture, reading, err
}
