package customerrepo

import (
	"context"
	"fmt"
	"math"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func listCustomerClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	stored := []domain.Customer{customer(689, 1), customer(689, 5), customer(690, 3), customer(math.MaxInt32+1, 1)}
	after := func(fleet domain.FleetID, id domain.CustomerID, limit int, want ...domain.Customer) check {
		return listsCustomers(domain.CustomerRef{Fleet: fleet, Customer: id}, limit, want...)
	}
	return []clauseOf{
		clause.New(
			"find_ref", "FindCustomer returns the customer, whole",
			clause.Steps(addsCustomers(oddCustomers()...), findsRefs(oddCustomers()...), records(recordedFirst()[0].Ref, photoRecord(1)), findsRefs(recordedFirst()...)),
		), clause.New(
			"find_ref_unknown", "FindCustomer fails with CustomerNotFound",
			clause.Steps(addsCustomers(alice), notFound("FindCustomer", findsRef)),
		), clause.New(
			"find_ref_doesnt_wait", "FindCustomer doesn't wait for a change, and finds the record from before, as Customers does",
			clause.Steps(addsCustomers(alice, bob, namesake), whileChanging(alice.Ref, clause.Steps(findsRefs(alice), holdsAll(alice, bob, namesake)))),
		), clause.New(
			"customers_none", "Customers of a port without customers returns none, without an error",
			listsCustomers(domain.CustomerRef{}, 10),
		), clause.New(
			"customers_ordered", "Customers returns customers, whole, in the order of their fleets and ids",
			clause.Steps(addsCustomers(oddCustomers()...), after(0, 0, 10, inOrderOfRefs(oddCustomers())...),
				addsCustomers(customer(688, 9)), records(alice.Ref, photoRecord(1)), after(0, 0, 1, customer(688, 9)), after(688, 9, 10, recordedFirst()...)),
		), clause.New(
			"customers_after", "Customers returns those that stand after the given one, whether or not it exists",
			clause.Steps(addsCustomers(stored...), after(0, 99, 10, stored...), after(689, 0, 10, stored...), after(689, 1, 10, stored[1:]...),
				after(689, 3, 10, stored[1:]...), after(689, 5, 10, stored[2:]...), after(689, math.MaxInt64, 10, stored[2:]...),
				after(690, 2, 10, stored[2:]...), after(690, 3, 10, stored[3:]...), after(math.MaxInt32+1, 1, 10), after(math.MaxInt64, 0, 10)),
		), clause.New(
			"customers_limit", "Customers returns at most limit customers, and those are the next ones; none where limit is below 1",
			clause.Steps(addsCustomers(stored...), after(0, 0, 1, stored[0]), after(0, 0, 3, stored[:3]...), after(0, 0, 4, stored...), after(689, 1, 2, stored[1:3]...), after(0, 0, 0), after(0, 0, -1)),
		),
	}
}

// recordedFirst are oddCustomers in their order, of whom customer(689, 1) has a photo.
func recordedFirst() []domain.Customer {
	customers := inOrderOfRefs(oddCustomers())
	customers[0].Photo = photoRecord(1)
	return customers
}

func inOrderOfRefs(customers []domain.Customer) []domain.Customer {
	return slices.SortedFunc(slices.Values(customers), func(x, y domain.Customer) int { return x.Ref.Compare(y.Ref) })
}

func findsRefs(customers ...domain.Customer) check {
	return func(ctx context.Context, repo *Port) error {
		for _, want := range customers {
			got, err := repo.FindCustomer(ctx, want.Ref)
			if err := clause.Yields(fmt.Sprintf("FindCustomer(%+v)", want.Ref), got, err, want); err != nil {
				return err
			}
		}
		return nil
	}
}

// findsRef doesn't look at what FindCustomer returns.
func findsRef(ref domain.CustomerRef) check {
	return func(ctx context.Context, repo *Port) error {
		_, err := repo.FindCustomer(ctx, ref)
		return err
	}
}

// listsCustomers doesn't look at the PINs' locks.
func listsCustomers(after domain.CustomerRef, limit int, want ...domain.Customer) check {
	return func(ctx context.Context, repo *Port) error {
		stored, err := repo.Customers(ctx, after, limit)
		var got []domain.Customer
		for _, c := range stored {
			got = append(got, c.Customer)
		}
		return clause.Lists(fmt.Sprintf("Customers(%+v, %d)", after, limit), got, err, want)
	}
}

// holdsAll checks that there are these customers, in their order, and no others.
func holdsAll(customers ...domain.Customer) check {
	return listsCustomers(domain.CustomerRef{}, len(customers)+10, customers...)
}
