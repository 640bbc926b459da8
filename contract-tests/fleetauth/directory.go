package fleetauth

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// DirectoryClauses returns those of ports.FleetDirectory.
func DirectoryClauses() []clause.Clause[*Port] {
	return slices.Concat(fleetClauses(), addKeyClauses(), keysClauses(), revokeKeyClauses(), saveClauses(), directoryEndedCtx())
}

func fleetClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"add_then_authenticate", "Authenticate returns the fleet that has the key, whole",
			clause.Steps(addsFleets(oddFleets()...), keysOpen(oddFleets()...)),
		), clause.New(
			"add_known_fleet", "adding a fleet whose id exists fails with Conflict and changes nothing",
			clause.Steps(addsFleets(yellow), refusesFleet(disabled, firstKey(1)), holdsFleets(yellow), keysOpen(yellow), keyIsUnknown(keyOf(1))),
		), clause.New(
			"add_known_key", "adding a fleet with a key that exists fails with Conflict and changes nothing",
			clause.Steps(addsFleets(yellow), refusesFleet(green, firstKey(yellow.ID)), holdsFleets(yellow), keysOpen(yellow)),
		), clause.New(
			"add_cut_off", "AddFleet adds a fleet together with its first key, both or neither",
			clause.CutOff(addCutOff),
		), clause.New(
			"add_at_once", "AddFleet is safe for concurrent use",
			clause.Steps(clause.AtOnce(clause.Crowd, addAndOpen), holdsFleets(manyFleets(clause.Crowd)...), keysOpen(manyFleets(clause.Crowd)...)),
		), clause.New(
			"all_at_once", "every method is safe for concurrent use",
			clause.AtOnce(clause.Crowd, usesOwnFleet),
		), clause.New(
			"add_same_fleet_at_once", "of any number of AddFleet with the same id one succeeds, the others change nothing",
			addSameFleetAtOnce,
		), clause.New(
			"set_replaces", "SetFleet replaces all but the ID",
			clause.Steps(addsFleets(yellow), setsFleet(disabled), holdsFleets(disabled), setsFleet(strict), holdsFleets(strict), keysOpen(strict),
				setsFleet(domain.Fleet{ID: 689}), holdsFleets(domain.Fleet{ID: 689})),
		), clause.New(
			"set_keeps_keys", "after SetFleet the fleet's keys authenticate it, as it is now",
			clause.Steps(addsFleets(yellow), setsFleet(disabled), keysOpen(disabled)),
		), clause.New(
			"set_leaves_others", "SetFleet changes no other fleet",
			clause.Steps(addsFleets(yellow, green), setsFleet(disabled), holdsFleets(disabled, green), keysOpen(green)),
		), clause.New(
			"set_unknown", "SetFleet fails with NotFound when there is no such fleet, and adds none",
			clause.Steps(addsFleets(green), clause.Fails(domain.NotFound, "SetFleet of a fleet that was not added", setsFleet(yellow)), holdsFleets(green)),
		), clause.New(
			"fleets_none", "Fleets of a port without fleets returns none, without an error",
			holdsFleets(),
		), clause.New(
			"fleets_ordered", "Fleets returns all fleets, whole, in the order of their ids",
			clause.Steps(addsFleets(oddFleets()...), holdsFleets(inOrderOfIDs(oddFleets())...)),
		),
	}
}

func directoryEndedCtx() []clauseOf {
	first, second := firstKey(yellow.ID), labelledKey("second")
	unchanged := clause.Steps(holdsFleets(yellow), holdsKeys(yellow.ID, first), keysOpen(yellow), keyIsUnknown(keyOf(green.ID)), keyIsUnknown(second.Hash))
	return clause.EndedCtx(addsFleets(yellow), unchanged, DirectoryCalls()...)
}

