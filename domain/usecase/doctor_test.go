package usecase_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

// examine runs all steps, those of a port until one fails, and returns the
// failures by the names of their steps.
func examine(t *testing.T, d *usecase.Doctor) map[string]error {
	t.Helper()
	failed := map[string]error{}
	for port, steps := range map[string][]usecase.Step{"fleets": d.FleetSteps(), "customers": d.CustomerSteps(), "log": d.LogSteps(), "photos": d.PhotoSteps()} {
		for _, step := range steps {
			if err := step.Do(t.Context()); err != nil {
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
func (w *world) doctor() *usecase.Doctor {
	w.t.Helper()
	ports := usecase.DoctorPorts{Fleets: w.update.Fleets, Customers: w.update.Customers, Photos: w.update.Photos, Log: w.update.Log}
	return must(usecase.NewDoctor(ports, w.clock.Now, func(ctx context.Context, address string) ([]byte, error) {
		return step(ctx, w.steps, "fetch", func() ([]byte, error) {
			content, err := w.backend.PhotoStore.Open(ctx, domain.PhotoKey(strings.TrimPrefix(address, "https://photos.example.com/")))
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
	w.t.Helper()
	customers, err := w.backend.CustomerRepo.Customers(w.t.Context(), domain.CustomerRef{}, 100)
	if err != nil || len(customers) != 3 {
		w.t.Errorf("left are the customers %+v, %v", customers, err)
	}
	for photo, err := range w.backend.PhotoStore.List(w.t.Context()) {
		if err != nil || photo.Key != customer.PhotoKey() {
			w.t.Errorf("left is the photo %s, %v", photo.Key, err)
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
	if want := (state{"old", "old by 1", "valid"}); w.state() != want || w.entries()[1].Call != (domain.ApiCall{ReceivedAt: start, Operation: domain.ProbeLog}) {
		t.Errorf("left is %+v, want %+v; %+v", w.state(), want, w.entries()[1])
	}
	if err := d.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	if steps := w.doctor().PhotoSteps(); len(steps) != 6 {
		t.Errorf("the steps of a store with addresses are %+v", steps)
	}
	without := must(usecase.NewDoctor(usecase.DoctorPorts{}, w.clock.Now, nil)).PhotoSteps()
	if slices.ContainsFunc(without, func(s usecase.Step) bool { return strings.Contains(s.Name, "fetch") }) || len(without) != 5 {
		t.Errorf("the steps of a store without addresses are %+v", without)
	}
}

// TestDoctorFindsWhatFails: each failure is one step's, and leaves no probe.
func TestDoctorFindsWhatFails(t *testing.T) {
	t.Parallel()
	for at, want := range map[string]string{
		"Authenticate": "fleets: look up an API key", "AddCustomer": "customers: add a customer", "AddCustomer, done": "customers: add a customer",
		"FindByPhone": "customers: find a customer by phone", "CountPINAttempt": "customers: count an attempt on a PIN", "ResetPINLock": "customers: set a PIN's lock back",
		"ChangePhoto": "customers: write a photo's record under the customer's lock", "ChangePhoto, done": "customers: write a photo's record under the customer's lock",
		"RemoveCustomer": "customers: remove a customer", "RemoveCustomer, done": "customers: remove a customer",
		"Open entry": "log: open an entry of the API log, which stays there as a probe", "Close entry": "log: close it", "Entry": "log: read it",
		"Put": "photos: put a photo", "Put, done": "photos: put a photo", "Open photo": "photos: read it", "read photo": "photos: read it",
		"URL": "photos: fetch it at its address", "fetch": "photos: fetch it at its address", "Delete": "photos: delete it", "Delete, done": "photos: delete it",
	} {
		t.Run(at, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			failedOnce := false
			w.steps.reset(map[string]func() error{at: func() error {
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

// liar keeps nothing, and says that it did.
type liar struct {
	ports.CustomerRepo
	ports.PhotoStore
}

func (liar) AddCustomer(context.Context, domain.Customer) error { return nil }

func (liar) FindByPhone(context.Context, domain.FleetID, domain.PhoneNumber) (domain.Customer, error) {
	return domain.Customer{}, nil
}

func (liar) Delete(context.Context, domain.PhotoKey) error { return nil }

// acceptsAll knows every key.
type acceptsAll struct{ ports.FleetAuth }

func (acceptsAll) Authenticate(context.Context, domain.APIKeyHash) (domain.Caller, error) {
	return domain.Caller{}, nil
}

func TestDoctorFindsLiars(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	d := w.doctor()
	d.Fleets, d.Customers = acceptsAll{d.Fleets}, liar{CustomerRepo: d.Customers}
	d.Photos = liar{PhotoStore: alters{d.Photos}}
	failed := examine(t, d)
	for _, name := range []string{"fleets: look up an API key", "customers: find a customer by phone", "photos: read it"} {
		if !strings.Contains(fmt.Sprint(failed[name]), "comes back as something else") {
			t.Errorf("%s: got %v", name, failed[name])
		}
	}
	if len(failed) != 3 {
		t.Errorf("failed are %v", failed)
	}
	d.Photos = liar{PhotoStore: w.update.Photos}
	if failed := examine(t, d); !strings.Contains(fmt.Sprint(failed["photos: find none"]), "still there") {
		t.Errorf("failed are %v", failed)
	}
}

func TestDoctorSaysWhatIsLeft(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.steps.reset(map[string]func() error{"Delete": down, "RemoveCustomer": down})
	d := w.doctor()
	if failed := examine(t, d); len(failed) != 2 {
		t.Errorf("failed are %v", failed)
	}
	if err := d.Remove(t.Context()); !errors.Is(err, domain.Unavailable) || !strings.Contains(fmt.Sprint(err), " of fleet 0 and fleet-0/customer_photos/") {
		t.Errorf("got %v", err)
	}
	w.steps.reset(nil)
	if err := d.Remove(t.Context()); err != nil {
		t.Error(err)
	}
	w.checkNoProbes()
}
