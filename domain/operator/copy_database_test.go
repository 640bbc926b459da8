package operator_test

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/ports"
)

var noon = time.Date(2026, 7, 28, 12, 0, 0, 0, time.UTC)

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// database is a CopyDatabase's side in memory.
func database(b *memory.Backend) operator.Database {
	return operator.Database{Fleets: b.FleetAuth, FleetCustomers: b.FleetCustomers(), Customers: b.CustomerRepo, PINKeys: b.CustomerRepo, Log: b.ApiLog}
}

// contents are all that a database holds.
func contents(t *testing.T, d operator.Database) any {
	t.Helper()
	fleets, err := d.Fleets.Fleets(t.Context())
	must(t, err)
	keys := map[domain.FleetID][]domain.FleetKey{}
	for _, fleet := range fleets {
		keys[fleet.ID], err = d.Fleets.Keys(t.Context(), fleet.ID)
		must(t, err)
	}
	customers, err := d.Customers.Customers(t.Context(), domain.CustomerRef{}, 1_000_000)
	must(t, err)
	key, err := d.PINKeys.BoundPINKey(t.Context())
	must(t, err)
	entries, err := d.Log.Entries(t.Context(), 0, 1_000_000)
	must(t, err)
	return []any{fleets, keys, customers, key, entries}
}

// copyAll copies from one database to another and returns what was said.
func copyAll(t *testing.T, from, to operator.Database, change func(*operator.CopyDatabase)) (said []string, reports []operator.CopiedPart, err error) {
	t.Helper()
	copying := operator.CopyDatabase{
		From: from, To: to, Parts: operator.Parts(), Passed: func(operator.Part, int) {},
		Differs: func(what string) { said = append(said, what) },
	}
	if change != nil {
		change(&copying)
	}
	reports, err = copying.Do(t.Context())
	return said, reports, err
}

// town fills a database: 2 fleets, one of them without keys, 5,000 customers of whom
// one is locked and one has a photo, and 5,000 calls.
func town(t *testing.T) *memory.Backend {
	t.Helper()
	ctx, b := t.Context(), memory.New()
	const many = 5000
	must(t, b.FleetAuth.SaveFleet(ctx, domain.Fleet{ID: 689, Name: "Yellow", RequirePIN: true, Country: 44}, []domain.FleetKey{
		{Hash: domain.APIKeyHash{1}, Label: "first", AddedAt: noon}, {Hash: domain.APIKeyHash{2}, Label: "second", AddedAt: noon},
	}))
	must(t, b.FleetAuth.SaveFleet(ctx, domain.Fleet{ID: 690, Disabled: true}, nil))
	var customers []domain.StoredCustomer
	for i := range many {
		ref := domain.CustomerRef{Fleet: domain.FleetID(689 + i%2), Customer: domain.CustomerID(i + 1)}
		customers = append(customers, domain.StoredCustomer{Customer: domain.Customer{Ref: ref, Phone: domain.PhoneNumber(1_000_000 + i), PIN: domain.PINHash{byte(i)}}})
	}
	customers[7].Lock = domain.PINLock{Attempts: 5, Wrong: 7, LockedUntil: noon.Add(time.Hour)}
	customers[8].Photo = domain.PhotoRecord{Info: domain.PhotoInfo{Size: 1}, ChangedAt: noon, ChangedBy: many + 100, Version: "v", Store: "s"}
	taken, err := b.CustomerRepo.SaveCustomers(ctx, customers)
	if must(t, err); len(taken) > 0 {
		t.Fatal(taken)
	}
	must(t, b.CustomerRepo.BindPINKey(ctx, domain.PINKeyFingerprint{7}, domain.PINKeyFingerprint{}))
	var entries []domain.ApiLogEntry
	for i := range many {
		entries = append(entries, domain.ApiLogEntry{
			ID: domain.ApiLogID(i + 3), Call: domain.ApiCall{ReceivedAt: noon.Add(time.Duration(i) * time.Second), Fleet: 689},
			Outcome: domain.Outcome{Result: domain.Valid, EndedAt: noon},
		})
	}
	entries[9].Outcome = domain.Outcome{} // open
	must(t, b.ApiLog.SaveEntries(ctx, entries, 0))
	return b
}

