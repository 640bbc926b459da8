package usecase

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

// repairBatch is how many open entries are read at once.
const repairBatch = 100

// Repair settles the calls that were cut off: it makes each customer's record
// say what the photo store holds, and closes the log entry. It may run at any
// time, on any number of replicas, and be repeated. All fields must be set.
type Repair struct {
	Customers ports.CustomerRepo
	Photos    ports.PhotoStore
	Log       ports.ApiLog
	Clock     func() time.Time
}

// RepairReport counts the entries that a Repair settled.
type RepairReport struct {
	Done        int // the change had been made whole: closed as valid
	Interrupted int // closed as interrupted
	Corrected   int // of the interrupted: the record was wrong and now says what the store holds
}

// Settled is the number of entries that were closed.
func (r RepairReport) Settled() int { return r.Done + r.Interrupted }

// Do settles every open entry that is older than SettleAfter. An entry that
// can't be settled now stays open for the next Repair; Do goes on with the
// others and returns all errors joined.
func (r *Repair) Do(ctx context.Context) (RepairReport, error) {
	var report RepairReport
	for {
		entries, err := r.Log.Unfinished(ctx, instant(r.Clock().Add(-SettleAfter)), repairBatch)
		if err != nil {
			return report, err
		}
		before := report.Settled()
		var failures []error
		for _, entry := range entries {
			failures = append(failures, r.settle(ctx, entry, &report))
		}
		// Entries that failed come again first: without progress, stop.
		if len(entries) < repairBatch || report.Settled() == before {
			return report, errors.Join(failures...)
		}
	}
}

func (r *Repair) settle(ctx context.Context, entry domain.ApiLogEntry, report *RepairReport) error {
	ctx, cancel := context.WithTimeout(ctx, CallTimeout)
	defer cancel()
	var done, corrected bool
	customer := domain.CustomerRef{Fleet: entry.Call.Fleet, Customer: entry.Call.Customer}
	err := r.Customers.ChangePhoto(ctx, customer, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
		if done = current.ChangedBy == entry.ID; done {
			return current, nil
		}
		stored, err := r.stored(ctx, customer.PhotoKey())
		if err != nil || stored.SHA256 == current.Info.SHA256 {
			return current, err
		}
		corrected = true
		return domain.PhotoRecord{Info: stored, ChangedAt: instant(r.Clock())}, nil
	})
	if err != nil && !errors.Is(err, domain.CustomerNotFound) {
		return err
	}
	outcome := domain.Outcome{Result: domain.Interrupted, EndedAt: instant(r.Clock())}
	if done {
		outcome.Result = domain.Valid
	}
	if err := r.Log.Close(ctx, entry.ID, outcome); err != nil {
		return err
	}
	report.count(done, corrected)
	return nil
}

func (r *RepairReport) count(done, corrected bool) {
	if done {
		r.Done++
		return
	}
	r.Interrupted++
	if corrected {
		r.Corrected++
	}
}

// stored describes the photo under key as the store has it; zero where there is none.
func (r *Repair) stored(ctx context.Context, key domain.PhotoKey) (domain.PhotoInfo, error) {
	content, err := r.Photos.Open(ctx, key)
	if errors.Is(err, domain.NotFound) {
		return domain.PhotoInfo{}, nil
	}
	if err != nil {
		return domain.PhotoInfo{}, err
	}
	data, err := io.ReadAll(content)
	if err := errors.Join(err, content.Close()); err != nil {
		return domain.PhotoInfo{}, domain.Errorf(domain.Unavailable, "the stored photo could not be read; try again").WithCause(err)
	}
	return photo.Describe(data), nil
}
