package operator_test

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"slices"
	"testing"
	"testing/synctest"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

// checkedRepo checks that imports are bounded and fails as often as it is told.
type checkedRepo struct {
	ports.CustomerDirectory
	t        *testing.T
	failures []error
	batches  []int
	most     int // in a batch
}

func (r *checkedRepo) check(ctx context.Context, customers []domain.CustomerImport) error {
	if _, bounded := ctx.Deadline(); !bounded || len(customers) == 0 || len(customers) > r.most {
		r.t.Errorf("%d customers come, with a deadline: %v", len(customers), bounded)
	}
	r.batches = append(r.batches, len(customers))
	if len(r.failures) == 0 {
		return nil
	}
	failure := r.failures[0]
	r.failures = r.failures[1:]
	return failure
}

func (r *checkedRepo) ImportCustomers(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if err := r.check(ctx, customers); err != nil {
		return nil, err
	}
	return r.CustomerDirectory.ImportCustomers(ctx, customers)
}

func (r *checkedRepo) PlanImport(ctx context.Context, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if err := r.check(ctx, customers); err != nil {
		return nil, err
	}
	return r.CustomerDirectory.PlanImport(ctx, customers)
}

// importing is an import on the world's customers, and what it told.
type importing struct {
	repo     *checkedRepo
	dryRun   bool
	remove   bool
	rejected []string
	progress []operator.ImportReport
}

func newImporting(t *testing.T, w *world) *importing {
	return &importing{repo: &checkedRepo{CustomerDirectory: w.Backend.CustomerRepo, t: t, most: operator.ImportBatch}}
}

func (i *importing) do(ctx context.Context, w *world, rows iter.Seq2[operator.ImportRow, error]) (operator.ImportReport, error) {
	do := operator.ImportCustomers{Fleets: w.Backend.FleetAuth, Customers: i.repo, PINKey: pinKey}
	return do.Do(ctx, operator.Import{
		Fleet: ourFleet, Rows: rows, DryRun: i.dryRun, RemovePINs: i.remove,
		Reject: func(line int, reason string) error {
			i.rejected = append(i.rejected, fmt.Sprint(line, " ", reason))
			return nil
		},
		Progress: func(report operator.ImportReport) { i.progress = append(i.progress, report) },
	})
}

// list yields rows, then the error if there is one.
func list(err error, rows ...operator.ImportRow) iter.Seq2[operator.ImportRow, error] {
	return func(yield func(operator.ImportRow, error) bool) {
		for _, row := range rows {
			if !yield(row, nil) {
				return
			}
		}
		if err != nil {
			yield(operator.ImportRow{}, err)
		}
	}
}

// newcomers are n rows from a line on, whose ids and phones are the line and nobody's.
func newcomers(line, n int) (rows []operator.ImportRow) {
	for i := line; i < line+n; i++ {
		rows = append(rows, operator.ImportRow{Line: i, Customer: domain.CustomerID(1_000_000 + i), Phone: domain.DialledPhone{Number: domain.PhoneNumber(447_700_000_000 + i)}})
	}
	return rows
}

func (w *world) customer(id domain.CustomerID) domain.Customer {
	w.T.Helper()
	found, err := w.Backend.CustomerRepo.FindCustomer(w.T.Context(), domain.CustomerRef{Fleet: ourFleet, Customer: id})
	if err != nil {
		w.T.Fatal(err)
	}
	return found
}

func number(n domain.PhoneNumber) domain.DialledPhone { return domain.DialledPhone{Number: n} }

var mixedRows = []operator.ImportRow{
	{Line: 2, Customer: 452733, Phone: number(phone), KeepPIN: true},                              // is so
	{Line: 3, Customer: 2, Phone: number(447700900022), PIN: rightPIN},                            // changed
	{Line: 4, Rejected: "a reason"},                                                               //
	{Line: 5, Customer: 5, Phone: number(phone)},                                                  // taken
	{Line: 7, Customer: 7, Phone: number(otherPhone), PIN: rightPIN},                              // added, as it is another fleet's
	{Line: 8, Customer: 8, Phone: number(447700900008), KeepPIN: true},                            // added
	{Line: 9, Customer: 8, Phone: number(447700900008), PIN: rightPIN},                            // changed
	{Line: 10, Customer: 10, Phone: number(447700900008)}, {Line: 11, Rejected: "another reason"}, // taken
	{Line: 12, Customer: 452733, Phone: number(phone)}, {Line: 13, Customer: 8, Phone: number(447700900009)}, // the PINs stay
}

