package usecase

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
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
// others and returns how many failed, with the error of one.
func (r *Repair) Do(ctx context.Context) (RepairReport, error) {
	var report RepairReport
	before := domain.Instant(r.Clock().Add(-SettleAfter))
	failed := map[domain.ApiLogID]error{} // they come again, first: ask for as many more
	for {
		entries, err := r.Log.Unfinished(ctx, before, len(failed)+repairBatch)
		if err != nil {
			return report, errors.Join(err, summary(failed))
		}
		tried := 0
		for _, entry := range entries {
			if failed[entry.ID] != nil {
				continue
			}
			tried++
			if err := r.settle(ctx, entry, &report); err != nil {
				failed[entry.ID] = err
			}
		}
		if tried < repairBatch {
			return report, summary(failed)
		}
	}
}

// summary tells how many failed, and of one why: it is mostly the same for all.
func summary(failed map[domain.ApiLogID]error) error {
	for id, err := range failed {
		return fmt.Errorf("%d calls can't be settled yet, call %d among them: %w", len(failed), id, err)
	}
	return nil
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
		stored, err := ReadHeld(ctx, r.Photos, customer.PhotoKey())
		if err != nil {
			return current, err
		}
		current, corrected = stored.Corrected(current, r.Clock())
		return current, nil
	})
	gone := errors.Is(err, domain.CustomerNotFound)
	if err != nil && !gone {
		return err
	}
	done = done || gone && entry.Call.Operation == domain.RemoveCustomer
	outcome := domain.Outcome{Result: domain.Interrupted, EndedAt: domain.Instant(r.Clock())}
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
