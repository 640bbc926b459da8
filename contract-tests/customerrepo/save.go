package customerrepo

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func saveClauses(most int) []clauseOf {
	alice, bob, carol, namesake := customer(689, 1), customer(689, 2), customer(689, 3), customer(690, 1)
	given := clause.Steps(addsCustomers(alice, bob, namesake), lockAndRecord(bob))
	changed := domain.StoredCustomer{Customer: withPIN(withPhone(alice, 9), carol.PIN), Lock: domain.PINLock{Attempts: 1, Wrong: 2}}
	changed.Photo = photoRecord(2)
	plain := domain.StoredCustomer{Customer: withPIN(alice, domain.PINHash{})}
	return []clauseOf{
		clause.New(
			"save_whole", "SaveCustomers stores customers who don't exist, whole, in any fleet, and Customers returns them, with their locks",
			clause.Steps(saves(oddStored()...), holdsStored(oddStored()...)),
		), clause.New(
			"save_replaces", "SaveCustomers stores all of a customer in place of what is stored, zero values too",
			clause.Steps(given, lockAndRecord(alice), saves(changed), holdsCustomer(changed), findsCustomers(changed.Customer), findsNobody(689, alice.Phone),
				saves(plain), holdsCustomer(plain), findsCustomers(plain.Customer), findsNobody(689, 9)),
		), clause.New(
			"save_replaces_each", "whatever is stored of a customer, SaveCustomers replaces it",
			savesEach(oddStored()),
		), clause.New(
			"save_lock", "a lock that is saved counts as if the wrong PINs had been tried there",
			savesLocks(alice, bob),
		), clause.New(
			"save_what_customers_returns", "Customers returns the lock as it is, and saving it elsewhere and back changes nothing",
			clause.Steps(given, missesPIN(alice.Ref, 2), movesAway, refusesRightPIN(bob), missesPIN(alice.Ref, domain.MaxWrongPINs-2), refusesRightPIN(alice)),
		), clause.New(
			"save_leaves_others", "SaveCustomers leaves other customers, and those of other fleets with the same ids and phone numbers",
			clause.Steps(given, lockAndRecord(namesake), saves(changed), lockedAndRecorded(bob), lockedAndRecorded(namesake), saves(locked(withPhone(namesake, bob.Phone), domain.PINLock{})),
				lockedAndRecorded(bob), holdsCustomer(changed)),
		), clause.New(
			"save_exchanged_phones", "customers may have exchanged their phone numbers, whatever their order",
			savesExchanged(),
		), clause.New(
			"save_phone_taken", "customers whose phone number belongs to somebody who keeps it are not stored, and all of them stays, while the rest goes in",
			savesTaken(),
		), clause.New(
			"save_none", "saving nobody changes nothing, without an error",
			clause.Steps(given, saves(), lockedAndRecorded(bob), findsRefs(alice, namesake)),
		), clause.New(
			"save_repeated", "repeating a SaveCustomers is harmless",
			clause.Steps(given, saves(changed), saves(changed), holdsCustomer(changed), lockedAndRecorded(bob)),
		), clause.New(
			"save_random", "whatever the customers, those are stored who can be, and those returned who can't",
			savesAtRandom,
		), clause.New(
			"save_most", "thousands of customers can be saved at once, and each may have the phone number that another one had",
			savesMost(most),
		), clause.New(
			"save_at_once", "two SaveCustomers of the same customers at once both succeed, and each customer is stored as one of them did",
			savesAtOnce,
		), clause.New(
			"save_same_phone_at_once", "of any number of new customers with the same phone number who are saved at once, one is stored, and the others are returned",
			savesSamePhoneAtOnce,
		), clause.New(
			"save_doesnt_wait", "SaveCustomers waits for no change of other customers",
			clause.Steps(addsCustomers(alice, bob), whileChanging(alice.Ref, clause.Steps(saves(locked(withPhone(bob, 9), domain.PINLock{}), locked(carol, domain.PINLock{})), holdsAll(alice, withPhone(bob, 9), carol)))),
		), clause.New(
			"save_during_change", "a SaveCustomers and a change of a customer's photo at once are both made, one after the other",
			clause.Steps(addsCustomers(alice), duringChange(alice.Ref, saves(changed)), func(ctx context.Context, repo *Port) error {
				if holdsCustomer(changed)(ctx, repo) == nil {
					return nil
				}
				changed := changed
				changed.Photo = photoRecord(1)
				return holdsCustomer(changed)(ctx, repo)
			}),
		), clause.New(
			"save_cut_off", "a SaveCustomers whose ctx ends fails with Unavailable and stores all or none",
			clause.CutOff(saveCutOff),
		),
	}
}

