package memory

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetCustomers is a ports.FleetCustomers in memory.
type FleetCustomers struct {
	*CustomerRepo
	fleets *FleetAuth
}

var _ ports.FleetCustomers = (*FleetCustomers)(nil)

// ImportCustomers implements ports.FleetCustomers.
func (f *FleetCustomers) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if err := ended(ctx, "import customers"); err != nil {
		return nil, err
	}
	f.fleets.mu.RLock()
	defer f.fleets.mu.RUnlock()
	for _, c := range customers {
		if _, found := f.fleets.fleets[c.Ref.Fleet]; !found {
			return nil, domain.Errorf(domain.NotFound, "there is no fleet %d", c.Ref.Fleet)
		}
	}
	return f.CustomerRepo.ImportCustomers(ctx, customers)
}

// RemoveFleet implements ports.FleetCustomers.
func (f *FleetCustomers) RemoveFleet(ctx context.Context, fleet domain.FleetID) error {
	if err := ended(ctx, "remove fleet"); err != nil {
		return err
	}
	f.fleets.mu.Lock()
	defer f.fleets.mu.Unlock()
	if _, found := f.fleets.fleets[fleet]; !found {
		return domain.Errorf(domain.NotFound, "there is no fleet %d", fleet)
	}
	if count := f.count(fleet); count > 0 {
		return domain.Errorf(domain.Conflict, "fleet %d still has customers: %d", fleet, count)
	}
	f.fleets.removeKeys(fleet)
	delete(f.fleets.fleets, fleet)
	return nil
}

func (f *FleetCustomers) count(fleet domain.FleetID) (count int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for ref := range f.byRef {
		if ref.Fleet == fleet {
			count++
		}
	}
	return count
}
