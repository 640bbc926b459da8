package customerrepo

import (
	"context"
	"fmt"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// DirectoryClauses returns those of ports.CustomerDirectory. most is how many
// customers the largest import has.
func DirectoryClauses(most int) []clause.Clause[*Port] {
	return slices.Concat(listCustomerClauses(), addClauses(), importClauses(most), importRaceClauses(), saveClauses(most), setClauses(), removeClauses(), removeWaitClauses(), unlockClauses(), directoryEndedCtx())
}

func addClauses() []clauseOf {
	alice := customer(689, 1)
	sameID, samePhone := withPhone(alice, customer(689, 2).Phone), withPhone(customer(689, 3), alice.Phone)
	return []clauseOf{
		clause.New(
			"add_then_find", "FindByPhone returns the customer that was added, whole, with a PIN or without",
			clause.Steps(addsCustomers(oddCustomers()...), findsCustomers(oddCustomers()...)),
		), clause.New(
			"add_same_in_two_fleets", "two fleets may have customers with the same id and the same phone number",
			clause.Steps(addsCustomers(alice, customer(690, 1)), findsCustomers(alice, customer(690, 1))),
		), clause.New(
			"add_known_id", "importing a New customer whose id the fleet has is IDTaken and changes nothing",
			clause.Steps(addsCustomers(alice), imports(adding(domain.IDTaken, sameID)), findsCustomers(alice), findsNobody(689, sameID.Phone)),
		), clause.New(
			"add_known_phone", "importing a New customer whose phone number the fleet has is PhoneTaken and changes nothing",
			clause.Steps(addsCustomers(alice), imports(adding(domain.PhoneTaken, samePhone)), findsCustomers(alice), hasNoCustomer(samePhone.Ref)),
		), clause.New(
			"add_keeps_lock_and_photo", "a New customer who is IDTaken leaves the PIN lock and the photo's record",
			clause.Steps(addsCustomers(alice), records(alice.Ref, photoRecord(1)), locksPIN(alice.Ref),
				imports(adding(domain.IDTaken, alice)), refusesPIN(alice.Ref), holdsRecord(alice, photoRecord(1))),
		), clause.New(
			"add_at_once", "ImportCustomers is safe for concurrent use",
			clause.Steps(clause.AtOnce(clause.Crowd, addAndFind), findsCustomers(manyCustomers(clause.Crowd)...)),
		), clause.New(
			"add_same_phone_at_once", "of any number of imports with the same phone number one adds, the others change nothing",
			addSamePhoneAtOnce,
		),
	}
}

func directoryEndedCtx() []clauseOf {
	alice, bob := customer(689, 1), customer(689, 2)
	given := clause.Steps(addsCustomers(alice), records(alice.Ref, photoRecord(1)), missesPIN(alice.Ref, domain.MaxWrongPINs-1))
	unchanged := clause.Steps(holdsRecord(alice, photoRecord(1)), findsNobody(689, bob.Phone), missesPIN(alice.Ref, 1), refusesPIN(alice.Ref))
	return clause.EndedCtx(given, unchanged, DirectoryCalls()...)
}

// DirectoryCalls returns a call of each method of ports.CustomerDirectory.
func DirectoryCalls() []clause.Call[*Port] {
	alice, bob := customer(689, 1), customer(689, 2)
	return []call{
		{Method: "find_ref", Do: findsRef(alice.Ref)},
		{Method: "customers", Do: holdsAll(withRecord(alice))},
		{Method: "import", Do: imports(is(domain.Changed, withPhone(alice, 9)), is(domain.Added, bob))},
		{Method: "plan", Do: plans(is(domain.Added, bob))},
		{Method: "save", Do: saves(locked(withPhone(alice, 9), domain.PINLock{}), locked(bob, domain.PINLock{}))},
		{Method: "set", Do: sets(alice.Ref, domain.CustomerChange{Phone: bob.Phone})},
		{Method: "remove", Do: removeCustomer.notRun(alice.Ref)},
		{Method: "unlock", Do: unlocksPIN(alice.Ref)},
	}
}

// addsCustomers imports customers who must be New, each alone.
func addsCustomers(customers ...domain.Customer) check {
	return func(ctx context.Context, repo *Port) error {
		for _, added := range customers {
			if err := imports(adding(domain.Added, added))(ctx, repo); err != nil {
				return err
			}
		}
		return nil
	}
}

func hasNoCustomer(ref domain.CustomerRef) check {
	return clause.Fails(domain.CustomerNotFound, fmt.Sprintf("FindCustomer(%+v), which was never added", ref), findsRef(ref))
}

func addAndFind(ctx context.Context, repo *Port, i int) error {
	added := manyCustomers(clause.Crowd)[i]
	return clause.Steps(addsCustomers(added), findsCustomers(added))(ctx, repo)
}

func addSamePhoneAtOnce(ctx context.Context, repo *Port) error {
	customers := manyCustomers(clause.Crowd)
	for i := range customers {
		customers[i].Phone = customers[0].Phone
	}
	winner, err := clause.OneWins("importing a New customer with one phone number", func(i int) error {
		results, err := repo.ImportCustomers(ctx, withoutResults([]imported{adding(domain.Added, customers[i])}))
		if err == nil && slices.Equal(results, []domain.ImportResult{domain.PhoneTaken}) {
			return domain.Errorf(domain.Conflict, "the phone number is taken")
		}
		return sameResults("ImportCustomers", []imported{adding(domain.Added, customers[i])}, results, err)
	})
	if err != nil {
		return err
	}
	for i, loser := range customers {
		if i == winner {
			continue
		}
		if err := hasNoCustomer(loser.Ref)(ctx, repo); err != nil {
			return err
		}
	}
	return findsCustomers(customers[winner])(ctx, repo)
}
