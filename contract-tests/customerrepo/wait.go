package customerrepo

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"sync/atomic"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

func waitClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	rotated := domain.OfferedPIN{Current: bob.PIN, Old: alice.PIN}
	during := func(do check) check {
		return clause.Steps(has(alice, bob, namesake), whileChanging(alice.Ref, do))
	}
	return []clauseOf{
		clause.New(
			"change_exclusive", "change runs while no other ChangePhoto for this customer runs",
			clause.Steps(has(alice), changesAlone(alice)),
		), clause.New(
			"change_others_dont_wait", "other customers' changes don't wait for a change, nor do those of one with the same id in another fleet",
			during(clause.Steps(records(bob.Ref, photoRecord(1)), records(namesake.Ref, photoRecord(1)))),
		), clause.New(
			"change_queue_keeps_nobody", "other customers' changes don't wait for those who wait for one customer, nor do the other methods",
			during(whileQueueing(alice.Ref, clause.Steps(
				records(bob.Ref, photoRecord(1)), records(bob.Ref, photoRecord(2)), records(bob.Ref, photoRecord(3)),
				records(namesake.Ref, photoRecord(4)), holdsRecord(bob, photoRecord(3)), missesPIN(alice.Ref, 1),
			))),
		), clause.New(
			"find_doesnt_wait", "FindByPhone doesn't wait for a change, and finds the record from before",
			during(findsCustomers(alice)),
		), clause.New(
			"pin_doesnt_wait", "TryPIN doesn't wait for a change",
			during(clause.Steps(missesPIN(alice.Ref, 1), takesPINs(alice))),
		), clause.New(
			"change_keeps_pin", "ChangePhoto leaves the PIN; one that is right under the old key while change runs is stored under the current key by the next right one at the latest",
			clause.Steps(during(takesPIN(alice.Ref, rotated)), takesPIN(alice.Ref, rotated), holdsRecord(withPIN(alice, bob.PIN), photoRecord(1))),
		), clause.New(
			"change_keeps_pin_lock", "ChangePhoto leaves the PIN lock, also what is counted while change runs",
			clause.Steps(during(locksPIN(alice.Ref)), refusesPIN(alice.Ref)),
		), clause.New(
			"change_waits_until_ctx_ends", "a ChangePhoto whose ctx ends while it waits fails with Unavailable, without running change",
			during(clause.Fails(domain.Unavailable, "ChangePhoto whose ctx ends while another change runs", givesUp(changePhoto.notRun(alice.Ref)))),
		), clause.New(
			"change_panic_frees_waiter", "when change panics while another ChangePhoto waits, that one goes on, with the record as it was",
			clause.Steps(has(alice), records(alice.Ref, photoRecord(1)), panicsBeforeWaiter(panicsWhenHeld(alice.Ref), alice.Ref), holdsRecord(alice, photoRecord(2))),
		),
	}
}

// panicsWhenHeld is a call, for whileHolding, of a ChangePhoto whose change panics.
func panicsWhenHeld(ref domain.CustomerRef) func(ctx context.Context, repo *Port, hold func() error) error {
	return func(ctx context.Context, repo *Port, hold func() error) (err error) {
		defer func() { _ = recover() }() // whether it comes through is for another clause
		return repo.ChangePhoto(ctx, ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			if err := hold(); err != nil {
				return current, err
			}
			panic("change panicked")
		})
	}
}

// panicsBeforeWaiter has a ChangePhoto wait until a call, which holds the
// customer, panics. It finds photoRecord(1) and stores photoRecord(2).
func panicsBeforeWaiter(panics func(ctx context.Context, repo *Port, hold func() error) error, ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		waited := make(chan error, 1)
		wait := changes(ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			return photoRecord(2), clause.Yields("the record that a change got which waited while another panicked", current, nil, photoRecord(1))
		})
		begin := func(ctx context.Context, repo *Port) error {
			go func() { waited <- wait(ctx, repo) }()
			return clause.Fails(domain.Unavailable, "ChangePhoto whose ctx ends while another runs", givesUp(changePhoto.notRun(ref)))(ctx, repo) // the other waits by then
		}
		if err := whileHolding("what panics", panics, begin)(ctx, repo); err != nil {
			return err
		}
		return <-waited
	}
}

// whileChanging does something while a change of the customer runs, which lasts
// until it is done.
func whileChanging(ref domain.CustomerRef, do check) check {
	return whileHolding("ChangePhoto", func(ctx context.Context, repo *Port, hold func() error) error {
		return repo.ChangePhoto(ctx, ref, func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			if err := hold(); err != nil {
				return current, err
			}
			return photoRecord(1), nil
		})
	}, do)
}

// whileHolding does something while a method runs what it is given, which calls
// hold.
func whileHolding(method string, call func(ctx context.Context, repo *Port, hold func() error) error, do check) check {
	return func(ctx context.Context, repo *Port) error {
		running, over, done := make(chan struct{}, 1), make(chan struct{}), make(chan error, 1)
		go func() {
			done <- call(ctx, repo, func() error {
				select {
				case running <- struct{}{}:
				default: // it ran before, which is for another clause
				}
				select {
				case <-over:
					return nil
				case <-ctx.Done():
					return fmt.Errorf("something waits for this %s to end", method)
				}
			})
		}()
		select {
		case <-running:
		case err := <-done:
			return errors.Join(fmt.Errorf("%s returned before it ran what it was given", method), err)
		}
		err := do(ctx, repo)
		close(over)
		return errors.Join(err, clause.Failed(method, <-done))
	}
}

// whileQueueing does something while a crowd waits to change the customer,
// which someone else is changing.
func whileQueueing(ref domain.CustomerRef, do check) check {
	return func(ctx context.Context, repo *Port) error {
		waiting, leave := context.WithCancel(ctx)
		gone := make(chan []error, 1)
		go func() {
			gone <- clause.Together(clause.Crowd, func(int) error { return records(ref, photoRecord(2))(waiting, repo) })
		}()
		err := do(ctx, repo)
		leave()
		<-gone // they fail, as other clauses show
		return err
	}
}

// givesUp makes a call that waits for a lock that isn't free, until its ctx ends.
func givesUp(call check) check {
	return func(ctx context.Context, repo *Port) error {
		ctx, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		return call(ctx, repo)
	}
}

// changesAlone makes many changes at once, each of which adds a byte to the
// size in the record, and looks for two that run at the same time.
func changesAlone(changed domain.Customer) check {
	const each = 3
	return func(ctx context.Context, repo *Port) error {
		var running atomic.Int32
		grow := func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			defer running.Add(-1)
			if running.Add(1) > 1 {
				return current, errors.New("two changes of one customer ran at the same time")
			}
			runtime.Gosched() // lets another one in, if there is a way
			current.Info.Size++
			return current, nil
		}
		growRepeatedly := func(ctx context.Context, repo *Port, _ int) error {
			for range each {
				if err := changes(changed.Ref, grow)(ctx, repo); err != nil {
					return err
				}
			}
			return nil
		}
		want := domain.PhotoRecord{Info: domain.PhotoInfo{Size: each * clause.Crowd}}
		return clause.Steps(clause.AtOnce(clause.Crowd, growRepeatedly), holdsRecord(changed, want))(ctx, repo)
	}
}
