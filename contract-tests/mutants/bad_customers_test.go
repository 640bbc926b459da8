package mutants

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"

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

// countsFirst counts an attempt in one step and takes it back in another, where
// the PIN is right.
type countsFirst struct{ *memory.CustomerRepo }

func (b countsFirst) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	counted := b.CustomerRepo.TryPIN(ctx, ref, domain.OfferedPIN{})
	time.Sleep(time.Millisecond)
	stored, err := b.FindCustomer(ctx, ref)
	switch {
	case !errors.Is(counted, domain.InvalidPIN):
		return counted
	case err != nil:
		return err
	case !stored.PIN.Matches(offered.Current):
		return counted
	}
	return b.UnlockPIN(ctx, ref)
}

// countsLast looks at the lock in one step and counts in another.
type countsLast struct {
	*memory.CustomerRepo
	counted *sync.Map
}

func (b countsLast) TryPIN(ctx context.Context, ref domain.CustomerRef, offered domain.OfferedPIN) error {
	counted, _ := b.counted.LoadOrStore(ref, 0)
	time.Sleep(time.Millisecond)
	err := b.CustomerRepo.TryPIN(ctx, ref, offered)
	if !errors.Is(err, domain.InvalidPIN) || counted.(int) == domain.MaxWrongPINs-1 {
		return err
	}
	b.counted.Store(ref, counted.(int)+1)
	return errors.Join(err, b.unlock(ctx, ref, counted.(int)+1))
}

// unlock sets the lock back to so many wrong PINs.
func (b countsLast) unlock(ctx context.Context, ref domain.CustomerRef, wrong int) error {
	if err := b.UnlockPIN(ctx, ref); err != nil {
		return err
	}
	for range wrong {
		_ = b.CustomerRepo.TryPIN(ctx, ref, domain.OfferedPIN{})
	}
	return nil
}

// oneUnlock takes one UnlockPIN.
type oneUnlock struct {
	*memory.CustomerRepo
	done *atomic.Bool
}

func (b oneUnlock) UnlockPIN(ctx context.Context, ref domain.CustomerRef) error {
	err := b.CustomerRepo.UnlockPIN(ctx, ref)
	if err == nil && b.done.Swap(true) {
		return errNone
	}
	return err
}

// unlocksFleet unlocks the customers 1 and 2 of a fleet together.
type unlocksFleet struct{ *memory.CustomerRepo }

func (b unlocksFleet) UnlockPIN(ctx context.Context, ref domain.CustomerRef) error {
	err := b.CustomerRepo.UnlockPIN(ctx, ref)
	if err == nil {
		_ = b.CustomerRepo.UnlockPIN(ctx, domain.CustomerRef{Fleet: ref.Fleet, Customer: 3 - ref.Customer}) // who may not be there
	}
	return err
}

// countsImport counts a wrong PIN of customers whom it adds though they needn't be new.
type countsImport struct{ *memory.CustomerRepo }

func (b countsImport) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	results, err := b.CustomerRepo.ImportCustomers(ctx, customers)
	for i, result := range results {
		if result == domain.Added && !customers[i].New {
			_ = b.TryPIN(ctx, customers[i].Ref, domain.OfferedPIN{})
		}
	}
	return results, err
}

// again runs a change a second time.
func again(change ports.PhotoChange, when func(error) bool) ports.PhotoChange {
	return func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
		if record, err := change(ctx, current, stillLocked); !when(err) {
			return record, err
		}
		return change(ctx, current, stillLocked)
	}
}

// repeats runs a change that failed, or each one, again.
type repeats struct {
	*memory.CustomerRepo
	when func(error) bool
}

func (b repeats) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return b.CustomerRepo.ChangePhoto(ctx, ref, again(change, b.when))
}

func (b repeats) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return b.CustomerRepo.RemoveCustomer(ctx, ref, again(change, b.when))
}

func hasFailed(err error) bool { return err != nil }

func always(error) bool { return true }

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

// provesOnce proves the lock once a change.
type provesOnce struct{ *memory.CustomerRepo }

func (b provesOnce) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	return b.CustomerRepo.ChangePhoto(ctx, ref, func(ctx context.Context, current domain.PhotoRecord, stillLocked ports.LockProof) (domain.PhotoRecord, error) {
		proved := false
		return change(ctx, current, func(ctx context.Context) error {
			if proved {
				return errNone
			}
			proved = true
			return stillLocked(ctx)
		})
	})
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
		repo("a PIN is counted and then compared", "pin_right_at_once", func(good *memory.CustomerRepo) ports.CustomerRepo { return countsFirst{good} }),
		repo("a PIN is compared and then counted", "pin_wrong_at_once", func(good *memory.CustomerRepo) ports.CustomerRepo { return countsLast{good, new(sync.Map)} }),
		repo("a change is repeated", "change_runs_once", func(good *memory.CustomerRepo) ports.CustomerRepo { return repeats{good, always} }),
		repo("a change that fails is repeated", "change_failed_runs_once", func(good *memory.CustomerRepo) ports.CustomerRepo { return repeats{good, hasFailed} }),
		repo("the lock is proved once", "change_proves_lock", func(good *memory.CustomerRepo) ports.CustomerRepo { return provesOnce{good} }),
		repo("a change that fails leaves the customer locked", "change_failed_unlocks", func(good *memory.CustomerRepo) ports.CustomerRepo { return staysLocked{good, new(atomic.Bool)} }),
	}
}

