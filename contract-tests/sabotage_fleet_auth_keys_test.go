package contracttests

import (
	"context"
	"errors"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// spoilAddKey makes a FleetAuth with another AddKey.
func spoilAddKey(add func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error) func() FleetRoles {
	return spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
		bad.addKey = func(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
			return add(ctx, good, fleet, key)
		}
	})
}

func badAddKeys() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"Authenticate cuts a label short", []string{"add_key_then_authenticate"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				caller, err := good.Authenticate(ctx, key)
				caller.Key = domain.KeyLabel(shorten(string(caller.Key)))
				return caller, err
			}
		})},
		{"a key that exists is ignored without an error", []string{"add_key_known_label", "add_key_known_key", "add_key_same_label_at_once"}, spoilAddKey(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error {
			if err := good.AddKey(ctx, fleet, key); !errors.Is(err, domain.Conflict) {
				return err
			}
			return nil
		})},
		{"a key whose label is taken takes its place, and an error is returned", []string{"add_key_known_label", "add_key_same_label_at_once"}, spoilAddKey(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error {
			err := good.AddKey(ctx, fleet, key)
			if _, unknown := good.Authenticate(ctx, key.Hash); unknown != nil && errors.Is(err, domain.Conflict) {
				_ = good.RevokeKey(ctx, fleet, key.Label)
				_ = good.AddKey(ctx, fleet, key)
			}
			return err
		})},
		{"a key that another fleet has moves, and an error is returned", []string{"add_key_known_key"}, spoilAddKey(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error {
			err := good.AddKey(ctx, fleet, key)
			if owner, _ := good.Authenticate(ctx, key.Hash); errors.Is(err, domain.Conflict) && owner.Fleet.ID != 0 && owner.Fleet.ID != fleet {
				_ = good.RevokeKey(ctx, owner.Fleet.ID, owner.Key)
				_ = good.AddKey(ctx, fleet, key)
			}
			return err
		})},
		{"a key of no fleet is added without an error", []string{"add_key_unknown_fleet"}, spoilAddKey(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error {
			if err := good.AddKey(ctx, fleet, key); !errors.Is(err, domain.NotFound) {
				return err
			}
			return nil
		})},
		{"a key of no fleet makes the fleet, and an error is returned", []string{"add_key_unknown_fleet"}, spoilAddKey(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error {
			err := good.AddKey(ctx, fleet, key)
			if errors.Is(err, domain.NotFound) {
				_ = good.AddFleet(ctx, domain.Fleet{ID: fleet}, key)
			}
			return err
		})},
		{"a label is refused that another fleet has", []string{"add_key_label_of_other_fleet", "revoke_then_add"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var labels sync.Map
			bad.addKey = func(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
				if owner, taken := labels.Load(key.Label); taken && owner != fleet {
					return domain.Errorf(domain.Conflict, "this label exists")
				}
				err := good.AddKey(ctx, fleet, key)
				if err == nil {
					labels.Store(key.Label, fleet)
				}
				return err
			}
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				labels.Delete(label)
				return good.RevokeKey(ctx, fleet, label)
			}
		})},
		{"keys added at once are lost", []string{"add_key_at_once", "add_key_same_label_at_once"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var adding overlap
			bad.addKey = func(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
				others, over := adding.during()
				defer over()
				if others {
					return nil
				}
				return good.AddKey(ctx, fleet, key)
			}
		})},
		{"keys added at once under one label are not refused", []string{"add_key_same_label_at_once"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var adding overlap
			bad.addKey = func(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
				others, over := adding.during()
				defer over()
				if err := good.AddKey(ctx, fleet, key); !others || !errors.Is(err, domain.Conflict) {
					return err
				}
				return nil
			}
		})},
		{"a key is added without its label when ctx ends meanwhile", []string{"add_key_cut_off"}, spoilAddKey(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error {
			if endsMeanwhile(ctx) {
				_ = good.AddKey(live(ctx), fleet, domain.FleetKey{Hash: key.Hash})
			}
			return good.AddKey(ctx, fleet, key)
		})},
	}
}

// spoilKeys makes a FleetAuth that changes what Keys returns.
func spoilKeys(change func(ctx context.Context, good FleetRoles, fleet domain.FleetID, keys []domain.FleetKey, err error) ([]domain.FleetKey, error)) func() FleetRoles {
	return spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
		bad.keys = func(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error) {
			keys, err := good.Keys(ctx, fleet)
			return change(ctx, good, fleet, keys, err)
		}
	})
}

