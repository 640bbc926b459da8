package customerrepo

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func changeClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	given := clause.Steps(has(alice, bob, namesake), records(alice.Ref, photoRecord(1)), records(namesake.Ref, photoRecord(2)))
	return []clauseOf{
		clause.New(
			"change_stores_record", "ChangePhoto stores the record that change returns, whole",
			clause.Steps(has(alice), storesEach(alice, oddRecords())),
		), clause.New(
			"change_gets_current", "change gets the record as it is before the change, whole",
			clause.Steps(has(alice), getsEach(alice.Ref, oddRecords())),
		), clause.New(
			"change_leaves_others", "ChangePhoto leaves the records of other customers, and of one with the same id in another fleet",
			clause.Steps(given, records(alice.Ref, photoRecord(3)), findsCustomers(bob), holdsRecord(namesake, photoRecord(2))),
		), clause.New(
			"change_runs_once", "change runs once",
			clause.Steps(given, runsOnce(alice.Ref, nil)),
		), clause.New(
			"change_failed_runs_once", "a change that fails is never repeated",
			clause.Steps(given, runsOnce(alice.Ref, domain.Errorf(domain.Unavailable, "try again")), runsOnce(alice.Ref, errors.New("conflict"))),
		), clause.New(
			"change_error_as_it_is", "when change fails, ChangePhoto returns that error as it is",
			clause.Steps(given, returnsError(alice.Ref, errors.New("a plain error")), returnsError(alice.Ref, domain.Errorf(domain.PhotoTooLarge, "too large"))),
		), clause.New(
			"change_failed_keeps_record", "when change fails, the record stays as it was",
			clause.Steps(given, failsInChange(alice.Ref), holdsRecord(alice, photoRecord(1))),
		), clause.New(
			"change_failed_unlocks", "when change fails, the customer isn't left locked",
			clause.Steps(given, failsInChange(alice.Ref), records(alice.Ref, photoRecord(3))),
		), clause.New(
			"change_panic_goes_through", "when change panics, ChangePhoto lets the panic through",
			clause.Steps(given, letsPanicThrough(alice.Ref)),
		), clause.New(
			"change_panic_keeps_record", "when change panics, the record stays as it was",
			clause.Steps(given, panicsInChange(alice.Ref), holdsRecord(alice, photoRecord(1))),
		), clause.New(
			"change_panic_unlocks", "when change panics, the customer isn't left locked",
			clause.Steps(given, panicsInChange(alice.Ref), records(alice.Ref, photoRecord(3))),
		), clause.New(
			"change_unknown_customer", "ChangePhoto fails with CustomerNotFound, without running change, where the customer doesn't exist",
			clause.Steps(has(alice), notFound("ChangePhoto", notRun)),
		), clause.New(
			"change_ctx", "the ctx that change gets ends with the ctx of ChangePhoto",
			clause.Steps(given, endsChangeCtx(alice.Ref)),
		), clause.New(
			"change_cut_off", "when ChangePhoto fails because its ctx ended, change ran once or not at all, and the record is the old one or the new one",
			clause.Steps(has(manyCustomers(clause.Attempts)...), clause.CutOff(changeCutOff)),
		), clause.New(
			"change_cut_off_unlocks", "when ChangePhoto fails because its ctx ended, the customer isn't left locked",
			clause.Steps(has(manyCustomers(clause.Attempts)...), clause.CutOff(changeAfterCutOff)),
		),
	}
}

// photoRecord is a record that differs from those with another n in all.
func photoRecord(n int) domain.PhotoRecord {
	return domain.PhotoRecord{
		Info: domain.PhotoInfo{
			SHA256: sha256.Sum256(fmt.Append(nil, "photo ", n)), Size: 300_000 + int64(n), Width: 1024 + n, Height: 768 + n,
		},
		ChangedAt: noon.Add(time.Duration(n) * time.Microsecond),
		ChangedBy: domain.ApiLogID(2_288_346 + n),
	}
}

// oddRecords are records that a careless adapter doesn't store whole. The last
// is that of a photo that was never changed.
func oddRecords() []domain.PhotoRecord {
	deleted, repaired, huge := photoRecord(1), photoRecord(2), photoRecord(3)
	deleted.Info = domain.PhotoInfo{}
	repaired.ChangedBy = 0
	huge.Info.Size, huge.ChangedBy = math.MaxInt32+1, math.MaxInt64
	return []domain.PhotoRecord{photoRecord(1), deleted, repaired, huge, {}}
}

// records changes the record to one that doesn't depend on what was there.
func records(ref domain.CustomerRef, record domain.PhotoRecord) check {
	return changes(ref, func(context.Context, domain.PhotoRecord) (domain.PhotoRecord, error) { return record, nil })
}

