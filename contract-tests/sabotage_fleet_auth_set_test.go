package contracttests

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/fleetphoto/fleetphoto/domain"
)

func badSetFleets() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"an empty name is not set", []string{"set_replaces"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.set = func(ctx context.Context, fleet domain.Fleet) error {
				if fleet.Name == "" {
					return nil
				}
				return good.SetFleet(ctx, fleet)
			}
		})},
		{"a fleet that is set loses its keys", []string{"set_keeps_keys"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var lost sync.Map
			bad.set = func(ctx context.Context, fleet domain.Fleet) error {
				err := good.SetFleet(ctx, fleet)
				if err == nil {
					lost.Store(fleet.ID, true)
				}
				return err
			}
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				caller, err := good.Authenticate(ctx, key)
				if _, found := lost.Load(caller.Fleet.ID); found {
					key = lostKey.Hash
				}
				if err != nil {
					return caller, err
				}
				return good.Authenticate(ctx, key)
			}
		})},
		{"all fleets are disabled with one", []string{"set_leaves_others"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.set = func(ctx context.Context, fleet domain.Fleet) error {
				all, _ := good.Fleets(ctx)
				for _, other := range all {
					other.Disabled = fleet.Disabled
					_ = good.SetFleet(ctx, other)
				}
				return good.SetFleet(ctx, fleet)
			}
		})},
		{"a fleet that doesn't exist is set without an error", []string{"set_unknown"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.set = func(ctx context.Context, fleet domain.Fleet) error {
				if err := good.SetFleet(ctx, fleet); !errors.Is(err, domain.NotFound) {
					return err
				}
				return nil
			}
		})},
		{"a fleet that is set is added, and an error returned", []string{"set_unknown"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.set = func(ctx context.Context, fleet domain.Fleet) error {
				err := good.SetFleet(ctx, fleet)
				if errors.Is(err, domain.NotFound) {
					_ = good.AddFleet(ctx, fleet, lostKey)
				}
				return err
			}
		})},
		{"an error is no *domain.Error", []string{"set_unknown"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.set = func(ctx context.Context, fleet domain.Fleet) error {
				err := good.SetFleet(ctx, fleet)
				if errors.Is(err, domain.NotFound) {
					return errors.New("no rows")
				}
				return err
			}
		})},
	}
}

func badFleets() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"no fleets are an error", []string{"fleets_none", "add_cut_off"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.fleets = func(ctx context.Context) ([]domain.Fleet, error) {
				fleets, err := good.Fleets(ctx)
				if err == nil && len(fleets) == 0 {
					err = domain.Errorf(domain.NotFound, "no fleets")
				}
				return fleets, err
			}
		})},
		{"ids are ordered as 32 bits", []string{"fleets_ordered"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.fleets = func(ctx context.Context) ([]domain.Fleet, error) {
				fleets, err := good.Fleets(ctx)
				slices.SortFunc(fleets, func(x, y domain.Fleet) int { return cmp.Compare(int32(x.ID), int32(y.ID)) })
				return fleets, err
			}
		})},
	}
}
