package customerrepo

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func removeWaitClauses() []clauseOf {
	alice, bob, carol, namesake := customer(689, 1), customer(689, 2), customer(689, 3), customer(690, 1)
	given := addsCustomers(alice, bob, carol, namesake)
	return []clauseOf{
		clause.New(
			"remove_waits_for_change", "the change of RemoveCustomer runs under the customer's lock: not while a change runs",
			clause.Steps(given, whileChanging(alice.Ref, clause.Fails(domain.Unavailable, "RemoveCustomer whose ctx ends while a change runs", givesUp(removeCustomer.notRun(alice.Ref))))),
		), clause.New(
			"change_waits_for_remove", "no change of the customer runs while that of RemoveCustomer does",
			clause.Steps(given, whileRemoving(alice.Ref, clause.Fails(domain.Unavailable, "ChangePhoto whose ctx ends while change runs", givesUp(changePhoto.notRun(alice.Ref))))),
		), clause.New(
			"change_after_remove", "a ChangePhoto that waited while the customer was removed fails with CustomerNotFound, without running change",
			clause.Steps(given, changesAfterRemove(alice.Ref)),
		), clause.New(
			"remove_at_once", "of any number of RemoveCustomer at once one removes the customer, and change runs once in all",
			clause.Steps(given, removesAtOnce(alice.Ref), isGone(alice)),
		), clause.New(
			"remove_panic_frees_waiter", "when change panics while a ChangePhoto waits, that one goes on, with the record as it was",
			clause.Steps(given, records(alice.Ref, photoRecord(1)), panicsBeforeWaiter(panicsWhenRemoving(alice.Ref), alice.Ref), holdsRecord(alice, photoRecord(2))),
		), clause.New(
			"remove_others_dont_wait", "nobody but who changes or removes this customer waits for its change, nor do the other methods",
			clause.Steps(given, whileRemoving(alice.Ref, clause.Steps(records(bob.Ref, photoRecord(1)), records(namesake.Ref, photoRecord(1)), removes(carol.Ref),
				findsCustomers(alice), findsRefs(alice), missesPIN(alice.Ref, 1), takesPINs(alice), unlocksPIN(alice.Ref), addsCustomers(customer(689, 4))))),
		),
	}
}

// panicsWhenRemoving is a call, for whileHolding, of a RemoveCustomer whose
// change panics.
func panicsWhenRemoving(ref domain.CustomerRef) func(ctx context.Context, repo *Port, hold func() error) error {
	return func(ctx context.Context, repo *Port, hold func() error) error {
		defer func() { _ = recover() }() // whether it comes through is for another clause
		return repo.RemoveCustomer(ctx, ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			if err := hold(); err != nil {
				return current, err
			}
			panic("change panicked")
		})
	}
}

// whileRemoving does something while change runs, which lasts until it is done.
func whileRemoving(ref domain.CustomerRef, do check) check {
	return whileHolding("RemoveCustomer", func(ctx context.Context, repo *Port, hold func() error) error {
		return repo.RemoveCustomer(ctx, ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			return current, hold()
		})
	}, do)
}

// changesAfterRemove has a crowd wait to change the customer while it is removed.
func changesAfterRemove(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		waited := make(chan []error, 1)
		begin := func(ctx context.Context, repo *Port) error {
			go func() {
				waited <- clause.Together(clause.Crowd, func(int) error { return changePhoto.notRun(ref)(ctx, repo) })
			}()
			return clause.Fails(domain.Unavailable, "ChangePhoto whose ctx ends while change runs", givesUp(changePhoto.notRun(ref)))(ctx, repo) // they wait by then
		}
		err := whileRemoving(ref, begin)(ctx, repo)
		if err != nil {
			return err
		}
		for _, got := range <-waited {
			err = errors.Join(err, clause.FailsWith(domain.CustomerNotFound, "ChangePhoto that waited while the customer was removed", got))
		}
		return err
	}
}

func removesAtOnce(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		var runs atomic.Int32
		winners := 0
		for _, err := range clause.Together(clause.Crowd, func(int) error {
			return repo.RemoveCustomer(ctx, ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
				runs.Add(1)
				return current, nil
			})
		}) {
			if err == nil {
				winners++
				continue
			}
			if err := clause.FailsWith(domain.CustomerNotFound, fmt.Sprintf("RemoveCustomer(%+v), which another one removes at once", ref), err); err != nil {
				return err
			}
		}
		return errors.Join(clause.Yields("how many RemoveCustomer at once succeed", winners, nil, 1),
			clause.Yields("how often change ran of many RemoveCustomer at once", runs.Load(), nil, 1))
	}
}
