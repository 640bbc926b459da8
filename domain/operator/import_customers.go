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
	Line     int // in the file, where the row begins; from 1
	Customer domain.CustomerID
	Phone    domain.DialledPhone
	PIN      domain.PIN // blank: an existing customer's PIN is kept, unless RemovePINs is set
	KeepPIN  bool       // the list has no PINs: an existing customer's PIN is kept, whatever RemovePINs says
	Rejected string     // why the row is rejected, for the operator; empty: it isn't
}

// reject adds a reason.
func (r *ImportRow) reject(reason string) {
	if r.Rejected != "" {
		reason = r.Rejected + "; " + reason
	}
	r.Rejected = reason
}

// Import is a list of customers, and the functions that follow its import.
type Import struct {
	Fleet domain.FleetID
	// Rows yields the rows, each on a later line than the one before. After an
	// error it yields nothing more.
	Rows iter.Seq2[ImportRow, error]
	// RemovePINs removes the PINs of customers whose row has a blank one.
	RemovePINs bool
	// DryRun changes nothing and reports what an import would do. Rows are compared
	// with each other only within a batch of PlanBatch.
	DryRun bool
	// Reject is called for each rejected row, in order. If it fails, the import
	// ends.
	Reject func(line int, reason string) error
	// Progress is called with the report so far, after each batch.
	Progress func(ImportReport)
}

// ImportReport counts the rows that were imported.
type ImportReport struct {
	Rows      int
	Added     int
	Changed   int
	PINsSet   int // of added and changed customers
	PINsGone  int // of changed customers
	Unchanged int
	Rejected  int
	Line      int // all rows up to this line are durably stored or rejected; 0: none
}

// ImportBatch is how many rows are imported in one transaction. PlanBatch is how
// many a dry run compares at once, which takes about 100 MB.
const (
	ImportBatch = 5_000
	PlanBatch   = 50_000
)

// importWaits are the waits between attempts while a backend is Unavailable.
var importWaits = [...]time.Duration{time.Second, 2 * time.Second, 4 * time.Second, 8 * time.Second, 15 * time.Second}

// Do imports the rows in batches, in constant memory. Unchanged customers are not
// written, so a repeat is safe and quick. It fails with NotFound if the fleet
// doesn't exist, and with the error of Rows. The report says how far it came; the
// import may be continued after that line.
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

// store imports a batch, reports it and empties it.
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

// count counts a result. It returns why the row is rejected, or "".
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
	case domain.IDTaken: // only for customers who must be new
	}
	return ""
}

// results imports the customers, or returns what an import would do. It tries
// again for a while if a backend is Unavailable.
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

// importBatch are the rows of one transaction.
type importBatch struct {
	rows       []ImportRow
	customers  []domain.CustomerImport // of the rows that aren't rejected, in order
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
