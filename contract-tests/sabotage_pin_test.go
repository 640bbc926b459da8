package contracttests

import (
	"context"
	"errors"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilCount makes a CustomerRepo that makes something else of what
// CountPINAttempt returns.
func spoilCount(change func(err error) error) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
			return change(good.CountPINAttempt(ctx, ref, now))
		}
	})
}

// spoilResetByCount makes a CustomerRepo whose ResetPINLock knows how many
// attempts were let through since the last one.
func spoilResetByCount(reset func(attempts int, good func() error) error) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		attempts := &tally{counts: map[domain.CustomerRef]int{}}
		bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
			err := good.CountPINAttempt(ctx, ref, now)
			if err == nil {
				attempts.add(ref)
			}
			return err
		}
		bad.reset = func(ctx context.Context, ref domain.CustomerRef) error {
			if ctx.Err() != nil {
				return gaveUp()
			}
			return reset(attempts.clear(ref), func() error { return good.ResetPINLock(ctx, ref) })
		}
	})
}

// tally counts attempts.
type tally struct {
	mu     sync.Mutex
	counts map[domain.CustomerRef]int
}

func (t *tally) add(ref domain.CustomerRef) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.counts[ref]++
	return t.counts[ref]
}

func (t *tally) clear(ref domain.CustomerRef) int {
	t.mu.Lock()
	defer t.mu.Unlock()
	count := t.counts[ref]
	delete(t.counts, ref)
	return count
}

func badPINs() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"the PIN is never locked", []string{"pin_locks", "pin_retry_after", "pin_lock_ends", "pin_lock_not_prolonged", "pin_at_once", "reset_count", "reset_leaves_others", "add_keeps_lock_and_photo", "change_keeps_pin_lock", "import_keeps_lock_and_photo", "import_leaves_others", "import_phone_taken", "import_repeated", "import_unchanged", "remove_leaves_others", "remove_failed_keeps", "remove_panic_keeps", "remove_cut_off", "find_ended_ctx", "pin_ended_ctx", "reset_ended_ctx", "change_ended_ctx", "find_ref_ended_ctx", "customers_ended_ctx", "import_ended_ctx", "plan_ended_ctx", "remove_ended_ctx", "pin_key_ended_ctx", "import_adds_plain"}, spoilCount(func(err error) error {
			if errors.Is(err, domain.PINLocked) {
				return nil
			}
			return err
		})},
		{"the lock ends a microsecond early", []string{"pin_locks"}, spoilCount(func(err error) error {
			if err != nil && domain.AsError(err).RetryAfter == time.Microsecond {
				return nil
			}
			return err
		})},
		{"RetryAfter is whole seconds", []string{"pin_retry_after"}, spoilCount(func(err error) error {
			if !errors.Is(err, domain.PINLocked) {
				return err
			}
			locked := *domain.AsError(err)
			locked.RetryAfter = locked.RetryAfter.Round(time.Second)
			return &locked
		})},
		{"attempts at once aren't counted", []string{"pin_at_once"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var counting overlap
			bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
				others, over := counting.during()
				defer over()
				if others {
					return nil
				}
				return good.CountPINAttempt(ctx, ref, now)
			}
		})},
		{"a customer's attempts count for the namesake in fleet 689", []string{"pin_count_leaves_others", "remove_leaves_others"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
				err := good.CountPINAttempt(ctx, ref, now)
				if err == nil && ref.Fleet != 689 {
					return good.CountPINAttempt(ctx, domain.CustomerRef{Fleet: 689, Customer: ref.Customer}, now)
				}
				return err
			}
		})},
		{"CountPINAttempt of nobody is no error", []string{"pin_unknown_customer", "remove", "remove_at_once", "remove_cut_off"}, spoilCount(func(err error) error {
			if errors.Is(err, domain.CustomerNotFound) {
				return nil
			}
			return err
		})},
	}
}

func badPINLocks() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"after a lock one attempt locks again", []string{"pin_lock_ends", "remove_then_add"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			attempts := &tally{counts: map[domain.CustomerRef]int{}}
			bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
				err := good.CountPINAttempt(ctx, ref, now)
				if err == nil && attempts.add(ref) > domain.MaxWrongPINs+1 {
					return domain.Errorf(domain.PINLocked, "locked")
				}
				return err
			}
			bad.reset = func(ctx context.Context, ref domain.CustomerRef) error {
				attempts.clear(ref)
				return good.ResetPINLock(ctx, ref)
			}
		})},
		{"an attempt while the PIN is locked prolongs the lock", []string{"pin_lock_not_prolonged"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var refused sync.Map
			bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
				last, found := refused.Load(ref)
				if found && now.Before(last.(time.Time).Add(domain.PINLockDuration)) && now.After(last.(time.Time).Add(time.Minute)) {
					return domain.Errorf(domain.PINLocked, "locked")
				}
				err := good.CountPINAttempt(ctx, ref, now)
				if errors.Is(err, domain.PINLocked) {
					refused.Store(ref, now)
				}
				return err
			}
		})},
		{"a reset takes the photo's record away", []string{"pin_keeps_customer"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var reset sync.Map
			bad.reset = func(ctx context.Context, ref domain.CustomerRef) error {
				err := good.ResetPINLock(ctx, ref)
				if err == nil {
					reset.Store(ref, true)
				}
				return err
			}
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				found, err := good.FindByPhone(ctx, fleet, phone)
				if _, was := reset.Load(found.Ref); was {
					found.Photo = domain.PhotoRecord{}
				}
				return found, err
			}
		})},
	}
}

func badResets() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"only a lock is reset, not a count", []string{"reset_count"}, spoilResetByCount(func(attempts int, good func() error) error {
			if attempts > 0 && attempts < domain.MaxWrongPINs {
				return nil
			}
			return good()
		})},
		{"only a count is reset, not a lock", []string{"reset_unlocks", "remove", "remove_cut_off"}, spoilResetByCount(func(attempts int, good func() error) error {
			if attempts >= domain.MaxWrongPINs {
				return nil
			}
			return good()
		})},
		{"resetting nothing is an error", []string{"reset_repeated", "reset_leaves_others", "reset_doesnt_wait"}, spoilResetByCount(func(attempts int, good func() error) error {
			if err := good(); err != nil || attempts > 0 {
				return err
			}
			return domain.Errorf(domain.CustomerNotFound, "no rows")
		})},
		{"a reset resets the namesake in fleet 689", []string{"reset_leaves_others"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.reset = func(ctx context.Context, ref domain.CustomerRef) error {
				_ = good.ResetPINLock(ctx, domain.CustomerRef{Fleet: 689, Customer: ref.Customer})
				return good.ResetPINLock(ctx, ref)
			}
		})},
		{"ResetPINLock of nobody is no error", []string{"reset_unknown_customer", "add_known_phone", "add_same_phone_at_once", "remove", "remove_at_once", "remove_cut_off"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.reset = func(ctx context.Context, ref domain.CustomerRef) error {
				if err := good.ResetPINLock(ctx, ref); !errors.Is(err, domain.CustomerNotFound) {
					return err
				}
				return nil
			}
		})},
	}
}
