package contracttests

import (
	"context"
	"errors"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// badCustomerRepo is a good CustomerRepo but for the methods that are set.
type badCustomerRepo struct {
	CustomerRoles                                                                             // the good one
	add           func(context.Context, domain.CustomerImport) ([]domain.ImportResult, error) // imports one who must be New
	find          func(context.Context, domain.FleetID, domain.PhoneNumber) (domain.Customer, error)
	count         func(context.Context, domain.CustomerRef, time.Time) error
	reset         func(context.Context, domain.CustomerRef) error
	change        func(context.Context, domain.CustomerRef, ports.PhotoChange) error
	findRef       func(context.Context, domain.CustomerRef) (domain.Customer, error)
	list          func(context.Context, domain.CustomerRef, int) ([]domain.Customer, error)
	imports       func(context.Context, []domain.CustomerImport) ([]domain.ImportResult, error)
	plan          func(context.Context, []domain.CustomerImport) ([]domain.ImportResult, error)
	remove        func(context.Context, domain.CustomerRef, func(context.Context) error) error
	bind          func(context.Context, domain.PINKeyFingerprint) error
}

func (b *badCustomerRepo) FindByPhone(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
	if b.find != nil {
		return b.find(ctx, fleet, phone)
	}
	return b.CustomerRoles.FindByPhone(ctx, fleet, phone)
}

func (b *badCustomerRepo) CountPINAttempt(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
	if b.count != nil {
		return b.count(ctx, ref, now)
	}
	return b.CustomerRoles.CountPINAttempt(ctx, ref, now)
}

func (b *badCustomerRepo) ResetPINLock(ctx context.Context, ref domain.CustomerRef) error {
	if b.reset != nil {
		return b.reset(ctx, ref)
	}
	return b.CustomerRoles.ResetPINLock(ctx, ref)
}

func (b *badCustomerRepo) ChangePhoto(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
	if b.change != nil {
		return b.change(ctx, ref, change)
	}
	return b.CustomerRoles.ChangePhoto(ctx, ref, change)
}

func (b *badCustomerRepo) FindCustomer(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
	if b.findRef != nil {
		return b.findRef(ctx, ref)
	}
	return b.CustomerRoles.FindCustomer(ctx, ref)
}

func (b *badCustomerRepo) Customers(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
	if b.list != nil {
		return b.list(ctx, after, limit)
	}
	return b.CustomerRoles.Customers(ctx, after, limit)
}

func (b *badCustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	added := len(customers) == 1 && customers[0].New
	switch {
	case added && b.add != nil:
		return b.add(ctx, customers[0])
	case !added && b.imports != nil:
		return b.imports(ctx, customers)
	}
	return b.CustomerRoles.ImportCustomers(ctx, customers)
}

func (b *badCustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if b.plan != nil {
		return b.plan(ctx, customers)
	}
	return b.CustomerRoles.PlanImport(ctx, customers)
}

func (b *badCustomerRepo) RemoveCustomer(ctx context.Context, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
	if b.remove != nil {
		return b.remove(ctx, ref, deletePhoto)
	}
	return b.CustomerRoles.RemoveCustomer(ctx, ref, deletePhoto)
}

func (b *badCustomerRepo) BindPINKey(ctx context.Context, key domain.PINKeyFingerprint) error {
	if b.bind != nil {
		return b.bind(ctx, key)
	}
	return b.CustomerRoles.BindPINKey(ctx, key)
}

// spoilCustomerRepo makes a badCustomerRepo whose methods spoil sets. They
// call the good ones through good.
func spoilCustomerRepo(spoil func(bad *badCustomerRepo, good CustomerRoles)) func() CustomerRoles {
	return func() CustomerRoles {
		bad := &badCustomerRepo{CustomerRoles: memory.NewCustomerRepo()}
		spoil(bad, bad.CustomerRoles)
		return bad
	}
}

func TestCustomerRepoClausesCanFail(t *testing.T) {
	t.Parallel()
	proveClauses(t, customerRepoClauses(1_001), slices.Concat(
		badAdds(), badFinds(), badPINs(), badPINLocks(), badResets(), badPINKeys(), badChanges(), badFailingChanges(), badLocks(), badWaits(),
		badCustomerLists(), badImports(), badImportLocks(), badImportRaces(), badRemoves(), badFailingRemoves(), badRemoveLocks(), badCustomerReposAfterCtx(),
		badCustomerListsAfterCtx()))
}

type customerRepoSabotage = sabotage[CustomerRoles]

// lost takes the place of a phone number or an id that nobody has.
const lost = 999

// spoilAdd makes a CustomerRepo that imports one who must be New in another way.
func spoilAdd(add func(ctx context.Context, good CustomerRoles, added domain.CustomerImport) ([]domain.ImportResult, error)) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.add = func(ctx context.Context, added domain.CustomerImport) ([]domain.ImportResult, error) {
			return add(ctx, good, added)
		}
	})
}

func importsOne(ctx context.Context, good CustomerRoles, row domain.CustomerImport) ([]domain.ImportResult, error) {
	return good.ImportCustomers(ctx, []domain.CustomerImport{row})
}

// refused says that an import of one added nobody.
func refused(results []domain.ImportResult, err error) bool {
	return err == nil && results[0] != domain.Added
}

