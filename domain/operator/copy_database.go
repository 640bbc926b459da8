package operator

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	// copyPage is how many customers or log entries are read and saved at once.
	copyPage = 2000
	// mostTaken is how many customers wait at most for a phone number that another
	// one gives up later.
	mostTaken = 10_000
	// mostProbes is how many of the newest log entries may be doctor's.
	mostProbes = 100
)

// Part is what CopyDatabase copies of a database.
type Part string

// The parts, in the order in which they are copied.
const (
	FleetsPart    Part = "fleets"    // with their keys
	CustomersPart Part = "customers" // with their PINs, locks and photo records, and the PIN key's fingerprint
	LogPart       Part = "log"
)

// Parts returns all parts.
func Parts() []Part { return []Part{FleetsPart, CustomersPart, LogPart} }

// Database is what CopyDatabase needs of a database. Roles of parts that aren't copied may
// be nil, and so may FleetCustomers: then no fleet is removed.
type Database struct {
	Fleets         ports.FleetDirectory
	FleetCustomers ports.FleetCustomers
	Customers      ports.CustomerDirectory
	PINKeys        ports.PINKeyBinder
	Log            ports.ApiLogArchive
}

// CopyDatabase makes a database, which no server uses yet, say what another one says, with
// the same ids. It may be repeated, and run while servers change From: what is the
// same is only read, and what changes behind its back is for the next run. It keeps
// a few thousand customers and log entries in memory. All fields but Delete must be set.
//
// What To has and From hasn't stays unless Delete is set. A customer whose photo was
// changed later in To than in From stays, too: somebody uses To.
type CopyDatabase struct {
	From, To Database
	Parts    []Part
	Delete   bool
	Differs  func(what string) // is told, one at a time, what From hasn't and what can't be copied
	Passed   func(Part, int)   // is told now and then how many of a part were looked at
}

// CopiedPart counts what a CopyDatabase did with a part.
type CopiedPart struct {
	Part
	Looked  int // in From
	Copied  int
	Gone    int // To has them, From hasn't
	Removed int // of these
	Kept    int // couldn't be copied
}

// Wrong is how many still differ.
func (r CopiedPart) Wrong() int { return r.Gone - r.Removed + r.Kept }

// copying is a Do.
type copying struct {
	*CopyDatabase
	lastChange domain.ApiLogID // the highest call in the customers' records
	fleetsGone []domain.FleetID
}

// Do copies the parts and returns a report of each that it has begun with. It fails
// with Unavailable, and with Conflict, before it writes anything, where To has calls of
// its own. Where Delete would remove all of a part, it fails with Conflict as well.
func (c *CopyDatabase) Do(ctx context.Context) (reports []CopiedPart, err error) {
	run := &copying{CopyDatabase: c}
	if err := run.checkUnused(ctx); err != nil {
		return nil, err
	}
	for _, part := range Parts() {
		if !slices.Contains(c.Parts, part) {
			continue
		}
		report := CopiedPart{Part: part}
		switch part {
		case FleetsPart:
			err = run.fleets(ctx, &report)
		case CustomersPart:
			err = run.customers(ctx, &report)
		case LogPart:
			err = run.log(ctx, &report)
		}
		reports = append(reports, report)
		if err != nil {
			return reports, fmt.Errorf("%s: %w", part, err)
		}
	}
	for i := range reports {
		if reports[i].Part == FleetsPart {
			err = run.removeFleets(ctx, &reports[i])
		}
	}
	return reports, err
}

// keyedFleet is a fleet with its keys.
type keyedFleet struct {
	domain.Fleet
	keys []domain.FleetKey
}

func readFleets(ctx context.Context, directory ports.FleetDirectory) (all []keyedFleet, err error) {
	fleets, err := directory.Fleets(ctx)
	for _, fleet := range fleets {
		keys, err := directory.Keys(ctx, fleet.ID)
		if errors.Is(err, domain.NotFound) { // removed meanwhile
			continue
		}
		if err != nil {
			return nil, err
		}
		all = append(all, keyedFleet{fleet, append([]domain.FleetKey(nil), keys...)}) // nil where there is none
	}
	return all, err
}

