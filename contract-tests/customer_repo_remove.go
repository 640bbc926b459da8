package contracttests

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
)

func removeClauses() []customerClause {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	given := steps(addsCustomers(alice, bob, namesake), lockAndRecord(alice))
	stays := steps(lockedAndRecorded(alice), holdsAll(withRecord(alice), bob, namesake))
	heir := withPhone(customer(689, 3), alice.Phone)
	return []customerClause{
		{
			"remove", "RemoveCustomer removes the customer: no method knows it any more",
			steps(given, removes(alice.Ref), isGone(alice), holdsAll(bob, namesake)),
		}, {
			"remove_leaves_others", "RemoveCustomer leaves other customers, and one with the same id in another fleet",
			steps(given, lockAndRecord(bob), lockAndRecord(namesake), removes(alice.Ref), lockedAndRecorded(bob), lockedAndRecorded(namesake)),
		}, {
			"remove_frees_phone", "when a customer is removed, another one may have the phone number",
			steps(given, removes(alice.Ref), addsCustomers(heir), findsCustomers(heir), removes(heir.Ref), imports(is(domain.Changed, withPhone(bob, alice.Phone)))),
		}, {
			"remove_then_add", "RemoveCustomer removes the PIN's lock and the photo's record: who is added again has neither",
			steps(given, removes(alice.Ref), addsCustomers(alice), holdsRecord(alice, domain.PhotoRecord{}), locksPIN(alice.Ref),
				removes(alice.Ref), imports(is(domain.Added, alice)), holdsRecord(alice, domain.PhotoRecord{}), locksPIN(alice.Ref)),
		}, {
			"remove_runs_once", "deletePhoto runs once",
			steps(given, deletesOnce(alice.Ref, nil)),
		}, {
			"remove_failed_runs_once", "a deletePhoto that fails is never repeated",
			steps(given, deletesOnce(alice.Ref, domain.Errorf(domain.Unavailable, "try again")), deletesOnce(alice.Ref, errors.New("conflict"))),
		}, {
			"remove_error_as_it_is", "when deletePhoto fails, RemoveCustomer returns that error as it is",
			steps(given, returnsRemoveError(alice.Ref, errors.New("a plain error")), returnsRemoveError(alice.Ref, domain.Errorf(domain.PhotoTooLarge, "too large"))),
		}, {
			"remove_failed_keeps", "when deletePhoto fails, the customer stays, whole",
			steps(given, failsInRemove(alice.Ref), stays),
		}, {
			"remove_failed_unlocks", "when deletePhoto fails, the customer isn't left locked",
			steps(given, failsInRemove(alice.Ref), records(alice.Ref, photoRecord(3)), removes(alice.Ref)),
		}, {
			"remove_panic_goes_through", "when deletePhoto panics, RemoveCustomer lets the panic through",
			steps(given, func(ctx context.Context, repo CustomerRoles) error {
				cause := errors.New("deletePhoto panicked")
				return yields("what RemoveCustomer panicked with", panicInRemove(ctx, repo, alice.Ref, cause), nil, any(cause))
			}),
		}, {
			"remove_panic_keeps", "when deletePhoto panics, the customer stays, whole",
			steps(given, panicsInRemove(alice.Ref), stays),
		}, {
			"remove_panic_unlocks", "when deletePhoto panics, the customer isn't left locked",
			steps(given, panicsInRemove(alice.Ref), records(alice.Ref, photoRecord(3)), removes(alice.Ref)),
		}, {
			"remove_unknown_customer", "RemoveCustomer fails with CustomerNotFound, without running deletePhoto, where the customer doesn't exist",
			steps(addsCustomers(alice), notFound("RemoveCustomer", notDeleted)),
		}, {
			"remove_ctx", "the ctx that deletePhoto gets ends with the ctx of RemoveCustomer",
			steps(given, endsRemoveCtx(alice.Ref)),
		}, {
			"remove_cut_off", "when RemoveCustomer fails because its ctx ended, deletePhoto ran once or not at all, and the customer is there or removed, whole, and not left locked",
			cutOff(removeCutOff),
		},
	}
}

func withRecord(c domain.Customer) domain.Customer {
	c.Photo = photoRecord(1)
	return c
}

