package memory

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
)

// ImportCustomers implements ports.CustomerDirectory.
func (r *CustomerRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if err := ended(ctx, "import customers"); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	results, after := r.plan(customers)
	for i, result := range results {
		switch result {
		case domain.Changed:
			c := r.byRef[after[i].Ref]
			delete(r.phones, fleetPhone{c.Ref.Fleet, c.Phone})
			c.Customer = after[i]
			r.phones[fleetPhone{c.Ref.Fleet, c.Phone}] = c
		case domain.Added:
			defer r.add(after[i]) // once all changes are made
		case domain.Unchanged, domain.PhoneTaken: // all stays
		}
	}
	return results, nil
}

// PlanImport implements ports.CustomerDirectory.
func (r *CustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if err := ended(ctx, "plan an import"); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	results, _ := r.plan(customers)
	return results, nil
}

// plan is domain.PlanImport on what is stored; r.mu is held.
func (r *CustomerRepo) plan(customers []domain.CustomerImport) ([]domain.ImportResult, []domain.Customer) {
	var stored []domain.Customer
	for _, imported := range customers {
		if c := r.byRef[imported.Ref]; c != nil {
			stored = append(stored, c.Customer)
		}
		if c := r.phones[fleetPhone{imported.Ref.Fleet, imported.Phone}]; c != nil {
			stored = append(stored, c.Customer)
		}
	}
	return domain.PlanImport(stored, customers)
}
