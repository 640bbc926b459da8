package contracttests

import (
	"context"
	"slices"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilImport makes a CustomerRepo with another ImportCustomers.
func spoilImport(imports func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error)) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.imports = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			return imports(ctx, good, slices.Clone(rows))
		}
	})
}

// spoilRows makes a CustomerRepo that imports others than it is given.
func spoilRows(change func(row *domain.CustomerImport)) func() CustomerRoles {
	return spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
		for i := range rows {
			change(&rows[i])
		}
		return good.ImportCustomers(ctx, rows)
	})
}

// afterImport makes a CustomerRepo that does something more with each customer
// of whom this came.
func afterImport(result domain.ImportResult, do func(ctx context.Context, good CustomerRoles, row domain.CustomerImport)) func() CustomerRoles {
	return spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
		results, err := good.ImportCustomers(ctx, rows)
		for i, got := range results {
			if got == result {
				do(live(ctx), good, rows[i])
			}
		}
		return results, err
	})
}

func badImports() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"ids are imported as 32 bits", []string{"import_adds"}, spoilRows(func(row *domain.CustomerImport) { row.Ref.Customer = domain.CustomerID(int32(row.Ref.Customer)) })},
		{"a phone number before still finds the customer", []string{"import_changes_phone"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var before sync.Map
			bad.imports = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
				if len(rows) == 1 {
					if known, err := good.FindCustomer(ctx, rows[0].Ref); err == nil && known.Phone != rows[0].Phone {
						before.Store(known.Phone, rows[0].Phone)
					}
				}
				return good.ImportCustomers(ctx, rows)
			}
			bad.find = func(ctx context.Context, fleet domain.FleetID, phone domain.PhoneNumber) (domain.Customer, error) {
				found, err := good.FindByPhone(ctx, fleet, phone)
				if now, moved := before.Load(phone); err != nil && moved {
					return good.FindByPhone(ctx, fleet, now.(domain.PhoneNumber))
				}
				return found, err
			}
		})},
		{"a PIN is imported only with a new phone number", []string{"import_changes_pin", "import_removes_pin", "import_at_once", "import_random"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			for i, row := range rows {
				known, err := good.FindCustomer(ctx, row.Ref)
				rows[i].KeepPIN = row.KeepPIN || err == nil && known.Phone == row.Phone
			}
			return good.ImportCustomers(ctx, rows)
		})},
		{"no PIN leaves the PIN as it is", []string{"import_removes_pin", "import_random"}, spoilRows(func(row *domain.CustomerImport) { row.KeepPIN = row.KeepPIN || row.PIN == domain.PINHash{} })},
		{"KeepPIN is passed over", []string{"import_keeps_pin", "import_results", "import_at_once", "plan", "import_random"}, spoilRows(func(row *domain.CustomerImport) { row.KeepPIN = false })},
		{"a batch is refused where a phone number is taken", []string{"import_phone_taken", "import_in_turn", "import_results", "import_doesnt_wait", "plan", "import_random", "import_twice"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			if results, err := good.PlanImport(ctx, rows); err == nil && slices.Contains(results, domain.PhoneTaken) {
				return nil, domain.Errorf(domain.Conflict, "a phone number is taken")
			}
			return good.ImportCustomers(ctx, rows)
		})},
		{"the PIN goes in where the phone number is taken", []string{"import_phone_taken", "import_random", "import_twice"}, afterImport(domain.PhoneTaken, func(ctx context.Context, good CustomerRoles, row domain.CustomerImport) {
			if known, err := good.FindCustomer(ctx, row.Ref); err == nil {
				row.Phone = known.Phone
				_, _ = good.ImportCustomers(ctx, []domain.CustomerImport{row})
			}
		})},
		{"who comes too early is imported in the end", []string{"import_in_turn", "import_random"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			results, err := good.ImportCustomers(ctx, rows)
			for i, result := range results {
				if again, err := good.ImportCustomers(ctx, rows[i:i+1]); err == nil && result == domain.PhoneTaken {
					results[i] = again[0]
				}
			}
			return results, err
		})},
		{"a phone number that is given up in the batch is taken still", []string{"import_in_turn", "import_results", "import_most", "plan", "import_random"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			var free []domain.CustomerImport
			for _, row := range rows {
				if owner, err := good.FindByPhone(ctx, row.Ref.Fleet, row.Phone); err != nil || owner.Ref == row.Ref {
					free = append(free, row)
				}
			}
			results, err := good.ImportCustomers(ctx, free)
			for i, row := range rows {
				if !slices.Contains(free, row) && err == nil {
					results = slices.Insert(results, i, domain.PhoneTaken)
				}
			}
			return results, err
		})},
		{"the results are in the order of the ids", []string{"import_results", "import_phone_taken", "import_in_turn", "import_most", "plan", "import_random", "import_twice"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			slices.SortFunc(rows, func(x, y domain.CustomerImport) int { return x.Ref.Compare(y.Ref) })
			return good.ImportCustomers(ctx, rows)
		})},
		{"importing nobody is an error", []string{"import_none", "import_random"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			if len(rows) == 0 {
				return nil, domain.Errorf(domain.TypeError, "nobody")
			}
			return good.ImportCustomers(ctx, rows)
		})},
		{"who was imported before is imported again", []string{"import_repeated", "import_most", "import_random", "import_twice"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var before sync.Map
			bad.imports = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
				results, err := good.ImportCustomers(ctx, rows)
				for i, result := range results {
					if _, known := before.LoadOrStore(rows[i].Ref, true); known && result == domain.Unchanged {
						results[i] = domain.Changed
					}
				}
				return results, err
			}
		})},
		{"a batch of more than 1000 is refused", []string{"import_most"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			if len(rows) > 1000 {
				return nil, domain.Errorf(domain.TypeError, "too many")
			}
			return good.ImportCustomers(ctx, rows)
		})},
		{"PlanImport imports", []string{"plan", "import_doesnt_wait", "import_random", "import_twice"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.plan = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
				return good.ImportCustomers(ctx, rows)
			}
		})},
		{"PlanImport looks at each customer alone", []string{"plan", "import_random", "import_twice"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.plan = func(ctx context.Context, rows []domain.CustomerImport) (all []domain.ImportResult, err error) {
				for i := range rows {
					results, err := good.PlanImport(ctx, rows[i:i+1])
					if err != nil {
						return nil, err
					}
					all = append(all, results...)
				}
				return all, nil
			}
		})},
	}
}