// atOnce is a side of a merge that is in memory.
func atOnce[T any](all []T) func(context.Context, *T) ([]T, error) {
	return func(_ context.Context, last *T) ([]T, error) {
		if last != nil {
			return nil, nil
		}
		return all, nil
	}
}

// freeKeys takes keys that have moved to another fleet in From away from the fleets
// that still have them in To, as no two fleets may have the same key.
func (c *copying) freeKeys(ctx context.Context, from, to []keyedFleet) error {
	owners := map[domain.APIKeyHash]domain.FleetID{}
	for _, fleet := range from {
		for _, key := range fleet.keys {
			owners[key.Hash] = fleet.ID
		}
	}
	for i, fleet := range to {
		var left []domain.FleetKey
		for _, key := range fleet.keys {
			if owner, found := owners[key.Hash]; !found || owner == fleet.ID {
				left = append(left, key)
			}
		}
		if len(left) == len(fleet.keys) {
			continue
		}
		if err := c.To.Fleets.SaveFleet(ctx, fleet.Fleet, left); err != nil {
			return err
		}
		to[i].keys = left
	}
	return nil
}

func (c *copying) fleets(ctx context.Context, report *CopiedPart) error {
	from, err := readFleets(ctx, c.From.Fleets)
	if err != nil {
		return err
	}
	to, err := readFleets(ctx, c.To.Fleets)
	if err != nil {
		return err
	}
	if err := c.freeKeys(ctx, from, to); err != nil {
		return err
	}
	return merge[keyedFleet]{
		from: atOnce(from), to: atOnce(to), deletes: c.Delete,
		compare: func(a, b keyedFleet) int { return cmp.Compare(a.ID, b.ID) },
		save: func(ctx context.Context, fleets []keyedFleet) error {
			for _, fleet := range fleets {
				if err := c.To.Fleets.SaveFleet(ctx, fleet.Fleet, fleet.keys); err != nil {
					return err
				}
				report.Copied++
			}
			return nil
		},
		gone: func(_ context.Context, fleets []keyedFleet) error {
			for _, fleet := range fleets {
				report.Gone++
				c.fleetsGone = append(c.fleetsGone, fleet.ID) // its customers go first
			}
			return nil
		},
		passed: func(looked int) { report.Looked = looked; c.Passed(FleetsPart, looked) },
	}.do(ctx)
}

func (c *copying) removeFleets(ctx context.Context, report *CopiedPart) error {
	for _, fleet := range c.fleetsGone {
		name := fmt.Sprintf("fleet %d", fleet)
		if !c.Delete || c.To.FleetCustomers == nil {
			c.Differs(name + " gone")
			continue
		}
		err := c.To.FleetCustomers.RemoveFleet(ctx, fleet)
		switch {
		case errors.Is(err, domain.Conflict):
			c.Differs(name + " gone, and still has customers")
		case err == nil || errors.Is(err, domain.NotFound):
			report.Removed++
			c.Differs(name + " gone, removed")
		default:
			return err
		}
	}
	return nil
}

func readCustomers(directory ports.CustomerDirectory) func(context.Context, *domain.StoredCustomer) ([]domain.StoredCustomer, error) {
	return func(ctx context.Context, last *domain.StoredCustomer) ([]domain.StoredCustomer, error) {
		after := probes
		if last != nil {
			after = last.Ref
		}
		return directory.Customers(ctx, after, copyPage)
	}
}