func TestCopyDatabase(t *testing.T) {
	t.Parallel()
	source, target := town(t), memory.New()
	from, to := database(source), database(target)
	for round, want := range [][]operator.CopiedPart{
		{{Part: operator.FleetsPart, Looked: 2, Copied: 2}, {Part: operator.CustomersPart, Looked: 5000, Copied: 5000}, {Part: operator.LogPart, Looked: 5000, Copied: 5000}},
		{{Part: operator.FleetsPart, Looked: 2}, {Part: operator.CustomersPart, Looked: 5000}, {Part: operator.LogPart, Looked: 5000}},
	} {
		said, got, err := copyAll(t, from, to, nil)
		if must(t, err); !reflect.DeepEqual(got, want) || said != nil {
			t.Errorf("round %d: got %+v, saying %q, want %+v", round, got, said, want)
		}
		if got, want := contents(t, to), contents(t, from); !reflect.DeepEqual(got, want) {
			t.Errorf("round %d: what was copied differs", round)
		}
	}
	id, err := target.ApiLog.Record(t.Context(), domain.ApiCall{}, domain.Outcome{})
	if must(t, err); id <= 5100 { // a record knows call 5100, which is no longer in the log
		t.Errorf("a new call got the id %d", id)
	}
}

func TestCopyDatabaseGone(t *testing.T) {
	t.Parallel()
	source, target := town(t), memory.New()
	from, to := database(source), database(target)
	must(t, target.FleetAuth.SaveFleet(t.Context(), domain.Fleet{ID: 5}, nil))
	strangers := []domain.StoredCustomer{
		{Customer: domain.Customer{Ref: domain.CustomerRef{Fleet: 5, Customer: 1}, Phone: 1}},
		{Customer: domain.Customer{Ref: domain.CustomerRef{Fleet: 689, Customer: 9999}, Phone: 1_000_002}}, // has the number of customer 3
	}
	_, err := target.CustomerRepo.SaveCustomers(t.Context(), strangers)
	must(t, err)
	must(t, target.ApiLog.SaveEntries(t.Context(), []domain.ApiLogEntry{{ID: 1, Call: domain.ApiCall{ReceivedAt: noon}}, {ID: 2, Call: domain.ApiCall{ReceivedAt: noon}}}, 0))
	for _, test := range []struct {
		delete bool
		said   []string
		wrong  int
	}{
		{false, []string{"customer 5/1 gone", "customer 689/9999 gone", "customer 689/3 not copied: another customer has the phone number", "calls 1 to 2 gone, 2 of them", "fleet 5 gone"}, 6},
		{true, []string{"customer 5/1 gone, removed", "customer 689/9999 gone, removed", "calls 1 to 2 gone, 2 of them, removed", "fleet 5 gone, removed"}, 0},
		{true, nil, 0},
	} {
		said, reports, err := copyAll(t, from, to, func(c *operator.CopyDatabase) { c.Delete = test.delete })
		must(t, err)
		wrong := 0
		for _, report := range reports {
			wrong += report.Wrong()
		}
		if !reflect.DeepEqual(said, test.said) || wrong != test.wrong {
			t.Errorf("deleting: %v: said %q with %d wrong, want %q with %d", test.delete, said, wrong, test.said, test.wrong)
		}
	}
	if got, want := contents(t, to), contents(t, from); !reflect.DeepEqual(got, want) {
		t.Error("what was copied differs")
	}
}

// TestCopyDatabaseSwappedPhones has customers, thousands of others between them, who
// have exchanged their numbers since the first copy.
func TestCopyDatabaseSwappedPhones(t *testing.T) {
	t.Parallel()
	source, target := town(t), memory.New()
	from, to := database(source), database(target)
	_, _, err := copyAll(t, from, to, nil)
	must(t, err)
	customers, err := from.Customers.Customers(t.Context(), domain.CustomerRef{}, 2500) // those of fleet 689
	must(t, err)
	first, middle, last := customers[0], customers[1200], customers[2499]
	first.Phone, middle.Phone, last.Phone = last.Phone, first.Phone, middle.Phone
	taken, err := from.Customers.SaveCustomers(t.Context(), []domain.StoredCustomer{first, middle, last})
	if must(t, err); taken != nil {
		t.Fatal(taken)
	}
	said, _, err := copyAll(t, from, to, nil)
	if must(t, err); said != nil {
		t.Errorf("said %q", said)
	}
	if got, want := contents(t, to), contents(t, from); !reflect.DeepEqual(got, want) {
		t.Error("what was copied differs")
	}
}

