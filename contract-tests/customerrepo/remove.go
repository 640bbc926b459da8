package customerrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func removeClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	given := clause.Steps(addsCustomers(alice, bob, namesake), lockAndRecord(alice))
	stays := clause.Steps(lockedAndRecorded(alice), holdsAll(withRecord(alice), bob, namesake))
	heir := withPhone(customer(689, 3), alice.Phone)
	return slices.Concat(removeCustomer.clauses(given, stays), []clauseOf{
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
			"remove_gets_current", "change gets the record as it is before the change, whole",
			clause.Steps(given, removesRecorded(alice.Ref, photoRecord(1)), removesRecorded(bob.Ref, domain.PhotoRecord{})),
		), clause.New(
			"remove_unknown_customer", "RemoveCustomer fails with CustomerNotFound, without running change, where the customer doesn't exist",
			clause.Steps(addsCustomers(alice), notFound("RemoveCustomer", removeCustomer.notRun)),
		), clause.New(
			"remove_cut_off", "when RemoveCustomer fails because its ctx ended, change ran once or not at all, and the customer is there or removed, whole, and not left locked",
			clause.CutOff(removeCutOff),
		),
	})
}

func withRecord(c domain.Customer) domain.Customer {
	c.Photo = photoRecord(1)
	return c
}

// removes removes a customer and does nothing to the photo.
func removes(ref domain.CustomerRef) check { return removeCustomer.does(ref) }

// removesRecorded does so, where change must get this record.
func removesRecorded(ref domain.CustomerRef, want domain.PhotoRecord) check {
	return func(ctx context.Context, repo *Port) error {
		return repo.RemoveCustomer(ctx, ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			return current, clause.Yields("the record that change got", current, nil, want)
		})
	}
}

// isGone tries each method on a customer who was removed.
func isGone(c domain.Customer) check {
	gone := func(method string, call check) check {
		return clause.Fails(domain.CustomerNotFound, fmt.Sprintf("%s of %+v, who was removed", method, c.Ref), call)
	}
	return clause.Steps(findsNobody(c.Ref.Fleet, c.Phone), gone("FindCustomer", findsRef(c.Ref)), gone("TryPIN", triesPIN(c.Ref, right(c))),
		gone("UnlockPIN", unlocksPIN(c.Ref)), gone("SetCustomer", sets(c.Ref, phoneOf(c))), gone("ChangePhoto", changePhoto.notRun(c.Ref)), gone("RemoveCustomer", removeCustomer.notRun(c.Ref)))
}

func removeCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	removed := customer(689, domain.CustomerID(n))
	if err := clause.Steps(addsCustomers(removed), lockAndRecord(removed))(ctx, repo); err != nil {
		return false, err
	}
	runs := 0
	failure := repo.RemoveCustomer(ending, removed.Ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
		runs++
		return current, nil
	})
	if failure == nil {
		return true, errors.Join(clause.Yields("how often change ran", runs, nil, 1), isGone(removed)(ctx, repo))
	}
	err = clause.FailsWith(domain.Unavailable, "RemoveCustomer whose ctx ended", failure)
	if runs > 1 {
		err = errors.Join(err, fmt.Errorf("change ran %d times", runs))
	}
	if runs == 1 && errors.Is(findsRef(removed.Ref)(ctx, repo), domain.CustomerNotFound) {
		return false, errors.Join(err, isGone(removed)(ctx, repo))
	}
	return false, errors.Join(err, clause.Steps(lockedAndRecorded(removed), removes(removed.Ref))(ctx, repo))
}
