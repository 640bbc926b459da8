package ports

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
)

// FleetAuth knows the fleets and the hashes of their API keys.
type FleetAuth interface {
	// Authenticate returns the fleet that has a live key with this hash, a
	// disabled fleet too: the caller checks Disabled. Without such a key it
	// fails with InvalidHashID.
	Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Fleet, error)

	// AddFleet adds a fleet together with its first key, both or neither,
	// durably. When the fleet's id or the key exists already it fails with
	// Conflict and changes nothing.
	AddFleet(ctx context.Context, fleet domain.Fleet, key domain.APIKeyHash) error

	// SetFleet replaces the name and the Disabled mark of the fleet with
	// fleet.ID, durably; its keys stay. It fails with NotFound when there is
	// no such fleet.
	SetFleet(ctx context.Context, fleet domain.Fleet) error

	// Fleets returns all fleets, in the order of their ids.
	Fleets(ctx context.Context) ([]domain.Fleet, error)
}
