package operator

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// exportPage is how many customers are read at once.
const exportPage = 1_000

// ExportCustomers lists the customers of a fleet. All fields must be set.
type ExportCustomers struct {
	Fleets    ports.FleetDirectory
	Customers ports.CustomerDirectory
}

// Do calls write with each customer of the fleet, in the order of their ids, until
// it fails. It fails with NotFound if the fleet doesn't exist.
func (e *ExportCustomers) Do(ctx context.Context, fleet domain.FleetID, write func(domain.Customer) error) error {
	if _, err := findFleet(ctx, e.Fleets, fleet); err != nil {
		return err
	}
	after := domain.CustomerRef{Fleet: fleet}
	for {
		page, err := e.page(ctx, after)
		if err != nil {
			return err
		}
		for _, customer := range page {
			if customer.Ref.Fleet != fleet {
				return nil
			}
			if err := write(customer.Customer); err != nil {
				return err
			}
			after = customer.Ref
		}
		if len(page) < exportPage {
			return nil
		}
	}
}

func (e *ExportCustomers) page(ctx context.Context, after domain.CustomerRef) ([]domain.StoredCustomer, error) {
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	return e.Customers.Customers(ctx, after, exportPage)
}
