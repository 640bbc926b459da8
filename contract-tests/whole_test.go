package contracttests_test

import (
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/app"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// whole is everything that a database and a photo store hold.
type whole struct {
	contents
	photos map[domain.PhotoKey]held
}

// held is a photo in a store.
type held struct {
	domain.PhotoInfo
	version domain.PhotoVersion
}

// openAt opens the backend at a URL as the program does. The caller closes it.
func openAt(t *testing.T, openers map[string]app.Opener, rawURL string) (b app.Backend, closing func()) {
	t.Helper()
	scheme, _, _ := strings.Cut(rawURL, "://")
	b, err := openers[scheme](rawURL)
	must(t, err)
	must(t, b.Start(t.Context()))
	return b, func() {
		if b.Close != nil {
			must(t, b.Close())
		}
	}
}

// readContents reads all of a database.
func readContents(t *testing.T, databaseURL string) contents {
	t.Helper()
	b, closing := openAt(t, app.Adapters().Databases, databaseURL)
	defer closing()
	return contentsOf(t, b.FleetDirectory, b.CustomerDirectory, b.PINKeyBinder, b.ApiLogArchive)
}

// readWhole reads all of a database and a photo store.
func readWhole(t *testing.T, databaseURL, storeURL string) whole {
	t.Helper()
	const together = 8
	b, closing := openAt(t, app.Adapters().PhotoStores, storeURL)
	defer closing()
	w := whole{readContents(t, databaseURL), map[domain.PhotoKey]held{}}
	keys := make(chan domain.PhotoKey)
	var mu sync.Mutex
	var readers sync.WaitGroup
	for range together {
		readers.Go(func() {
			for key := range keys {
				found, err := usecase.ReadHeld(t.Context(), b.PhotoStore, key)
				if err != nil || !found.Found {
					t.Errorf("%s, which is listed: %v", key, err)
				}
				mu.Lock()
				w.photos[key] = held{found.Info, found.Version}
				mu.Unlock()
			}
		})
	}
	for stored, err := range b.PhotoLister.List(t.Context()) {
		if err != nil {
			t.Errorf("list: %v", err)
			break
		}
		keys <- stored.Key
	}
	close(keys)
	readers.Wait()
	return w
}

// unversioned leaves out which versions, of which store, the records name and the store has.
func (w whole) unversioned() whole {
	w.Customers, w.photos = slices.Clone(w.Customers), maps.Clone(w.photos)
	for i := range w.Customers {
		w.Customers[i].Photo.Version, w.Customers[i].Photo.Store = "", ""
	}
	for key, photo := range w.photos {
		photo.version = ""
		w.photos[key] = photo
	}
	return w
}

// differences says where now isn't what it was at first, and what callers did since.
// last is now as it was seen before.
func differences(first, last, now whole, made []call) (all []string) {
	differ := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	if !reflect.DeepEqual(now.Fleets, first.Fleets) || !reflect.DeepEqual(now.Keys, first.Keys) || now.PINKey != first.PINKey {
		differ("fleets: %+v, their keys %+v, PIN key %v; want %+v, %+v, %v", now.Fleets, now.Keys, now.PINKey, first.Fleets, first.Keys, first.PINKey)
	}
	byCustomer := map[domain.CustomerRef][]call{}
	for _, c := range made {
		byCustomer[c.customer] = append(byCustomer[c.customer], c)
	}
	if len(now.Customers) != len(first.Customers) {
		differ("%d customers, want %d", len(now.Customers), len(first.Customers))
		return all
	}
	photos := maps.Clone(now.photos)
	for i, was := range first.Customers {
		is := now.Customers[i]
		if err := customerDiffers(was, is, byCustomer[was.Ref]); err != "" {
			differ("customer %d of fleet %d: %s", was.Ref.Customer, was.Ref.Fleet, err)
		}
		key := is.Ref.PhotoKey()
		if stored := photos[key]; stored.PhotoInfo != is.Photo.Info || is.Photo.Info.Exists() && stored.version != is.Photo.Version {
			differ("%s: the store holds %+v, the record says %+v", key, stored, is.Photo)
		}
		delete(photos, key)
	}
	for key := range photos {
		differ("%s: nobody's photo", key)
	}
	all = append(all, logDiffers(last.Entries, now.Entries, made)...)
	return append(all, idsDiffer(made)...)
}

// customerDiffers compares a customer with what it was before the calls for it. The
// photo is that of an acknowledged call that none followed, or of a call whose caller
// wasn't told how it ended.
func customerDiffers(was, is domain.StoredCustomer, calls []call) string {
	other := was
	other.Photo = is.Photo
	if is != other {
		return fmt.Sprintf("is %+v, was %+v", is, was)
	}
	record := is.Photo
	var may []call // each may be the one that the record is of
	if same := was.Photo; record.Info == same.Info && record.ChangedBy == same.ChangedBy && record.ChangedAt.Equal(same.ChangedAt) {
		may = append(may, call{end: acknowledged}) // before all
	}
	for _, c := range calls {
		if c.photo == record.Info.SHA256 && (c.end == acknowledged && c.id == record.ChangedBy || c.end == unknown) {
			may = append(may, c)
		}
	}
	isLast := func(c call) bool {
		return c.end == unknown || !slices.ContainsFunc(calls, func(later call) bool { return later.end == acknowledged && later.start > c.stop })
	}
	switch {
	case len(may) == 0:
		return fmt.Sprintf("the record %+v is of no call, and was %+v", record, was.Photo)
	case !slices.ContainsFunc(may, isLast):
		return fmt.Sprintf("the record is %+v, and a later call was acknowledged", record)
	}
	return ""
}

// logDiffers compares the log with what it was, and with what callers know: closed
// entries stay, each acknowledged call has its own, and the others are of copies or of
// calls whose callers weren't told.
func logDiffers(was, is []domain.ApiLogEntry, made []call) (all []string) {
	differ := func(format string, args ...any) { all = append(all, fmt.Sprintf(format, args...)) }
	known := map[domain.ApiLogID]domain.ApiLogEntry{}
	for _, entry := range is {
		known[entry.ID] = entry
	}
	unexplained := maps.Clone(known)
	for _, entry := range was {
		if result := entry.Outcome.Result; result != "" && result != domain.Interrupted && !reflect.DeepEqual(known[entry.ID], entry) {
			differ("entry %d was %+v, and is %+v", entry.ID, entry, known[entry.ID])
		}
		delete(unexplained, entry.ID)
	}
	type change struct {
		customer domain.CustomerRef
		photo    domain.Digest
	}
	intended := func(entry domain.ApiLogEntry) change {
		return change{domain.CustomerRef{Fleet: entry.Call.Fleet, Customer: entry.Call.Customer}, entry.Call.Intent}
	}
	untold := map[change]bool{} // what was meant by calls whose callers don't know the id
	for _, c := range made {
		entry, found := known[c.id]
		isValid := entry.Outcome.Result == domain.Valid
		switch meant := (change{c.customer, c.photo}); {
		case c.end == acknowledged && (!isValid || intended(entry) != meant || entry.Outcome.Details.After.SHA256 != c.photo):
			differ("%+v is logged as %+v", c, entry)
		case c.end == unchanged && isValid:
			differ("%+v is logged as valid", c)
		case !found:
			untold[meant] = true
		}
		delete(unexplained, c.id)
	}
	for _, entry := range unexplained {
		isCopy := entry.Call.Operation == domain.CopyPhoto && !entry.Outcome.IsOpen()
		if !isCopy && !untold[intended(entry)] {
			differ("nobody made the call of entry %+v", entry)
		}
	}
	return all
}

// idsDiffer wants each call to have an id of its own, above those of the calls that
// had ended before it began.
func idsDiffer(made []call) (all []string) {
	made = slices.DeleteFunc(slices.Clone(made), func(c call) bool { return c.id == 0 })
	begun, ended := slices.Clone(made), slices.Clone(made)
	slices.SortFunc(begun, func(a, b call) int { return int(a.start - b.start) })
	slices.SortFunc(ended, func(a, b call) int { return int(a.stop - b.stop) })
	ids := map[domain.ApiLogID]bool{}
	var highest domain.ApiLogID // of those that have ended
	for _, c := range begun {
		for ; ended[0].stop < c.start; ended = ended[1:] {
			highest = max(highest, ended[0].id)
		}
		if c.id <= highest || ids[c.id] {
			all = append(all, fmt.Sprintf("call %d has another's id, or began after call %d had ended", c.id, highest))
		}
		ids[c.id] = true
	}
	return all
}

// TestDifferences spoils what a service has in each way that differences looks for.
func TestDifferences(t *testing.T) {
	t.Parallel()
	const fleet = 689
	one, two := domain.CustomerRef{Fleet: fleet, Customer: 1}, domain.CustomerRef{Fleet: fleet, Customer: 2}
	photo := func(n byte) domain.PhotoInfo {
		return domain.PhotoInfo{SHA256: domain.Digest{n}, Size: 1, Width: 1, Height: 1}
	}
	record := func(n byte) domain.PhotoRecord {
		return domain.PhotoRecord{Info: photo(n), ChangedAt: time.Unix(int64(n), 0), ChangedBy: domain.ApiLogID(n), Version: "v"}
	}
	entry := func(n byte, of domain.CustomerRef) domain.ApiLogEntry {
		return domain.ApiLogEntry{
			ID: domain.ApiLogID(n), Call: domain.ApiCall{Fleet: of.Fleet, Customer: of.Customer, Operation: domain.UpdatePhoto, Intent: photo(n).SHA256},
			Outcome: domain.Outcome{Result: domain.Valid, Details: domain.OutcomeDetails{After: photo(n)}},
		}
	}
	customer := func(ref domain.CustomerRef, record domain.PhotoRecord) domain.StoredCustomer {
		return domain.StoredCustomer{Customer: domain.Customer{Ref: ref, Phone: domain.PhoneNumber(ref.Customer), Photo: record}}
	}
	service := func(record domain.PhotoRecord, entries ...domain.ApiLogEntry) whole {
		return whole{
			contents{
				Fleets: []domain.Fleet{{ID: fleet}}, Keys: map[domain.FleetID][]domain.FleetKey{fleet: {{Label: "first"}}},
				Customers: []domain.StoredCustomer{customer(one, record), customer(two, domain.PhotoRecord{})}, Entries: entries,
			},
			map[domain.PhotoKey]held{one.PhotoKey(): {record.Info, "v"}},
		}
	}
	// Call 1 made what is there at first. Then two were acknowledged one after the other; of one nobody knows.
	first := service(record(1), entry(1, one))
	for name, test := range map[string]struct {
		spoil func(now *whole, made []call)
		says  string // empty: nothing differs
	}{
		"as it should be": {func(*whole, []call) {}, ""},
		"the unknown call made": {func(now *whole, _ []call) {
			now.Customers[1].Photo, now.photos[two.PhotoKey()] = record(4), held{photo(4), "v"}
			now.Entries = append(now.Entries, entry(4, two))
		}, ""},
		"a copy": {func(now *whole, _ []call) {
			copied := entry(9, one)
			copied.Call.Operation = domain.CopyPhoto
			now.Entries = append(now.Entries, copied)
		}, ""},
		"a fleet's policy":    {func(now *whole, _ []call) { now.Fleets[0].RequirePIN = true }, "fleets: "},
		"a key":               {func(now *whole, _ []call) { now.Keys[fleet] = nil }, "fleets: "},
		"the PIN key":         {func(now *whole, _ []call) { now.PINKey[0]++ }, "fleets: "},
		"a customer":          {func(now *whole, _ []call) { now.Customers = now.Customers[:1] }, "1 customers, want 2"},
		"a phone number":      {func(now *whole, _ []call) { now.Customers[1].Phone++ }, "customer 2 of fleet 689: is "},
		"a PIN":               {func(now *whole, _ []call) { now.Customers[1].PIN[0]++ }, "customer 2 of fleet 689: is "},
		"a lock":              {func(now *whole, _ []call) { now.Customers[1].Lock.Attempts++ }, "customer 2 of fleet 689: is "},
		"an old record":       {func(now *whole, _ []call) { now.Customers[0].Photo = record(1) }, "a later call was acknowledged"},
		"an earlier call's":   {func(now *whole, _ []call) { now.Customers[0].Photo = record(2) }, "a later call was acknowledged"},
		"nobody's record":     {func(now *whole, _ []call) { now.Customers[0].Photo = record(9) }, "is of no call"},
		"no record":           {func(now *whole, _ []call) { now.Customers[0].Photo = domain.PhotoRecord{} }, "is of no call"},
		"a photo":             {func(now *whole, _ []call) { delete(now.photos, one.PhotoKey()) }, "the store holds {"},
		"an old photo":        {func(now *whole, _ []call) { now.photos[one.PhotoKey()] = held{photo(1), "v"} }, "the store holds {"},
		"a version":           {func(now *whole, _ []call) { now.photos[one.PhotoKey()] = held{photo(3), "w"} }, "the store holds {"},
		"an unrecorded photo": {func(now *whole, _ []call) { now.photos[two.PhotoKey()] = held{photo(4), "v"} }, "the store holds {"},
		"a stranger's photo":  {func(now *whole, _ []call) { now.photos["stranger"] = held{photo(4), "v"} }, "stranger: nobody's photo"},
		"an entry of before":  {func(now *whole, _ []call) { now.Entries = now.Entries[1:] }, "entry 1 was {"},
		"an entry":            {func(now *whole, _ []call) { now.Entries = now.Entries[:2] }, "is logged as {ID:0"},
		"how a call ended":    {func(now *whole, _ []call) { now.Entries[2].Outcome.Result = domain.Interrupted }, "is logged as {ID:3"},
		"what a call stored":  {func(now *whole, _ []call) { now.Entries[2].Outcome.Details.After = photo(1) }, "is logged as {ID:3"},
		"whose call it is":    {func(now *whole, _ []call) { now.Entries[2].Call.Customer = two.Customer }, "is logged as {ID:3"},
		"a call that failed":  {func(_ *whole, made []call) { made[1].end = unchanged }, "is logged as valid"},
		"nobody's entry":      {func(now *whole, _ []call) { now.Entries = append(now.Entries, entry(9, one)) }, "nobody made the call of entry {ID:9"},
		"an id twice":         {func(_ *whole, made []call) { made[2].id = 3 }, "call 3 has another's id"},
		"a low id":            {func(_ *whole, made []call) { made[2].id = 1 }, "call 1 has another's id, or began after call 3 had ended"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			now := service(record(3), entry(1, one), entry(2, one), entry(3, one))
			made := []call{
				{one, photo(2).SHA256, acknowledged, 2, 1, 2}, {one, photo(3).SHA256, acknowledged, 3, 3, 4},
				{two, photo(4).SHA256, unknown, 0, 5, 6}, {two, photo(5).SHA256, unchanged, 0, 7, 8},
			}
			test.spoil(&now, made)
			got := strings.Join(differences(first, first, now, made), "\n")
			if (got == "") != (test.says == "") || !strings.Contains(got, test.says) {
				t.Errorf("got %q, want %q in it", got, test.says)
			}
		})
	}
}
