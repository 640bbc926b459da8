package customerrepo

import (
	"context"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func importClauses(most int) []clauseOf {
	alice, bob, carol, namesake := customer(689, 1), customer(689, 2), customer(689, 3), customer(690, 1)
	given := addsCustomers(alice, bob, namesake)
	aliceMoved, aliceNewPIN, aliceNoPIN := withPhone(alice, 9), withPIN(alice, carol.PIN), withPIN(alice, domain.PINHash{})
	bobTakes := withPIN(withPhone(bob, alice.Phone), carol.PIN)
	return []clauseOf{
		clause.New(
			"import_adds", "ImportCustomers adds customers, whole, with a PIN or without, in any fleet",
			clause.Steps(imports(each(domain.Added, oddCustomers())...), findsCustomers(oddCustomers()...), findsRefs(oddCustomers()...)),
		), clause.New(
			"import_adds_plain", "a customer who is added has a photo that can be changed, and no attempt counted on its PIN",
			clause.Steps(imports(is(domain.Added, alice)), locksPIN(alice.Ref), refusesPIN(alice.Ref), records(alice.Ref, photoRecord(1)),
				holdsRecord(alice, photoRecord(1))),
		), clause.New(
			"import_changes_phone", "a customer whose phone number is another one is Changed, and found by the new one alone",
			clause.Steps(given, imports(is(domain.Changed, aliceMoved)), findsCustomers(aliceMoved), findsNobody(689, alice.Phone), holdsAll(aliceMoved, bob, namesake)),
		), clause.New(
			"import_changes_pin", "a customer whose PIN is another one is PINSet",
			clause.Steps(given, imports(is(domain.PINSet, aliceNewPIN)), holdsAll(aliceNewPIN, bob, namesake)),
		), clause.New(
			"import_removes_pin", "a customer who has a PIN, of whom none is imported, is PINRemoved, and has none",
			clause.Steps(given, imports(is(domain.PINRemoved, aliceNoPIN)), holdsAll(aliceNoPIN, bob, namesake), imports(is(domain.PINSet, alice)), holdsAll(alice, bob, namesake)),
		), clause.New(
			"import_keeps_pin", "KeepPIN leaves the PIN of a customer who exists as it is, and a new one has none",
			clause.Steps(given, imports(keeping(domain.Changed, withPIN(aliceMoved, carol.PIN)), keeping(domain.Unchanged, withPIN(bob, carol.PIN)), keeping(domain.Added, carol)),
				holdsAll(aliceMoved, bob, withPIN(carol, domain.PINHash{}), namesake)),
		), clause.New(
			"import_unchanged", "a customer who is so already is Unchanged, and all stays",
			clause.Steps(given, lockAndRecord(alice), imports(is(domain.Unchanged, alice)), lockedAndRecorded(alice)),
		), clause.New(
			"import_keeps_lock_and_photo", "a change leaves the PIN's lock and the photo's record",
			clause.Steps(given, lockAndRecord(alice), imports(is(domain.PINSet, withPIN(aliceMoved, carol.PIN))), lockedAndRecorded(withPIN(aliceMoved, carol.PIN))),
		), clause.New(
			"import_phone_taken", "a customer whose phone number another one of the fleet has is PhoneTaken, and all of it stays, while the rest goes in",
			clause.Steps(given, lockAndRecord(bob), imports(is(domain.PhoneTaken, bobTakes), is(domain.Added, carol)), lockedAndRecorded(bob),
				imports(is(domain.PhoneTaken, withPhone(customer(689, 4), bob.Phone)), is(domain.Changed, aliceMoved)),
				lockedAndRecorded(bob), clause.Fails(domain.CustomerNotFound, "FindCustomer of one whose phone number was taken", findsRef(customer(689, 4).Ref)),
				findsCustomers(aliceMoved, carol)),
		), clause.New(
			"import_in_turn", "customers are imported one after the other: a phone number that one gives up, a later one may take, not an earlier one",
			importsInTurn(),
		), clause.New(
			"import_leaves_others", "ImportCustomers leaves other customers, and those of other fleets with the same ids and phone numbers",
			clause.Steps(given, lockAndRecord(namesake), imports(is(domain.PINSet, withPIN(aliceMoved, carol.PIN)), is(domain.Added, carol)),
				lockedAndRecorded(namesake), findsRefs(bob), imports(is(domain.Changed, withPhone(namesake, bob.Phone))), findsRefs(bob)),
		), clause.New(
			"import_results", "the results are in the order of the customers",
			clause.Steps(given, imports(mixed()...)),
		), clause.New(
			"import_none", "importing nobody changes nothing, without an error",
			clause.Steps(given, imports(), plans(), holdsAll(alice, bob, namesake)),
		), clause.New(
			"import_repeated", "repeating an import is harmless",
			clause.Steps(given, imports(is(domain.Changed, aliceMoved), is(domain.Added, carol)), lockAndRecord(carol),
				imports(is(domain.Unchanged, aliceMoved), is(domain.Unchanged, carol)), lockedAndRecorded(carol), findsRefs(aliceMoved)),
		), clause.New(
			"import_twice", "a customer who comes twice in an import is Changed the second time, or IDTaken where it is New",
			importsTwice(),
		), clause.New(
			"import_random", "any import does what importing its customers one by one does, and PlanImport says so",
			importsAtRandom,
		), clause.New(
			"import_most", "thousands of customers can be imported at once, added and changed",
			importsMost(most),
		), clause.New(
			"import_cut_off", "an ImportCustomers whose ctx ends fails with Unavailable and imports all or none",
			clause.CutOff(importCutOff),
		), clause.New(
			"plan", "PlanImport returns what ImportCustomers would, and changes nothing",
			clause.Steps(given, records(alice.Ref, photoRecord(1)), plans(mixed()...), plans(mixed()...), holdsRecord(alice, photoRecord(1)), records(alice.Ref, domain.PhotoRecord{}),
				holdsAll(alice, bob, namesake), imports(mixed()...)),
		),
	}
}

// imported is a customer who is imported, and what must come of it.
type imported struct {
	domain.CustomerImport
	want domain.ImportResult
}

func is(want domain.ImportResult, c domain.Customer) imported {
	return imported{domain.CustomerImport{Ref: c.Ref, Phone: c.Phone, PIN: c.PIN}, want}
}

// keeping is with KeepPIN, so that the PIN isn't looked at.
func keeping(want domain.ImportResult, c domain.Customer) imported {
	row := is(want, c)
	row.KeepPIN = true
	return row
}

// adding is of a customer who must be New.
func adding(want domain.ImportResult, c domain.Customer) imported {
	row := is(want, c)
	row.New = true
	return row
}

func each(want domain.ImportResult, customers []domain.Customer) []imported {
	var rows []imported
	for _, c := range customers {
		rows = append(rows, is(want, c))
	}
	return rows
}

// mixed has each result, where customer(689, 1), customer(689, 2) and
// customer(690, 1) are stored.
func mixed() []imported {
	alice, bob := customer(689, 1), customer(689, 2)
	return []imported{
		is(domain.PhoneTaken, withPhone(customer(689, 3), alice.Phone)), is(domain.Changed, withPhone(bob, 22)), is(domain.Added, withPhone(customer(689, 4), bob.Phone)),
		is(domain.Unchanged, alice), is(domain.Added, customer(690, 2)), keeping(domain.Unchanged, withPIN(customer(690, 1), alice.PIN)), is(domain.Added, customer(1, 1)),
	}
}

func withPhone(c domain.Customer, phone domain.PhoneNumber) domain.Customer {
	c.Phone = phone
	return c
}

func withPIN(c domain.Customer, pin domain.PINHash) domain.Customer {
	c.PIN = pin
	return c
}

// imports fails with the first result that is wrong.
func imports(rows ...imported) check {
	return func(ctx context.Context, repo *Port) error {
		results, err := repo.ImportCustomers(ctx, withoutResults(rows))
		return sameResults("ImportCustomers", rows, results, err)
	}
}

func plans(rows ...imported) check {
	return func(ctx context.Context, repo *Port) error {
		results, err := repo.PlanImport(ctx, withoutResults(rows))
		return sameResults("PlanImport", rows, results, err)
	}
}

func withoutResults(rows []imported) []domain.CustomerImport {
	customers := make([]domain.CustomerImport, len(rows))
	for i, row := range rows {
		customers[i] = row.CustomerImport
	}
	return customers
}

func sameResults(method string, rows []imported, results []domain.ImportResult, err error) error {
	if err := clause.Yields("how many results "+method+" returns", len(results), err, len(rows)); err != nil {
		return err
	}
	for i, row := range rows {
		if results[i] != row.want {
			return fmt.Errorf("%s of %d customers, number %d of whom is %+v: got %q, want %q", method, len(rows), i+1, row.Ref, results[i], row.want)
		}
	}
	return nil
}

// lockAndRecord gives a customer a lock on the PIN and a photo.
func lockAndRecord(c domain.Customer) check {
	return clause.Steps(records(c.Ref, photoRecord(1)), locksPIN(c.Ref))
}

// lockedAndRecorded checks what lockAndRecord did.
func lockedAndRecorded(c domain.Customer) check {
	return clause.Steps(holdsRecord(c, photoRecord(1)), refusesPIN(c.Ref))
}

func importsInTurn() check {
	alice, bob, carol, dave := customer(689, 1), customer(689, 2), customer(689, 3), customer(689, 4)
	const free, other = 77, 78
	bobFirst, carolNext, daveLast := withPhone(bob, alice.Phone), withPhone(carol, bob.Phone), withPhone(dave, carol.Phone)
	return clause.Steps(addsCustomers(alice, bob, carol),
		// too early, and one who stays keeps the number
		imports(is(domain.PhoneTaken, bobFirst), is(domain.Changed, withPhone(alice, free)), is(domain.PhoneTaken, carolNext)),
		holdsAll(withPhone(alice, free), bob, carol),
		// each takes what the one before gives up, a new customer too
		imports(is(domain.Changed, bobFirst), is(domain.Changed, carolNext), is(domain.Added, daveLast)),
		holdsAll(withPhone(alice, free), bobFirst, carolNext, daveLast),
		// nobody gives up a number first
		imports(is(domain.PhoneTaken, bob), is(domain.PhoneTaken, withPhone(carol, alice.Phone))),
		imports(is(domain.PhoneTaken, withPhone(customer(689, 5), free)), is(domain.Changed, withPhone(alice, other))),
		holdsAll(withPhone(alice, other), bobFirst, carolNext, daveLast),
	)
}

// importsMost adds so many customers, and then gives each the phone number that
// the one before gives up.
func importsMost(most int) check {
	customers := manyCustomers(most)
	moved := slices.Clone(customers)
	for i := range moved {
		moved[i].Phone++
	}
	backwards := slices.Clone(moved)
	slices.Reverse(backwards)
	return clause.Steps(imports(each(domain.Added, customers)...), holdsAll(customers...), imports(each(domain.Changed, backwards)...), holdsAll(moved...),
		plans(each(domain.PhoneTaken, customers[1:])...), imports(each(domain.Unchanged, moved)...))
}

func importsTwice() check {
	alice, bob := customer(689, 1), customer(689, 2)
	moved, newPIN := withPhone(alice, 9), withPIN(withPhone(alice, 9), bob.PIN)
	rows := []imported{
		adding(domain.Added, alice), adding(domain.IDTaken, moved), is(domain.Changed, moved), is(domain.Unchanged, moved),
		is(domain.Added, withPhone(bob, alice.Phone)), is(domain.PhoneTaken, alice), is(domain.Changed, bob), is(domain.PINSet, newPIN),
	}
	return clause.Steps(plans(rows...), imports(rows...), holdsAll(newPIN, bob))
}

// importsAtRandom imports few ids and phone numbers, so that they meet, and
// compares what comes of it with a model.
func importsAtRandom(ctx context.Context, repo *Port) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	stored := map[domain.CustomerRef]domain.Customer{}
	for range 40 {
		rows := make([]imported, random.IntN(15))
		for i := range rows {
			rows[i].CustomerImport = domain.CustomerImport{
				Ref:   domain.CustomerRef{Fleet: domain.FleetID(1 + random.IntN(2)), Customer: domain.CustomerID(1 + random.IntN(15))},
				Phone: domain.PhoneNumber(1 + random.IntN(20)), PIN: domain.PINHash{31: byte(random.IntN(2))},
				KeepPIN: random.IntN(3) == 0, New: random.IntN(5) == 0,
			}
			rows[i].want = importOne(stored, rows[i].CustomerImport)
		}
		all := inOrderOfRefs(slices.Collect(maps.Values(stored)))
		if err := clause.Steps(plans(rows...), imports(rows...), holdsAll(all...))(ctx, repo); err != nil {
			return err
		}
	}
	return nil
}

// importOne is the model.
func importOne(stored map[domain.CustomerRef]domain.Customer, row domain.CustomerImport) domain.ImportResult {
	before, known := stored[row.Ref]
	after := domain.Customer{Ref: row.Ref, Phone: row.Phone, PIN: row.PIN}
	if row.KeepPIN {
		after.PIN = before.PIN
	}
	if known && row.New {
		return domain.IDTaken
	}
	for _, other := range stored {
		if other.Ref.Fleet == row.Ref.Fleet && other.Phone == row.Phone && other.Ref != row.Ref {
			return domain.PhoneTaken
		}
	}
	stored[row.Ref] = after
	switch {
	case !known:
		return domain.Added
	case after == before:
		return domain.Unchanged
	case after.PIN == before.PIN:
		return domain.Changed
	case after.PIN == domain.PINHash{}:
		return domain.PINRemoved
	}
	return domain.PINSet
}
