package customerrepo

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Housed is a ports.FleetCustomers and the ports of its database.
type Housed struct {
	FleetCustomers ports.FleetCustomers
	Customers      ports.CustomerRepo
	Fleets         ports.FleetDirectory
	Auth           ports.FleetAuth
}

// HousedPort makes a Port for FleetClauses.
func HousedPort(h Housed) *Port {
	return &Port{CustomerRepo: h.Customers, CustomerDirectory: h.FleetCustomers, housed: h}
}

// FleetClauses returns those of ports.FleetCustomers: what ImportCustomers
// promises to all, and what it promises of fleets. most is how many customers
// the largest import has.
func FleetClauses(most int) []clause.Clause[*Port] {
	return slices.Concat(amongFleets(slices.Concat(addClauses(), importClauses(most), importRaceClauses())), removeFleetClauses(), fleetsEndedCtx())
}

// amongFleets has clauses begin with the fleets of their customers.
func amongFleets(clauses []clauseOf) []clauseOf {
	var fleets []domain.FleetID
	for _, c := range append(oddCustomers(), customer(690, 1), customer(1, 1), customer(2, 1)) {
		fleets = append(fleets, c.Ref.Fleet)
	}
	slices.Sort(fleets)
	for i, c := range clauses {
		clauses[i].Check = clause.Steps(addsFleets(slices.Compact(fleets)...), c.Check)
	}
	return clauses
}

func removeFleetClauses() []clauseOf {
	alice, bob, other := customer(689, 1), customer(689, 2), customer(690, 1)
	return []clauseOf{
		clause.New(
			"remove_fleet", "RemoveFleet removes the fleet with its keys, and no other",
			clause.Steps(addsFleets(689, 690), addsCustomers(other), removesFleet(689), hasNoFleet(689), hasFleet(690), holdsAll(other)),
		), clause.New(
			"remove_fleet_customers", "RemoveFleet of a fleet with customers fails with Conflict, says how many there are, and changes nothing",
			clause.Steps(addsFleets(689, 690), addsCustomers(alice, bob, other), keepsFleet(689, 2), hasFleet(689), hasFleet(690), holdsAll(alice, bob, other),
				removes(alice.Ref), keepsFleet(689, 1), removes(bob.Ref), removesFleet(689), hasNoFleet(689), hasFleet(690), holdsAll(other)),
		), clause.New(
			"remove_fleet_unknown", "RemoveFleet fails with NotFound where there is no such fleet",
			clause.Steps(addsFleets(690), missesFleet(689), missesFleet(0), removesFleet(690), missesFleet(690)),
		), clause.New(
			"remove_fleet_then_add", "when a fleet is removed, its id and its key are free again",
			clause.Steps(addsFleets(689), removesFleet(689), addsFleets(689), hasFleet(689), addsCustomers(alice), keepsFleet(689, 1)),
		), clause.New(
			"import_unknown_fleet", "ImportCustomers fails with NotFound, changing nothing, where one of the customers has no fleet, or had one that is removed",
			clause.Steps(addsFleets(689, 690), removesFleet(690), fleetless(is(domain.Added, alice), is(domain.Added, other)), fleetless(is(domain.Added, other), is(domain.Added, alice)), holdsAll()),
		), clause.New(
			"remove_fleet_at_once", "of a RemoveFleet and an import of the fleet's first customer at once one succeeds",
			removesFleetsAtOnce,
		), clause.New(
			"remove_fleets_at_once", "RemoveFleet is safe for concurrent use",
			clause.AtOnce(clause.Crowd, func(ctx context.Context, repo *Port, i int) error {
				id := domain.FleetID(i + 1)
				return clause.Steps(addsFleets(id), removesFleet(id), hasNoFleet(id))(ctx, repo)
			}),
		), clause.New(
			"remove_fleet_during_import", "a RemoveFleet that begins while an import runs leaves no customer without a fleet",
			removesFleetDuringImport,
		), clause.New(
			"remove_fleet_and_add_key_at_once", "a RemoveFleet and an AddKey at once leave no key without a fleet",
			removesFleetWhileAddingKey,
		), clause.New(
			"remove_fleet_cut_off", "a RemoveFleet whose ctx ends fails with Unavailable and removes the fleet with its keys or neither",
			clause.CutOff(removeFleetCutOff),
		),
	}
}