func TestImportCustomers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := newImporting(t, w)
	report, err := i.do(t.Context(), w, list(nil, mixedRows...))
	want := operator.ImportReport{Rows: 11, Added: 2, Changed: 3, PINsSet: 3, Unchanged: 2, Rejected: 4, Line: 13}
	if err != nil || report != want || i.progress[len(i.progress)-1] != want {
		t.Errorf("got %+v, %v, want %+v; told was %+v", report, err, want, i.progress)
	}
	const taken = " phone: another customer of this fleet has this number; give each their own, or leave one of the two out"
	if want := []string{"4 a reason", "5" + taken, "10" + taken, "11 another reason"}; !slices.Equal(i.rejected, want) {
		t.Errorf("rejected are %q, want %q", i.rejected, want)
	}
	for id, want := range map[domain.CustomerID]domain.Customer{
		452733: {Phone: phone, PIN: pinKey.Hash(customer, rightPIN), Photo: w.Record(customer)},
		2:      {Phone: 447700900022, PIN: pinKey.Hash(pinless, rightPIN)},
		7:      {Phone: otherPhone, PIN: pinKey.Hash(domain.CustomerRef{Fleet: ourFleet, Customer: 7}, rightPIN)},
		8:      {Phone: 447700900009, PIN: pinKey.Hash(domain.CustomerRef{Fleet: ourFleet, Customer: 8}, rightPIN)},
	} {
		want.Ref = domain.CustomerRef{Fleet: ourFleet, Customer: id}
		if got := w.customer(id); got != want {
			t.Errorf("stored is %+v, want %+v", got, want)
		}
	}
	repeat := newImporting(t, w)
	if report, err := repeat.do(t.Context(), w, list(nil, newcomers(1, 0)...)); err != nil || report != (operator.ImportReport{}) || repeat.progress != nil {
		t.Errorf("of no rows: got %+v, %v", report, err)
	}
}

func TestImportCustomersDryRun(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	i := newImporting(t, w)
	i.dryRun = true
	before, err := w.Backend.CustomerRepo.Customers(t.Context(), domain.CustomerRef{}, 10)
	if err != nil {
		t.Fatal(err)
	}
	report, err := i.do(t.Context(), w, list(nil, mixedRows[:5]...))
	if want := (operator.ImportReport{Rows: 5, Added: 1, Changed: 1, PINsSet: 2, Unchanged: 1, Rejected: 2, Line: 7}); err != nil || report != want {
		t.Errorf("got %+v, %v, want %+v", report, err, want)
	}
	after, err := w.Backend.CustomerRepo.Customers(t.Context(), domain.CustomerRef{}, 10)
	if err != nil || !slices.Equal(before, after) {
		t.Errorf("stored is %+v, %v, want %+v", after, err, before)
	}
}

// TestBlankPINs stay unless they are to be removed, and nobody's where the list
// has no PINs.
func TestBlankPINs(t *testing.T) {
	t.Parallel()
	blank := operator.ImportRow{Line: 2, Customer: 452733, Phone: number(phone)}
	without := blank
	without.KeepPIN = true
	for name, test := range map[string]struct {
		row    operator.ImportRow
		remove bool
		want   operator.ImportReport
	}{
		"blank":            {blank, false, operator.ImportReport{Rows: 1, Unchanged: 1, Line: 2}},
		"blank, to remove": {blank, true, operator.ImportReport{Rows: 1, Changed: 1, PINsGone: 1, Line: 2}},
		"no column":        {without, true, operator.ImportReport{Rows: 1, Unchanged: 1, Line: 2}},
	} {
		w := newWorld(t)
		i := newImporting(t, w)
		i.remove = test.remove
		report, err := i.do(t.Context(), w, list(nil, test.row))
		if err != nil || report != test.want || (w.customer(452733).PIN == domain.PINHash{}) != (test.want.PINsGone > 0) {
			t.Errorf("%s: got %+v, %v, want %+v", name, report, err, test.want)
		}
	}
}

