package contracttests

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/memory"
	"github.com/fleetphoto/fleetphoto/domain"
)

// badFleetAuth is a good FleetAuth but for the methods that are set.
type badFleetAuth struct {
	FleetRoles   // the good one
	authenticate func(context.Context, domain.APIKeyHash) (domain.Caller, error)
	add          func(context.Context, domain.Fleet, domain.FleetKey) error
	set          func(context.Context, domain.Fleet) error
	fleets       func(context.Context) ([]domain.Fleet, error)
	addKey       func(context.Context, domain.FleetID, domain.FleetKey) error
	keys         func(context.Context, domain.FleetID) ([]domain.FleetKey, error)
	revoke       func(context.Context, domain.FleetID, domain.KeyLabel) error
}

func (b *badFleetAuth) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	if b.authenticate != nil {
		return b.authenticate(ctx, key)
	}
	return b.FleetRoles.Authenticate(ctx, key)
}

func (b *badFleetAuth) AddFleet(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
	if b.add != nil {
		return b.add(ctx, fleet, key)
	}
	return b.FleetRoles.AddFleet(ctx, fleet, key)
}

func (b *badFleetAuth) SetFleet(ctx context.Context, fleet domain.Fleet) error {
	if b.set != nil {
		return b.set(ctx, fleet)
	}
	return b.FleetRoles.SetFleet(ctx, fleet)
}

func (b *badFleetAuth) Fleets(ctx context.Context) ([]domain.Fleet, error) {
	if b.fleets != nil {
		return b.fleets(ctx)
	}
	return b.FleetRoles.Fleets(ctx)
}

func (b *badFleetAuth) AddKey(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
	if b.addKey != nil {
		return b.addKey(ctx, fleet, key)
	}
	return b.FleetRoles.AddKey(ctx, fleet, key)
}

func (b *badFleetAuth) Keys(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error) {
	if b.keys != nil {
		return b.keys(ctx, fleet)
	}
	return b.FleetRoles.Keys(ctx, fleet)
}

func (b *badFleetAuth) RevokeKey(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
	if b.revoke != nil {
		return b.revoke(ctx, fleet, label)
	}
	return b.FleetRoles.RevokeKey(ctx, fleet, label)
}

// spoilFleetAuth makes a badFleetAuth whose methods spoil sets. They call the
// good ones through good.
func spoilFleetAuth(spoil func(bad *badFleetAuth, good FleetRoles)) func() FleetRoles {
	return func() FleetRoles {
		bad := &badFleetAuth{FleetRoles: memory.NewFleetAuth()}
		spoil(bad, bad.FleetRoles)
		return bad
	}
}

func TestFleetAuthClausesCanFail(t *testing.T) {
	t.Parallel()
	proveClauses(t, fleetAuthClauses(), slices.Concat(
		badAuthenticates(), badAddFleets(), badSetFleets(), badFleets(), badAddKeys(), badKeys(), badRevokes(),
		badFleetAuthsAfterCtx(), badKeysAfterCtx()))
}

type fleetAuthSabotage = sabotage[FleetRoles]

// lostKey is a key that nobody has.
var lostKey = domain.FleetKey{Hash: domain.APIKeyHash{1}}

func badAuthenticates() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"a name loses its outer spaces", []string{"add_then_authenticate"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				caller, err := good.Authenticate(ctx, key)
				caller.Fleet.Name = strings.TrimSpace(caller.Fleet.Name)
				return caller, err
			}
		})},
		{"a disabled fleet is not authenticated", []string{"authenticate_disabled", "add_then_authenticate", "set_keeps_keys"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				caller, err := good.Authenticate(ctx, key)
				if caller.Fleet.Disabled {
					return domain.Caller{}, domain.Errorf(domain.FleetDisabled, "disabled")
				}
				return caller, err
			}
		})},
		{"the zero key is live", []string{"authenticate_unknown"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				if key == (domain.APIKeyHash{}) {
					return domain.Caller{}, nil
				}
				return good.Authenticate(ctx, key)
			}
		})},
		{"the end of a key doesn't count", []string{"authenticate_whole_key"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var known sync.Map
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				if whole, found := known.Load([31]byte(key[:])); found {
					key = whole.(domain.APIKeyHash)
				}
				return good.Authenticate(ctx, key)
			}
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				known.Store([31]byte(key.Hash[:]), key.Hash)
				return good.AddFleet(ctx, fleet, key)
			}
		})},
	}
}

func badAddFleets() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"a fleet that exists is ignored without an error", []string{"add_known_fleet", "add_known_key", "add_same_fleet_at_once"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				if err := good.AddFleet(ctx, fleet, key); !errors.Is(err, domain.Conflict) {
					return err
				}
				return nil
			}
		})},
		{"a fleet that exists is replaced", []string{"add_known_fleet", "add_same_fleet_at_once"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				err := good.AddFleet(ctx, fleet, key)
				if errors.Is(err, domain.Conflict) {
					_ = good.SetFleet(ctx, fleet)
				}
				return err
			}
		})},
		{"a fleet whose key is refused stays", []string{"add_known_key"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				err := good.AddFleet(ctx, fleet, key)
				if errors.Is(err, domain.Conflict) {
					_ = good.AddFleet(ctx, fleet, lostKey)
				}
				return err
			}
		})},
		{"a fleet is added without its key when ctx ends in between", []string{"add_cut_off"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				if endsMeanwhile(ctx) {
					_ = good.AddFleet(live(ctx), fleet, lostKey)
				}
				return good.AddFleet(ctx, fleet, key)
			}
		})},
		{"fleets added at once are lost", []string{"add_at_once", "add_same_fleet_at_once"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var adding overlap
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				others, over := adding.during()
				defer over()
				if others {
					return nil
				}
				return good.AddFleet(ctx, fleet, key)
			}
		})},
		{"fleets added at once under one id are not refused", []string{"add_same_fleet_at_once"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var adding overlap
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				others, over := adding.during()
				defer over()
				if err := good.AddFleet(ctx, fleet, key); !others || !errors.Is(err, domain.Conflict) {
					return err
				}
				return nil
			}
		})},
	}
}

func badFleetAuthsAfterCtx() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"Authenticate doesn't look at ctx", []string{"authenticate_ended_ctx"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				return good.Authenticate(live(ctx), key)
			}
		})},
		{"AddFleet doesn't look at ctx", []string{"add_ended_ctx"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.add = func(ctx context.Context, fleet domain.Fleet, key domain.FleetKey) error {
				return good.AddFleet(live(ctx), fleet, key)
			}
		})},
		{"SetFleet looks at ctx too late", []string{"set_ended_ctx"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.set = func(ctx context.Context, fleet domain.Fleet) error {
				return cmp.Or(good.SetFleet(live(ctx), fleet), good.SetFleet(ctx, fleet))
			}
		})},
		{"Fleets doesn't look at ctx", []string{"fleets_ended_ctx"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.fleets = func(ctx context.Context) ([]domain.Fleet, error) { return good.Fleets(live(ctx)) }
		})},
		{"a cause is public", []string{"public_text"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.set = func(ctx context.Context, fleet domain.Fleet) error { return tell(good.SetFleet(ctx, fleet)) }
		})},
	}
}
