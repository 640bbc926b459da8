package contracttests

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"slices"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

// FleetAuth proves that what open returns keeps the promises of
// ports.FleetAuth. open returns a port without fleets, a new one each time; it
// is called in parallel and closes the port through t.Cleanup.
func FleetAuth(t *testing.T, open func(t *testing.T) FleetRoles) {
	t.Helper()
	prove(t, fleetAuthClauses(), open)
}

type (
	fleetCheck  = check[FleetRoles]
	fleetCall   = call[FleetRoles]
	fleetClause = clause[FleetRoles]
)

// The fleets of most clauses.
var (
	yellow   = domain.Fleet{ID: 689, Name: "Yellow Cabs"}
	green    = domain.Fleet{ID: 690, Name: "Green Cabs"}
	disabled = domain.Fleet{ID: 689, Name: "Yellow Cabs", Disabled: true}
)

func fleetAuthClauses() []fleetClause {
	return slices.Concat(fleetClauses(), addKeyClauses(), keysClauses(), revokeKeyClauses(), fleetEndedCtx())
}

func fleetClauses() []fleetClause {
	return []fleetClause{
		{
			"add_then_authenticate", "Authenticate returns the fleet that has the key, whole",
			steps(addsFleets(oddFleets()...), keysOpen(oddFleets()...)),
		}, {
			"authenticate_disabled", "Authenticate returns a disabled fleet too",
			steps(addsFleets(disabled), keysOpen(disabled)),
		}, {
			"authenticate_unknown", "without such a key Authenticate fails with InvalidHashID",
			steps(keyIsUnknown(keyOf(1)), keyIsUnknown(domain.APIKeyHash{}), addsFleets(yellow), keyIsUnknown(keyOf(1))),
		}, {
			"authenticate_whole_key", "a key opens nothing unless every bit of its hash is right",
			steps(addsFleets(yellow), everyOtherKeyIsUnknown(keyOf(yellow.ID))),
		}, {
			"add_known_fleet", "adding a fleet whose id exists fails with Conflict and changes nothing",
			steps(addsFleets(yellow), refusesFleet(disabled, firstKey(1)), holdsFleets(yellow), keysOpen(yellow), keyIsUnknown(keyOf(1))),
		}, {
			"add_known_key", "adding a fleet with a key that exists fails with Conflict and changes nothing",
			steps(addsFleets(yellow), refusesFleet(green, firstKey(yellow.ID)), holdsFleets(yellow), keysOpen(yellow)),
		}, {
			"add_cut_off", "AddFleet adds a fleet together with its first key, both or neither",
			cutOff(addCutOff),
		}, {
			"add_at_once", "AddFleet is safe for concurrent use",
			steps(atOnce(crowd, addAndOpen), holdsFleets(manyFleets(crowd)...), keysOpen(manyFleets(crowd)...)),
		}, {
			"add_same_fleet_at_once", "of any number of AddFleet with the same id one succeeds, the others change nothing",
			addSameFleetAtOnce,
		}, {
			"set_replaces", "SetFleet replaces the name and the Disabled mark",
			steps(addsFleets(yellow), setsFleet(disabled), holdsFleets(disabled), setsFleet(domain.Fleet{ID: 689}), holdsFleets(domain.Fleet{ID: 689})),
		}, {
			"set_keeps_keys", "after SetFleet the fleet's keys authenticate it, as it is now",
			steps(addsFleets(yellow), setsFleet(disabled), keysOpen(disabled)),
		}, {
			"set_leaves_others", "SetFleet changes no other fleet",
			steps(addsFleets(yellow, green), setsFleet(disabled), holdsFleets(disabled, green), keysOpen(green)),
		}, {
			"set_unknown", "SetFleet fails with NotFound when there is no such fleet, and adds none",
			steps(addsFleets(green), fails(domain.NotFound, "SetFleet of a fleet that was not added", setsFleet(yellow)), holdsFleets(green)),
		}, {
			"fleets_none", "Fleets of a port without fleets returns none, without an error",
			holdsFleets(),
		}, {
			"fleets_ordered", "Fleets returns all fleets, whole, in the order of their ids",
			steps(addsFleets(oddFleets()...), holdsFleets(inOrderOfIDs(oddFleets())...)),
		},
	}
}

func fleetEndedCtx() []fleetClause {
	first, second := firstKey(yellow.ID), labelledKey("second")
	unchanged := steps(holdsFleets(yellow), holdsKeys(yellow.ID, first), keysOpen(yellow), keyIsUnknown(keyOf(green.ID)), keyIsUnknown(second.Hash))
	return endedCtx(addsFleets(yellow), unchanged,
		fleetCall{"authenticate", keysOpen(yellow)},
		fleetCall{"add", addsFleets(green)},
		fleetCall{"set", setsFleet(disabled)},
		fleetCall{"fleets", holdsFleets(yellow)},
		fleetCall{"add_key", addsKeys(yellow.ID, second)},
		fleetCall{"keys", holdsKeys(yellow.ID, first)},
		fleetCall{"revoke", revokesKey(yellow.ID, first.Label)},
	)
}

// oddFleets are fleets that a careless adapter doesn't store whole, or in
// another order.
func oddFleets() []domain.Fleet {
	return []domain.Fleet{
		{ID: 10, Name: "Ten"},
		{ID: 9, Name: "Nine", Disabled: true},
		{ID: math.MaxInt64, Name: "Τaxi «O'Hara» 🚕 \\ \" % _ ; --"},
		{ID: math.MaxInt32 + 1},
		{ID: 1, Name: " spaces "},
	}
}

