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
	return r.apply(customers), nil
}

// PlanImport implements ports.CustomerDirectory. It imports into a copy.
func (r *CustomerRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if err := ended(ctx, "plan an import"); err != nil {
		return nil, err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	scratch := NewCustomerRepo(r.now)
	for _, imported := range customers {
		for _, c := range []*customer{r.byRef[imported.Ref], r.phones[fleetPhone{imported.Ref.Fleet, imported.Phone}]} {
			if c != nil && scratch.byRef[c.Ref] == nil {
				scratch.add(c.Customer)
			}
		}
	}
	return scratch.apply(customers), nil
}

// apply imports customers; r.mu is held.
func (r *CustomerRepo) apply(customers []domain.CustomerImport) []domain.ImportResult {
	results := make([]domain.ImportResult, len(customers))
	for i, imported := range customers {
		known := r.byRef[imported.Ref]
		after, result := imported.Apply(known.stored(), r.phones[fleetPhone{imported.Ref.Fleet, imported.Phone}].stored())
		results[i] = result
		switch result {
		case domain.Added:
			r.add(after)
		case domain.Changed, domain.PINSet, domain.PINRemoved:
			delete(r.phones, fleetPhone{known.Ref.Fleet, known.Phone})
			known.Customer = after
			r.phones[fleetPhone{after.Ref.Fleet, after.Phone}] = known
		case domain.Unchanged, domain.IDTaken, domain.PhoneTaken:
		}
	}
	return results
}

// stored returns the customer; nil if there is none.
func (c *customer) stored() *domain.Customer {
	if c == nil {
		return nil
	}
	return &c.Customer
}