func (c *copying) customers(ctx context.Context, report *CopiedPart) error {
	if err := c.bindPINKey(ctx); err != nil {
		return err
	}
	var taken []domain.StoredCustomer
	err := merge[domain.StoredCustomer]{
		from: readCustomers(c.From.Customers), to: readCustomers(c.To.Customers), deletes: c.Delete,
		compare: func(a, b domain.StoredCustomer) int { return a.Ref.Compare(b.Ref) },
		seen:    func(customer domain.StoredCustomer) { c.lastChange = max(c.lastChange, customer.Photo.ChangedBy) },
		mayReplace: func(from, to domain.StoredCustomer) (bool, error) {
			copied, err := c.isCopied(ctx, from, to)
			if copied || err != nil {
				return copied, err
			}
			report.Kept++
			c.Differs(customerName(to.Ref) + " not copied: the photo was changed later in the other database")
			return false, nil
		},
		save: func(ctx context.Context, customers []domain.StoredCustomer) error {
			late, err := c.saveCustomers(ctx, customers, report)
			for _, customer := range late {
				if len(taken) < mostTaken {
					taken = append(taken, customer)
				} else {
					c.phoneTaken(customer, report)
				}
			}
			return err
		},
		gone: func(ctx context.Context, customers []domain.StoredCustomer) error {
			return c.goneCustomers(ctx, customers, report)
		},
		passed: func(looked int) { report.Looked = looked; c.Passed(CustomersPart, looked) },
	}.do(ctx)
	if err != nil || len(taken) == 0 {
		return err
	}
	taken, err = c.saveCustomers(ctx, taken, report) // by now others have given their numbers up, or do so with these
	for _, customer := range taken {
		c.phoneTaken(customer, report)
	}
	return err
}

// isCopied reports whether what To says about the photo came from From. If it is
// newer there, the customer was removed in From and added again since, or From's
// clock was set back: then the call that changed the photo is in From's log.
func (c *copying) isCopied(ctx context.Context, from, to domain.StoredCustomer) (bool, error) {
	switch {
	case !to.Photo.ChangedAt.After(from.Photo.ChangedAt):
		return true, nil
	case to.Photo.ChangedBy == 0: // corrected from the store, and could be again
		return from.Photo.ChangedAt.IsZero(), nil
	case c.From.Log == nil:
		return false, nil
	}
	found, err := c.From.Log.Entries(ctx, to.Photo.ChangedBy-1, 1)
	return len(found) == 1 && found[0].ID == to.Photo.ChangedBy && found[0].Call.CustomerRef() == to.Ref, err
}

// bindPINKey makes the fingerprint that of From. Each PIN in To will be one of From.
func (c *copying) bindPINKey(ctx context.Context) error {
	key, err := c.From.PINKeys.BoundPINKey(ctx)
	if err != nil || key == (domain.PINKeyFingerprint{}) {
		return err
	}
	bound, err := c.To.PINKeys.BoundPINKey(ctx)
	if err != nil || bound == key {
		return err
	}
	return c.To.PINKeys.BindPINKey(ctx, key, bound)
}

// saveCustomers returns those whose phone number another customer has.
func (c *copying) saveCustomers(ctx context.Context, customers []domain.StoredCustomer, report *CopiedPart) (taken []domain.StoredCustomer, err error) {
	refs, err := c.To.Customers.SaveCustomers(ctx, customers)
	if err != nil {
		return nil, err
	}
	report.Copied += len(customers) - len(refs)
	for _, customer := range customers {
		if slices.Contains(refs, customer.Ref) {
			taken = append(taken, customer)
		}
	}
	return taken, nil
}

func (c *copying) phoneTaken(customer domain.StoredCustomer, report *CopiedPart) {
	report.Kept++
	c.Differs(customerName(customer.Ref) + " not copied: another customer has the phone number")
}

func (c *copying) goneCustomers(ctx context.Context, customers []domain.StoredCustomer, report *CopiedPart) error {
	for _, customer := range customers {
		report.Gone++
		if !c.Delete {
			c.Differs(customerName(customer.Ref) + " gone")
			continue
		}
		keepPhoto := func(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
			return current, nil
		}
		if err := c.To.Customers.RemoveCustomer(ctx, customer.Ref, keepPhoto); err != nil && !errors.Is(err, domain.CustomerNotFound) {
			return err
		}
		report.Removed++
		c.Differs(customerName(customer.Ref) + " gone, removed")
	}
	return nil
}

