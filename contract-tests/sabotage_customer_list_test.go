package contracttests

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilCustomers makes a CustomerRepo whose Customers returns other ones.
func spoilCustomers(list func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error)) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.list = func(ctx context.Context, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			return list(ctx, good, after, limit)
		}
	})
}

func badCustomerLists() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"FindCustomer reads sizes as 32 bits and less", []string{"find_ref"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.findRef = func(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
				found, err := good.FindCustomer(ctx, ref)
				found.Photo.Info.Size = int64(int16(found.Photo.Info.Size))
				return found, err
			}
		})},
		{"there is a customer without a fleet", []string{"find_ref_unknown"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.findRef = func(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
				if ref == (domain.CustomerRef{}) {
					return domain.Customer{}, nil
				}
				return good.FindCustomer(ctx, ref)
			}
		})},
		{"no customers are an error", []string{"customers_none"}, spoilCustomers(func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			customers, err := good.Customers(ctx, after, limit)
			if err == nil && len(customers) == 0 && after == (domain.CustomerRef{}) {
				err = domain.Errorf(domain.NotFound, "none")
			}
			return customers, err
		})},
		{"fleets are ordered as 32 bits", []string{"customers_ordered"}, spoilCustomers(func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			customers, err := good.Customers(ctx, after, limit)
			if len(customers) > 4 {
				slices.SortStableFunc(customers, func(x, y domain.Customer) int { return cmp.Compare(int32(x.Ref.Fleet), int32(y.Ref.Fleet)) })
			}
			return customers, err
		})},
		{"Customers passes photos over", []string{"customers_ordered", "remove_failed_keeps", "remove_panic_keeps"}, spoilCustomers(func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			customers, err := good.Customers(ctx, after, limit)
			for i := range customers {
				customers[i].Photo = domain.PhotoRecord{}
			}
			return customers, err
		})},
		{"the list goes on only after one who exists", []string{"customers_after"}, spoilCustomers(func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			if _, err := good.FindCustomer(ctx, after); after.Fleet != 0 && errors.Is(err, domain.CustomerNotFound) {
				return nil, nil
			}
			return good.Customers(ctx, after, limit)
		})},
		{"in the next fleets, only greater ids follow", []string{"customers_after"}, spoilCustomers(func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			customers, err := good.Customers(ctx, after, limit)
			if after.Fleet == 689 && len(customers) < 4 {
				customers = slices.DeleteFunc(customers, func(c domain.Customer) bool { return c.Ref.Customer <= after.Customer })
			}
			return customers, err
		})},
		{"one more than limit is listed", []string{"customers_limit", "customers_ordered"}, spoilCustomers(func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			return good.Customers(ctx, after, limit+1)
		})},
	}
}

func badCustomerListsAfterCtx() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"FindCustomer doesn't look at ctx", []string{"find_ref_ended_ctx"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.findRef = func(ctx context.Context, ref domain.CustomerRef) (domain.Customer, error) {
				return good.FindCustomer(live(ctx), ref)
			}
		})},
		{"Customers doesn't look at ctx", []string{"customers_ended_ctx"}, spoilCustomers(func(ctx context.Context, good CustomerRoles, after domain.CustomerRef, limit int) ([]domain.Customer, error) {
			return good.Customers(live(ctx), after, limit)
		})},
		{"ImportCustomers looks at ctx too late", []string{"import_ended_ctx"}, spoilImport(func(ctx context.Context, good CustomerRoles, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
			if ctx.Err() != nil {
				_, _ = good.ImportCustomers(live(ctx), rows)
			}
			return good.ImportCustomers(ctx, rows)
		})},
		{"PlanImport doesn't look at ctx", []string{"plan_ended_ctx"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			bad.plan = func(ctx context.Context, rows []domain.CustomerImport) ([]domain.ImportResult, error) {
				return good.PlanImport(live(ctx), rows)
			}
		})},
		{"RemoveCustomer looks at ctx too late", []string{"remove_ended_ctx"}, spoilRemove(func(ctx context.Context, good CustomerRoles, ref domain.CustomerRef, deletePhoto func(context.Context) error) error {
			if errors.Is(ctx.Err(), context.DeadlineExceeded) {
				_ = good.RemoveCustomer(live(ctx), ref, deletePhoto)
			}
			return good.RemoveCustomer(ctx, ref, deletePhoto)
		})},
	}
}
