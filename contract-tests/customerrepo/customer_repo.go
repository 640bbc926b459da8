// Package customerrepo has the clauses of ports.CustomerRepo and of its roles.
//
// Package contracttests imports it; it imports ports and domain.
package customerrepo

import (
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Port is what is under test. What a suite doesn't need is nil.
type Port struct {
	ports.CustomerRepo // Open sets it where a suite is of this port alone
	ports.CustomerDirectory
	ports.PINKeyBinder
	Open     func(customers ...domain.Customer) ports.CustomerRepo
	recorded Recorded
	housed   Housed
}

type (
	check    = clause.Check[*Port]
	call     = clause.Call[*Port]
	clauseOf = clause.Clause[*Port]
)

// noon is a time that is lost unless it is stored to the microsecond.
var noon = time.Date(2026, time.March, 29, 12, 0, 0, 123_457_000, time.UTC)

// Clauses returns those of ports.CustomerRepo.
func Clauses() []clause.Clause[*Port] {
	return slices.Concat(findClauses(), pinClauses(), changeClauses(), waitClauses(), endedCtx())
}

func findClauses() []clauseOf {
	alice := customer(689, 1)
	return []clauseOf{
		clause.New(
			"find", "FindByPhone returns the customer, whole, with a PIN or without",
			clause.Steps(has(oddCustomers()...), findsCustomers(oddCustomers()...)),
		), clause.New(
			"find_unknown", "FindByPhone fails with CustomerNotFound where the fleet has none",
			clause.Steps(has(), findsNobody(689, alice.Phone), findsNobody(0, 0), has(alice), findsNobody(689, alice.Phone+1)),
		), clause.New(
			"find_own_fleet", "FindByPhone fails with CustomerNotFound where the fleet has none, whatever other fleets have",
			clause.Steps(has(alice), findsNobody(690, alice.Phone), findsNobody(0, alice.Phone)),
		), clause.New(
			"find_same_in_two_fleets", "two fleets may have customers with the same id and the same phone number",
			clause.Steps(has(alice, customer(690, 1)), findsCustomers(alice, customer(690, 1))),
		), clause.New(
			"find_at_once", "FindByPhone is safe for concurrent use",
			clause.Steps(has(manyCustomers(clause.Crowd)...), clause.AtOnce(clause.Crowd, func(ctx context.Context, repo *Port, i int) error {
				return findsCustomers(manyCustomers(clause.Crowd)[i])(ctx, repo)
			})),
		),
	}
}

func endedCtx() []clauseOf {
	alice := customer(689, 1)
	given := clause.Steps(has(alice), records(alice.Ref, photoRecord(1)), missesPIN(alice.Ref, domain.MaxWrongPINs-1))
	unchanged := clause.Steps(holdsRecord(alice, photoRecord(1)), missesPIN(alice.Ref, 1), refusesPIN(alice.Ref))
	return clause.EndedCtx(given, unchanged, Calls()...)
}

// Calls returns a call of each method of ports.CustomerRepo.
func Calls() []clause.Call[*Port] {
	alice := customer(689, 1)
	return []call{
		{Method: "find", Do: holdsRecord(alice, photoRecord(1))},
		{Method: "pin", Do: takesPINs(alice)},
		{Method: "change", Do: changePhoto.notRun(alice.Ref)},
	}
}

// has opens a port that has these customers, without photos, or adds them where
// there is a directory.
func has(customers ...domain.Customer) check {
	return func(ctx context.Context, repo *Port) error {
		if repo.Open == nil {
			return addsCustomers(customers...)(ctx, repo)
		}
		repo.CustomerRepo = repo.Open(customers...)
		return nil
	}
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

func findsCustomers(customers ...domain.Customer) check {
	return func(ctx context.Context, repo *Port) error {
		for _, want := range customers {
			got, err := repo.FindByPhone(ctx, want.Ref.Fleet, want.Phone)
			if err := clause.Yields(fmt.Sprintf("FindByPhone(%d, %d)", want.Ref.Fleet, want.Phone), got, err, want); err != nil {
				return err
			}
		}
		return nil
	}
}

// holdsRecord checks that the customer is as it was added, but with this record.
func holdsRecord(added domain.Customer, record domain.PhotoRecord) check {
	added.Photo = record
	return findsCustomers(added)
}

func findsNobody(fleet domain.FleetID, phone domain.PhoneNumber) check {
	what := fmt.Sprintf("FindByPhone(%d, %d)", fleet, phone)
	return clause.Fails(domain.CustomerNotFound, what, func(ctx context.Context, repo *Port) error {
		_, err := repo.FindByPhone(ctx, fleet, phone)
		return err
	})
}
