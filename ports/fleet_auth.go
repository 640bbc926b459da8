package ports

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
)

// FleetAuth tells which fleet an API key belongs to.
type FleetAuth interface {
	// Authenticate returns the fleet that has a live key with this hash, and the
	// key's label. It returns a disabled fleet too: checking Disabled, RequirePIN
	// and Country is up to the caller. It fails with InvalidHashID if there is no
	// such key.
	Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error)
}

// FleetDirectory lets an operator manage the fleets and their API keys. An
// Authenticate that begins after one of its methods has returned sees the change.
type FleetDirectory interface {
	// AddFleet durably adds a fleet together with its first key, both or neither.
	// It fails with Conflict, changing nothing, if the fleet's id or the key exists
	// already.
	AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error

	// SetFleet durably replaces everything but the ID of the fleet with fleet.ID;
	// its keys stay. It fails with NotFound if there is no such fleet.
	SetFleet(ctx context.Context, fleet domain.Fleet) error

	// SaveFleet durably stores a fleet of another database with these keys and no
	// others, in one step, whether or not the fleet exists. No hash and no label
	// may occur twice in keys. It fails with Conflict, changing nothing, if another
	// fleet has one of the keys.
	SaveFleet(ctx context.Context, fleet domain.Fleet, keys []domain.FleetKey) error

	// Fleets returns all fleets, in order of id.
	Fleets(ctx context.Context) ([]domain.Fleet, error)

	// AddKey durably adds a key to those of a fleet. It fails with Conflict,
	// changing nothing, if the fleet has a key with this label or any fleet has
	// this key, and with NotFound if there is no such fleet.
	AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error

	// Keys returns the keys of a fleet, in byte order of their labels. It fails
	// with NotFound if there is no such fleet.
	Keys(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error)

	// RevokeKey durably removes the fleet's key with this label. It fails with
	// NotFound if there is no such key.
	RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error
}
