package operator_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// examine runs all steps, those of a port until one fails, and returns the
// failures by the names of their steps.
func examine(t *testing.T, d *operator.Doctor) map[string]error {
	t.Helper()
	failed := map[string]error{}
	for port, steps := range map[string][]operator.Step{"fleets": d.FleetSteps(), "customers": d.CustomerSteps(), "log": d.LogSteps(), "photos": d.PhotoSteps()} {
		for _, step := range steps {
			if _, err := step.Do(t.Context()); err != nil {
				failed[port+": "+step.Name] = err
				if !step.Alone {
					break
				}
			}
		}
	}
	return failed
}

// doctor looks at a world. What its photo store has can be fetched.
func (w *world) doctor() *operator.Doctor {
	w.T.Helper()
	ports := operator.DoctorPorts{
		Fleets: w.Update.Fleets, FleetList: w.Backend.FleetAuth, Customers: w.Customers, Directory: w.Customers, Photos: w.Photos, Address: w.Photos.Address, Log: w.Log, Archive: w.Log,
	}
	return usecasetest.Must(operator.NewDoctor(ports, w.Clock.Now, func(ctx context.Context, address string) ([]byte, error) {
		return usecasetest.At(ctx, w.Steps, "fetch", func() ([]byte, error) {
			content, _, err := w.Backend.PhotoStore.Open(ctx, domain.PhotoKey(strings.TrimPrefix(address, "https://photos.example.com/")))
			if err != nil {
				return nil, err
			}
			var data [4096]byte
			n, err := content.Read(data[:])
			return data[:n], err
		})
	}))
}

// checkNoProbes makes sure that all is as before, but for the log.
func (w *world) checkNoProbes() {
	w.T.Helper()
	customers, err := w.Backend.CustomerRepo.Customers(w.T.Context(), domain.CustomerRef{}, 100)
	if err != nil || len(customers) != 3 {
		w.T.Errorf("left are the customers %+v, %v", customers, err)
	}
	for photo, err := range w.Backend.PhotoStore.List(w.T.Context()) {
		if err != nil || photo.Key != customer.PhotoKey() {
			w.T.Errorf("left is the photo %s, %v", photo.Key, err)
		}
	}
}

func TestDoctorFindsNothing(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.doctor()
	if failed := examine(t, d); !d.HasProbes() || len(failed) > 0 {
		t.Errorf("failed: %v", failed)
	}
	w.checkNoProbes()
	if want := (stateOf("old", "old by 1", "valid")); w.State() != want || w.Entries()[1].Call != (domain.ApiCall{ReceivedAt: start, Operation: domain.ProbeLog}) {
		t.Errorf("left is %+v, want %+v; %+v", w.State(), want, w.Entries()[1])
	}
	if err := d.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	if steps := w.doctor().PhotoSteps(); len(steps) != 7 {
		t.Errorf("the steps of a store with addresses are %+v", steps)
	}
	without := usecasetest.Must(operator.NewDoctor(operator.DoctorPorts{}, w.Clock.Now, nil)).PhotoSteps()
	if slices.ContainsFunc(without, func(s operator.Step) bool { return strings.Contains(s.Name, "fetch") }) || len(without) != 6 {
		t.Errorf("the steps of a store without addresses are %+v", without)
	}
}

// TestDoctorFindsWhatFails: each failure is one step's, and leaves no probe.
func TestDoctorFindsWhatFails(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"Authenticate": "fleets: look up an API key", "ImportCustomers": "customers: add a customer", "ImportCustomers, done": "customers: add a customer",
		"FindByPhone": "customers: find a customer by phone", "TryPIN": "customers: try a wrong PIN", "UnlockPIN": "customers: unlock a PIN",
		"ChangePhoto": "customers: write a photo's record under the customer's lock", "ChangePhoto, done": "customers: write a photo's record under the customer's lock",
		"RemoveCustomer": "customers: remove a customer", "RemoveCustomer, done": "customers: remove a customer",
		"Open entry": "log: open an entry of the API log, which stays there as a probe", "Close entry": "log: close it", "Entry": "log: read it",
		"Put": "photos: put a photo", "Put, done": "photos: put a photo", "Open photo": "photos: read it", "read photo": "photos: read it",
		"URL": "photos: fetch it at its address", "fetch": "photos: fetch it at its address", "Delete": "photos: refuse a change that comes too late", "Delete, done": "photos: delete it",
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			failedOnce := false
			w.Steps.Reset(map[string]func() error{at: func() error {
				if failedOnce {
					return nil
				}
				failedOnce = true
				return down()
			}})
			d := w.doctor()
			if failed := examine(t, d); len(failed) != 1 || !errors.Is(failed[want], domain.Unavailable) {
				t.Errorf("failed are %v, want %q", failed, want)
			}
			ended, cancel := context.WithCancel(t.Context())
			cancel()
			if err := d.Remove(ended); err != nil {
				t.Error(err)
			}
			w.checkNoProbes()
		})
	}
}

