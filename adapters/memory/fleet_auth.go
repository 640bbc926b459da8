package memory

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// FleetAuth is a ports.FleetAuth in memory.
type FleetAuth struct {
	mu     sync.RWMutex
	fleets map[domain.FleetID]domain.Fleet
	keys   map[domain.APIKeyHash]fleetKey
}

type fleetKey struct {
	domain.FleetKey
	fleet domain.FleetID
}

var (
	_ ports.FleetAuth      = (*FleetAuth)(nil)
	_ ports.FleetDirectory = (*FleetAuth)(nil)
)

// NewFleetAuth returns a FleetAuth without fleets.
func NewFleetAuth() *FleetAuth {
	return &FleetAuth{
		fleets: map[domain.FleetID]domain.Fleet{},
		keys:   map[domain.APIKeyHash]fleetKey{},
	}
}

// Authenticate implements ports.FleetAuth.
func (a *FleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	if err := ended(ctx, "authenticate"); err != nil {
		return domain.Caller{}, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	known, found := a.keys[key]
	if !found {
		return domain.Caller{}, domain.Errorf(domain.InvalidHashID, "api_key: no live key like this")
	}
	return domain.Caller{Fleet: a.fleets[known.fleet], Key: known.Label}, nil
}

// AddFleet implements ports.FleetDirectory.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
	if err := ended(ctx, "add fleet"); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, found := a.fleets[fleet.ID]; found {
		return domain.Errorf(domain.Conflict, "fleet %d exists already", fleet.ID)
	}
	if _, found := a.keys[key.Hash]; found {
		return domain.Errorf(domain.Conflict, "this API key exists already")
	}
	a.fleets[fleet.ID] = fleet
	a.keys[key.Hash] = fleetKey{key, fleet.ID}
	return nil
}

// SetFleet implements ports.FleetDirectory.
func (a *FleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	if err := ended(ctx, "set fleet"); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, found := a.fleets[fleet.ID]; !found {
		return domain.Errorf(domain.NotFound, "there is no fleet %d", fleet.ID)
	}
	a.fleets[fleet.ID] = fleet
	return nil
}

// SaveFleet implements ports.FleetDirectory.
func (a *FleetAuth) SaveFleet(ctx context.Context, fleet domain.Fleet, keys []domain.FleetKey) error {
	if err := ended(ctx, "save fleet"); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	for _, key := range keys {
		if known, found := a.keys[key.Hash]; found && known.fleet != fleet.ID {
			return domain.Errorf(domain.Conflict, "another fleet has a key of fleet %d", fleet.ID)
		}
	}
	a.removeKeys(fleet.ID)
	a.fleets[fleet.ID] = fleet
	for _, key := range keys {
		a.keys[key.Hash] = fleetKey{key, fleet.ID}
	}
	return nil
}

// removeKeys removes all keys of a fleet; a.mu is held.
func (a *FleetAuth) removeKeys(fleet domain.FleetID) {
	maps.DeleteFunc(a.keys, func(_ domain.APIKeyHash, key fleetKey) bool { return key.fleet == fleet })
}

// Fleets implements ports.FleetDirectory.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	if err := ended(ctx, "list fleets"); err != nil {
		return nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.SortedFunc(maps.Values(a.fleets), func(x, y domain.Fleet) int { return cmp.Compare(x.ID, y.ID) }), nil
}

// AddKey implements ports.FleetDirectory.
func (a *FleetAuth) AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
	if err := ended(ctx, "add key"); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, found := a.fleets[fleet]; !found {
		return domain.Errorf(domain.NotFound, "there is no fleet %d", fleet)
	}
	if _, found := a.keys[key.Hash]; found {
		return domain.Errorf(domain.Conflict, "this API key exists already")
	}
	if _, found := a.labelled(fleet, key.Label); found {
		return domain.Errorf(domain.Conflict, "fleet %d has a key %q already", fleet, key.Label)
	}
	a.keys[key.Hash] = fleetKey{key, fleet}
	return nil
}

// Keys implements ports.FleetDirectory.
func (a *FleetAuth) Keys(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error) {
	if err := ended(ctx, "list keys"); err != nil {
		return nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	if _, found := a.fleets[fleet]; !found {
		return nil, domain.Errorf(domain.NotFound, "there is no fleet %d", fleet)
	}
	var keys []domain.FleetKey
	for _, key := range a.keys {
		if key.fleet == fleet {
			keys = append(keys, key.FleetKey)
		}
	}
	slices.SortFunc(keys, func(x, y domain.FleetKey) int { return cmp.Compare(x.Label, y.Label) })
	return keys, nil
}

// RevokeKey implements ports.FleetDirectory.
func (a *FleetAuth) RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
	if err := ended(ctx, "revoke key"); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	hash, found := a.labelled(fleet, label)
	if !found {
		return domain.Errorf(domain.NotFound, "fleet %d has no key %q", fleet, label)
	}
	delete(a.keys, hash)
	return nil
}

// labelled finds the fleet's key with this label; a.mu is held.
func (a *FleetAuth) labelled(fleet domain.FleetID, label domain.KeyLabel) (domain.APIKeyHash, bool) {
	for hash, key := range a.keys {
		if key.fleet == fleet && key.Label == label {
			return hash, true
		}
	}
	return domain.APIKeyHash{}, false
}
