package operator

import (
	"context"
	"errors"
	"iter"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ImportCustomers adds and changes many customers of a fleet. All fields must
// be set.
type ImportCustomers struct {
	Fleets    ports.FleetDirectory
	Customers ports.CustomerDirectory
	PINKey    domain.PINKey
}

// ImportRow is a row of a list of customers.
type ImportRow struct {
	Line     int // where it begins, from 1
	Customer domain.CustomerID
	Phone    domain.DialledPhone
	PIN      domain.PIN // blank: that of a customer who exists stays, unless RemovePINs
	KeepPIN  bool       // the list doesn't tell PINs: they stay, with RemovePINs too
	Rejected string     // why it isn't taken, for the operator; empty: it is
}

// reject adds a reason.
func (r *ImportRow) reject(reason string) {
	if r.Rejected != "" {
		reason = r.Rejected + "; " + reason
	}
	r.Rejected = reason
}

// Import is a list of customers, and who is told how its import goes.
type Import struct {
	Fleet domain.FleetID
	// Rows yields the rows, each on a later line than the one before. After an
	// error it yields nothing more.
	Rows iter.Seq2[ImportRow, error]
	// RemovePINs has a row with a blank PIN remove the customer's.
	RemovePINs bool
	// DryRun changes nothing, and reports what an import of up to PlanBatch rows
	// would. Of a longer list it doesn't see what rows change that are in the PlanBatch before.
	DryRun bool
	// Reject gets each row that isn't taken, in their order. When it fails,
	// the import ends.
	Reject func(line int, reason string) error
	// Progress gets the report so far, now and then.
	Progress func(ImportReport)
}

// ImportReport counts the rows that were imported.
type ImportReport struct {
	Rows      int // all of them
	Added     int
	Changed   int
	PINsSet   int // of those who are added or changed
	PINsGone  int // of those who are changed
	Unchanged int
	Rejected  int
	Line      int // all rows up to this line are stored, durably, or rejected; 0: none yet
}

// ImportBatch is how many rows are imported in one transaction, and PlanBatch
// how many a dry run compares at once, in some 100 MB.
const (
	ImportBatch = 5_000
	PlanBatch   = 50_000
)

// importWaits is how long an import waits for a backend that fails with
// Unavailable, before it tries again; after the last one it gives up.
var importWaits = [...]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// Do imports the rows, a batch at a time, whatever their number, in constant
// memory. Unchanged customers are not written, so a repeat is safe and quick. It fails with NotFound where the fleet doesn't exist, and with
// what ends Rows; the report says how far it came, and the list may be taken up
// again after that line.
func (i *ImportCustomers) Do(ctx context.Context, wanted Import) (ImportReport, error) {
	var report ImportReport
	fleet, err := findFleet(ctx, i.Fleets, wanted.Fleet)
	if err != nil {
		return report, err
	}
	batch, most := &importBatch{removePINs: wanted.RemovePINs}, ImportBatch
	if wanted.DryRun {
		most = PlanBatch
	}
	for row, err := range wanted.Rows {
		if err == nil && len(batch.rows) == most {
			err = i.store(ctx, wanted, batch, &report)
		}
		if err != nil {
			return report, err
		}
		batch.add(i.PINKey, fleet, row)
	}
	return report, i.store(ctx, wanted, batch, &report)
}

// store imports a batch, tells about it and empties it.
func (i *ImportCustomers) store(ctx context.Context, wanted Import, batch *importBatch, report *ImportReport) error {
	if len(batch.rows) == 0 {
		return nil
	}
	results, err := i.results(ctx, wanted.DryRun, batch.customers)
	if err != nil {
		return err
	}
	next := *report
	for _, row := range batch.rows {
		if row.Rejected == "" {
			row.Rejected = next.count(results[0], row.PIN)
			results = results[1:]
		}
		if row.Rejected == "" {
			continue
		}
		next.Rejected++
		if err := wanted.Reject(row.Line, row.Rejected); err != nil {
			return err
		}
	}
	next.Rows += len(batch.rows)
	next.Line = batch.rows[len(batch.rows)-1].Line
	*report = next
	batch.reset()
	wanted.Progress(next)
	return nil
}

// count counts a result and returns why the row isn't taken; empty if it is.
func (r *ImportReport) count(result domain.ImportResult, pin domain.PIN) string {
	switch result {
	case domain.Added:
		r.Added++
		if !pin.IsBlank() {
			r.PINsSet++
		}
	case domain.Changed:
		r.Changed++
	case domain.PINSet:
		r.Changed++
		r.PINsSet++
	case domain.PINRemoved:
		r.Changed++
		r.PINsGone++
	case domain.Unchanged:
		r.Unchanged++
	case domain.PhoneTaken:
		return "phone: another customer of this fleet has this number; give each their own, or leave one of the two out"
	case domain.IDTaken: // an import changes those who exist
	}
	return ""
}

// results imports the customers, or says what importing them would do, and
// tries again for a while where a backend is down.
func (i *ImportCustomers) results(ctx context.Context, dryRun bool, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	for _, wait := range importWaits {
		results, err := i.once(ctx, dryRun, customers)
		if !errors.Is(err, domain.Unavailable) {
			return results, err
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, err
		}
	}
	return i.once(ctx, dryRun, customers)
}

func (i *ImportCustomers) once(ctx context.Context, dryRun bool, customers []domain.CustomerImport) ([]domain.ImportResult, error) {
	if len(customers) == 0 {
		return nil, nil
	}
	ctx, cancel := context.WithTimeout(ctx, usecase.CallTimeout)
	defer cancel()
	if dryRun {
		return i.Customers.PlanImport(ctx, customers)
	}
	return i.Customers.ImportCustomers(ctx, customers)
}

// importBatch is the rows of one transaction.
type importBatch struct {
	rows      []ImportRow
	customers []domain.CustomerImport // of the rows that aren't rejected, in their order

	removePINs bool
}

func (b *importBatch) add(key domain.PINKey, fleet domain.Fleet, row ImportRow) {
	phone, err := row.Phone.ToStore(fleet.Country)
	if row.Phone.Number != 0 && err != nil {
		row.reject(strings.Replace(domain.AsError(err).Public, "phone_number: ", "phone: ", 1))
	}
	b.rows = append(b.rows, row)
	if row.Rejected != "" {
		return
	}
	ref := domain.CustomerRef{Fleet: fleet.ID, Customer: row.Customer}
	keep := row.KeepPIN || row.PIN.IsBlank() && !b.removePINs
	b.customers = append(b.customers, domain.CustomerImport{Ref: ref, Phone: phone, PIN: key.Hash(ref, row.PIN), KeepPIN: keep})
}

func (b *importBatch) reset() {
	b.rows, b.customers = b.rows[:0], b.customers[:0]
}