// noCustomers fails where there are no customers.
type noCustomers struct{ *memory.CustomerRepo }

func (b noCustomers) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.StoredCustomer, error) {
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

func (b storesLate) BindPINKey(ctx context.Context, key, old domain.PINKeyFingerprint) error {
	all, err := b.Customers(ctx, domain.CustomerRef{}, 1)
	if err == nil && len(all) > 0 && !b.stored.Load() {
		return nil
	}
	b.stored.Store(true)
	return b.CustomerRepo.BindPINKey(ctx, key, old)
}

// rotates changes the old key that BindPINKey is told.
type rotates struct {
	*memory.CustomerRepo
	old func(stored, old domain.PINKeyFingerprint) domain.PINKeyFingerprint
	key *atomic.Pointer[domain.PINKeyFingerprint] // that is stored
}

func (b rotates) BindPINKey(ctx context.Context, key, old domain.PINKeyFingerprint) error {
	var stored domain.PINKeyFingerprint
	if bound := b.key.Load(); bound != nil {
		stored = *bound
	}
	err := b.CustomerRepo.BindPINKey(ctx, key, b.old(stored, old))
	if err == nil {
		b.key.Store(&key)
	}
	return err
}

func badCustomerDirectories() []saboteur {
	type roles interface {
		ports.CustomerRepo
		ports.CustomerDirectory
		ports.PINKeyBinder
	}
	opens := func(spoil func(good *memory.CustomerRepo) roles) func(*testing.T) *customerrepo.Port {
		return func(*testing.T) *customerrepo.Port {
			bad := spoil(memory.NewCustomerRepo(time.Now))
			return &customerrepo.Port{CustomerRepo: bad, CustomerDirectory: bad, PINKeyBinder: bad}
		}
	}
	clauses := customerrepo.DirectoryClauses(mostImported)
	key := func(defect, fails string, old func(stored, old domain.PINKeyFingerprint) domain.PINKeyFingerprint) saboteur {
		return sabotage(defect, "PINKeyBinder", customerrepo.PINKeyClauses(), []string{fails}, opens(func(good *memory.CustomerRepo) roles {
			return rotates{good, old, new(atomic.Pointer[domain.PINKeyFingerprint])}
		}))
	}
	return []saboteur{
		sabotage("a PIN that begins with a zero is lost", "CustomerDirectory", clauses, []string{"add_then_find"}, opens(func(good *memory.CustomerRepo) roles { return noPIN{good} })),
		sabotage("customers added with one phone number are one", "CustomerDirectory", clauses, []string{"add_same_in_two_fleets"}, opens(func(good *memory.CustomerRepo) roles { return oneFleet{good} })),
		sabotage("no customers are an error", "CustomerDirectory", clauses, []string{"customers_none"}, opens(func(good *memory.CustomerRepo) roles { return noCustomers{good} })),
		sabotage("a second unlocking is an error", "CustomerDirectory", clauses, []string{"unlock_repeated"}, opens(func(good *memory.CustomerRepo) roles { return oneUnlock{good, new(atomic.Bool)} })),
		sabotage("a removal is repeated", "CustomerDirectory", clauses, []string{"remove_runs_once"}, opens(func(good *memory.CustomerRepo) roles { return repeats{good, always} })),
		sabotage("a removal that fails is repeated", "CustomerDirectory", clauses, []string{"remove_failed_runs_once"}, opens(func(good *memory.CustomerRepo) roles { return repeats{good, hasFailed} })),
		sabotage("unlocking one customer unlocks another", "CustomerDirectory", clauses, []string{"unlock_leaves_others"}, opens(func(good *memory.CustomerRepo) roles { return unlocksFleet{good} })),
		sabotage("a wrong PIN is counted for who is imported", "CustomerDirectory", clauses, []string{"import_adds_plain"}, opens(func(good *memory.CustomerRepo) roles { return countsImport{good} })),
		key("keys aren't rotated", "pin_key_rotated", func(_, _ domain.PINKeyFingerprint) domain.PINKeyFingerprint { return domain.PINKeyFingerprint{} }),
		key("keys are rotated from any other", "pin_key_rotated_from_another", func(stored, old domain.PINKeyFingerprint) domain.PINKeyFingerprint {
			if (old == domain.PINKeyFingerprint{}) {
				return old
			}
			return stored
		}),
		sabotage("a late key isn't stored", "PINKeyBinder", customerrepo.PINKeyClauses(), []string{"pin_key_late"}, opens(func(good *memory.CustomerRepo) roles { return storesLate{good, new(atomic.Bool)} })),
	}
}
