package customerrepo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// No clause waits until a lock ends or has domain.MaxWrongPINsInAll tried, as
// that takes hours of the repository's own clock.

func pinClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	added := has(alice, bob, namesake)
	withoutPIN := withPIN(alice, domain.PINHash{})
	return []clauseOf{
		clause.New(
			"pin_right", "TryPIN takes the right PIN",
			clause.Steps(has(oddCustomers()...), takesPINs(oddCustomers()[1:]...), takesPINs(oddCustomers()[1:]...)), // the first has none
		), clause.New(
			"pin_wrong_locks", "TryPIN fails with InvalidPIN for domain.MaxWrongPINs wrong PINs in a row, and then with PINLocked",
			clause.Steps(added, locksPIN(alice.Ref), refusesPIN(alice.Ref)),
		), clause.New(
			"pin_locked_right", "while the PIN is locked, the right one fails with PINLocked too, and changes nothing",
			clause.Steps(added, locksPIN(alice.Ref), refusesRightPIN(alice), refusesPIN(alice.Ref), findsCustomers(alice)),
		), clause.New(
			"pin_lock_not_prolonged", "attempts while the PIN is locked don't prolong the lock",
			clause.Steps(added, locksPIN(alice.Ref), waitsNoLonger(alice.Ref)),
		), clause.New(
			"pin_right_resets", "after a right PIN, wrong ones count from the start",
			clause.Steps(added, missesPIN(alice.Ref, domain.MaxWrongPINs-1), takesPINs(alice), locksPIN(alice.Ref), refusesPIN(alice.Ref)),
		), clause.New(
			"pin_right_at_once", "any number of right PINs at once all pass",
			clause.Steps(added, clause.AtOnce(4*clause.Crowd, func(ctx context.Context, repo *Port, _ int) error {
				return takesPINs(alice)(ctx, repo)
			}), locksPIN(alice.Ref)),
		), clause.New(
			"pin_wrong_at_once", "of any number of wrong PINs at once domain.MaxWrongPINs are compared, and the others fail with PINLocked",
			clause.Steps(added, guessesAtOnce(alice.Ref)),
		), clause.New(
			"pin_leaves_others", "PINs that are tried count neither for another customer, nor for one with the same id in another fleet",
			clause.Steps(added, locksPIN(alice.Ref), missesPIN(bob.Ref, domain.MaxWrongPINs-1), takesPINs(namesake), missesPIN(bob.Ref, 1), refusesPIN(bob.Ref),
				refusesPIN(alice.Ref), locksPIN(namesake.Ref)),
		), clause.New(
			"pin_none", "a customer without a PIN matches none, not even the zero hash",
			clause.Steps(has(withoutPIN), fails(domain.InvalidPIN, alice.Ref, domain.OfferedPIN{}), fails(domain.InvalidPIN, alice.Ref, right(alice)),
				fails(domain.InvalidPIN, alice.Ref, domain.OfferedPIN{Old: alice.PIN}), findsCustomers(withoutPIN)),
		), clause.New(
			"pin_zero", "the zero hash matches no PIN",
			clause.Steps(added, fails(domain.InvalidPIN, alice.Ref, domain.OfferedPIN{}), fails(domain.InvalidPIN, alice.Ref, domain.OfferedPIN{Current: bob.PIN})),
		), clause.New(
			"pin_old_key", "a PIN that is stored under the old key is right, and is stored under the current key then",
			clause.Steps(added, takesPIN(alice.Ref, domain.OfferedPIN{Current: bob.PIN, Old: alice.PIN}), findsCustomers(withPIN(alice, bob.PIN), bob, namesake),
				takesPIN(alice.Ref, domain.OfferedPIN{Current: bob.PIN, Old: alice.PIN}), takesPIN(alice.Ref, right(bob)), fails(domain.InvalidPIN, alice.Ref, right(alice))),
		), clause.New(
			"pin_old_key_keeps_record", "storing a PIN under the current key resets the lock and leaves the photo's record",
			clause.Steps(added, records(alice.Ref, photoRecord(1)), missesPIN(alice.Ref, domain.MaxWrongPINs-1), takesPIN(alice.Ref, domain.OfferedPIN{Current: bob.PIN, Old: alice.PIN}),
				holdsRecord(withPIN(alice, bob.PIN), photoRecord(1)), locksPIN(alice.Ref)),
		), clause.New(
			"pin_old_key_wrong", "a PIN that is wrong, or comes while it is locked, is stored under no key",
			clause.Steps(added, fails(domain.InvalidPIN, alice.Ref, domain.OfferedPIN{Current: bob.PIN, Old: namesake.PIN}), findsCustomers(alice),
				missesPIN(alice.Ref, domain.MaxWrongPINs-1), fails(domain.PINLocked, alice.Ref, domain.OfferedPIN{Current: bob.PIN, Old: alice.PIN}), findsCustomers(alice)),
		), clause.New(
			"pin_keeps_customer", "trying PINs leaves the photo's record and the PIN",
			clause.Steps(added, records(alice.Ref, photoRecord(1)), takesPINs(alice), locksPIN(alice.Ref), holdsRecord(alice, photoRecord(1)), findsCustomers(bob)),
		), clause.New(
			"pin_unknown_customer", "TryPIN fails with CustomerNotFound",
			clause.Steps(has(alice), notFound("TryPIN", func(ref domain.CustomerRef) check { return triesPIN(ref, right(alice)) })),
		), clause.New(
			"pin_right_cut_off", "a right PIN whose ctx ends meanwhile never counts as a wrong one",
			clause.Steps(has(manyCustomers(clause.Attempts)...), clause.CutOff(rightPINCutOff)),
		), clause.New(
			"pin_wrong_cut_off", "a wrong PIN whose ctx ends meanwhile is counted once or not at all, and is counted where InvalidPIN was returned",
			clause.Steps(has(manyCustomers(clause.Attempts)...), clause.CutOff(wrongPINCutOff)),
		),
	}
}

func unlockClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	added := addsCustomers(alice, bob, namesake)
	return []clauseOf{
		clause.New(
			"unlock", "UnlockPIN ends the lock, and wrong PINs count from the start",
			clause.Steps(added, locksPIN(alice.Ref), unlocksPIN(alice.Ref), takesPINs(alice), locksPIN(alice.Ref), unlocksPIN(alice.Ref), locksPIN(alice.Ref), refusesPIN(alice.Ref)),
		), clause.New(
			"unlock_count", "UnlockPIN makes wrong PINs count from the start also where there is no lock yet",
			clause.Steps(added, missesPIN(alice.Ref, domain.MaxWrongPINs-1), unlocksPIN(alice.Ref), locksPIN(alice.Ref), refusesPIN(alice.Ref)),
		), clause.New(
			"unlock_repeated", "UnlockPIN of a PIN that isn't locked is no error",
			clause.Steps(added, unlocksPIN(alice.Ref), unlocksPIN(alice.Ref)),
		), clause.New(
			"unlock_leaves_others", "UnlockPIN leaves the locks of other customers, and of one with the same id in another fleet",
			clause.Steps(added, locksPIN(alice.Ref), unlocksPIN(bob.Ref), unlocksPIN(namesake.Ref), refusesPIN(alice.Ref)),
		), clause.New(
			"unlock_keeps_customer", "UnlockPIN leaves the PIN and the photo's record",
			clause.Steps(added, lockAndRecord(alice), unlocksPIN(alice.Ref), holdsRecord(alice, photoRecord(1)), findsRefs(bob, namesake)),
		), clause.New(
			"unlock_unknown_customer", "UnlockPIN fails with CustomerNotFound",
			clause.Steps(addsCustomers(alice), notFound("UnlockPIN", unlocksPIN)),
		),
	}
}

// notFound makes a call for customers that don't exist where customer(689, 1) does.
func notFound(method string, call func(domain.CustomerRef) check) check {
	var all []check
	for _, ref := range []domain.CustomerRef{{Fleet: 689, Customer: 2}, {Fleet: 690, Customer: 1}, {}} {
		all = append(all, clause.Fails(domain.CustomerNotFound, fmt.Sprintf("%s of %+v, which was never added", method, ref), call(ref)))
	}
	return clause.Steps(all...)
}

// right is what a call offers with the PIN of the customer.
func right(c domain.Customer) domain.OfferedPIN { return domain.OfferedPIN{Current: c.PIN} }

// wrong is what a call offers with nobody's PIN.
var wrong = domain.OfferedPIN{Current: domain.PINHash{1}, Old: domain.PINHash{2}}

// triesPIN returns what TryPIN does.
func triesPIN(ref domain.CustomerRef, offered domain.OfferedPIN) check {
	return func(ctx context.Context, repo *Port) error { return repo.TryPIN(ctx, ref, offered) }
}

// takesPIN tries a PIN that must be right.
func takesPIN(ref domain.CustomerRef, offered domain.OfferedPIN) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("TryPIN of %+v with the right PIN", ref), repo.TryPIN(ctx, ref, offered))
	}
}

