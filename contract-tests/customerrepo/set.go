package customerrepo

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func setClauses() []clauseOf {
	alice, bob, namesake := customer(689, 1), customer(689, 2), customer(690, 1)
	moved, newPIN, without := withPhone(alice, 9), withPIN(alice, bob.PIN), withPIN(alice, domain.PINHash{})
	given := addsCustomers(alice, bob, namesake)
	return []clauseOf{
		clause.New(
			"set_phone", "SetCustomer sets the phone number alone: the customer is found by it, and no longer by the one from before",
			clause.Steps(given, sets(alice.Ref, phoneOf(moved)), holdsAll(moved, bob, namesake), findsCustomers(moved), findsNobody(689, alice.Phone)),
		), clause.New(
			"set_pin", "SetCustomer sets the PIN alone, or takes it away",
			clause.Steps(given, sets(alice.Ref, pinOf(newPIN)), holdsAll(newPIN, bob, namesake), takesPINs(newPIN), sets(alice.Ref, pinOf(without)), holdsAll(without, bob, namesake)),
		), clause.New(
			"set_both", "SetCustomer sets the phone number and the PIN together",
			clause.Steps(given, sets(alice.Ref, domain.CustomerChange{Phone: 9, PIN: bob.PIN}), holdsAll(withPIN(moved, bob.PIN), bob, namesake)),
		), clause.New(
			"set_again", "repeating SetCustomer is harmless, and what the customer has already may be set",
			clause.Steps(given, sets(alice.Ref, phoneOf(moved)), sets(alice.Ref, phoneOf(moved)), sets(alice.Ref, pinOf(alice)), holdsAll(moved, bob, namesake), findsCustomers(moved)),
		), clause.New(
			"set_known_phone", "SetCustomer fails with Conflict, changing nothing, where another customer of the fleet has the phone number",
			clause.Steps(given, clause.Fails(domain.Conflict, "SetCustomer with the phone number of another", sets(alice.Ref, domain.CustomerChange{Phone: bob.Phone})),
				holdsAll(alice, bob, namesake), findsCustomers(alice, bob, namesake)),
		), clause.New(
			"set_frees_phone", "when SetCustomer changes a phone number, another customer may have the one from before, and two fleets may have the same",
			clause.Steps(given, sets(alice.Ref, phoneOf(moved)), sets(bob.Ref, phoneOf(alice)), sets(namesake.Ref, phoneOf(moved)),
				findsCustomers(moved, withPhone(bob, alice.Phone), withPhone(namesake, moved.Phone))),
		), clause.New(
			"set_unknown", "SetCustomer fails with CustomerNotFound where there is no such customer, and adds none",
			clause.Steps(addsCustomers(alice), notFound("SetCustomer", func(ref domain.CustomerRef) check { return sets(ref, domain.CustomerChange{Phone: 9}) }),
				holdsAll(alice), findsNobody(689, 9)),
		), clause.New(
			"set_keeps_lock_and_photo", "SetCustomer leaves the PIN's lock and the photo's record",
			clause.Steps(given, lockAndRecord(alice), sets(alice.Ref, domain.CustomerChange{Phone: 9, PIN: bob.PIN}), lockedAndRecorded(withPIN(moved, bob.PIN))),
		), clause.New(
			"set_at_once", "what one SetCustomer sets stays when another one, at once, sets the rest",
			setsAtOnce,
		), clause.New(
			"set_same_phone_at_once", "of any number of SetCustomer with the same phone number one succeeds, the others change nothing",
			setsSamePhoneAtOnce,
		), clause.New(
			"set_doesnt_wait", "SetCustomer waits for no change of another customer",
			clause.Steps(given, whileChanging(alice.Ref, sets(bob.Ref, domain.CustomerChange{Phone: 9, KeepPIN: true})), findsCustomers(withPhone(bob, 9))),
		), clause.New(
			"set_during_change", "a SetCustomer and a change of the customer's photo at once are both stored",
			clause.Steps(given, duringChange(alice.Ref, sets(alice.Ref, phoneOf(moved))), holdsRecord(moved, photoRecord(1))),
		), clause.New(
			"set_cut_off", "a SetCustomer whose ctx ends fails with Unavailable and changes all or nothing",
			clause.CutOff(setCutOff),
		),
	}
}

func sets(ref domain.CustomerRef, change domain.CustomerChange) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("SetCustomer(%+v)", ref), repo.SetCustomer(ctx, ref, change))
	}
}

// phoneOf gives a customer the phone number of c alone.
func phoneOf(c domain.Customer) domain.CustomerChange {
	return domain.CustomerChange{Phone: c.Phone, PIN: domain.PINHash{1}, KeepPIN: true}
}

// pinOf gives a customer the PIN of c alone.
func pinOf(c domain.Customer) domain.CustomerChange { return domain.CustomerChange{PIN: c.PIN} }

// setsAtOnce sets the phone number and the PIN of each of a crowd, at once.
func setsAtOnce(ctx context.Context, repo *Port) error {
	const both = 2
	var wanted []domain.Customer
	for _, c := range manyCustomers(clause.Crowd) {
		wanted = append(wanted, withPIN(withPhone(c, c.Phone+1_000), customer(690, c.Ref.Customer).PIN))
	}
	return clause.Steps(addsCustomers(manyCustomers(clause.Crowd)...), clause.AtOnce(both*len(wanted), func(ctx context.Context, repo *Port, i int) error {
		set := wanted[i/both]
		change := phoneOf(set)
		if i%both == 0 {
			change = pinOf(set)
		}
		return sets(set.Ref, change)(ctx, repo)
	}), holdsAll(wanted...))(ctx, repo)
}

func setsSamePhoneAtOnce(ctx context.Context, repo *Port) error {
	customers := manyCustomers(clause.Crowd)
	if err := addsCustomers(customers...)(ctx, repo); err != nil {
		return err
	}
	winner, err := clause.OneWins("SetCustomer with one phone number", func(i int) error {
		return repo.SetCustomer(ctx, customers[i].Ref, domain.CustomerChange{Phone: 9, KeepPIN: true})
	})
	if err != nil {
		return err
	}
	customers[winner].Phone = 9
	return clause.Steps(holdsAll(customers...), findsCustomers(customers...))(ctx, repo)
}

func setCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	known := customer(689, domain.CustomerID(n))
	set := withPIN(withPhone(known, known.Phone+1_000_000), customer(690, 1).PIN)
	if err := addsCustomers(known)(ctx, repo); err != nil {
		return false, err
	}
	failure := repo.SetCustomer(ending, known.Ref, domain.CustomerChange{Phone: set.Phone, PIN: set.PIN})
	all := clause.Steps(findsCustomers(set), findsNobody(689, known.Phone))(ctx, repo)
	if failure == nil {
		return true, all
	}
	none := clause.Steps(findsCustomers(known), findsNobody(689, set.Phone))(ctx, repo)
	if all == nil {
		none = nil
	}
	return false, errors.Join(clause.FailsWith(domain.Unavailable, "SetCustomer whose ctx ended", failure), none)
}
