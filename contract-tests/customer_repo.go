package contracttests

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// CustomerRepo proves that what open returns keeps the promises of
// ports.CustomerRepo. open returns a port without customers, a new one each
// time; it is called in parallel and closes the port through t.Cleanup.
func CustomerRepo(t *testing.T, open func(t *testing.T) CustomerRoles) {
	t.Helper()
	const imported = 5_000 // at once
	prove(t, customerRepoClauses(imported), open)
}

type (
	customerCheck  = check[CustomerRoles]
	customerCall   = call[CustomerRoles]
	customerClause = clause[CustomerRoles]
)

// customerRepoClauses takes how many customers the largest import has.
func customerRepoClauses(most int) []customerClause {
	return slices.Concat(
		customerClauses(), listCustomerClauses(), addClauses(), importClauses(most), importRaceClauses(), removeClauses(), removeWaitClauses(),
		pinClauses(), pinKeyClauses(), changeClauses(), waitClauses(), customerEndedCtx())
}

func customerClauses() []customerClause {
	alice := customer(689, 1)
	return []customerClause{
		{
			"add_then_find", "FindByPhone returns the customer that was added, whole, with a PIN or without",
			steps(addsCustomers(oddCustomers()...), findsCustomers(oddCustomers()...)),
		}, {
			"find_unknown", "FindByPhone fails with CustomerNotFound where the fleet has none",
			steps(findsNobody(689, alice.Phone), findsNobody(0, 0), addsCustomers(alice), findsNobody(689, alice.Phone+1)),
		}, {
			"find_own_fleet", "FindByPhone fails with CustomerNotFound where the fleet has none, whatever other fleets have",
			steps(addsCustomers(alice), findsNobody(690, alice.Phone), findsNobody(0, alice.Phone)),
		}, {
			"add_same_in_two_fleets", "two fleets may have customers with the same id and the same phone number",
			steps(addsCustomers(alice, customer(690, 1)), findsCustomers(alice, customer(690, 1))),
		},
	}
}

func addClauses() []customerClause {
	alice := customer(689, 1)
	sameID, samePhone := withPhone(alice, customer(689, 2).Phone), withPhone(customer(689, 3), alice.Phone)
	return []customerClause{
		{
			"add_known_id", "importing a New customer whose id the fleet has is IDTaken and changes nothing",
			steps(addsCustomers(alice), imports(adding(domain.IDTaken, sameID)), findsCustomers(alice), findsNobody(689, sameID.Phone)),
		}, {
			"add_known_phone", "importing a New customer whose phone number the fleet has is PhoneTaken and changes nothing",
			steps(addsCustomers(alice), imports(adding(domain.PhoneTaken, samePhone)), findsCustomers(alice), hasNoCustomer(samePhone.Ref)),
		}, {
			"add_keeps_lock_and_photo", "a New customer who is IDTaken leaves the PIN lock and the photo's record",
			steps(addsCustomers(alice), records(alice.Ref, photoRecord(1)), locksPIN(alice.Ref),
				imports(adding(domain.IDTaken, alice)), refusesPIN(alice.Ref, noon), holdsRecord(alice, photoRecord(1))),
		}, {
			"add_at_once", "ImportCustomers is safe for concurrent use",
			steps(atOnce(crowd, addAndFind), findsCustomers(manyCustomers(crowd)...)),
		}, {
			"add_same_phone_at_once", "of any number of imports with the same phone number one adds, the others change nothing",
			addSamePhoneAtOnce,
		},
	}
}

