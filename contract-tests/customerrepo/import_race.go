package customerrepo

import (
	"context"
	"errors"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func importRaceClauses() []clauseOf {
	alice, bob, carol := customer(689, 1), customer(689, 2), customer(689, 3)
	moved := withPhone(alice, 9)
	return []clauseOf{
		clause.New(
			"import_same_at_once", "two imports of the same customers at once both succeed, and all are imported",
			importsSameAtOnce,
		), clause.New(
			"import_at_once", "of imports at once, what one changes and the other keeps is changed",
			importsOtherAtOnce,
		), clause.New(
			"import_doesnt_wait", "ImportCustomers waits for no change of a customer whom it doesn't change, and PlanImport for none",
			clause.Steps(addsCustomers(alice, bob), whileChanging(alice.Ref, clause.Steps(
				plans(is(domain.Changed, moved), is(domain.Added, carol)),
				imports(is(domain.Unchanged, alice), is(domain.Changed, withPhone(bob, 9)), is(domain.Added, carol), is(domain.PhoneTaken, withPhone(customer(689, 4), alice.Phone))),
			)), holdsRecord(alice, photoRecord(1))),
		), clause.New(
			"import_during_change", "an import and a change of a customer's photo at once are both stored",
			clause.Steps(addsCustomers(alice), duringChange(alice.Ref, imports(is(domain.Changed, moved))), holdsRecord(moved, photoRecord(1))),
		),
	}
}

// importsSameAtOnce does so for several batches, of customers of whom some
// exist and some change.
func importsSameAtOnce(ctx context.Context, repo *Port) error {
	const batches, each = 8, 3
	all := manyCustomers(batches * each)
	for ; len(all) > 0; all = all[each:] {
		known, changed, added := all[0], withPhone(all[1], all[1].Phone+1_000), all[2]
		rows := withoutResults([]imported{is(domain.Unchanged, known), is(domain.Changed, changed), is(domain.Added, added)})
		twice := clause.AtOnce(2, func(ctx context.Context, repo *Port, _ int) error {
			_, err := repo.ImportCustomers(ctx, rows)
			return clause.Failed("ImportCustomers, while another one of the same customers runs", err)
		})
		if err := clause.Steps(addsCustomers(known, all[1]), twice, findsCustomers(known, changed, added))(ctx, repo); err != nil {
			return err
		}
	}
	return nil
}

// importsOtherAtOnce imports phone numbers, keeping PINs, while PINs are imported
// with the phone numbers from before. Whichever comes last, the PINs are those.
func importsOtherAtOnce(ctx context.Context, repo *Port) error {
	for _, stored := range manyCustomers(clause.Crowd) {
		newPIN, newPhone := withPIN(stored, customer(690, stored.Ref.Customer).PIN), withPhone(stored, stored.Phone+1_000)
		batches := [][]domain.CustomerImport{
			withoutResults([]imported{keeping(domain.Changed, newPhone)}), withoutResults([]imported{is(domain.PINSet, newPIN)}),
		}
		if err := clause.Steps(addsCustomers(stored), clause.AtOnce(len(batches), func(ctx context.Context, repo *Port, i int) error {
			_, err := repo.ImportCustomers(ctx, batches[i])
			return clause.Failed("ImportCustomers, while another one of the same customer runs", err)
		}))(ctx, repo); err != nil {
			return err
		}
		got, err := repo.FindCustomer(ctx, stored.Ref)
		if err := clause.Yields("whether the customer has the PIN that one import set and the other kept", got.PIN == newPIN.PIN, err, true); err != nil {
			return err
		}
	}
	return nil
}

// duringChange begins a call while a change of the customer runs.
func duringChange(ref domain.CustomerRef, call check) check {
	return func(ctx context.Context, repo *Port) error {
		done := make(chan error, 1)
		begin := func(ctx context.Context, repo *Port) error {
			go func() { done <- call(ctx, repo) }()
			return clause.Fails(domain.Unavailable, "ChangePhoto whose ctx ends while another change runs", givesUp(changePhoto.notRun(ref)))(ctx, repo) // it has begun by then
		}
		if err := whileChanging(ref, begin)(ctx, repo); err != nil {
			return err
		}
		return <-done
	}
}

func importCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	known, added := customer(689, domain.CustomerID(2*n)), customer(689, domain.CustomerID(2*n+1))
	changed := withPhone(known, known.Phone+1_000_000)
	if err := addsCustomers(known)(ctx, repo); err != nil {
		return false, err
	}
	failure := imports(is(domain.Changed, changed), is(domain.Added, added))(ending, repo)
	all := findsCustomers(changed, added)(ctx, repo)
	if failure == nil {
		return true, all
	}
	none := clause.Steps(findsCustomers(known), findsNobody(689, changed.Phone), findsNobody(689, added.Phone),
		clause.Fails(domain.CustomerNotFound, "FindCustomer of one who was not imported", findsRef(added.Ref)))(ctx, repo)
	if all == nil {
		none = nil
	}
	return false, errors.Join(clause.FailsWith(domain.Unavailable, "ImportCustomers whose ctx ended", failure), none)
}
