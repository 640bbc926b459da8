package operator_test

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/internal/usecasetest"
	"github.com/fleetphoto/fleetphoto/domain/operator"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/ports"
)

func keepsRecord(_ context.Context, current domain.PhotoRecord, _ ports.LockProof) (domain.PhotoRecord, error) {
	return current, nil
}

func (w *world) removal() *operator.RemoveCustomer {
	return &operator.RemoveCustomer{Customers: w.Customers, Changes: w.Changes}
}

// remains is what a removal left behind: photo, record and log as in state;
// the record of a customer who is gone is "gone".
func (w *world) remains() state {
	w.T.Helper()
	if _, err := w.Backend.CustomerRepo.FindCustomer(w.T.Context(), customer); err == nil {
		return w.State()
	}
	words := map[domain.PhotoInfo]string{{}: "none", photo.Describe(oldPhoto): "old"}
	left := state{Photo: words[w.Stored(customer)], Record: "gone"}
	for i, entry := range w.Entries()[1:] {
		if left.Log += string(entry.Outcome.Status()); i > 0 {
			left.Log += fmt.Sprintf(" after %d", i)
		}
	}
	return left
}

// Whatever fails at whichever step: what the operator is told, what is left,
// and what Repair makes of it. Then a repeat ends it.
func TestRemoveCustomer(t *testing.T) {
	t.Parallel()
	untouched := func(log string) state { return stateOf("old", "old by 1", log) }
	gone := func(log string) state { return stateOf("none", "gone", log) }
	deleted, settled := stateOf("none", "old by 1", "open"), stateOf("none", "none by 0", "interrupted")
	const unavailable, internal = domain.Unavailable, domain.Internal
	for _, test := range []struct {
		step, what string
		told       domain.Kind // empty: it is done
		left       state
		repaired   state
	}{
		{"", fails, "", gone("valid"), gone("valid")},

		{"FindCustomer", fails, unavailable, untouched(""), untouched("")},
		{"FindCustomer, done", fails, unavailable, untouched(""), untouched("")},
		{"Open entry", fails, unavailable, untouched(""), untouched("")},
		{"Open entry, done", fails, unavailable, untouched("open"), untouched("interrupted")},
		{"RemoveCustomer", fails, unavailable, untouched("error Service Unavailable"), untouched("error Service Unavailable")},
		{"Delete", fails, unavailable, untouched("open"), untouched("interrupted")},
		{"Delete, done", fails, unavailable, deleted, settled},
		{"remove record", fails, unavailable, deleted, settled},
		{"RemoveCustomer, done", fails, unavailable, gone("open"), gone("valid")},
		{"Close entry", fails, "", gone("open"), gone("valid")},
		{"Close entry, done", fails, "", gone("valid"), gone("valid")},

		{"FindCustomer", breaks, internal, untouched(""), untouched("")},
		{"Open entry", breaks, internal, untouched(""), untouched("")},
		{"RemoveCustomer", breaks, internal, untouched("error Internal Error"), untouched("error Internal Error")},
		{"Delete", breaks, unavailable, untouched("open"), untouched("interrupted")},
		{"RemoveCustomer, done", breaks, unavailable, gone("open"), gone("valid")},

		{"FindCustomer", leaves, "", gone("valid"), gone("valid")},
		{"Delete", leaves, "", gone("valid"), gone("valid")},
		{"Close entry", leaves, "", gone("valid"), gone("valid")},
	} {
		t.Run(test.step+" "+test.what, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			w.Steps.Reset(map[string]func() error{test.step: acting(test.what, cancel)})
			err := w.removal().Do(ctx, customer)
			if (err == nil) != (test.told == "") || err != nil && domain.AsError(err).Kind != test.told {
				t.Errorf("got %v, want %q", err, string(test.told))
			}
			if got := w.remains(); got != test.left {
				t.Errorf("left is %+v, want %+v", got, test.left)
			}
			w.Steps.Reset(nil)
			if _, err := w.Settle(); err != nil || w.remains() != test.repaired {
				t.Errorf("Repair: %v leaves %+v, want %+v", err, w.remains(), test.repaired)
			}
			if err := w.removal().Do(t.Context(), customer); err != nil && !errors.Is(err, domain.CustomerNotFound) {
				t.Errorf("the repeat: got %v", err)
			}
			if got := w.remains(); got.Photo != "none" || got.Record != "gone" {
				t.Errorf("the repeat leaves %+v", got)
			}
		})
	}
}

func TestRemoveCustomerIsLogged(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	if err := w.removal().Do(t.Context(), customer); err != nil {
		t.Fatal(err)
	}
	want := domain.ApiLogEntry{
		ID: 2,
		Call: domain.ApiCall{
			ReceivedAt: start, Fleet: ourFleet, Customer: customer.Customer, Phone: phone.Masked(), Operation: domain.RemoveCustomer, Store: usecasetest.Store,
		},
		Outcome: domain.Outcome{Result: domain.Valid, EndedAt: start, Details: domain.OutcomeDetails{Before: photo.Describe(oldPhoto)}},
	}
	if got := w.Entries()[1]; fmt.Sprintf("%+v", got) != fmt.Sprintf("%+v", want) {
		t.Errorf("logged is %+v, want %+v", got, want)
	}
}

func TestRemoveCustomerNotFound(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for _, ref := range []domain.CustomerRef{{Fleet: ourFleet, Customer: 404}, {Fleet: 404, Customer: customer.Customer}} {
		if err := w.removal().Do(t.Context(), ref); !errors.Is(err, domain.CustomerNotFound) {
			t.Errorf("%+v: got %v", ref, err)
		}
	}
	if got, want := w.remains(), (stateOf("old", "old by 1", "")); got != want {
		t.Errorf("left is %+v, want %+v", got, want)
	}
}

// Another removal was quicker: this one says that nobody is there, in the log too.
func TestRemoveCustomerTwiceAtOnce(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.Steps.Reset(map[string]func() error{"RemoveCustomer": func() error {
		return w.Backend.CustomerRepo.RemoveCustomer(t.Context(), customer, keepsRecord)
	}})
	if err := w.removal().Do(t.Context(), customer); !errors.Is(err, domain.CustomerNotFound) {
		t.Errorf("got %v", err)
	}
	if got := w.Entries()[1].Outcome; got.Result != domain.Failed || got.Error != domain.CustomerNotFound {
		t.Errorf("logged is %+v", got)
	}
}

// The photos of other customers, of other fleets too, stay.
func TestRemoveCustomerLeavesOthers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	other := domain.CustomerRef{Fleet: otherFleet, Customer: customer.Customer}
	if err := w.removal().Do(t.Context(), other); err != nil {
		t.Fatal(err)
	}
	if got, want := w.remains(), (stateOf("old", "old by 1", "valid")); got != want {
		t.Errorf("left is %+v, want %+v", got, want)
	}
}