// removes removes a customer and does nothing to the photo.
func removes(ref domain.CustomerRef) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		return failed(fmt.Sprintf("RemoveCustomer(%+v)", ref), removeWith(ctx, repo, ref, nil))
	}
}

// removeWith returns what RemoveCustomer makes of a deletePhoto that returns failure.
func removeWith(ctx context.Context, repo CustomerRoles, ref domain.CustomerRef, failure error) error {
	return repo.RemoveCustomer(ctx, ref, func(context.Context) error { return failure })
}

// notDeleted returns what RemoveCustomer does, or an error of its own when
// deletePhoto runs.
func notDeleted(ref domain.CustomerRef) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		ran := false
		err := repo.RemoveCustomer(ctx, ref, func(context.Context) error { ran = true; return nil })
		if ran {
			return errors.New("deletePhoto ran")
		}
		return err
	}
}

// isGone tries each method on a customer who was removed.
func isGone(c domain.Customer) customerCheck {
	gone := func(method string, call customerCheck) customerCheck {
		return fails(domain.CustomerNotFound, fmt.Sprintf("%s of %+v, who was removed", method, c.Ref), call)
	}
	return steps(findsNobody(c.Ref.Fleet, c.Phone), gone("FindCustomer", findsRef(c.Ref)), gone("CountPINAttempt", letsPIN(c.Ref, 1, noon)),
		gone("ResetPINLock", resetsPIN(c.Ref)), gone("ChangePhoto", notRun(c.Ref)), gone("RemoveCustomer", notDeleted(c.Ref)))
}

// deletesOnce counts how often a deletePhoto runs that returns failure.
func deletesOnce(ref domain.CustomerRef, failure error) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		runs := 0
		_ = repo.RemoveCustomer(ctx, ref, func(context.Context) error { runs++; return failure }) // what it returns is for other clauses
		return yields("how often deletePhoto ran", runs, nil, 1)
	}
}

func returnsRemoveError(ref domain.CustomerRef, want error) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		got := removeWith(ctx, repo, ref, want)
		var known *domain.Error
		if !errors.Is(got, want) || errors.As(got, &known) && !errors.Is(want, known) {
			return fmt.Errorf("RemoveCustomer with a deletePhoto that fails: got the error %q, want %q", textOf(got), textOf(want))
		}
		return nil
	}
}

// failsInRemove doesn't look at what RemoveCustomer makes of the failure.
func failsInRemove(ref domain.CustomerRef) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		_ = removeWith(ctx, repo, ref, errors.New("deletePhoto failed"))
		return nil
	}
}

// panicsInRemove doesn't look at what RemoveCustomer makes of the panic.
func panicsInRemove(ref domain.CustomerRef) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		_ = panicInRemove(ctx, repo, ref, "deletePhoto panicked")
		return nil
	}
}

func panicInRemove(ctx context.Context, repo CustomerRoles, ref domain.CustomerRef, cause any) (recovered any) {
	defer func() { recovered = recover() }()
	return repo.RemoveCustomer(ctx, ref, func(context.Context) error { panic(cause) })
}

func endsRemoveCtx(ref domain.CustomerRef) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
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

func removeCutOff(ctx, ending context.Context, repo CustomerRoles, n int) (done bool, err error) {
	removed := customer(689, domain.CustomerID(n))
	if err := steps(addsCustomers(removed), lockAndRecord(removed))(ctx, repo); err != nil {
		return false, err
	}
	runs := 0
	failure := repo.RemoveCustomer(ending, removed.Ref, func(context.Context) error { runs++; return nil })
	if failure == nil {
		return true, errors.Join(yields("how often deletePhoto ran", runs, nil, 1), isGone(removed)(ctx, repo))
	}
	err = failsWith(domain.Unavailable, "RemoveCustomer whose ctx ended", failure)
	if runs > 1 {
		err = errors.Join(err, fmt.Errorf("deletePhoto ran %d times", runs))
	}
	if runs == 1 && errors.Is(findsRef(removed.Ref)(ctx, repo), domain.CustomerNotFound) {
		return false, errors.Join(err, isGone(removed)(ctx, repo))
	}
	return false, errors.Join(err, steps(lockedAndRecorded(removed), removes(removed.Ref))(ctx, repo))
}
