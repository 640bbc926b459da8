package operator

import (
	"context"
	"io"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Fleets manages the fleets and their API keys. All fields must be set.
type Fleets struct {
	Directory ports.FleetDirectory
	Random    io.Reader // cryptographically secure
	Clock     func() time.Time
}

// Add adds a fleet and returns its first API key. Only the key's hash is
// stored, so the key can't be shown again. It fails with Conflict if the fleet
// exists.
func (f *Fleets) Add(ctx context.Context, fleet domain.Fleet, label domain.KeyLabel) (domain.APIKey, error) {
	return f.newKey(label, func(key domain.FleetKey) error { return f.Directory.AddFleet(ctx, fleet, key) })
}

// AddKey adds another key to a fleet and returns it; it can't be shown again. It
// fails with NotFound if the fleet doesn't exist, and with Conflict if it has a
// key with this label.
func (f *Fleets) AddKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) (domain.APIKey, error) {
	return f.newKey(label, func(key domain.FleetKey) error { return f.Directory.AddKey(ctx, fleet, key) })
}

func (f *Fleets) newKey(label domain.KeyLabel, add func(domain.FleetKey) error) (domain.APIKey, error) {
	key, err := domain.NewAPIKey(f.Random)
	if err != nil {
		return domain.APIKey{}, err
	}
	if err := add(domain.FleetKey{Hash: key.Hash(), Label: label, AddedAt: domain.Instant(f.Clock())}); err != nil {
		return domain.APIKey{}, err
	}
	return key, nil
}

// Change stores what change makes of a fleet. It fails with NotFound.
func (f *Fleets) Change(ctx context.Context, id domain.FleetID, change func(*domain.Fleet)) error {
	fleet, err := findFleet(ctx, f.Directory, id)
	if err != nil {
		return err
	}
	change(&fleet)
	return f.Directory.SetFleet(ctx, fleet)
}

func findFleet(ctx context.Context, directory ports.FleetDirectory, id domain.FleetID) (domain.Fleet, error) {
	fleets, err := directory.Fleets(ctx)
	if err != nil {
		return domain.Fleet{}, err
	}
	for _, fleet := range fleets {
		if fleet.ID == id {
			return fleet, nil
		}
	}
	return domain.Fleet{}, domain.Errorf(domain.NotFound, "there is no fleet %d; add it first, or check the number", id)
}