func manyFleets(n int) []domain.Fleet {
	fleets := make([]domain.Fleet, n)
	for i := range fleets {
		fleets[i] = domain.Fleet{ID: domain.FleetID(i + 1), Name: fmt.Sprint("fleet ", i+1)}
	}
	return fleets
}

func inOrderOfIDs(fleets []domain.Fleet) []domain.Fleet {
	return slices.SortedFunc(slices.Values(fleets), func(x, y domain.Fleet) int { return cmp.Compare(x.ID, y.ID) })
}

// keyOf is the key that addsFleets gives the fleet with this id.
func keyOf(id domain.FleetID) domain.APIKeyHash {
	return sha256.Sum256(fmt.Append(nil, "the key of fleet ", id))
}

// firstKey is keyOf as it is stored.
func firstKey(id domain.FleetID) domain.FleetKey {
	return domain.FleetKey{Hash: keyOf(id), Label: domain.FirstKey, AddedAt: noon}
}

func addsFleets(fleets ...domain.Fleet) fleetCheck {
	return func(ctx context.Context, auth FleetRoles) error {
		for _, fleet := range fleets {
			if err := auth.AddFleet(ctx, fleet, firstKey(fleet.ID)); err != nil {
				return failed(fmt.Sprintf("AddFleet(%+v)", fleet), err)
			}
		}
		return nil
	}
}

func refusesFleet(fleet domain.Fleet, key domain.FleetKey) fleetCheck {
	return fails(domain.Conflict, fmt.Sprintf("AddFleet(%+v)", fleet), func(ctx context.Context, auth FleetRoles) error {
		return auth.AddFleet(ctx, fleet, key)
	})
}

func setsFleet(fleet domain.Fleet) fleetCheck {
	return func(ctx context.Context, auth FleetRoles) error {
		return failed(fmt.Sprintf("SetFleet(%+v)", fleet), auth.SetFleet(ctx, fleet))
	}
}

func holdsFleets(want ...domain.Fleet) fleetCheck {
	return func(ctx context.Context, auth FleetRoles) error {
		got, err := auth.Fleets(ctx)
		return lists("Fleets", got, err, want)
	}
}

// keysOpen checks that the key of each fleet authenticates it.
func keysOpen(fleets ...domain.Fleet) fleetCheck {
	return func(ctx context.Context, auth FleetRoles) error {
		for _, want := range fleets {
			got, err := auth.Authenticate(ctx, keyOf(want.ID))
			what := fmt.Sprint("Authenticate with the key of fleet ", want.ID)
			if err := yields(what, got, err, domain.Caller{Fleet: want, Key: domain.FirstKey}); err != nil {
				return err
			}
		}
		return nil
	}
}

func keyIsUnknown(key domain.APIKeyHash) fleetCheck {
	what := fmt.Sprintf("Authenticate with the unknown key %x", key)
	return fails(domain.InvalidHashID, what, func(ctx context.Context, auth FleetRoles) error {
		_, err := auth.Authenticate(ctx, key)
		return err
	})
}

// everyOtherKeyIsUnknown tries keys that differ from key in one byte.
func everyOtherKeyIsUnknown(key domain.APIKeyHash) fleetCheck {
	var unknown []fleetCheck
	for i := range key {
		other := key
		other[i] ^= 0x20
		unknown = append(unknown, keyIsUnknown(other))
	}
	return steps(unknown...)
}

func addAndOpen(ctx context.Context, auth FleetRoles, i int) error {
	fleet := manyFleets(crowd)[i]
	return steps(addsFleets(fleet), keysOpen(fleet))(ctx, auth)
}

func addSameFleetAtOnce(ctx context.Context, auth FleetRoles) error {
	named := func(i int) domain.Fleet { return domain.Fleet{ID: 689, Name: fmt.Sprint("Yellow ", i)} }
	keyed := func(i int) domain.FleetKey { return firstKey(domain.FleetID(i)) }
	winner, err := oneWins("AddFleet with one id", func(i int) error { return auth.AddFleet(ctx, named(i), keyed(i)) })
	if err != nil {
		return err
	}
	for i := range crowd {
		got, err := auth.Authenticate(ctx, keyed(i).Hash)
		if i == winner {
			err = yields("Authenticate with the key of the AddFleet that succeeded", got, err, domain.Caller{Fleet: named(i), Key: domain.FirstKey})
		} else {
			err = failsWith(domain.InvalidHashID, "Authenticate with the key of an AddFleet that failed", err)
		}
		if err != nil {
			return err
		}
	}
	return holdsFleets(named(winner))(ctx, auth)
}

func addCutOff(ctx, ending context.Context, auth FleetRoles, n int) (done bool, err error) {
	fleet := manyFleets(n)[n-1]
	failure := auth.AddFleet(ending, fleet, firstKey(fleet.ID))
	if failure != nil {
		err = failsWith(domain.Unavailable, "AddFleet whose ctx ended", failure)
	}
	fleets, listing := auth.Fleets(ctx)
	added := slices.Contains(fleets, fleet)
	if added {
		err = errors.Join(err, keysOpen(fleet)(ctx, auth))
	} else {
		err = errors.Join(err, keyIsUnknown(keyOf(fleet.ID))(ctx, auth))
	}
	if failure == nil && !added {
		err = errors.Join(err, fmt.Errorf("AddFleet succeeded, but Fleets lacks %+v", fleet))
	}
	return failure == nil, errors.Join(err, failed("Fleets", listing))
}