func customerEndedCtx() []customerClause {
	alice, bob := customer(689, 1), customer(689, 2)
	given := steps(addsCustomers(alice), records(alice.Ref, photoRecord(1)), letsPIN(alice.Ref, domain.MaxWrongPINs-1, noon))
	unchanged := steps(holdsRecord(alice, photoRecord(1)), findsNobody(689, bob.Phone),
		letsPIN(alice.Ref, 1, noon), refusesPIN(alice.Ref, noon))
	return endedCtx(given, unchanged,
		customerCall{"find", holdsRecord(alice, photoRecord(1))},
		customerCall{"pin", letsPIN(alice.Ref, 1, noon)},
		customerCall{"reset", resetsPIN(alice.Ref)},
		customerCall{"change", notRun(alice.Ref)},
		customerCall{"find_ref", findsRef(alice.Ref)},
		customerCall{"customers", holdsAll(withRecord(alice))},
		customerCall{"import", imports(is(domain.Changed, withPhone(alice, 9)), is(domain.Added, bob))},
		customerCall{"plan", plans(is(domain.Added, bob))},
		customerCall{"remove", notDeleted(alice.Ref)},
		customerCall{"pin_key", bindsPINKey(1)},
	)
}

// customer is the one with this id in its fleet. Its phone number is the same
// in each fleet, its PIN isn't.
func customer(fleet domain.FleetID, id domain.CustomerID) domain.Customer {
	return domain.Customer{
		Ref:   domain.CustomerRef{Fleet: fleet, Customer: id},
		Phone: 393_331_000_000 + domain.PhoneNumber(id),
		PIN:   sha256.Sum256(fmt.Append(nil, "the PIN of ", id, " in ", fleet)),
	}
}

// oddCustomers are customers that a careless adapter doesn't store whole.
func oddCustomers() []domain.Customer {
	withoutPIN, short := customer(689, 1), customer(689, 2)
	withoutPIN.PIN = domain.PINHash{}
	short.Phone = 1
	long := domain.Customer{
		Ref:   domain.CustomerRef{Fleet: math.MaxInt64, Customer: math.MaxInt64},
		Phone: 999_999_999_999_999,
		PIN:   domain.PINHash{0x00, 0xFF, '\n', '\'', 0x80},
	}
	return []domain.Customer{withoutPIN, short, long, customer(689, math.MaxInt32+1), customer(math.MaxInt32+1, 689)}
}

func manyCustomers(n int) []domain.Customer {
	customers := make([]domain.Customer, n)
	for i := range customers {
		customers[i] = customer(689, domain.CustomerID(i+1))
	}
	return customers
}

// addsCustomers imports customers who must be New, each alone.
func addsCustomers(customers ...domain.Customer) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		for _, added := range customers {
			if err := imports(adding(domain.Added, added))(ctx, repo); err != nil {
				return err
			}
		}
		return nil
	}
}

func findsCustomers(customers ...domain.Customer) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		for _, want := range customers {
			got, err := repo.FindByPhone(ctx, want.Ref.Fleet, want.Phone)
			if err := yields(fmt.Sprintf("FindByPhone(%d, %d)", want.Ref.Fleet, want.Phone), got, err, want); err != nil {
				return err
			}
		}
		return nil
	}
}

// holdsRecord checks that the customer is as it was added, but with this record.
func holdsRecord(added domain.Customer, record domain.PhotoRecord) customerCheck {
	added.Photo = record
	return findsCustomers(added)
}

func findsNobody(fleet domain.FleetID, phone domain.PhoneNumber) customerCheck {
	what := fmt.Sprintf("FindByPhone(%d, %d)", fleet, phone)
	return fails(domain.CustomerNotFound, what, func(ctx context.Context, repo CustomerRoles) error {
		_, err := repo.FindByPhone(ctx, fleet, phone)
		return err
	})
}

// hasNoCustomer looks for a customer whose phone number isn't known.
func hasNoCustomer(ref domain.CustomerRef) customerCheck {
	return fails(domain.CustomerNotFound, fmt.Sprintf("ResetPINLock of %+v, which was never added", ref), resetsPIN(ref))
}

func addAndFind(ctx context.Context, repo CustomerRoles, i int) error {
	added := manyCustomers(crowd)[i]
	return steps(addsCustomers(added), findsCustomers(added))(ctx, repo)
}

func addSamePhoneAtOnce(ctx context.Context, repo CustomerRoles) error {
	customers := manyCustomers(crowd)
	for i := range customers {
		customers[i].Phone = customers[0].Phone
	}
	winner, err := oneWins("importing a New customer with one phone number", func(i int) error {
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