// TestDoctorCountsPhones that no call could have, and prints none.
func TestDoctorCountsPhones(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.Backend.FleetAuth.SetFleet(t.Context(), domain.Fleet{ID: ourFleet, Country: 44}); err != nil {
		t.Fatal(err)
	}
	steps := w.doctor().CustomerSteps()
	count := steps[len(steps)-1]
	const hint = ": it lacks its country code or is too short; to list them, export the customers and run customer import --dry-run on the file"
	for i, want := range []string{"all of 3 customers", "2 of 1202 customers have a number that no call could have" + hint} {
		if found, err := count.Do(t.Context()); found != want || err != nil {
			t.Errorf("%d: got %q, %v, want %q", i, found, err, want)
		}
		added := []domain.CustomerImport{{Ref: domain.CustomerRef{Customer: 1}, Phone: 1}} // a probe
		for n := range domain.CustomerID(1_200) {
			phone := domain.PhoneNumber(447_700_100_000 + int64(n))
			switch n {
			case 5:
				phone = 7700900123
			case 1_150:
				phone = 4407700900123
			}
			added = append(added, domain.CustomerImport{Ref: domain.CustomerRef{Fleet: ourFleet, Customer: 1 + n}, Phone: phone})
		}
		if _, err := w.Backend.CustomerRepo.ImportCustomers(t.Context(), added); err != nil {
			t.Fatal(err)
		}
	}
}

// liar keeps nothing, and says that it did.
type liar struct {
	*usecasetest.CustomerRepo
	ports.PhotoStore
}

func (liar) ImportCustomers(context.Context, []domain.CustomerImport) ([]domain.ImportResult, error) {
	return []domain.ImportResult{domain.Added}, nil
}

func (liar) FindByPhone(context.Context, domain.FleetID, domain.PhoneNumber) (domain.Customer, error) {
	return domain.Customer{}, nil
}

func (liar) Delete(context.Context, domain.PhotoKey, domain.PhotoVersion) error { return nil }

// acceptsAll knows every key.
type acceptsAll struct{ ports.FleetAuth }

func (acceptsAll) Authenticate(context.Context, domain.APIKeyHash) (domain.Caller, error) {
	return domain.Caller{}, nil
}

func TestDoctorFindsLiars(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.doctor()
	d.Fleets = acceptsAll{d.Fleets}
	d.Customers, d.Directory = liar{CustomerRepo: w.Customers}, liar{CustomerRepo: w.Customers}
	d.Photos = liar{PhotoStore: alters{d.Photos}}
	failed := examine(t, d)
	for _, name := range []string{"fleets: look up an API key", "customers: find a customer by phone", "photos: read it"} {
		if !strings.Contains(fmt.Sprint(failed[name]), "comes back changed") {
			t.Errorf("%s: got %v", name, failed[name])
		}
	}
	if len(failed) != 3 {
		t.Errorf("failed are %v", failed)
	}
	d = w.doctor() // with a probe of its own
	d.Photos = liar{PhotoStore: w.Changes.Photos}
	if failed := examine(t, d); !strings.Contains(fmt.Sprint(failed["photos: find none"]), "still there") {
		t.Errorf("failed are %v", failed)
	}
}

func TestDoctorSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Steps.Reset(map[string]func() error{"Delete": down, "RemoveCustomer": down})
	d := w.doctor()
	if failed := examine(t, d); len(failed) != 3 {
		t.Errorf("failed are %v", failed)
	}
	if err := d.Remove(t.Context()); !errors.Is(err, domain.Unavailable) || !strings.Contains(fmt.Sprint(err), " of fleet 0 and fleet-0/customer_photos/") {
		t.Errorf("got %v", err)
	}
	w.Steps.Reset(nil)
	if err := d.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	w.checkNoProbes()
}

// unfenced is a store without versions: what comes late is taken.
type unfenced struct{ ports.PhotoStore }

func (s unfenced) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, _ domain.PhotoVersion) (domain.PhotoVersion, error) {
	held, err := usecase.ReadHeld(ctx, s.PhotoStore, key)
	if err == nil {
		_, err = s.PhotoStore.Put(ctx, key, photo, held.Version)
	}
	return domain.Unversioned, err
}

// forgetful has versions and doesn't look at them.
type forgetful struct{ unfenced }

func (s forgetful) Put(ctx context.Context, key domain.PhotoKey, photo domain.Photo, over domain.PhotoVersion) (domain.PhotoVersion, error) {
	_, err := s.unfenced.Put(ctx, key, photo, over)
	return "1", err
}

func TestDoctorTriesFences(t *testing.T) {
	t.Parallel()
	const name = "refuse a change that comes too late"
	for want, wrap := range map[string]func(ports.PhotoStore) ports.PhotoStore{
		"<nil>": func(s ports.PhotoStore) ports.PhotoStore { return s },
		"it doesn't: this store has no versions, so an older photo may replace a newer one after an outage; docs/backends.md says when": func(s ports.PhotoStore) ports.PhotoStore { return unfenced{s} },
		errOther: func(s ports.PhotoStore) ports.PhotoStore { return forgetful{unfenced{s}} },
	} {
		w := newWorld(t)
		d := w.doctor()
		d.Photos = wrap(d.Photos)
		for _, step := range d.PhotoSteps() {
			found, err := step.Do(t.Context())
			isNote := errors.As(err, new(operator.Note))
			if got := found + fmt.Sprint(err); step.Name == name && (got != want || isNote != strings.HasPrefix(want, "it doesn't")) {
				t.Errorf("got %q, a note: %v, want %q", got, isNote, want)
			}
		}
	}
}

const errOther = "what was stored comes back changed; check that this URL leads to this backend alone"
