package mutants

import (
	"context"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/contract-tests/fleetauth"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// badCaller changes what Authenticate returns.
type badCaller struct {
	*memory.FleetAuth
	spoil func(*domain.Caller) error
}

func (b badCaller) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	caller, err := b.FleetAuth.Authenticate(ctx, key)
	if err == nil {
		err = b.spoil(&caller)
	}
	return caller, err
}

// noFleets fails where there are no fleets.
type noFleets struct{ *memory.FleetAuth }

func (b noFleets) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	fleets, err := b.FleetAuth.Fleets(ctx)
	if err == nil && fleets == nil {
		err = errNone
	}
	return fleets, err
}

func badFleets() []saboteur {
	auth := func(defect string, fails []string, spoil func(*domain.Caller) error) saboteur {
		return sabotage(defect, "FleetAuth", fleetauth.Clauses(), fails, func(t *testing.T) *fleetauth.Port {
			open := openFleetAuth(t).Open
			return &fleetauth.Port{Open: func(fleets ...fleetauth.Seed) ports.FleetAuth {
				return badCaller{open(fleets...).(*memory.FleetAuth), spoil}
			}}
		})
	}
	return []saboteur{
		auth("a disabled fleet is not authenticated", []string{"authenticate_disabled"}, func(c *domain.Caller) error {
			if c.Fleet.Disabled {
				return domain.Errorf(domain.InvalidHashID, "disabled")
			}
			return nil
		}),
		auth("the fleet's policy is forgotten", []string{"authenticate", "authenticate_policy"}, func(c *domain.Caller) error {
			c.Fleet.RequirePIN = false
			return nil
		}),
		auth("the fleet's country is forgotten", []string{"authenticate", "authenticate_policy"}, func(c *domain.Caller) error {
			c.Fleet.Country = 0
			return nil
		}),
		auth("the label is that of the first key", []string{"authenticate_labels", "authenticate_same_label"}, func(c *domain.Caller) error {
			c.Key = domain.FirstKey
			return nil
		}),
		sabotage("a name loses its spaces", "FleetDirectory", fleetauth.DirectoryClauses(), []string{"add_then_authenticate"}, func(*testing.T) *fleetauth.Port {
			bad := badCaller{memory.NewFleetAuth(), func(c *domain.Caller) error {
				c.Fleet.Name = domain.FleetName(strings.TrimSpace(string(c.Fleet.Name)))
				return nil
			}}
			return &fleetauth.Port{FleetAuth: bad, FleetDirectory: bad}
		}),
		sabotage("no fleets are an error", "FleetDirectory", fleetauth.DirectoryClauses(), []string{"fleets_none"}, func(*testing.T) *fleetauth.Port {
			bad := noFleets{memory.NewFleetAuth()}
			return &fleetauth.Port{FleetAuth: bad, FleetDirectory: bad}
		}),
	}
}