func customerName(ref domain.CustomerRef) string {
	return fmt.Sprintf("customer %d/%d", ref.Fleet, ref.Customer)
}

func readLog(log ports.ApiLogArchive) func(context.Context, *domain.ApiLogEntry) ([]domain.ApiLogEntry, error) {
	return func(ctx context.Context, last *domain.ApiLogEntry) ([]domain.ApiLogEntry, error) {
		if last == nil {
			last = &domain.ApiLogEntry{}
		}
		return log.Entries(ctx, last.ID, copyPage)
	}
}

func (c *copying) log(ctx context.Context, report *CopiedPart) error {
	through := c.lastChange // its call may have been pruned
	newest, err := c.From.Log.List(ctx, domain.ApiLogFilter{}, 1)
	if err != nil {
		return err
	}
	for _, entry := range newest {
		through = max(through, entry.ID)
	}
	if err := c.To.Log.SaveEntries(ctx, nil, through); err != nil {
		return err
	}
	return merge[domain.ApiLogEntry]{
		from: readLog(c.From.Log), to: readLog(c.To.Log), deletes: c.Delete,
		compare: func(a, b domain.ApiLogEntry) int { return cmp.Compare(a.ID, b.ID) },
		mayReplace: func(from, to domain.ApiLogEntry) (bool, error) {
			if from.Call.ReceivedAt.Equal(to.Call.ReceivedAt) || to.Call.Operation == domain.ProbeLog {
				return true, nil
			}
			return false, ownCalls(to)
		},
		save: func(ctx context.Context, entries []domain.ApiLogEntry) error {
			report.Copied += len(entries)
			return c.To.Log.SaveEntries(ctx, entries, through)
		},
		gone: func(ctx context.Context, entries []domain.ApiLogEntry) error {
			return c.goneEntries(ctx, entries, report)
		},
		passed: func(looked int) { report.Looked = looked; c.Passed(LogPart, looked) },
	}.do(ctx)
}

// checkUnused fails where the newest call in To, doctor's aside, is later than the
// newest one in From: a server uses To. Without both logs nobody can tell.
func (c *copying) checkUnused(ctx context.Context) error {
	if c.From.Log == nil || c.To.Log == nil {
		return nil
	}
	to, err := c.To.Log.List(ctx, domain.ApiLogFilter{}, mostProbes)
	to = slices.DeleteFunc(to, func(entry domain.ApiLogEntry) bool { return entry.Call.Operation == domain.ProbeLog })
	if err != nil || len(to) == 0 {
		return err
	}
	from, err := c.From.Log.List(ctx, domain.ApiLogFilter{}, 1)
	if err == nil && (len(from) == 0 || to[0].Call.ReceivedAt.After(from[0].Call.ReceivedAt)) {
		err = ownCalls(to[0])
	}
	return err
}

func ownCalls(entry domain.ApiLogEntry) error {
	return domain.Errorf(domain.Conflict, "the database to copy to has calls of its own, such as api_log_id %d of %s: a server has used it, and copying would undo what it did; copy to a new one",
		entry.ID, entry.Call.ReceivedAt.Format("2006-01-02T15:04:05Z07:00"))
}

// goneEntries names them by ranges of their ids: pruning removes many.
func (c *copying) goneEntries(ctx context.Context, entries []domain.ApiLogEntry, report *CopiedPart) error {
	var ids []domain.ApiLogID
	for _, entry := range entries {
		ids = append(ids, entry.ID)
	}
	name := fmt.Sprintf("call %d gone", ids[0])
	if len(ids) > 1 {
		name = fmt.Sprintf("calls %d to %d gone, %d of them", ids[0], ids[len(ids)-1], len(ids))
	}
	report.Gone += len(ids)
	if c.Delete {
		if err := c.To.Log.RemoveEntries(ctx, ids); err != nil {
			return err
		}
		report.Removed += len(ids)
		name += ", removed"
	}
	c.Differs(name)
	return nil
}
