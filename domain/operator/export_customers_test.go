package operator_test

import (
	"errors"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

func TestExportCustomers(t *testing.T) {
	t.Parallel()
	for _, more := range []int{0, 997, 998, 999, 2500} { // beside the two who are there: a page is 1,000
		w := newWorld(t)
		if _, err := newImporting(t, w).do(t.Context(), w, list(nil, newcomers(1, more)...)); err != nil {
			t.Fatal(err)
		}
		var got []domain.CustomerID
		export := operator.ExportCustomers{Fleets: w.Backend.FleetAuth, Customers: w.Backend.CustomerRepo}
		err := export.Do(t.Context(), ourFleet, func(c domain.Customer) error {
			if c != w.customer(c.Ref.Customer) {
				t.Errorf("got %+v", c)
			}
			got = append(got, c.Ref.Customer)
			return nil
		})
		if err != nil || len(got) != more+2 || !slices.IsSorted(got) {
			t.Errorf("got %v and %d, want %d in their order", err, len(got), more+2)
		}
	}
}

func TestExportCustomersFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := errors.New("the disk is full")
	count := 0
	write := func(domain.Customer) error { count++; return full }
	export := operator.ExportCustomers{Fleets: w.Backend.FleetAuth, Customers: w.Backend.CustomerRepo}
	if err := export.Do(t.Context(), ourFleet, write); !errors.Is(err, full) || count != 1 {
		t.Errorf("got %v after %d", err, count)
	}
	if err := export.Do(t.Context(), 404, write); !errors.Is(err, domain.NotFound) {
		t.Errorf("no such fleet: got %v", err)
	}
}
