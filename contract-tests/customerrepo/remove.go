package customerrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func removeClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	given := clause.Steps(addsCustomers(alice, bob, namesake), lockAndRecord(alice))
	stays := clause.Steps(lockedAndRecorded(alice), holdsAll(withRecord(alice), bob, namesake))
	heir := withPhone(customer(689, 3), alice.Phone)
	return []clauseOf{
		clause.New(
			"remove", "RemoveCustomer removes the customer: no method knows it any more",
			clause.Steps(given, removes(alice.Ref), isGone(alice), holdsAll(bob, namesake)),
		), clause.New(
			"remove_leaves_others", "RemoveCustomer leaves other customers, and one with the same id in another fleet",
			clause.Steps(given, lockAndRecord(bob), lockAndRecord(namesake), removes(alice.Ref), lockedAndRecorded(bob), lockedAndRecorded(namesake)),
		), clause.New(
			"remove_frees_phone", "when a customer is removed, another one may have the phone number",
			clause.Steps(given, removes(alice.Ref), addsCustomers(heir), findsCustomers(heir), removes(heir.Ref), imports(is(domain.Changed, withPhone(bob, alice.Phone)))),
		), clause.New(
			"remove_then_add", "RemoveCustomer removes the PIN's lock and the photo's record: who is added again has neither",
			clause.Steps(given, removes(alice.Ref), addsCustomers(alice), holdsRecord(alice, domain.PhotoRecord{}), locksPIN(alice.Ref),
				removes(alice.Ref), imports(is(domain.Added, alice)), holdsRecord(alice, domain.PhotoRecord{}), locksPIN(alice.Ref)),
		), clause.New(
			"remove_runs_once", "deletePhoto runs once",
			clause.Steps(given, deletesOnce(alice.Ref, nil)),
		), clause.New(
			"remove_failed_runs_once", "a deletePhoto that fails is never repeated",
			clause.Steps(given, deletesOnce(alice.Ref, domain.Errorf(domain.Unavailable, "try again")), deletesOnce(alice.Ref, errors.New("conflict"))),
		), clause.New(
			"remove_error_as_it_is", "when deletePhoto fails, RemoveCustomer returns that error as it is",
			clause.Steps(given, returnsRemoveError(alice.Ref, errors.New("a plain error")), returnsRemoveError(alice.Ref, domain.Errorf(domain.PhotoTooLarge, "too large"))),
		), clause.New(
			"remove_failed_keeps", "when deletePhoto fails, the customer stays, whole",
			clause.Steps(given, failsInRemove(alice.Ref), stays),
		), clause.New(
			"remove_failed_unlocks", "when deletePhoto fails, the customer isn't left locked",
			clause.Steps(given, failsInRemove(alice.Ref), records(alice.Ref, photoRecord(3)), removes(alice.Ref)),
		), clause.New(
			"remove_panic_goes_through", "when deletePhoto panics, RemoveCustomer lets the panic through",
			clause.Steps(given, func(ctx context.Context, repo *Port) error {
				cause := errors.New("deletePhoto panicked")
				return clause.Yields("what RemoveCustomer panicked with", panicInRemove(ctx, repo, alice.Ref, cause), nil, any(cause))
			}),
		), clause.New(
			"remove_panic_keeps", "when deletePhoto panics, the customer stays, whole",
			clause.Steps(given, panicsInRemove(alice.Ref), stays),
		), clause.New(
			"remove_panic_unlocks", "when deletePhoto panics, the customer isn't left locked",
			clause.Steps(given, panicsInRemove(alice.Ref), records(alice.Ref, photoRecord(3)), removes(alice.Ref)),
		), clause.New(
			"remove_unknown_customer", "RemoveCustomer fails with CustomerNotFound, without running deletePhoto, where the customer doesn't exist",
			clause.Steps(addsCustomers(alice), notFound("RemoveCustomer", notDeleted)),
		), clause.New(
			"remove_ctx", "the ctx that deletePhoto gets ends with the ctx of RemoveCustomer",
			clause.Steps(given, endsRemoveCtx(alice.Ref)),
		), clause.New(
			"remove_cut_off", "when RemoveCustomer fails because its ctx ended, deletePhoto ran once or not at all, and the customer is there or removed, whole, and not left locked",
			clause.CutOff(removeCutOff),
		),
	}
}

