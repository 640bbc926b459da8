package domain_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// known is a customer of fleet 689 with a photo.
func known(id domain.CustomerID, phone domain.PhoneNumber, pin byte) domain.Customer {
	return domain.Customer{
		Ref: domain.CustomerRef{Fleet: 689, Customer: id}, Phone: phone, PIN: domain.PINHash{pin},
		Photo: domain.PhotoRecord{ChangedBy: domain.ApiLogID(id)},
	}
}

// wanted is known as it is imported.
func wanted(id domain.CustomerID, phone domain.PhoneNumber, pin byte) domain.CustomerImport {
	c := known(id, phone, pin)
	return domain.CustomerImport{Ref: c.Ref, Phone: c.Phone, PIN: c.PIN}
}

func keepingPIN(c domain.CustomerImport) domain.CustomerImport {
	c.KeepPIN = true
	return c
}

func withoutPhoto(c domain.Customer) domain.Customer {
	c.Photo = domain.PhotoRecord{}
	return c
}

func inFleet(fleet domain.FleetID, c domain.CustomerImport) domain.CustomerImport {
	c.Ref.Fleet = fleet
	return c
}

func TestPlanImport(t *testing.T) {
	t.Parallel()
	alice, bob, nobody := known(1, 11, 1), known(2, 22, 2), domain.Customer{}
	ofAnother := withoutPhoto(known(1, 11, 1))
	ofAnother.Ref.Fleet = 690
	type rows = []domain.CustomerImport
	type results = []domain.ImportResult
	type customers = []domain.Customer
	for name, test := range map[string]struct {
		stored   customers
		imported rows
		results  results
		after    customers
	}{
		"nobody":            {customers{alice}, nil, results{}, customers{}},
		"a new one":         {nil, rows{wanted(1, 11, 1)}, results{domain.Added}, customers{withoutPhoto(alice)}},
		"a new one, no PIN": {nil, rows{wanted(1, 11, 0)}, results{domain.Added}, customers{withoutPhoto(known(1, 11, 0))}},
		"a new one keeps no PIN": {
			nil, rows{keepingPIN(wanted(1, 11, 1))}, results{domain.Added}, customers{withoutPhoto(known(1, 11, 0))},
		},
		"another phone number": {customers{alice}, rows{wanted(1, 12, 1)}, results{domain.Changed}, customers{known(1, 12, 1)}},
		"another PIN":          {customers{alice}, rows{wanted(1, 11, 9)}, results{domain.Changed}, customers{known(1, 11, 9)}},
		"no PIN any more":      {customers{alice}, rows{wanted(1, 11, 0)}, results{domain.Changed}, customers{known(1, 11, 0)}},
		"the same":             {customers{alice}, rows{wanted(1, 11, 1)}, results{domain.Unchanged}, customers{alice}},
		"the PIN is kept":      {customers{alice}, rows{keepingPIN(wanted(1, 11, 9))}, results{domain.Unchanged}, customers{alice}},
		"the PIN is kept with another phone number": {
			customers{alice}, rows{keepingPIN(wanted(1, 12, 9))}, results{domain.Changed}, customers{known(1, 12, 1)},
		},
		"a new one's phone number is taken": {customers{alice}, rows{wanted(2, 11, 2)}, results{domain.PhoneTaken}, customers{nobody}},
		"a known one's phone number is taken, the PIN stays": {
			customers{alice, bob}, rows{wanted(2, 11, 9)}, results{domain.PhoneTaken}, customers{bob},
		},
		"the same in another fleet": {
			customers{alice}, rows{inFleet(690, wanted(1, 11, 1))}, results{domain.Added}, customers{ofAnother},
		},
		"given up before": {
			customers{alice, bob}, rows{wanted(1, 12, 1), wanted(2, 11, 2), wanted(3, 22, 3)},
			results{domain.Changed, domain.Changed, domain.Added}, customers{known(1, 12, 1), known(2, 11, 2), withoutPhoto(known(3, 22, 3))},
		},
		"given up too late": {
			customers{alice, bob}, rows{wanted(3, 22, 3), wanted(2, 11, 2), wanted(1, 12, 1)},
			results{domain.PhoneTaken, domain.PhoneTaken, domain.Changed}, customers{nobody, bob, known(1, 12, 1)},
		},
		"exchanged": {
			customers{alice, bob}, rows{wanted(1, 22, 1), wanted(2, 11, 2)}, results{domain.PhoneTaken, domain.PhoneTaken}, customers{alice, bob},
		},
		"who is refused keeps the number": {
			customers{alice, bob, known(3, 33, 3)}, rows{wanted(2, 11, 2), wanted(3, 22, 3)},
			results{domain.PhoneTaken, domain.PhoneTaken}, customers{bob, known(3, 33, 3)},
		},
		"stored twice in the list": {customers{alice, alice}, rows{wanted(1, 12, 1)}, results{domain.Changed}, customers{known(1, 12, 1)}},
	} {
		got, after := domain.PlanImport(test.stored, test.imported)
		if !slices.Equal(got, test.results) || !slices.Equal(after, test.after) {
			t.Errorf("%s: got %q and %+v, want %q and %+v", name, got, after, test.results, test.after)
		}
	}
}

func ExamplePlanImport() {
	alice := domain.Customer{Ref: domain.CustomerRef{Fleet: 689, Customer: 1}, Phone: 447700900123}
	results, _ := domain.PlanImport([]domain.Customer{alice}, []domain.CustomerImport{
		{Ref: alice.Ref, Phone: 447700900124, KeepPIN: true},
		{Ref: domain.CustomerRef{Fleet: 689, Customer: 2}, Phone: 447700900123},
	})
	fmt.Println(results)
	// Output: [changed added]
}