func fleetsEndedCtx() []clauseOf {
	alice := customer(689, 1)
	given := clause.Steps(addsFleets(689, 690), addsCustomers(alice))
	return clause.EndedCtx(given, clause.Steps(hasFleet(689), hasFleet(690), holdsAll(alice)), FleetCalls()...)
}

// FleetCalls returns a call of each method of ports.FleetCustomers that
// ports.CustomerDirectory promises less of.
func FleetCalls() []clause.Call[*Port] {
	return []call{
		{Method: "remove_fleet", Do: removesFleet(690)},
		{Method: "import", Do: imports(is(domain.Added, customer(690, 1)))},
		{Method: "import_unknown_fleet", Do: imports(is(domain.Added, customer(691, 1)))},
	}
}

func fleetKey(id domain.FleetID, label domain.KeyLabel) domain.FleetKey {
	return domain.FleetKey{Hash: domain.APIKeyHash(customer(id, domain.CustomerID(len(label))).PIN), Label: label, AddedAt: noon}
}

func addsFleets(ids ...domain.FleetID) check {
	return func(ctx context.Context, repo *Port) error {
		for _, id := range ids {
			if err := repo.housed.Fleets.AddFleet(ctx, domain.Fleet{ID: id}, fleetKey(id, domain.FirstKey)); err != nil {
				return clause.Failed(fmt.Sprintf("AddFleet(%d)", id), err)
			}
		}
		return nil
	}
}

func removesFleet(id domain.FleetID) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("RemoveFleet(%d)", id), repo.housed.FleetCustomers.RemoveFleet(ctx, id))
	}
}

// keepsFleet wants RemoveFleet to say that there are so many customers.
func keepsFleet(id domain.FleetID, customers int) check {
	return func(ctx context.Context, repo *Port) error {
		err := repo.housed.FleetCustomers.RemoveFleet(ctx, id)
		if wrong := clause.FailsWith(domain.Conflict, "RemoveFleet of a fleet with customers", err); wrong != nil {
			return wrong
		}
		if said := domain.AsError(err).Public; !slices.Contains(strings.Fields(said), fmt.Sprint(customers)) {
			return fmt.Errorf("RemoveFleet of a fleet with %d customers says %q", customers, said)
		}
		return nil
	}
}

func missesFleet(id domain.FleetID) check {
	return clause.Fails(domain.NotFound, fmt.Sprintf("RemoveFleet(%d), which is no fleet", id), removesFleet(id))
}

// fleetless wants an import to fail for want of a fleet.
func fleetless(rows ...imported) check {
	return clause.Fails(domain.NotFound, "ImportCustomers of a fleet that isn't there", imports(rows...))
}

func hasFleet(id domain.FleetID) check {
	return func(ctx context.Context, repo *Port) error {
		got, err := repo.housed.Auth.Authenticate(ctx, fleetKey(id, domain.FirstKey).Hash)
		return clause.Yields("Authenticate with a fleet's key", got, err, domain.Caller{Fleet: domain.Fleet{ID: id}, Key: domain.FirstKey})
	}
}

// hasNoFleet also wants none of its keys, nor of the customers that the clauses give it.
func hasNoFleet(id domain.FleetID) check {
	return func(ctx context.Context, repo *Port) error {
		fleets, err := repo.housed.Fleets.Fleets(ctx)
		isListed := slices.ContainsFunc(fleets, func(f domain.Fleet) bool { return f.ID == id })
		if err := clause.Yields("whether Fleets has a fleet that is removed", isListed, err, false); err != nil {
			return err
		}
		_, err = repo.housed.Fleets.Keys(ctx, id)
		wrong := []error{clause.FailsWith(domain.NotFound, "Keys of a fleet that is removed", err)}
		for _, label := range []domain.KeyLabel{domain.FirstKey, "second"} {
			_, err := repo.housed.Auth.Authenticate(ctx, fleetKey(id, label).Hash)
			wrong = append(wrong, clause.FailsWith(domain.InvalidHashID, "Authenticate with a key of a fleet that is removed", err))
		}
		return errors.Join(append(wrong, hasNoCustomer(customer(id, 1).Ref)(ctx, repo))...)
	}
}

