package contracttests

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"

	"github.com/fleetphoto/fleetphoto/domain"
)

func removeWaitClauses() []customerClause {
	alice, bob, carol, namesake := customer(689, 1), customer(689, 2), customer(689, 3), customer(690, 1)
	given := addsCustomers(alice, bob, carol, namesake)
	return []customerClause{
		{
			"remove_waits_for_change", "deletePhoto runs under the customer's lock: not while a change runs",
			steps(given, whileChanging(alice.Ref, fails(domain.Unavailable, "RemoveCustomer whose ctx ends while a change runs", givesUp(notDeleted(alice.Ref))))),
		}, {
			"change_waits_for_remove", "no change of the customer runs while deletePhoto does",
			steps(given, whileRemoving(alice.Ref, fails(domain.Unavailable, "ChangePhoto whose ctx ends while deletePhoto runs", givesUp(notRun(alice.Ref))))),
		}, {
			"change_after_remove", "a ChangePhoto that waited while the customer was removed fails with CustomerNotFound, without running change",
			steps(given, changesAfterRemove(alice.Ref)),
		}, {
			"remove_at_once", "of any number of RemoveCustomer at once one removes the customer, and deletePhoto runs once in all",
			steps(given, removesAtOnce(alice.Ref), isGone(alice)),
		}, {
			"remove_others_dont_wait", "nobody but who changes or removes this customer waits for deletePhoto, nor do the other methods",
			steps(given, whileRemoving(alice.Ref, steps(records(bob.Ref, photoRecord(1)), records(namesake.Ref, photoRecord(1)), removes(carol.Ref),
				findsCustomers(alice), findsRefs(alice), letsPIN(alice.Ref, 1, noon), resetsPIN(alice.Ref), addsCustomers(customer(689, 4))))),
		},
	}
}

// whileRemoving does something while deletePhoto runs, which lasts until it is done.
func whileRemoving(ref domain.CustomerRef, do customerCheck) customerCheck {
	return whileHolding("RemoveCustomer", func(ctx context.Context, repo CustomerRoles, hold func() error) error {
		return repo.RemoveCustomer(ctx, ref, func(context.Context) error { return hold() })
	}, do)
}

// changesAfterRemove has a crowd wait to change the customer while it is removed.
func changesAfterRemove(ref domain.CustomerRef) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		waited := make(chan []error, 1)
		begin := func(ctx context.Context, repo CustomerRoles) error {
			go func() { waited <- together(crowd, func(int) error { return notRun(ref)(ctx, repo) }) }()
			return fails(domain.Unavailable, "ChangePhoto whose ctx ends while deletePhoto runs", givesUp(notRun(ref)))(ctx, repo) // they wait by then
		}
		err := whileRemoving(ref, begin)(ctx, repo)
		if err != nil {
			return err
		}
		for _, got := range <-waited {
			err = errors.Join(err, failsWith(domain.CustomerNotFound, "ChangePhoto that waited while the customer was removed", got))
		}
		return err
	}
}

func removesAtOnce(ref domain.CustomerRef) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		var runs atomic.Int32
		winners := 0
		for _, err := range together(crowd, func(int) error {
			return repo.RemoveCustomer(ctx, ref, func(context.Context) error { runs.Add(1); return nil })
		}) {
			if err == nil {
				winners++
				continue
			}
			if err := failsWith(domain.CustomerNotFound, fmt.Sprintf("RemoveCustomer(%+v), which another one removes at once", ref), err); err != nil {
				return err
			}
		}
		return errors.Join(yields("how many RemoveCustomer at once succeed", winners, nil, 1),
			yields("how often deletePhoto ran of many RemoveCustomer at once", runs.Load(), nil, 1))
	}
}