func badKeys() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"labels are ordered without regard to case", []string{"keys_ordered"}, spoilKeys(func(_ context.Context, _ FleetRoles, _ domain.FleetID, keys []domain.FleetKey, err error) ([]domain.FleetKey, error) {
			slices.SortStableFunc(keys, func(x, y domain.FleetKey) int {
				return strings.Compare(strings.ToLower(string(x.Label)), strings.ToLower(string(y.Label)))
			})
			return keys, err
		})},
		{"a key that was added at an unknown time was added in 1970", []string{"keys_ordered"}, spoilKeys(func(_ context.Context, _ FleetRoles, _ domain.FleetID, keys []domain.FleetKey, err error) ([]domain.FleetKey, error) {
			for i := range keys {
				if keys[i].AddedAt.IsZero() {
					keys[i].AddedAt = time.Unix(0, 0).UTC()
				}
			}
			return keys, err
		})},
		{"Keys returns the keys of fleet 690 too", []string{"keys_own_fleet"}, spoilKeys(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, keys []domain.FleetKey, err error) ([]domain.FleetKey, error) {
			if err == nil && fleet != green.ID {
				others, _ := good.Keys(ctx, green.ID)
				keys = append(keys, slices.DeleteFunc(others, func(k domain.FleetKey) bool { return k.Label == domain.FirstKey })...)
			}
			return keys, err
		})},
		{"a fleet that doesn't exist has no keys", []string{"keys_unknown_fleet"}, spoilKeys(func(_ context.Context, _ FleetRoles, _ domain.FleetID, keys []domain.FleetKey, err error) ([]domain.FleetKey, error) {
			if errors.Is(err, domain.NotFound) {
				err = nil
			}
			return keys, err
		})},
		{"no keys are an error", []string{"revoke_last"}, spoilKeys(func(_ context.Context, _ FleetRoles, _ domain.FleetID, keys []domain.FleetKey, err error) ([]domain.FleetKey, error) {
			if err == nil && len(keys) == 0 {
				err = domain.Errorf(domain.NotFound, "no keys")
			}
			return keys, err
		})},
	}
}

func badRevokes() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"Authenticate takes a revoked key that it took before", []string{"revoke"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			var taken sync.Map
			bad.authenticate = func(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
				caller, err := good.Authenticate(ctx, key)
				if known, found := taken.Load(key); found && errors.Is(err, domain.InvalidHashID) {
					return known.(domain.Caller), nil
				}
				if err == nil {
					taken.Store(key, caller)
				}
				return caller, err
			}
		})},
		{"all keys of the fleet are revoked with one", []string{"revoke", "revoke_leaves_others"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				err := good.RevokeKey(ctx, fleet, label)
				for keys, _ := good.Keys(ctx, fleet); err == nil && len(keys) > 0 && fleet == yellow.ID; keys = keys[1:] {
					_ = good.RevokeKey(ctx, fleet, keys[0].Label)
				}
				return err
			}
		})},
		{"the same label of fleet 690 is revoked too", []string{"revoke_leaves_others"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				err := good.RevokeKey(ctx, fleet, label)
				if err == nil {
					_ = good.RevokeKey(ctx, green.ID, label)
				}
				return err
			}
		})},
		{"the last key of a fleet can't be revoked", []string{"revoke_last"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				if keys, _ := good.Keys(ctx, fleet); len(keys) == 1 && keys[0].Label == label {
					return domain.Errorf(domain.Conflict, "the last key")
				}
				return good.RevokeKey(ctx, fleet, label)
			}
		})},
		{"a revoked label stays taken", []string{"revoke_then_add"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			type name struct {
				fleet domain.FleetID
				label domain.KeyLabel
			}
			var taken sync.Map
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				taken.Store(name{fleet, label}, true)
				return good.RevokeKey(ctx, fleet, label)
			}
			bad.addKey = func(ctx context.Context, fleet domain.FleetID, key domain.FleetKey) error {
				if _, found := taken.Load(name{fleet, key.Label}); found {
					return domain.Errorf(domain.Conflict, "this label existed")
				}
				return good.AddKey(ctx, fleet, key)
			}
		})},
		{"revoking nothing is no error", []string{"revoke_unknown"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				if err := good.RevokeKey(ctx, fleet, label); !errors.Is(err, domain.NotFound) {
					return err
				}
				return nil
			}
		})},
		{"labels are compared without regard to case", []string{"revoke_unknown"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				return good.RevokeKey(ctx, fleet, domain.KeyLabel(strings.ToLower(string(label))))
			}
		})},
	}
}

func badKeysAfterCtx() []fleetAuthSabotage {
	return []fleetAuthSabotage{
		{"AddKey looks at ctx too late", []string{"add_key_ended_ctx"}, spoilAddKey(func(ctx context.Context, good FleetRoles, fleet domain.FleetID, key domain.FleetKey) error {
			if ctx.Err() != nil {
				_ = good.AddKey(live(ctx), fleet, key)
			}
			return good.AddKey(ctx, fleet, key)
		})},
		{"Keys doesn't look at ctx", []string{"keys_ended_ctx"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.keys = func(ctx context.Context, fleet domain.FleetID) ([]domain.FleetKey, error) {
				return good.Keys(live(ctx), fleet)
			}
		})},
		{"RevokeKey looks at ctx too late", []string{"revoke_ended_ctx"}, spoilFleetAuth(func(bad *badFleetAuth, good FleetRoles) {
			bad.revoke = func(ctx context.Context, fleet domain.FleetID, label domain.KeyLabel) error {
				if ctx.Err() != nil {
					_ = good.RevokeKey(live(ctx), fleet, label)
				}
				return good.RevokeKey(ctx, fleet, label)
			}
		})},
	}
}