func withRecord(c domain.Customer) domain.Customer {
	c.Photo = photoRecord(1)
	return c
}

// removes removes a customer and does nothing to the photo.
func removes(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("RemoveCustomer(%+v)", ref), removeWith(ctx, repo, ref, nil))
	}
}

// removeWith returns what RemoveCustomer makes of a deletePhoto that returns failure.
func removeWith(ctx context.Context, repo *Port, ref domain.CustomerRef, failure error) error {
	return repo.RemoveCustomer(ctx, ref, func(context.Context) error { return failure })
}

// notDeleted returns what RemoveCustomer does, or an error of its own when
// deletePhoto runs.
func notDeleted(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		ran := false
		err := repo.RemoveCustomer(ctx, ref, func(context.Context) error { ran = true; return nil })
		if ran {
			return errors.New("deletePhoto ran")
		}
		return err
	}
}

// isGone tries each method on a customer who was removed.
func isGone(c domain.Customer) check {
	gone := func(method string, call check) check {
		return clause.Fails(domain.CustomerNotFound, fmt.Sprintf("%s of %+v, who was removed", method, c.Ref), call)
	}
	return clause.Steps(findsNobody(c.Ref.Fleet, c.Phone), gone("FindCustomer", findsRef(c.Ref)), gone("CountPINAttempt", letsPIN(c.Ref, 1, noon)),
		gone("ResetPINLock", resetsPIN(c.Ref)), gone("ChangePhoto", notRun(c.Ref)), gone("RemoveCustomer", notDeleted(c.Ref)))
}

// deletesOnce counts how often a deletePhoto runs that returns failure.
func deletesOnce(ref domain.CustomerRef, failure error) check {
	return func(ctx context.Context, repo *Port) error {
		runs := 0
		_ = repo.RemoveCustomer(ctx, ref, func(context.Context) error { runs++; return failure }) // what it returns is for other clauses
		return clause.Yields("how often deletePhoto ran", runs, nil, 1)
	}
}

func returnsRemoveError(ref domain.CustomerRef, want error) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.PassesOn("RemoveCustomer with a deletePhoto that fails", removeWith(ctx, repo, ref, want), want)
	}
}

// failsInRemove doesn't look at what RemoveCustomer makes of the failure.
func failsInRemove(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_ = removeWith(ctx, repo, ref, errors.New("deletePhoto failed"))
		return nil
	}
}

// panicsInRemove doesn't look at what RemoveCustomer makes of the panic.
func panicsInRemove(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_ = panicInRemove(ctx, repo, ref, "deletePhoto panicked")
		return nil
	}
}

func panicInRemove(ctx context.Context, repo *Port, ref domain.CustomerRef, cause any) (recovered any) {
	defer func() { recovered = recover() }()
	return repo.RemoveCustomer(ctx, ref, func(context.Context) error { panic(cause) })
}

func endsRemoveCtx(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		given, end := context.WithCancel(ctx)
		defer end()
		var wrong error
		_ = repo.RemoveCustomer(given, ref, func(got context.Context) error {
			end()
			select {
			case <-got.Done():
			case <-ctx.Done():
				wrong = errors.New("the ctx that deletePhoto got went on when the ctx of RemoveCustomer had ended")
			}
			return got.Err()
		}) // what it returns is for other clauses
		return wrong
	}
}

func removeCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	removed := customer(689, domain.CustomerID(n))
	if err := clause.Steps(addsCustomers(removed), lockAndRecord(removed))(ctx, repo); err != nil {
		return false, err
	}
	runs := 0
	failure := repo.RemoveCustomer(ending, removed.Ref, func(context.Context) error { runs++; return nil })
	if failure == nil {
		return true, errors.Join(clause.Yields("how often deletePhoto ran", runs, nil, 1), isGone(removed)(ctx, repo))
	}
	err = clause.FailsWith(domain.Unavailable, "RemoveCustomer whose ctx ended", failure)
	if runs > 1 {
		err = errors.Join(err, fmt.Errorf("deletePhoto ran %d times", runs))
	}
	if runs == 1 && errors.Is(findsRef(removed.Ref)(ctx, repo), domain.CustomerNotFound) {
		return false, errors.Join(err, isGone(removed)(ctx, repo))
	}
	return false, errors.Join(err, clause.Steps(lockedAndRecorded(removed), removes(removed.Ref))(ctx, repo))
}