func badAdds() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"a phone number is refused that another fleet's first customer has", []string{"add_same_in_two_fleets"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var customers atomic.Int32
			bad.add = func(ctx context.Context, added domain.CustomerImport) ([]domain.ImportResult, error) {
				_, err := good.FindByPhone(ctx, 689, added.Phone)
				if customers.Add(1) == 2 && err == nil && added.Ref.Fleet != 689 {
					return []domain.ImportResult{domain.PhoneTaken}, nil
				}
				return importsOne(ctx, good, added)
			}
		})},
		{"a customer who exists is Unchanged, New or not", []string{"add_known_id", "add_keeps_lock_and_photo"}, spoilAdd(func(ctx context.Context, good CustomerRoles, added domain.CustomerImport) ([]domain.ImportResult, error) {
			results, err := importsOne(ctx, good, added)
			if err == nil && results[0] == domain.IDTaken {
				results[0] = domain.Unchanged
			}
			return results, err
		})},
		{"a customer whose id is refused is found", []string{"add_known_id"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var others sync.Map
			bad.add = func(ctx context.Context, added domain.CustomerImport) ([]domain.ImportResult, error) {
				results, err := importsOne(ctx, good, added)
				if refused(results, err) {
					others.Store(added.Phone, domain.Customer{Ref: added.Ref, Phone: added.Phone})
				}
				return results, err
			}
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				found, err := good.FindByPhone(ctx, fleet, phone)
				if known, there := others.Load(phone); there && errors.Is(err, domain.CustomerNotFound) {
					found, err = known.(domain.Customer), nil
				}
				return found, err
			}
		})},
		{"a customer whose phone number is refused stays", []string{"add_known_phone", "add_same_phone_at_once"}, spoilAdd(func(ctx context.Context, good CustomerRoles, added domain.CustomerImport) ([]domain.ImportResult, error) {
			results, err := importsOne(ctx, good, added)
			if refused(results, err) {
				added.Phone = lost + domain.PhoneNumber(added.Ref.Customer)
				_, _ = importsOne(ctx, good, added)
			}
			return results, err
		})},
		{"a customer who is refused loses the PIN lock", []string{"add_keeps_lock_and_photo"}, spoilAdd(func(ctx context.Context, good CustomerRoles, added domain.CustomerImport) ([]domain.ImportResult, error) {
			results, err := importsOne(ctx, good, added)
			if refused(results, err) {
				_ = good.ResetPINLock(ctx, added.Ref)
			}
			return results, err
		})},
		{"customers added at once are lost", []string{"add_at_once", "add_same_phone_at_once"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var adding overlap
			bad.add = func(ctx context.Context, added domain.CustomerImport) ([]domain.ImportResult, error) {
				others, over := adding.during()
				defer over()
				if others {
					return []domain.ImportResult{domain.Added}, nil
				}
				return importsOne(ctx, good, added)
			}
		})},
		{"customers added at once with one phone number are not refused", []string{"add_same_phone_at_once"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var adding overlap
			bad.add = func(ctx context.Context, added domain.CustomerImport) ([]domain.ImportResult, error) {
				others, over := adding.during()
				defer over()
				results, err := importsOne(ctx, good, added)
				if others && refused(results, err) {
					results[0] = domain.Added
				}
				return results, err
			}
		})},
	}
}

// spoilFind makes a CustomerRepo that changes what FindByPhone returns.
func spoilFind(change func(found *domain.Customer)) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
			found, err := good.FindByPhone(ctx, fleet, phone)
			if err == nil {
				change(&found)
			}
			return found, err
		}
	})
}

func badFinds() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"ids are read as 32 bits", []string{"add_then_find", "import_adds"}, spoilFind(func(found *domain.Customer) {
			found.Ref.Customer = domain.CustomerID(int32(found.Ref.Customer))
		})},
		{"sizes are read as 32 bits", []string{"change_stores_record"}, spoilFind(func(found *domain.Customer) {
			found.Photo.Info.Size = int64(int32(found.Photo.Info.Size))
		})},
		{"there is a customer without a fleet and a phone number", []string{"find_unknown"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				if fleet == 0 && phone == 0 {
					return domain.Customer{}, nil
				}
				return good.FindByPhone(ctx, fleet, phone)
			}
		})},
		{"another fleet's customer is found where this fleet has none", []string{"find_own_fleet"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				found, err := good.FindByPhone(ctx, fleet, phone)
				if errors.Is(err, domain.CustomerNotFound) {
					return good.FindByPhone(ctx, 689, phone)
				}
				return found, err
			}
		})},
	}
}

func badCustomerReposAfterCtx() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"FindByPhone doesn't look at ctx", []string{"find_ended_ctx"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				return good.FindByPhone(live(ctx), fleet, phone)
			}
		})},
		{"CountPINAttempt looks at ctx too late", []string{"pin_ended_ctx"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.count = func(ctx context.Context, ref domain.CustomerRef, now time.Time) error {
				err := good.CountPINAttempt(live(ctx), ref, now)
				if ctx.Err() != nil {
					return gaveUp()
				}
				return err
			}
		})},
		{"ResetPINLock looks at ctx too late", []string{"reset_ended_ctx"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.reset = func(ctx context.Context, ref domain.CustomerRef) error {
				_ = good.ResetPINLock(live(ctx), ref)
				return good.ResetPINLock(ctx, ref)
			}
		})},
		{"ChangePhoto looks at ctx too late", []string{"change_ended_ctx"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.change = func(ctx context.Context, ref domain.CustomerRef, change ports.PhotoChange) error {
				if errors.Is(ctx.Err(), context.DeadlineExceeded) {
					_ = good.ChangePhoto(live(ctx), ref, change)
				}
				return good.ChangePhoto(ctx, ref, change)
			}
		})},
		{"a cause is public", []string{"public_text"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.reset = func(ctx context.Context, ref domain.CustomerRef) error { return tell(good.ResetPINLock(ctx, ref)) }
		})},
	}
}
