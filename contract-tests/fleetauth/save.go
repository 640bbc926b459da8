package fleetauth

import (
	"context"
	"errors"
	"fmt"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func saveClauses() []clauseOf {
	second, third := labelledKey("second"), labelledKey("third")
	renamed := func(key domain.FleetKey, label domain.KeyLabel) domain.FleetKey {
		key.Label = label
		return key
	}
	return []clauseOf{
		clause.New(
			"save_then_authenticate", "SaveFleet stores a fleet that doesn't exist, whole, with its keys, whole",
			clause.Steps(savesEach(oddFleets()...), savesFleet(yellow, oddLabels()...), keysOpen(oddFleets()...), keysOpenWith(yellow, oddLabels()...),
				holdsFleets(inOrderOfIDs(append(oddFleets(), yellow))...), holdsKeys(yellow.ID, inOrderOfLabels(oddLabels())...)),
		), clause.New(
			"save_replaces", "SaveFleet stores the fleet in place of one that exists, which has these keys and no others",
			clause.Steps(addsFleets(yellow), addsKeys(yellow.ID, second), savesFleet(strict, second, third), holdsFleets(strict), holdsKeys(strict.ID, second, third),
				keysOpenWith(strict, second, third), keyIsUnknown(keyOf(yellow.ID)), savesFleet(domain.Fleet{ID: 689}, third), holdsFleets(domain.Fleet{ID: 689}),
				holdsKeys(689, third), keyIsUnknown(second.Hash)),
		), clause.New(
			"save_without_keys", "a fleet that is saved without keys has none",
			clause.Steps(addsFleets(yellow), savesFleet(disabled), savesFleet(green), holdsFleets(disabled, green), holdsKeys(yellow.ID), holdsKeys(green.ID), keyIsUnknown(keyOf(yellow.ID))),
		), clause.New(
			"save_renamed_keys", "keys of the fleet may have other labels than before, those of one another too",
			clause.Steps(addsFleets(yellow), addsKeys(yellow.ID, second), savesFleet(yellow, renamed(second, domain.FirstKey), renamed(firstKey(yellow.ID), "second")),
				holdsKeys(yellow.ID, renamed(second, domain.FirstKey), renamed(firstKey(yellow.ID), "second")), keysOpenWith(yellow, renamed(second, domain.FirstKey))),
		), clause.New(
			"save_key_of_another", "SaveFleet fails with Conflict, changing nothing, where another fleet has one of the keys",
			clause.Steps(addsFleets(yellow, green), clause.Fails(domain.Conflict, "SaveFleet with a key of another fleet", savesFleet(disabled, second, firstKey(green.ID))),
				clause.Fails(domain.Conflict, "SaveFleet of a new fleet with a key of another one", savesFleet(domain.Fleet{ID: 1}, second, firstKey(green.ID))),
				holdsFleets(yellow, green), holdsKeys(yellow.ID, firstKey(yellow.ID)), holdsKeys(green.ID, firstKey(green.ID)), keysOpen(yellow, green), keyIsUnknown(second.Hash)),
		), clause.New(
			"save_leaves_others", "SaveFleet leaves other fleets and their keys, with the same labels too",
			clause.Steps(addsFleets(yellow, green), addsKeys(green.ID, third), savesFleet(disabled, second, renamed(labelledKey("fourth"), "third")), holdsFleets(disabled, green),
				holdsKeys(green.ID, firstKey(green.ID), third), keysOpen(green), keysOpenWith(green, third)),
		), clause.New(
			"save_repeated", "repeating a SaveFleet is harmless",
			clause.Steps(savesFleet(strict, second, third), savesFleet(strict, second, third), holdsFleets(strict), holdsKeys(strict.ID, second, third)),
		), clause.New(
			"save_at_once", "SaveFleet is safe for concurrent use: of any number of the same fleet, one is stored whole",
			savesAtOnce,
		), clause.New(
			"save_cut_off", "a SaveFleet whose ctx ends fails with Unavailable and stores the fleet with its keys or changes nothing",
			clause.CutOff(saveCutOff),
		),
	}
}

func savesFleet(fleet domain.Fleet, keys ...domain.FleetKey) check {
	return func(ctx context.Context, auth *Port) error {
		err := auth.SaveFleet(ctx, fleet, keys)
		return clause.Failed(fmt.Sprintf("SaveFleet(%+v) with %d keys", fleet, len(keys)), err)
	}
}

// savesEach saves fleets with their first keys.
func savesEach(fleets ...domain.Fleet) check {
	var each []check
	for _, fleet := range fleets {
		each = append(each, savesFleet(fleet, firstKey(fleet.ID)))
	}
	return clause.Steps(each...)
}

// savesAtOnce saves one fleet many times, each time with another name and other keys,
// beside fleets of their own.
func savesAtOnce(ctx context.Context, auth *Port) error {
	fleets, keys := manyFleets(clause.Crowd), manyKeys(clause.Crowd/2)
	for i := range keys {
		fleets[i].ID = yellow.ID
		keys[i].Label = "second"
	}
	errs := clause.Together(len(fleets), func(i int) error {
		if i < len(keys) {
			return auth.SaveFleet(ctx, fleets[i], keys[i:i+1])
		}
		return clause.Steps(savesEach(fleets[i]), keysOpen(fleets[i]))(ctx, auth)
	})
	if err := errors.Join(errs...); err != nil {
		return clause.Failed("SaveFleet at once", err)
	}
	for i := range keys {
		if failure := clause.Steps(holdsFleets(inOrderOfIDs(append(fleets[len(keys):], fleets[i]))...), holdsKeys(yellow.ID, keys[i]), keysOpenWith(fleets[i], keys[i]))(ctx, auth); failure == nil {
			return nil
		}
	}
	return errors.New("after many SaveFleet of a fleet at once, it is stored as none of them did")
}

func saveCutOff(ctx, ending context.Context, auth *Port, n int) (done bool, err error) {
	before := manyFleets(n)[n-1]
	after, second := domain.Fleet{ID: before.ID, RequirePIN: true}, labelledKey(domain.KeyLabel(fmt.Sprint("key ", n)))
	if err := addsFleets(before)(ctx, auth); err != nil {
		return false, err
	}
	has := func(fleet domain.Fleet, key domain.FleetKey) error {
		fleets, err := auth.Fleets(ctx)
		if err == nil {
			err = clause.Yields("the fleet that Fleets has", fleets[n-1], nil, fleet)
		}
		return errors.Join(err, clause.Steps(holdsKeys(fleet.ID, key), keysOpenWith(fleet, key))(ctx, auth))
	}
	failure := auth.SaveFleet(ending, after, []domain.FleetKey{second})
	if failure == nil {
		return true, has(after, second)
	}
	err = clause.FailsWith(domain.Unavailable, "SaveFleet whose ctx ended", failure)
	if has(after, second) != nil {
		err = errors.Join(err, has(before, firstKey(before.ID)))
	}
	return false, err
}