// DirectoryCalls returns a call of each method of ports.FleetDirectory.
func DirectoryCalls() []clause.Call[*Port] {
	first, second := firstKey(yellow.ID), labelledKey("second")
	return []call{
		{Method: "add", Do: addsFleets(green)},
		{Method: "set", Do: setsFleet(disabled)},
		{Method: "save", Do: savesFleet(disabled, second)},
		{Method: "fleets", Do: holdsFleets(yellow)},
		{Method: "add_key", Do: addsKeys(yellow.ID, second)},
		{Method: "keys", Do: holdsKeys(yellow.ID, first)},
		{Method: "revoke", Do: revokesKey(yellow.ID, first.Label)},
	}
}

func addsFleets(fleets ...domain.Fleet) check {
	return func(ctx context.Context, auth *Port) error {
		for _, fleet := range fleets {
			if err := auth.AddFleet(ctx, fleet, firstKey(fleet.ID)); err != nil {
				return clause.Failed(fmt.Sprintf("AddFleet(%+v)", fleet), err)
			}
		}
		return nil
	}
}

func refusesFleet(fleet domain.Fleet, key domain.FleetKey) check {
	return clause.Fails(domain.Conflict, fmt.Sprintf("AddFleet(%+v)", fleet), func(ctx context.Context, auth *Port) error {
		return auth.AddFleet(ctx, fleet, key)
	})
}

func setsFleet(fleet domain.Fleet) check {
	return func(ctx context.Context, auth *Port) error {
		return clause.Failed(fmt.Sprintf("SetFleet(%+v)", fleet), auth.SetFleet(ctx, fleet))
	}
}

func holdsFleets(want ...domain.Fleet) check {
	return func(ctx context.Context, auth *Port) error {
		got, err := auth.Fleets(ctx)
		return clause.Lists("Fleets", got, err, want)
	}
}

func addAndOpen(ctx context.Context, auth *Port, i int) error {
	fleet := manyFleets(clause.Crowd)[i]
	return clause.Steps(addsFleets(fleet), keysOpen(fleet))(ctx, auth)
}

// usesOwnFleet calls every method for a fleet of its own.
func usesOwnFleet(ctx context.Context, auth *Port, i int) error {
	added := manyFleets(clause.Crowd)[i]
	set, second := domain.Fleet{ID: added.ID, Disabled: true}, labelledKey(domain.KeyLabel(fmt.Sprint("key ", i)))
	return clause.Steps(addsFleets(added), setsFleet(set), keysOpen(set), addsKeys(set.ID, second), holdsKeys(set.ID, firstKey(set.ID), second),
		revokesKey(set.ID, domain.FirstKey), holdsKeys(set.ID, second), keysOpenWith(set, second), func(ctx context.Context, auth *Port) error {
			fleets, err := auth.Fleets(ctx)
			return clause.Yields("whether Fleets has the fleet", slices.Contains(fleets, set), err, true)
		})(ctx, auth)
}

func addSameFleetAtOnce(ctx context.Context, auth *Port) error {
	named := func(i int) domain.Fleet {
		return domain.Fleet{ID: 689, Name: domain.FleetName(fmt.Sprint("Yellow ", i))}
	}
	keyed := func(i int) domain.FleetKey { return firstKey(domain.FleetID(i)) }
	winner, err := clause.OneWins("AddFleet with one id", func(i int) error { return auth.AddFleet(ctx, named(i), keyed(i)) })
	if err != nil {
		return err
	}
	for i := range clause.Crowd {
		got, err := auth.Authenticate(ctx, keyed(i).Hash)
		if i == winner {
			err = clause.Yields("Authenticate with the key of the AddFleet that succeeded", got, err, domain.Caller{Fleet: named(i), Key: domain.FirstKey})
		} else {
			err = clause.FailsWith(domain.InvalidHashID, "Authenticate with the key of an AddFleet that failed", err)
		}
		if err != nil {
			return err
		}
	}
	return holdsFleets(named(winner))(ctx, auth)
}

func addCutOff(ctx, ending context.Context, auth *Port, n int) (done bool, err error) {
	fleet := manyFleets(n)[n-1]
	failure := auth.AddFleet(ending, fleet, firstKey(fleet.ID))
	if failure != nil {
		err = clause.FailsWith(domain.Unavailable, "AddFleet whose ctx ended", failure)
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
	return failure == nil, errors.Join(err, clause.Failed("Fleets", listing))
}