// takesPINs tries the PINs of customers.
func takesPINs(customers ...domain.Customer) check {
	var all []check
	for _, c := range customers {
		all = append(all, takesPIN(c.Ref, right(c)))
	}
	return clause.Steps(all...)
}

func fails(kind domain.Kind, ref domain.CustomerRef, offered domain.OfferedPIN) check {
	return clause.Fails(kind, fmt.Sprintf("TryPIN of %+v with %x", ref, offered), triesPIN(ref, offered))
}

// missesPIN tries n wrong PINs, which must be compared.
func missesPIN(ref domain.CustomerRef, n int) check {
	return func(ctx context.Context, repo *Port) error {
		for i := range n {
			if err := clause.FailsWith(domain.InvalidPIN, fmt.Sprintf("TryPIN of %+v with a wrong PIN, %d of %d", ref, i+1, n), repo.TryPIN(ctx, ref, wrong)); err != nil {
				return err
			}
		}
		return nil
	}
}

// locksPIN tries as many wrong PINs as lock the PIN.
func locksPIN(ref domain.CustomerRef) check { return missesPIN(ref, domain.MaxWrongPINs) }

func refusesPIN(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_, err := lockLasts(ctx, repo, ref, wrong)
		return err
	}
}

func refusesRightPIN(c domain.Customer) check {
	return func(ctx context.Context, repo *Port) error {
		_, err := lockLasts(ctx, repo, c.Ref, right(c))
		return err
	}
}

// lockLasts returns how long a PIN, which must be locked, stays so.
func lockLasts(ctx context.Context, repo *Port, ref domain.CustomerRef, offered domain.OfferedPIN) (time.Duration, error) {
	what := fmt.Sprintf("TryPIN of %+v, which is locked", ref)
	failure := repo.TryPIN(ctx, ref, offered)
	if err := clause.FailsWith(domain.PINLocked, what, failure); err != nil {
		return 0, err
	}
	lasts := domain.AsError(failure).RetryAfter
	if lasts <= 0 || lasts > domain.PINLockDuration {
		return 0, fmt.Errorf("%s: got the RetryAfter %v, want more than 0 and at most %v", what, lasts, domain.PINLockDuration)
	}
	return lasts, nil
}

func waitsNoLonger(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		first, err := lockLasts(ctx, repo, ref, wrong)
		if err != nil {
			return err
		}
		time.Sleep(time.Millisecond) // a lock that begins again lasts longer than that
		second, err := lockLasts(ctx, repo, ref, wrong)
		if err == nil && second >= first {
			err = fmt.Errorf("RetryAfter of a locked PIN: got %v and, later, %v", first, second)
		}
		return err
	}
}

func unlocksPIN(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("UnlockPIN(%+v)", ref), repo.UnlockPIN(ctx, ref))
	}
}

func guessesAtOnce(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		compared := 0
		for _, err := range clause.Together(4*clause.Crowd, func(int) error { return repo.TryPIN(ctx, ref, wrong) }) {
			if errors.Is(err, domain.InvalidPIN) {
				compared++
				continue
			}
			if err := clause.FailsWith(domain.PINLocked, "TryPIN over the limit", err); err != nil {
				return err
			}
		}
		return clause.Yields("how many wrong PINs at once are compared", compared, nil, domain.MaxWrongPINs)
	}
}

func rightPINCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	tried := customer(689, domain.CustomerID(n))
	failure := repo.TryPIN(ending, tried.Ref, right(tried))
	if failure != nil {
		err = clause.FailsWith(domain.Unavailable, "TryPIN whose ctx ended", failure)
	}
	return failure == nil, errors.Join(err, locksPIN(tried.Ref)(ctx, repo))
}

func wrongPINCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	tried := customer(689, domain.CustomerID(n))
	failure := repo.TryPIN(ending, tried.Ref, wrong)
	done = errors.Is(failure, domain.InvalidPIN)
	if !done {
		err = clause.FailsWith(domain.Unavailable, "TryPIN whose ctx ended", failure)
	}
	if err := errors.Join(err, missesPIN(tried.Ref, domain.MaxWrongPINs-1)(ctx, repo)); err != nil {
		return false, err
	}
	if last := repo.TryPIN(ctx, tried.Ref, wrong); done || !errors.Is(last, domain.InvalidPIN) { // the first one was counted
		err = clause.FailsWith(domain.PINLocked, "TryPIN over the limit", last)
	}
	return done, errors.Join(err, refusesPIN(tried.Ref)(ctx, repo))
}
