package customerrepo

import (
	"context"
	"fmt"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func pinClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	added := has(alice, bob, namesake)
	lockEnds := noon.Add(domain.PINLockDuration)
	return []clauseOf{
		clause.New(
			"pin_locks", "CountPINAttempt lets domain.MaxWrongPINs attempts through and then fails with PINLocked",
			clause.Steps(added, locksPIN(alice.Ref), refusesPIN(alice.Ref, noon), refusesPIN(alice.Ref, lockEnds.Add(-time.Microsecond))),
		), clause.New(
			"pin_retry_after", "CountPINAttempt tells in RetryAfter how long to wait, as domain.PINLock.Count says",
			clause.Steps(added, countsLikeDomain(alice.Ref)),
		), clause.New(
			"pin_lock_ends", "when the lock has lasted for domain.PINLockDuration, attempts count from the start",
			clause.Steps(added, locksPIN(alice.Ref), letsPIN(alice.Ref, domain.MaxWrongPINs, lockEnds), refusesPIN(alice.Ref, lockEnds)),
		), clause.New(
			"pin_lock_not_prolonged", "attempts while the PIN is locked don't prolong the lock",
			clause.Steps(added, locksPIN(alice.Ref), refusesPIN(alice.Ref, noon.Add(domain.PINLockDuration/2)), letsPIN(alice.Ref, 1, lockEnds)),
		), clause.New(
			"pin_count_leaves_others", "attempts on a customer's PIN don't count for another customer, nor for one with the same id in another fleet",
			clause.Steps(added, locksPIN(alice.Ref), locksPIN(bob.Ref), locksPIN(namesake.Ref)),
		), clause.New(
			"pin_at_once", "of any number of attempts at once at most domain.MaxWrongPINs succeed",
			clause.Steps(added, guessAtOnce(alice.Ref)),
		), clause.New(
			"pin_keeps_customer", "counting and resetting change nothing but the lock",
			clause.Steps(added, records(alice.Ref, photoRecord(1)), locksPIN(alice.Ref), resetsPIN(alice.Ref),
				holdsRecord(alice, photoRecord(1)), findsCustomers(bob)),
		), clause.New(
			"pin_unknown_customer", "CountPINAttempt fails with CustomerNotFound",
			clause.Steps(has(alice), notFound("CountPINAttempt", func(ref domain.CustomerRef) check { return letsPIN(ref, 1, noon) })),
		), clause.New(
			"reset_count", "ResetPINLock makes the attempts count from the start",
			clause.Steps(added, letsPIN(alice.Ref, domain.MaxWrongPINs-1, noon), resetsPIN(alice.Ref), locksPIN(alice.Ref), refusesPIN(alice.Ref, noon)),
		), clause.New(
			"reset_unlocks", "ResetPINLock ends the lock",
			clause.Steps(added, locksPIN(alice.Ref), resetsPIN(alice.Ref), locksPIN(alice.Ref)),
		), clause.New(
			"reset_repeated", "ResetPINLock of a lock that is at its start is no error",
			clause.Steps(added, resetsPIN(alice.Ref), resetsPIN(alice.Ref)),
		), clause.New(
			"reset_leaves_others", "ResetPINLock leaves the locks of other customers, and of one with the same id in another fleet",
			clause.Steps(added, locksPIN(alice.Ref), resetsPIN(bob.Ref), resetsPIN(namesake.Ref), refusesPIN(alice.Ref, noon)),
		), clause.New(
			"reset_unknown_customer", "ResetPINLock fails with CustomerNotFound",
			clause.Steps(has(alice), notFound("ResetPINLock", resetsPIN)),
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

// letsPIN makes n attempts, which must be let through.
func letsPIN(ref domain.CustomerRef, n int, at time.Time) check {
	return func(ctx context.Context, repo *Port) error {
		for i := range n {
			if err := repo.CountPINAttempt(ctx, ref, at); err != nil {
				return clause.Failed(fmt.Sprintf("CountPINAttempt %d of %d on %+v at %v", i+1, n, ref, at), err)
			}
		}
		return nil
	}
}

// locksPIN makes as many attempts as lock the PIN, all at noon.
func locksPIN(ref domain.CustomerRef) check {
	return letsPIN(ref, domain.MaxWrongPINs, noon)
}

func refusesPIN(ref domain.CustomerRef, at time.Time) check {
	return clause.Fails(domain.PINLocked, fmt.Sprintf("CountPINAttempt on %+v, which is locked, at %v", ref, at), letsPIN(ref, 1, at))
}

func resetsPIN(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("ResetPINLock(%+v)", ref), repo.ResetPINLock(ctx, ref))
	}
}

// countsLikeDomain makes attempts at several times and compares what comes of
// each with what a domain.PINLock says.
func countsLikeDomain(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		var lock domain.PINLock
		for i, micros := range []int64{0, 1, 0, 7, 1003, 0, 1, 13, 500_009} {
			at := time.UnixMicro(noon.UnixMicro() + int64(i)*1_000_000 + micros).UTC()
			counted, want := lock.Count(at)
			lock = counted
			got := repo.CountPINAttempt(ctx, ref, at)
			if err := clause.Yields(fmt.Sprintf("RetryAfter of attempt %d", i+1), retryAfter(got), nil, retryAfter(want)); err != nil {
				return err
			}
		}
		return nil
	}
}

func retryAfter(err error) time.Duration {
	if err == nil {
		return 0
	}
	return domain.AsError(err).RetryAfter
}

func guessAtOnce(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		won := 0
		for _, err := range clause.Together(4*clause.Crowd, func(int) error { return repo.CountPINAttempt(ctx, ref, noon) }) {
			if err == nil {
				won++
				continue
			}
			if err := clause.FailsWith(domain.PINLocked, "CountPINAttempt over the limit", err); err != nil {
				return err
			}
		}
		return clause.Yields("how many CountPINAttempt at once are let through", won, nil, domain.MaxWrongPINs)
	}
}