func locked(c domain.Customer, lock domain.PINLock) domain.StoredCustomer {
	return domain.StoredCustomer{Customer: c, Lock: lock}
}

// oddStored has the odd customers and others, with all odd records and locks of all sorts.
func oddStored() []domain.StoredCustomer {
	locks := []domain.PINLock{
		{Attempts: 3, Wrong: 4}, {Attempts: domain.MaxWrongPINs, Wrong: domain.MaxWrongPINsInAll, LockedUntil: noon}, {}, {Attempts: math.MaxInt32, Wrong: math.MaxInt32 - 1},
		{LockedUntil: noon.Add(time.Microsecond)}, {Wrong: 1}, {Attempts: 1},
	}
	var all []domain.StoredCustomer
	for i, c := range append(inOrderOfRefs(oddCustomers()), customer(1, 1), customer(2, 1)) {
		c.Photo = oddRecords()[i%len(oddRecords())]
		all = append(all, locked(c, locks[i%len(locks)]))
	}
	return all
}

// savesEach stores a customer again and again, each time as another one of all.
func savesEach(all []domain.StoredCustomer) check {
	var each []check
	for i, c := range all {
		c.Ref, c.Phone = customer(689, 1).Ref, domain.PhoneNumber(i%3+1)
		each = append(each, saves(c), holdsStored(c))
	}
	return clause.Steps(each...)
}

// saves saves customers, all of whom must be stored.
func saves(customers ...domain.StoredCustomer) check { return savesBut(nil, customers...) }

// savesBut saves customers, of whom these must be refused.
func savesBut(taken []domain.CustomerRef, customers ...domain.StoredCustomer) check {
	return func(ctx context.Context, repo *Port) error {
		got, err := repo.SaveCustomers(ctx, customers)
		want := slices.SortedFunc(slices.Values(taken), domain.CustomerRef.Compare)
		return clause.Lists(fmt.Sprintf("SaveCustomers of %d", len(customers)), slices.SortedFunc(slices.Values(got), domain.CustomerRef.Compare), err, want)
	}
}

// holdsStored checks that these are stored, and no others, in whatever order they come.
func holdsStored(customers ...domain.StoredCustomer) check {
	want := slices.SortedFunc(slices.Values(customers), func(x, y domain.StoredCustomer) int { return x.Ref.Compare(y.Ref) })
	return func(ctx context.Context, repo *Port) error {
		got, err := repo.Customers(ctx, domain.CustomerRef{}, len(want)+10)
		return clause.Lists("Customers", got, err, want)
	}
}

// holdsCustomer checks what is stored of one.
func holdsCustomer(want domain.StoredCustomer) check {
	return func(ctx context.Context, repo *Port) error {
		before := want.Ref
		before.Customer--
		got, err := repo.Customers(ctx, before, 1)
		return clause.Lists(fmt.Sprintf("Customers(%+v, 1)", before), got, err, []domain.StoredCustomer{want})
	}
}

// savesLocks saves a lock that begins with the next wrong PIN, one that lasts, none and
// one that has ended.
func savesLocks(alice, bob domain.Customer) check {
	return func(ctx context.Context, repo *Port) error {
		begins, lasts := domain.PINLock{Attempts: domain.MaxWrongPINs - 1, Wrong: 7}, domain.PINLock{LockedUntil: domain.Instant(time.Now().Add(domain.PINLockDuration / 2))}
		return clause.Steps(saves(locked(alice, begins), locked(bob, lasts)), refusesRightPIN(bob), missesPIN(alice.Ref, 1), refusesRightPIN(alice),
			saves(locked(alice, domain.PINLock{}), locked(bob, domain.PINLock{LockedUntil: noon.AddDate(-40, 0, 0)})), takesPINs(alice, bob))(ctx, repo)
	}
}

// movesAway stores all customers as they are, after each was stored as another one.
func movesAway(ctx context.Context, repo *Port) error {
	all, err := repo.Customers(ctx, domain.CustomerRef{}, 10)
	if err != nil {
		return clause.Failed("Customers", err)
	}
	var others []domain.StoredCustomer
	for i, c := range all {
		if err := clause.Yields("when the lock ends, in UTC and to the microsecond", c.Lock.LockedUntil, nil, domain.Instant(c.Lock.LockedUntil)); err != nil {
			return err
		}
		other := locked(domain.Customer{Ref: c.Ref, Phone: domain.PhoneNumber(i + 1)}, domain.PINLock{})
		others = append(others, other)
	}
	return clause.Steps(saves(others...), holdsStored(others...), saves(all...), holdsStored(all...))(ctx, repo)
}