func badImportLocks() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"an attempt is counted on the PIN of who is added", []string{"import_adds_plain", "import_repeated", "remove_then_add"}, afterImport(domain.Added, func(ctx context.Context, good CustomerRoles, row domain.CustomerImport) {
			_ = good.CountPINAttempt(ctx, row.Ref, noon)
		})},
		{"who is unchanged loses the photo's record", []string{"import_unchanged", "import_repeated"}, afterImport(domain.Unchanged, func(ctx context.Context, good CustomerRoles, row domain.CustomerImport) {
			if known, _ := good.FindCustomer(ctx, row.Ref); known.Photo == photoRecord(1) {
				_ = records(row.Ref, domain.PhotoRecord{})(ctx, good)
			}
		})},
		{"a change resets the PIN's lock", []string{"import_keeps_lock_and_photo"}, afterImport(domain.Changed, func(ctx context.Context, good CustomerRoles, row domain.CustomerImport) {
			_ = good.ResetPINLock(ctx, row.Ref)
		})},
		{"a change resets the lock of the namesake in fleet 690", []string{"import_leaves_others"}, afterImport(domain.Changed, func(ctx context.Context, good CustomerRoles, row domain.CustomerImport) {
			_ = good.ResetPINLock(ctx, domain.CustomerRef{Fleet: 690, Customer: row.Ref.Customer})
		})},
	}
}