// removesFleetsAtOnce removes fleets while each gets its first customer.
func removesFleetsAtOnce(ctx context.Context, repo *Port) error {
	for id := range domain.FleetID(clause.Crowd) {
		id++
		first := customer(id, 1)
		if err := addsFleets(id)(ctx, repo); err != nil {
			return err
		}
		errs := clause.Together(2, func(i int) error {
			if i == 0 {
				return removesFleet(id)(ctx, repo)
			}
			return addsCustomers(first)(ctx, repo)
		})
		if err := oneOfRemovalAndImport(ctx, repo, first, errs[0], errs[1]); err != nil {
			return err
		}
	}
	return nil
}

// removesFleetDuringImport has an import look for its fleets and then wait, where
// a change of a photo keeps it waiting, while one of them is removed.
func removesFleetDuringImport(ctx context.Context, repo *Port) error {
	first, changed := customer(689, 1), customer(690, 1)
	var imported, removed error
	var calls sync.WaitGroup
	begin := func(into *error, call check) check {
		return func(ctx context.Context, repo *Port) error {
			calls.Go(func() { *into = call(ctx, repo) })
			return clause.Fails(domain.Unavailable, "ChangePhoto whose ctx ends while another change runs", givesUp(changePhoto.notRun(changed.Ref)))(ctx, repo) // the call has begun by then
		}
	}
	err := clause.Steps(addsFleets(689, 690), addsCustomers(changed), whileChanging(changed.Ref, clause.Steps(
		begin(&imported, imports(is(domain.Added, first), is(domain.Changed, withPhone(changed, 9)))), begin(&removed, removesFleet(689)),
	)))(ctx, repo)
	calls.Wait()
	if err != nil {
		return err
	}
	return oneOfRemovalAndImport(ctx, repo, first, removed, imported)
}

// oneOfRemovalAndImport wants a fleet to be removed, or to have its first customer.
func oneOfRemovalAndImport(ctx context.Context, repo *Port, first domain.Customer, removed, imported error) error {
	fleet := first.Ref.Fleet
	switch {
	case removed == nil:
		return errors.Join(clause.FailsWith(domain.NotFound, "ImportCustomers, while the fleet is removed", imported), hasNoFleet(fleet)(ctx, repo))
	case imported == nil:
		return errors.Join(clause.FailsWith(domain.Conflict, "RemoveFleet, while a customer is added", removed), clause.Steps(hasFleet(fleet), findsCustomers(first))(ctx, repo))
	}
	return errors.Join(removed, imported)
}

func removesFleetWhileAddingKey(ctx context.Context, repo *Port) error {
	for id := range domain.FleetID(clause.Crowd) {
		id++
		if err := addsFleets(id)(ctx, repo); err != nil {
			return err
		}
		errs := clause.Together(2, func(i int) error {
			if i == 0 {
				return removesFleet(id)(ctx, repo)
			}
			return repo.housed.Fleets.AddKey(ctx, id, fleetKey(id, "second"))
		})
		if errs[1] != nil {
			errs[1] = clause.FailsWith(domain.NotFound, "AddKey, while the fleet is removed", errs[1])
		}
		if err := errors.Join(append(errs, hasNoFleet(id)(ctx, repo))...); err != nil {
			return err
		}
	}
	return nil
}

func removeFleetCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	id := domain.FleetID(n)
	if err := addsFleets(id)(ctx, repo); err != nil {
		return false, err
	}
	failure := repo.housed.FleetCustomers.RemoveFleet(ending, id)
	gone := hasNoFleet(id)(ctx, repo)
	if failure == nil {
		return true, gone
	}
	there := hasFleet(id)(ctx, repo)
	if gone == nil {
		there = nil
	}
	return false, errors.Join(clause.FailsWith(domain.Unavailable, "RemoveFleet whose ctx ended", failure), there)
}