// savesExchanged gives three customers each other's phone numbers, in all ways and in
// each order, and a new one the number of one who takes another.
func savesExchanged() check {
	ways := [][3]int{{0, 1, 2}, {0, 2, 1}, {1, 0, 2}, {1, 2, 0}, {2, 0, 1}, {2, 1, 0}}
	customers := manyCustomers(3)
	each := []check{addsCustomers(customers...)}
	for _, numbers := range ways {
		for _, order := range ways {
			moved := slices.Clone(customers)
			var rows []domain.StoredCustomer
			for i := range moved {
				moved[i].Phone = customers[numbers[i]].Phone
			}
			for _, i := range order {
				rows = append(rows, locked(moved[i], domain.PINLock{}))
			}
			each = append(each, saves(rows...), holdsAll(moved...), findsCustomers(moved...))
		}
	}
	last, added := withPhone(customers[0], 9), withPhone(customer(689, 4), customers[2].Phone) // whose number is given up in the save
	return clause.Steps(append(each, saves(locked(added, domain.PINLock{}), locked(last, domain.PINLock{})), findsCustomers(added, last))...)
}

// savesTaken has chains: who can't have a number keeps the own one, which another wants.
func savesTaken() check {
	alice, bob, carol, dave, erin := customer(689, 1), customer(689, 2), customer(689, 3), customer(689, 4), customer(689, 5)
	given := clause.Steps(addsCustomers(alice, bob, carol, dave), lockAndRecord(bob))
	rows := []domain.StoredCustomer{
		locked(withPhone(alice, bob.Phone), domain.PINLock{Wrong: 1}), locked(withPIN(withPhone(bob, carol.Phone), erin.PIN), domain.PINLock{}),
		locked(withPhone(erin, alice.Phone), domain.PINLock{}), locked(withPIN(dave, erin.PIN), domain.PINLock{Wrong: 3}),
	}
	backwards := slices.Clone(rows)
	slices.Reverse(backwards)
	stays := clause.Steps(lockedAndRecorded(bob), findsCustomers(alice, carol), holdsCustomer(rows[3]), hasNoCustomer(erin.Ref))
	taken := []domain.CustomerRef{alice.Ref, bob.Ref, erin.Ref}
	return clause.Steps(given, savesBut(taken, rows...), stays, savesBut(taken, backwards...), stays, savesBut(taken, rows...), stays,
		savesBut([]domain.CustomerRef{erin.Ref}, locked(withPhone(erin, carol.Phone), domain.PINLock{})), stays)
}

// savesAtRandom saves few ids and phone numbers, so that they meet, and compares what
// comes of it with a model.
func savesAtRandom(ctx context.Context, repo *Port) error {
	random := rand.New(rand.NewPCG(1, 2)) //nolint:gosec // the same each time
	stored := map[domain.CustomerRef]domain.StoredCustomer{}
	for round := range 40 {
		var rows []domain.StoredCustomer
		for fleet := range domain.FleetID(2) {
			ids, phones := random.Perm(12), random.Perm(15)
			for i := range random.IntN(9) {
				c := locked(withPhone(customer(fleet+1, domain.CustomerID(ids[i]+1)), domain.PhoneNumber(phones[i]+1)), domain.PINLock{Wrong: round})
				c.Photo = photoRecord(random.IntN(9))
				rows = append(rows, c)
			}
		}
		random.Shuffle(len(rows), func(i, j int) { rows[i], rows[j] = rows[j], rows[i] })
		taken := saveInto(stored, rows)
		if err := clause.Steps(savesBut(taken, rows...), holdsStored(slices.Collect(maps.Values(stored))...))(ctx, repo); err != nil {
			return fmt.Errorf("round %d: %w", round, err)
		}
	}
	return nil
}

// saveInto is the model: it leaves out one whose number would be another one's, until
// there is none.
func saveInto(stored map[domain.CustomerRef]domain.StoredCustomer, rows []domain.StoredCustomer) (taken []domain.CustomerRef) {
	for {
		next := maps.Clone(stored)
		for _, c := range rows {
			next[c.Ref] = c
		}
		blocked := slices.IndexFunc(rows, func(c domain.StoredCustomer) bool {
			for ref, other := range next {
				if ref != c.Ref && ref.Fleet == c.Ref.Fleet && other.Phone == c.Phone {
					return true
				}
			}
			return false
		})
		if blocked < 0 {
			maps.Copy(stored, next)
			return taken
		}
		taken = append(taken, rows[blocked].Ref)
		rows = slices.Delete(slices.Clone(rows), blocked, blocked+1)
	}
}