// TestCopyDatabaseInUse copies nothing over what a server has done since.
func TestCopyDatabaseInUse(t *testing.T) {
	t.Parallel()
	later := func(t *testing.T, target *memory.Backend) {
		_, err := target.ApiLog.Record(t.Context(), domain.ApiCall{ReceivedAt: noon.Add(48 * time.Hour)}, domain.Outcome{})
		must(t, err)
	}
	for name, test := range map[string]struct {
		use    func(*testing.T, *memory.Backend)
		change func(*operator.CopyDatabase)
		from   *memory.Backend
		kind   error
	}{
		"a call":            {use: later, kind: domain.Conflict},
		"a call, deleting":  {use: later, change: func(c *operator.CopyDatabase) { c.Delete = true }, kind: domain.Conflict},
		"from an empty one": {from: memory.New(), kind: domain.Conflict},
		"a photo":           {use: changesPhoto, change: func(c *operator.CopyDatabase) { c.Parts = []operator.Part{operator.CustomersPart} }},
		"deleting everything": {from: memory.New(), change: func(c *operator.CopyDatabase) {
			c.Delete, c.Parts, c.From.Log = true, []operator.Part{operator.CustomersPart}, nil
		}, kind: domain.Conflict},
		"another call's id": {use: func(t *testing.T, target *memory.Backend) {
			must(t, target.ApiLog.SaveEntries(t.Context(), []domain.ApiLogEntry{{ID: 3, Call: domain.ApiCall{ReceivedAt: noon.Add(time.Minute)}}}, 0))
		}, kind: domain.Conflict},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			source, target := town(t), memory.New()
			_, _, err := copyAll(t, database(source), database(target), nil)
			must(t, err)
			if test.use != nil {
				test.use(t, target)
			}
			if test.from == nil {
				test.from = source
			}
			before := contents(t, database(target))
			said, _, err := copyAll(t, database(test.from), database(target), test.change)
			if test.kind != nil && !errors.Is(err, test.kind) || test.kind == nil && (err != nil || fmt.Sprint(said) != "[customer 689/1 not copied: the photo was changed later in the other database]") {
				t.Errorf("got %v, saying %q, want %v", err, said, test.kind)
			}
			if after := contents(t, database(target)); !reflect.DeepEqual(after, before) {
				t.Error("the other database was changed")
			}
		})
	}
}

func changesPhoto(t *testing.T, target *memory.Backend) {
	t.Helper()
	must(t, target.CustomerRepo.ChangePhoto(t.Context(), domain.CustomerRef{Fleet: 689, Customer: 1}, func(context.Context, domain.PhotoRecord, ports.LockProof) (domain.PhotoRecord, error) {
		return domain.PhotoRecord{ChangedAt: noon, ChangedBy: 1}, nil
	}))
}

// A key that moved to another fleet in one database moves in the other one as well.
func TestCopyDatabaseMovedKeys(t *testing.T) {
	t.Parallel()
	type keys map[domain.FleetID][]domain.FleetKey
	a, b := domain.FleetKey{Hash: domain.APIKeyHash{1}, Label: "a"}, domain.FleetKey{Hash: domain.APIKeyHash{2}, Label: "b"}
	for name, test := range map[string]struct{ from, to, want keys }{
		"to a higher fleet": {keys{1: nil, 2: {a}}, keys{1: {a}, 2: nil}, keys{1: nil, 2: {a}}},
		"to a lower fleet":  {keys{1: {a}, 2: {b}}, keys{1: nil, 2: {a, b}}, keys{1: {a}, 2: {b}}},
		"to a new fleet":    {keys{1: {a}, 2: nil}, keys{2: {a}}, keys{1: {a}, 2: nil}},
		"from a gone fleet": {keys{1: {a}}, keys{1: nil, 2: {a, b}}, keys{1: {a}, 2: {b}}},
		"swapped":           {keys{1: {a}, 2: {b}}, keys{1: {b}, 2: {a}}, keys{1: {a}, 2: {b}}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			from, to, want := memory.New(), memory.New(), memory.New()
			for backend, fleets := range map[*memory.Backend]keys{from: test.from, to: test.to, want: test.want} {
				for id, keys := range fleets {
					must(t, backend.FleetAuth.SaveFleet(t.Context(), domain.Fleet{ID: id}, keys))
				}
			}
			_, _, err := copyAll(t, database(from), database(to), nil)
			if got := contents(t, database(to)); err != nil || !reflect.DeepEqual(got, contents(t, database(want))) {
				t.Errorf("got %v, %v", got, err)
			}
		})
	}
}
