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
	keys   map[domain.APIKeyHash]domain.FleetID
}

var _ ports.FleetAuth = (*FleetAuth)(nil)

// NewFleetAuth makes a FleetAuth without fleets.
func NewFleetAuth() *FleetAuth {
	return &FleetAuth{
		fleets: map[domain.FleetID]domain.Fleet{},
		keys:   map[domain.APIKeyHash]domain.FleetID{},
	}
}

// Authenticate implements ports.FleetAuth.
func (a *FleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Fleet, error) {
	if err := ended(ctx, "authenticate"); err != nil {
		return domain.Fleet{}, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	id, found := a.keys[key]
	if !found {
		return domain.Fleet{}, domain.Errorf(domain.InvalidHashID, "api_key: no live key like this")
	}
	return a.fleets[id], nil
}

// AddFleet implements ports.FleetAuth.
func (a *FleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.APIKeyHash) error {
	if err := ended(ctx, "add fleet"); err != nil {
		return err
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if _, found := a.fleets[fleet.ID]; found {
		return domain.Errorf(domain.Conflict, "fleet %d exists already", fleet.ID)
	}
	if _, found := a.keys[key]; found {
		return domain.Errorf(domain.Conflict, "this API key exists already")
	}
	a.fleets[fleet.ID] = fleet
	a.keys[key] = fleet.ID
	return nil
}

// SetFleet implements ports.FleetAuth.
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

// Fleets implements ports.FleetAuth.
func (a *FleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	if err := ended(ctx, "list fleets"); err != nil {
		return nil, err
	}
	a.mu.RLock()
	defer a.mu.RUnlock()
	return slices.SortedFunc(maps.Values(a.fleets), func(x, y domain.Fleet) int { return cmp.Compare(x.ID, y.ID) }), nil
}