// savesMost saves so many customers, and then each with the phone number of the next one.
func savesMost(most int) check {
	var first, moved []domain.StoredCustomer
	for i, c := range manyCustomers(most) {
		c.Photo = photoRecord(i)
		first = append(first, locked(c, domain.PINLock{Wrong: i}))
		moved = append(moved, locked(withPhone(c, first[0].Phone+domain.PhoneNumber((i+1)%most)), domain.PINLock{Attempts: 1}))
	}
	return clause.Steps(saves(first...), holdsStored(first...), saves(moved...), holdsStored(moved...))
}

// savesAtOnce saves customers in two forms, with each other's numbers, in opposite orders.
func savesAtOnce(ctx context.Context, repo *Port) error {
	for i := range clause.Crowd {
		alice, bob := customer(689, domain.CustomerID(2*i+1)), customer(689, domain.CustomerID(2*i+2))
		forms := [][]domain.StoredCustomer{
			{locked(alice, domain.PINLock{Wrong: 1}), locked(bob, domain.PINLock{Wrong: 1})},
			{locked(withPhone(bob, alice.Phone), domain.PINLock{Wrong: 2}), locked(withPhone(alice, bob.Phone), domain.PINLock{Wrong: 2})},
		}
		if err := clause.AtOnce(len(forms), func(ctx context.Context, repo *Port, n int) error { return saves(forms[n]...)(ctx, repo) })(ctx, repo); err != nil {
			return err
		}
		one := clause.Steps(holdsCustomer(forms[0][0]), holdsCustomer(forms[0][1]), findsCustomers(alice, bob))(ctx, repo)
		other := clause.Steps(holdsCustomer(forms[1][0]), holdsCustomer(forms[1][1]), findsCustomers(forms[1][0].Customer, forms[1][1].Customer))(ctx, repo)
		if one != nil && other != nil {
			return fmt.Errorf("after two SaveCustomers at once: %w", errors.Join(one, other))
		}
	}
	return nil
}

func savesSamePhoneAtOnce(ctx context.Context, repo *Port) error {
	customers := manyCustomers(clause.Crowd)
	winner, err := clause.OneWins("SaveCustomers of a new customer with one phone number", func(i int) error {
		customers[i].Phone = 1
		taken, err := repo.SaveCustomers(ctx, []domain.StoredCustomer{locked(customers[i], domain.PINLock{})})
		if err == nil && slices.Equal(taken, []domain.CustomerRef{customers[i].Ref}) {
			return domain.Errorf(domain.Conflict, "the phone number is taken")
		}
		return err
	})
	if err != nil {
		return err
	}
	return clause.Steps(holdsAll(customers[winner]), findsCustomers(customers[winner]))(ctx, repo)
}

func saveCutOff(ctx, ending context.Context, repo *Port, n int) (done bool, err error) {
	alice, bob, carol := customer(689, domain.CustomerID(3*n)), customer(689, domain.CustomerID(3*n+1)), customer(689, domain.CustomerID(3*n+2))
	before := []domain.StoredCustomer{locked(alice, domain.PINLock{Wrong: 1}), locked(bob, domain.PINLock{})}
	after := []domain.StoredCustomer{locked(withPhone(alice, bob.Phone), domain.PINLock{}), locked(withPhone(bob, alice.Phone), domain.PINLock{Wrong: 2}), locked(carol, domain.PINLock{Attempts: 1})}
	if err := saves(before...)(ctx, repo); err != nil {
		return false, err
	}
	failure := saves(after...)(ending, repo)
	all := clause.Steps(holdsCustomer(after[0]), holdsCustomer(after[1]), holdsCustomer(after[2]))(ctx, repo)
	if failure == nil || all == nil {
		return failure == nil, all
	}
	none := clause.Steps(holdsCustomer(before[0]), holdsCustomer(before[1]), hasNoCustomer(carol.Ref), findsCustomers(alice, bob), findsNobody(689, carol.Phone))
	return false, errors.Join(clause.FailsWith(domain.Unavailable, "SaveCustomers whose ctx ended", failure), none(ctx, repo))
}
