package operator_test

import (
	"bytes"
	"errors"
	"io"
	"reflect"
	"testing"
	"testing/iotest"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/operator"
)

func newFleets(random io.Reader) (*operator.Fleets, *memory.Backend) {
	backend := memory.New()
	return &operator.Fleets{Directory: backend.FleetAuth, Random: random, Clock: func() time.Time { return start }}, backend
}

func TestAddFleet(t *testing.T) {
	t.Parallel()
	fleet := domain.Fleet{ID: ourFleet, Name: "Yellow", Disabled: true}
	fleets, backend := newFleets(bytes.NewReader(append(make([]byte, 25), bytes.Repeat([]byte{1}, 25)...)))
	key, err := fleets.Add(t.Context(), fleet, domain.FirstKey)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := backend.FleetAuth.Authenticate(t.Context(), key.Hash()); err != nil || got != (domain.Caller{Fleet: fleet, Key: domain.FirstKey}) {
		t.Errorf("the key belongs to %+v, %v, want %+v", got, err, fleet)
	}
	second, err := fleets.Add(t.Context(), domain.Fleet{ID: ourFleet, Name: "Green"}, domain.FirstKey)
	if !errors.Is(err, domain.Conflict) {
		t.Errorf("the same id again: got %v", err)
	}
	if _, err := backend.FleetAuth.Authenticate(t.Context(), second.Hash()); !errors.Is(err, domain.InvalidHashID) {
		t.Errorf("a key of no fleet: got %v", err)
	}
	if all, err := backend.FleetAuth.Fleets(t.Context()); err != nil || !reflect.DeepEqual(all, []domain.Fleet{fleet}) {
		t.Errorf("the fleets are %+v, %v", all, err)
	}
}

func TestAddFleetNeedsRandomness(t *testing.T) {
	t.Parallel()
	fleets, backend := newFleets(iotest.ErrReader(io.ErrNoProgress))
	if key, err := fleets.Add(t.Context(), domain.Fleet{ID: ourFleet}, domain.FirstKey); !errors.Is(err, io.ErrNoProgress) || key != (domain.APIKey{}) {
		t.Errorf("got %v, want no key and the source's failure", err)
	}
	if all, err := backend.FleetAuth.Fleets(t.Context()); err != nil || len(all) != 0 {
		t.Errorf("the fleets are %+v, %v", all, err)
	}
}
