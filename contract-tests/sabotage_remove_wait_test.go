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

// spoilRemoveLock makes a CustomerRepo that leaves a customer locked after a
// removal that ended like this.
func spoilRemoveLock(leaves func(err error, cause any) bool) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		var locked sync.Map
		wait := func(ctx context.Context, ref domain.CustomerRef) error {
			if _, found := locked.Load(ref); found {
				<-ctx.Done()
				return gaveUp()
			}
			return nil
		}
		bad.change = func(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
			if err := wait(ctx, ref); err != nil {
				return err
			}
			return good.ChangePhoto(ctx, ref, change)
		}
		bad.remove = func(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) (err error) {
			if err := wait(ctx, ref); err != nil {
				return err
			}
			defer func() {
				cause := recover()
				if leaves(err, cause) {
					locked.Store(ref, true)
				}
				if cause != nil {
					panic(cause)
				}
			}()
			return good.RemoveCustomer(ctx, ref, deletePhoto)
		}
	})
}

func badRemoveLocks() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"a removal that fails leaves the customer locked", []string{"remove_failed_unlocks", "remove_error_as_it_is"}, spoilRemoveLock(func(err error, _ any) bool {
			return err != nil && !errors.Is(err, domain.CustomerNotFound) && !errors.Is(err, domain.Unavailable)
		})},
		{"a removal that panics leaves the customer locked", []string{"remove_panic_unlocks"}, spoilRemoveLock(func(_ error, cause any) bool { return cause != nil })},
		{"a removal that is cut off leaves the customer locked", []string{"remove_cut_off"}, spoilRemoveLock(func(err error, _ any) bool {
			return errors.Is(err, domain.Unavailable) && domain.AsError(err).Cause != nil
		})},
		{"a customer isn't locked while deletePhoto runs", []string{"remove_waits_for_change", "change_waits_for_remove", "change_after_remove"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			if _, err := good.FindCustomer(ctx, ref); err != nil {
				return err
			}
			if err := deletePhoto(ctx); err != nil {
				return err
			}
			return good.RemoveCustomer(ctx, ref, func(context.Context) error { return nil })
		})},
		{"who waits for a removal doesn't look at ctx", []string{"change_waits_for_remove", "change_after_remove"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var removing atomic.Int32
			bad.remove = func(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
				return good.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
					removing.Add(1)
					defer removing.Add(-1)
					return deletePhoto(ctx)
				})
			}
			bad.change = func(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
				if removing.Load() > 0 && ref == customer(689, 1).Ref {
					ctx = live(ctx)
				}
				return good.ChangePhoto(ctx, ref, change)
			}
		})},
		{"a change that waited runs although the customer is gone", []string{"change_after_remove"}, spoilChange(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, change ports.PhotoChange) error {
			_, known := good.FindCustomer(ctx, ref)
			err := good.ChangePhoto(ctx, ref, change)
			if known == nil && errors.Is(err, domain.CustomerNotFound) {
				_, err = change(ctx, domain.PhotoRecord{})
			}
			return err
		})},
		{"who is removed at once is removed by each", []string{"remove_at_once"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var removing overlap
			bad.remove = func(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
				others, over := removing.during()
				defer over()
				if err := good.RemoveCustomer(ctx, ref, deletePhoto); !others || !errors.Is(err, domain.CustomerNotFound) {
					return err
				}
				return nil
			}
		})},
		{"FindByPhone waits for a removal", []string{"remove_others_dont_wait"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var removing atomic.Int32
			bad.remove = func(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
				return good.RemoveCustomer(ctx, ref, func(ctx context.Context) error {
					removing.Add(1)
					defer removing.Add(-1)
					return deletePhoto(ctx)
				})
			}
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				for removing.Load() > 0 && ctx.Err() == nil {
					time.Sleep(time.Second)
				}
				return good.FindByPhone(ctx, fleet, phone)
			}
		})},
	}
}