// TestNationalRows become international in their fleet's country, or are told
// with what else is wrong.
func TestNationalRows(t *testing.T) {
	t.Parallel()
	dialled := usecasetest.Must(domain.ParseDialledPhone("07700 900123"))
	rows := []operator.ImportRow{{Line: 2, Customer: 7, Phone: dialled}, {Line: 3, Phone: dialled, Rejected: "id: x"}}
	w := newWorld(t)
	i := newImporting(t, w)
	const reason = "phone: it begins with a single 0, as numbers do within their country; write the country code in place of the 0, as in 447700900123, or set the fleet's country (fleet set ID --country 44) and try again"
	if report, err := i.do(t.Context(), w, list(nil, rows...)); err != nil || report.Rejected != 2 || !slices.Equal(i.rejected, []string{"2 " + reason, "3 id: x; " + reason}) {
		t.Errorf("got %+v, %v, %q", report, err, i.rejected)
	}
	if err := w.Backend.FleetAuth.SetFleet(t.Context(), domain.Fleet{ID: ourFleet, Country: 44}); err != nil {
		t.Fatal(err)
	}
	if report, err := i.do(t.Context(), w, list(nil, rows[0])); err != nil || report.Added != 1 || w.customer(7).Phone != 447700900123 {
		t.Errorf("got %+v, %v", report, err)
	}
}

// TestDryRunSaysWhatTheImportDoes also where rows depend on some of batches before.
func TestDryRunSaysWhatTheImportDoes(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	rows := newcomers(1, operator.ImportBatch+10)
	again := func(line int, row operator.ImportRow) operator.ImportRow { row.Line = line; return row }
	moved := rows[0]
	moved.Phone = number(447_800_000_000)
	heir := operator.ImportRow{Customer: 3_000_000, Phone: rows[0].Phone}
	taker := operator.ImportRow{Customer: 4_000_000, Phone: rows[1].Phone}
	for n, row := range []operator.ImportRow{rows[2], moved, heir, taker} {
		rows = append(rows, again(10_000+n, row))
	}
	dry := newImporting(t, w)
	dry.dryRun, dry.repo.most = true, operator.PlanBatch
	would, dryErr := dry.do(t.Context(), w, list(nil, rows...))
	real := newImporting(t, w)
	did, err := real.do(t.Context(), w, list(nil, rows...))
	want := operator.ImportReport{Rows: len(rows), Added: operator.ImportBatch + 11, Changed: 1, Unchanged: 1, Rejected: 1, Line: 10_003}
	if dryErr != nil || err != nil || would != did || did != want || !slices.Equal(dry.rejected, real.rejected) {
		t.Errorf("got %+v and %q, %v; then %+v and %q, %v; want %+v", would, dry.rejected, dryErr, did, real.rejected, err, want)
	}
}

func TestImportCustomersBatches(t *testing.T) {
	t.Parallel()
	const most = operator.ImportBatch
	bad := slices.Repeat([]operator.ImportRow{{Line: 1, Rejected: "bad"}}, 2*most)
	again := newcomers(3, 1)[0]
	again.Line = 20
	for name, test := range map[string]struct {
		rows []operator.ImportRow
		want []int
	}{
		"one":                       {newcomers(1, 1), []int{1}},
		"as many as one batch":      {newcomers(1, most), []int{most}},
		"one more":                  {newcomers(1, most+1), []int{most, 1}},
		"a repeat":                  {append(newcomers(1, 10), again), []int{11}},
		"bad rows alone":            {bad, nil},
		"bad rows count":            {append(bad[:most-1:most-1], newcomers(most, 2)...), []int{1, 1}},
		"a bad row repeats nothing": {append(newcomers(1, 2), bad[0], bad[0]), []int{2}},
	} {
		w := newWorld(t)
		i := newImporting(t, w)
		report, err := i.do(t.Context(), w, list(nil, test.rows...))
		if err != nil || report.Rows != len(test.rows) || !slices.Equal(i.repo.batches, test.want) {
			t.Errorf("%s: got %+v, %v in batches of %d, want %d", name, report, err, i.repo.batches, test.want)
		}
	}
}

func TestImportCustomersNeedsTheFleet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	do := operator.ImportCustomers{Fleets: w.Backend.FleetAuth, Customers: w.Backend.CustomerRepo, PINKey: pinKey}
	if report, err := do.Do(t.Context(), operator.Import{Fleet: 404, Rows: list(nil, newcomers(1, 1)...)}); !errors.Is(err, domain.NotFound) || report != (operator.ImportReport{}) {
		t.Errorf("got %+v, %v", report, err)
	}
	do.Fleets = fleetless{}
	if _, err := do.Do(t.Context(), operator.Import{Fleet: ourFleet}); !errors.Is(err, domain.Unavailable) {
		t.Errorf("the fleets are down: got %v", err)
	}
}

