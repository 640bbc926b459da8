package contracttests

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// whileChanged makes a CustomerRepo one of whose methods waits until no change
// runs: spoil sets it.
func whileChanged(spoil func(bad *badCustomerRepo, good CustomerRoles, wait func(context.Context))) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		var running atomic.Int32
		bad.change = func(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
			return good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				running.Add(1)
				defer running.Add(-1)
				return change(ctx, current)
			})
		}
		spoil(bad, good, func(ctx context.Context) {
			for running.Load() > 0 && ctx.Err() == nil {
				time.Sleep(time.Second)
			}
		})
	})
}

func badWaits() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"FindByPhone waits", []string{"find_doesnt_wait", "change_queue_keeps_nobody"}, whileChanged(func(bad *badCustomerRepo, good CustomerRoles, wait func(context.Context)) {
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				wait(ctx)
				return good.FindByPhone(ctx, fleet, phone)
			}
		})},
		{"CountPINAttempt waits", []string{"pin_doesnt_wait", "change_keeps_pin_lock", "change_queue_keeps_nobody"}, whileChanged(func(bad *badCustomerRepo, good CustomerRoles, wait func(context.Context)) {
			bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
				wait(ctx)
				return good.CountPINAttempt(ctx, ref, now)
			}
		})},
		{"ResetPINLock waits", []string{"reset_doesnt_wait"}, whileChanged(func(bad *badCustomerRepo, good CustomerRoles, wait func(context.Context)) {
			bad.reset = func(ctx context.Context, ref domain.CustomerRef) error {
				wait(ctx)
				return good.ResetPINLock(ctx, ref)
			}
		})},
	}
}

// spoilLock makes a CustomerRepo that leaves a customer locked after a change
// that ended like this.
func spoilLock(leaves func(ran bool, err error, cause any) bool) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		var locked sync.Map
		bad.change = func(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) (err error) {
			if _, found := locked.Load(ref); found {
				<-ctx.Done()
				return gaveUp()
			}
			ran := false
			defer func() {
				cause := recover()
				if leaves(ran, err, cause) {
					locked.Store(ref, true)
				}
				if cause != nil {
					panic(cause)
				}
			}()
			return good.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				ran = true
				return change(ctx, current)
			})
		}
	})
}

// gate lets a few in, unless their ctx ends before.
type gate chan struct{}

func (g gate) pass(ctx context.Context, do func() error) error {
	select {
	case g <- struct{}{}:
	case <-ctx.Done():
		return gaveUp()
	}
	defer func() { <-g }()
	return do()
}

// spoilGate makes a CustomerRepo in which only few changes run or wait.
func spoilGate(few int) func() CustomerRoles {
	return func() CustomerRoles {
		g := make(gate, few)
		return spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			if ref != customer(689, 1).Ref {
				time.Sleep(time.Millisecond) // lets those wait who wait for the first customer
			}
			return g.pass(ctx, func() error { return good.ChangePhoto(ctx, ref, change) })
		})()
	}
}

func badLocks() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"a change that fails leaves the customer locked", []string{"change_failed_unlocks", "change_error_as_it_is"}, spoilLock(func(_ bool, err error, _ any) bool {
			return err != nil && !errors.Is(err, domain.Unavailable)
		})},
		{"a change that panics leaves the customer locked", []string{"change_panic_unlocks"}, spoilLock(func(_ bool, _ error, cause any) bool {
			return cause != nil
		})},
		{"a change that is cut off leaves the customer locked", []string{"change_cut_off_unlocks"}, spoilLock(func(ran bool, err error, _ any) bool {
			return ran && errors.Is(err, domain.Unavailable) && domain.AsError(err).Cause != nil
		})},
		{"one lock for all customers", []string{"change_others_dont_wait", "change_queue_keeps_nobody"}, spoilGate(1)},
		{"those who wait take a connection each", []string{"change_queue_keeps_nobody"}, spoilGate(5)},
		{"a customer isn't locked while change runs", []string{"change_exclusive", "change_waits_until_ctx_ends", "remove_waits_for_change", "import_during_change"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			var before domain.PhotoRecord
			err := good.ChangePhoto(ctx, ref, func(_ context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
				before = current
				return current, nil
			})
			if err != nil {
				return err
			}
			time.Sleep(time.Millisecond)
			record, err := change(ctx, before)
			if err != nil {
				return err
			}
			return good.ChangePhoto(ctx, ref, func(context.Context, domain.PhotoRecord) (domain.PhotoRecord, error) { return record, nil })
		})},
		{"who waits doesn't look at ctx", []string{"change_waits_until_ctx_ends", "change_queue_keeps_nobody", "import_during_change"}, func() CustomerRoles {
			g := make(gate, 1)
			return spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
				run := func() error { return good.ChangePhoto(ctx, ref, change) }
				if ref != customer(689, 1).Ref {
					return run()
				}
				return g.pass(live(ctx), run)
			})()
		}},
		{"who gives up waiting gets another kind", []string{"change_waits_until_ctx_ends", "change_waits_for_remove", "change_after_remove", "import_during_change"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			early := ctx.Err() == nil
			err := good.ChangePhoto(ctx, ref, change)
			if early && errors.Is(err, domain.Unavailable) && errors.Is(ctx.Err(), context.DeadlineExceeded) {
				return domain.Errorf(domain.Conflict, "locked")
			}
			return err
		})},
	}
}
