package sqlite

import (
	"context"
	"math/rand/v2"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// TestImportDoesWhatThePlanSays compares imports of few ids and phone numbers,
// so that they meet, with domain.PlanImport on all that is stored.
func TestImportDoesWhatThePlanSays(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	stored := map[domain.CustomerRef]domain.Customer{}
	random := rand.New(rand.NewPCG(1, 2))
	for range 60 {
		imported := randomImport(random)
		want, after := domain.PlanImport(all(t, db), imported)
		planned, planErr := db.CustomerRepo().PlanImport(t.Context(), imported)
		got, err := db.CustomerRepo().ImportCustomers(t.Context(), imported)
		if planErr != nil || err != nil || !slices.Equal(planned, want) || !slices.Equal(got, want) {
			t.Fatalf("%+v: planned %q, %v; got %q, %v; want %q", imported, planned, planErr, got, err, want)
		}
		for i, c := range after {
			if want[i] == domain.Added || want[i] == domain.Changed {
				stored[c.Ref] = c
			}
		}
		for _, c := range all(t, db) {
			if c != stored[c.Ref] {
				t.Fatalf("stored is %+v, want %+v", c, stored[c.Ref])
			}
		}
	}
	if len(stored) < 20 || len(all(t, db)) != len(stored) {
		t.Errorf("%d are stored, want %d", len(all(t, db)), len(stored))
	}
}

// randomImport has no id and no phone number of a fleet twice.
func randomImport(random *rand.Rand) (imported []domain.CustomerImport) {
	for fleet := range 2 {
		phones := random.Perm(20)
		for _, id := range random.Perm(15)[:random.IntN(15)] {
			imported = append(imported, domain.CustomerImport{
				Ref:   domain.CustomerRef{Fleet: domain.FleetID(fleet + 1), Customer: domain.CustomerID(id + 1)},
				Phone: domain.PhoneNumber(phones[id] + 1), PIN: domain.PINHash{31: byte(random.IntN(2))}, KeepPIN: random.IntN(3) == 0,
			})
		}
	}
	return imported
}

func all(t *testing.T, db *DB) []domain.Customer {
	t.Helper()
	customers, err := db.CustomerRepo().Customers(context.Background(), domain.CustomerRef{}, 100)
	if err != nil {
		t.Fatal(err)
	}
	return customers
}
