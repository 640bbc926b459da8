package contracttests

import (
	"context"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

func badImportRaces() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"only the first is imported when ctx ends meanwhile", []string{"import_cut_off"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			if len(rows) == 2 && endsMeanwhile(ctx) {
				_, _ = good.ImportCustomers(live(ctx), rows[:1])
			}
			return good.ImportCustomers(ctx, rows)
		})},
		{"of several imports at once one is refused", []string{"import_same_at_once"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var importing overlap
			bad.imports = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
				others, over := importing.during()
				defer over()
				results, err := good.ImportCustomers(ctx, rows)
				if others && len(results) == 3 && results[2] != domain.Added {
					return nil, domain.Errorf(domain.Conflict, "duplicate key")
				}
				return results, err
			}
		})},
		{"who keeps a PIN stores the one from before", []string{"import_at_once"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			known, err := good.FindCustomer(ctx, rows0(rows).Ref)
			time.Sleep(time.Millisecond)
			if err == nil && len(rows) == 1 && rows[0].KeepPIN {
				time.Sleep(time.Millisecond)
				rows[0].KeepPIN, rows[0].PIN = false, known.PIN
			}
			return good.ImportCustomers(ctx, rows)
		})},
		{"ImportCustomers waits", []string{"import_doesnt_wait"}, whileChanged(func(bad *badCustomerRepo, good CustomerRoles, wait func(context.Context)) {
			bad.imports = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
				wait(ctx)
				return good.ImportCustomers(ctx, rows)
			}
		})},
		{"PlanImport waits", []string{"import_doesnt_wait"}, whileChanged(func(bad *badCustomerRepo, good CustomerRoles, wait func(context.Context)) {
			bad.plan = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
				wait(ctx)
				return good.PlanImport(ctx, rows)
			}
		})},
		{"an import stores the photo's record from before", []string{"import_during_change", "import_random"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			before, err := good.FindCustomer(ctx, rows0(rows).Ref)
			time.Sleep(time.Second)
			results, importing := good.ImportCustomers(ctx, rows)
			if err == nil && len(rows) == 1 && importing == nil {
				_ = records(before.Ref, before.Photo)(ctx, good)
			}
			return results, importing
		})},
		{"FindCustomer waits", []string{"find_ref_doesnt_wait"}, whileChanged(func(bad *badCustomerRepo, good CustomerRoles, wait func(context.Context)) {
			bad.findRef = func(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
				wait(ctx)
				return good.FindCustomer(ctx, ref)
			}
		})},
	}
}

// rows0 is the first of rows, if there is one.
func rows0(rows []domain.CustomerImport) (first domain.CustomerImport) {
	if len(rows) > 0 {
		first = rows[0]
	}
	return first
}