func changes(ref domain.CustomerRef, change ports.PhotoChange) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("ChangePhoto(%+v)", ref), repo.ChangePhoto(ctx, ref, change))
	}
}

func storesEach(customer domain.Customer, all []domain.PhotoRecord) check {
	var each []check
	for _, record := range all {
		each = append(each, records(customer.Ref, record), holdsRecord(customer, record))
	}
	return clause.Steps(each...)
}

func getsEach(ref domain.CustomerRef, all []domain.PhotoRecord) check {
	var before domain.PhotoRecord
	var each []check
	for _, record := range all {
		want := before
		each = append(each, changes(ref, func(_ context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
			return record, clause.Yields("the record that change got", current, nil, want)
		}))
		before = record
	}
	return clause.Steps(each...)
}

// runsOnce counts how often a change runs that returns failure.
func runsOnce(ref domain.CustomerRef, failure error) check {
	return func(ctx context.Context, repo *Port) error {
		runs := 0
		_ = repo.ChangePhoto(ctx, ref, func(context.Context, domain.PhotoRecord) (domain.PhotoRecord, error) {
			runs++
			return photoRecord(3), failure
		}) // what it returns is for other clauses
		return clause.Yields("how often change ran", runs, nil, 1)
	}
}

func returnsError(ref domain.CustomerRef, want error) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.PassesOn("ChangePhoto with a change that fails", failChange(ctx, repo, ref, want), want)
	}
}

func failChange(ctx context.Context, repo *Port, ref domain.CustomerRef, failure error) error {
	return repo.ChangePhoto(ctx, ref, func(context.Context, domain.PhotoRecord) (domain.PhotoRecord, error) {
		return photoRecord(3), failure
	})
}

// failsInChange doesn't look at what ChangePhoto makes of the failure.
func failsInChange(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_ = failChange(ctx, repo, ref, errors.New("change failed"))
		return nil
	}
}

func letsPanicThrough(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		cause := errors.New("change panicked")
		return clause.Yields("what ChangePhoto panicked with", panicInChange(ctx, repo, ref, cause), nil, any(cause))
	}
}

// panicsInChange doesn't look at what ChangePhoto makes of the panic.
func panicsInChange(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_ = panicInChange(ctx, repo, ref, "change panicked")
		return nil
	}
}

func panicInChange(ctx context.Context, repo *Port, ref domain.CustomerRef, cause any) (recovered any) {
	defer func() { recovered = recover() }()
	return repo.ChangePhoto(ctx, ref, func(context.Context, domain.PhotoRecord) (domain.PhotoRecord, error) { panic(cause) })
}

// notRun returns what ChangePhoto does, or an error of its own when change runs.
func notRun(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		ran := false
		err := repo.ChangePhoto(ctx, ref, func(context.Context, domain.PhotoRecord) (domain.PhotoRecord, error) {
			ran = true
			return photoRecord(3), nil
		})
		if ran {
			return errors.New("change ran")
		}
		return err
	}
}

func endsChangeCtx(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		given, end := context.WithCancel(ctx)
		defer end()
		var wrong error
		_ = repo.ChangePhoto(given, ref, func(got context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
			end()
			select {
			case <-got.Done():
			case <-ctx.Done():
				wrong = errors.New("the ctx that change got went on when the ctx of ChangePhoto had ended")
			}
			return current, got.Err()
		}) // what it returns is for other clauses
		return wrong
	}
}

func changeCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	changed := customer(689, domain.CustomerID(n))
	if err := records(changed.Ref, photoRecord(1))(ctx, repo); err != nil {
		return false, err
	}
	runs, wrong := 0, error(nil)
	failure := repo.ChangePhoto(ending, changed.Ref, func(_ context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
		runs++
		wrong = clause.Yields("the record that change got", current, nil, photoRecord(1))
		return photoRecord(2), nil
	})
	if wrong != nil {
		return false, wrong
	}
	isOld, isNew := holdsRecord(changed, photoRecord(1))(ctx, repo), holdsRecord(changed, photoRecord(2))(ctx, repo)
	switch {
	case failure == nil:
		return true, errors.Join(clause.Yields("how often change ran", runs, nil, 1), isNew)
	case runs == 0:
		err = isOld
	case isOld != nil && isNew != nil:
		err = fmt.Errorf("the record is neither the old nor the new one: %w", isNew)
	case runs > 1:
		err = fmt.Errorf("change ran %d times", runs)
	}
	return false, errors.Join(err, clause.FailsWith(domain.Unavailable, "ChangePhoto whose ctx ended", failure))
}

func changeAfterCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	changed := customer(689, domain.CustomerID(n))
	failure := records(changed.Ref, photoRecord(1))(ending, repo)
	return failure == nil, clause.Steps(records(changed.Ref, photoRecord(2)), holdsRecord(changed, photoRecord(2)))(ctx, repo)
}
