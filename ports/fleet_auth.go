package ports

import (
	"context"

	"github.com/fleetphoto/fleetphoto/domain"
)

// FleetAuth tells which fleet an API key belongs to.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type FleetAuth interface {
	// Authenticate returns the fleet that has a live key with this hash, a
	// disabled fleet too, and the key's label: the caller checks Disabled,
	// RequirePIN and Country. Without such a key it fails with InvalidHashID.
	Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error)
}

// FleetDirectory is how an operator manages the fleets and their API keys.
// What it changes, an Authenticate that begins after it returned goes by.
//
// Each method fails with Unavailable while the backend doesn't answer and once
// ctx has ended, and puts no host, path or secret into an error's Public text.
type FleetDirectory interface {
	// AddFleet adds a fleet together with its first key, both or neither,
	// durably. When the fleet's id or the key exists already it fails with
	// Conflict and changes nothing.
	AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error

	// SetFleet replaces all but the ID of the fleet with fleet.ID, durably;
	// its keys stay. It fails with NotFound when there is no such fleet.
	SetFleet(ctx context.Context, fleet domain.Fleet) error

	// SaveFleet stores a fleet as it is in another database: fleet with these keys
	// and no others, in one step, durably, whether or not the fleet exists. No hash
	// and no label comes twice in keys. It fails with Conflict, changing nothing, where
	// another fleet has one of the keys.
	SaveFleet(ctx context.Context, fleet domain.Fleet, keys []domain.FleetKey) error

	// Fleets returns all fleets, in the order of their ids.
	Fleets(ctx context.Context) ([]domain.Fleet, error)

	// AddKey adds a key to a fleet, durably, beside those that it has. When
	// the fleet has a key with this label, or any fleet this key, it fails
	// with Conflict and changes nothing; with NotFound when there is no such
	// fleet.
	AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error

	// Keys returns the keys of a fleet, in the order of their labels, by
	// bytes. It fails with NotFound when there is no such fleet.
	Keys(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error)

	// RevokeKey removes the fleet's key with this label, durably: when it
	// returns, no Authenticate takes the key any more. It fails with NotFound
	// when there is no such key.
	RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error
}
