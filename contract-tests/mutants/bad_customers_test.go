package mutants

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/customerrepo"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// oneFleet finds customers of fleet 690 in fleet 689 where it has their numbers.
type oneFleet struct{ *memory.CustomerRepo }

func (b oneFleet) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	own, err := b.CustomerRepo.FindByPhone(ctx, fleet, phone)
	if other, wrong := b.CustomerRepo.FindByPhone(ctx, 689, phone); fleet == 690 && err == nil && wrong == nil {
		return other, nil
	}
	return own, err
}

// noPIN forgets PINs that begin with a zero.
type noPIN struct{ *memory.CustomerRepo }

func (b noPIN) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	found, err := b.CustomerRepo.FindByPhone(ctx, fleet, phone)
	if found.PIN[0] == 0 {
		found.PIN = domain.PINHash{}
	}
	return found, err
}

// oneReset takes one ResetPINLock.
type oneReset struct {
	*memory.CustomerRepo
	done *atomic.Bool
}

func (b oneReset) ResetPINLock(ctx context.Context, ref domain.CustomerRef) error {
	err := b.CustomerRepo.ResetPINLock(ctx, ref)
	if err == nil && b.done.Swap(true) {
		return errNone
	}
	return err
}

// repeats runs a change that failed again.
type repeats struct{ *memory.CustomerRepo }

func (b repeats) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return b.CustomerRepo.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord) (domain.PhotoRecord, error) {
		if record, err := change(ctx, current); err == nil {
			return record, nil
		}
		return change(ctx, current)
	})
}

// staysLocked leaves the customer locked after a change that failed.
type staysLocked struct {
	*memory.CustomerRepo
	locked *atomic.Bool
}

func (b staysLocked) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	if b.locked.Load() {
		return errNone
	}
	err := b.CustomerRepo.ChangePhoto(ctx, ref, change)
	b.locked.Store(err != nil && !errors.As(err, new(*domain.Error)))
	return err
}

func badCustomers() []saboteur {
	repo := func(defect, fails string, spoil func(good *memory.CustomerRepo) ports.CustomerRepo) saboteur {
		return sabotage(defect, "CustomerRepo", customerrepo.Clauses(), []string{fails}, func(t *testing.T) *customerrepo.Port {
			open := openCustomerRepo(t).Open
			return &customerrepo.Port{Open: func(customers ...domain.Customer) ports.CustomerRepo {
				return spoil(open(customers...).(*memory.CustomerRepo))
			}}
		})
	}
	return []saboteur{
		repo("customers with one phone number are one", "find_same_in_two_fleets", func(good *memory.CustomerRepo) ports.CustomerRepo { return oneFleet{good} }),
		repo("a second reset is an error", "reset_repeated", func(good *memory.CustomerRepo) ports.CustomerRepo { return oneReset{good, new(atomic.Bool)} }),
		repo("a change that fails is repeated", "change_failed_runs_once", func(good *memory.CustomerRepo) ports.CustomerRepo { return repeats{good} }),
		repo("a change that fails leaves the customer locked", "change_failed_unlocks", func(good *memory.CustomerRepo) ports.CustomerRepo { return staysLocked{good, new(atomic.Bool)} }),
	}
}

// noCustomers fails where there are no customers.
type noCustomers struct{ *memory.CustomerRepo }

func (b noCustomers) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
	all, err := b.CustomerRepo.Customers(ctx, domain.CustomerRef{}, limit)
	if err == nil && len(all) == 0 {
		return nil, errNone
	}
	return b.CustomerRepo.Customers(ctx, after, limit)
}

// storesLate stores no key where customers have PINs already, and refuses none.
type storesLate struct {
	*memory.CustomerRepo
	stored *atomic.Bool
}

func (b storesLate) BindPINKey(ctx context.Context, key domain.PINKeyFingerprint) error {
	all, err := b.Customers(ctx, domain.CustomerRef{}, 1)
	if err == nil && len(all) > 0 && !b.stored.Load() {
		return nil
	}
	b.stored.Store(true)
	return b.CustomerRepo.BindPINKey(ctx, key)
}

func badCustomerDirectories() []saboteur {
	type roles interface {
		ports.CustomerRepo
		ports.CustomerDirectory
		ports.PINKeyBinder
	}
	opens := func(spoil func(good *memory.CustomerRepo) roles) func(*testing.T) *customerrepo.Port {
		return func(*testing.T) *customerrepo.Port {
			bad := spoil(memory.NewCustomerRepo())
			return &customerrepo.Port{CustomerRepo: bad, CustomerDirectory: bad, PINKeyBinder: bad}
		}
	}
	clauses := customerrepo.DirectoryClauses(mostImported)
	return []saboteur{
		sabotage("a PIN that begins with a zero is lost", "CustomerDirectory", clauses, []string{"add_then_find"}, opens(func(good *memory.CustomerRepo) roles { return noPIN{good} })),
		sabotage("customers added with one phone number are one", "CustomerDirectory", clauses, []string{"add_same_in_two_fleets"}, opens(func(good *memory.CustomerRepo) roles { return oneFleet{good} })),
		sabotage("no customers are an error", "CustomerDirectory", clauses, []string{"customers_none"}, opens(func(good *memory.CustomerRepo) roles { return noCustomers{good} })),
		sabotage("a late key isn't stored", "PINKeyBinder", customerrepo.PINKeyClauses(), []string{"pin_key_late"}, opens(func(good *memory.CustomerRepo) roles { return storesLate{good, new(atomic.Bool)} })),
	}
}