// An import that ends early says up to where all is stored, and from there it goes on.
func TestImportCustomersCutOff(t *testing.T) {
	t.Parallel()
	const most = operator.ImportBatch
	broken := errors.New("the disk is broken")
	rows := newcomers(1, 2*most+1)
	for name, test := range map[string]struct {
		end      error // of the rows
		failures []error
		rows     int
		want     error
	}{
		"the rows end with an error":     {broken, nil, 2*most + 1, broken},
		"in the second batch":            {broken, nil, most + 5, broken},
		"the repository breaks":          {nil, []error{nil, broken}, 2 * most, broken},
		"the repository breaks at first": {nil, []error{broken}, 2 * most, broken},
	} {
		w := newWorld(t)
		i := newImporting(t, w)
		i.repo.failures = test.failures
		report, err := i.do(t.Context(), w, list(test.end, rows[:test.rows]...))
		if !errors.Is(err, test.want) {
			t.Errorf("%s: got %v, want %v", name, err, test.want)
		}
		stored, err := w.Backend.CustomerRepo.Customers(t.Context(), domain.CustomerRef{Fleet: ourFleet, Customer: 1_000_000}, 3*most)
		if ours := slices.DeleteFunc(stored, func(c domain.StoredCustomer) bool { return c.Ref.Fleet != ourFleet }); err != nil || len(ours) != report.Line || report.Rows != report.Line {
			t.Errorf("%s: %d are stored, and the report says %+v", name, len(ours), report)
		}
		rest, err := i.do(t.Context(), w, list(nil, rows[report.Line:]...))
		if err != nil || rest.Added != len(rows)-report.Line {
			t.Errorf("%s: the rest: got %+v, %v", name, rest, err)
		}
		whole, err := newImporting(t, w).do(t.Context(), w, list(nil, rows...))
		if want := (operator.ImportReport{Rows: len(rows), Unchanged: len(rows), Line: len(rows)}); err != nil || whole != want {
			t.Errorf("%s: all again: got %+v, %v, want %+v", name, whole, err, want)
		}
	}
}

func TestImportCustomersEndsWhereRejectFails(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	full := errors.New("the disk is full")
	do := operator.ImportCustomers{Fleets: w.Backend.FleetAuth, Customers: w.Backend.CustomerRepo, PINKey: pinKey}
	report, err := do.Do(t.Context(), operator.Import{
		Fleet: ourFleet, Rows: list(nil, mixedRows...), Reject: func(int, string) error { return full }, Progress: func(operator.ImportReport) {},
	})
	if !errors.Is(err, full) || report != (operator.ImportReport{}) {
		t.Errorf("got %+v, %v", report, err)
	}
}

// A backend that is down is waited for, but not forever.
func TestImportCustomersWaits(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		failures []error
		left     time.Duration // when the caller leaves; 0: never
		took     time.Duration
		want     domain.Kind
	}{
		"down once":         {[]error{down()}, 0, time.Second, ""},
		"down five times":   {[]error{down(), down(), down(), down(), down()}, 0, 30 * time.Second, ""},
		"down for too long": {slices.Repeat([]error{down()}, 9), 0, 30 * time.Second, domain.Unavailable},
		"a bug":             {[]error{errors.New("a bug")}, 0, 0, domain.Internal},
		"down, then a bug":  {[]error{down(), errors.New("a bug")}, 0, time.Second, domain.Internal},
		"the caller leaves": {slices.Repeat([]error{down()}, 9), 5 * time.Second, 5 * time.Second, domain.Unavailable},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			synctest.Test(t, func(t *testing.T) {
				i := newImporting(t, w)
				i.repo.failures = test.failures
				ctx, cancel := context.WithCancel(t.Context())
				defer cancel()
				if test.left > 0 {
					time.AfterFunc(test.left, cancel)
				}
				begun := time.Now()
				_, err := i.do(ctx, w, list(nil, newcomers(1, 3)...))
				if (err == nil) != (test.want == "") || err != nil && domain.AsError(err).Kind != test.want || time.Since(begun) != test.took {
					t.Errorf("got %v after %v, want %q after %v", err, time.Since(begun), string(test.want), test.took)
				}
			})
		})
	}
}
