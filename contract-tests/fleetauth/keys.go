package fleetauth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

func addKeyClauses() []clauseOf {
	second, third := labelledKey("second"), labelledKey("third")
	sameLabel := domain.FleetKey{Hash: second.Hash, Label: domain.FirstKey, AddedAt: noon}
	sameKey := domain.FleetKey{Hash: keyOf(yellow.ID), Label: "second", AddedAt: noon}
	return []clauseOf{
		clause.New(
			"add_key_then_authenticate", "each live key authenticates its fleet, and Authenticate returns its label",
			clause.Steps(addsFleets(yellow, green), addsKeys(yellow.ID, oddLabels()...), keysOpen(yellow, green), keysOpenWith(yellow, oddLabels()...)),
		), clause.New(
			"add_key_known_label", "adding a key with a label that the fleet has fails with Conflict and changes nothing",
			clause.Steps(addsFleets(yellow), refusesKey(domain.Conflict, yellow.ID, sameLabel),
				holdsKeys(yellow.ID, firstKey(yellow.ID)), keyIsUnknown(sameLabel.Hash), keysOpen(yellow)),
		), clause.New(
			"add_key_known_key", "adding a key that a fleet has, this one or another, fails with Conflict and changes nothing",
			clause.Steps(addsFleets(yellow, green), refusesKey(domain.Conflict, yellow.ID, sameKey), refusesKey(domain.Conflict, green.ID, sameKey),
				holdsKeys(yellow.ID, firstKey(yellow.ID)), holdsKeys(green.ID, firstKey(green.ID)), keysOpen(yellow, green)),
		), clause.New(
			"add_key_unknown_fleet", "AddKey fails with NotFound when there is no such fleet, and adds neither",
			clause.Steps(addsFleets(green), refusesKey(domain.NotFound, yellow.ID, second), holdsFleets(green), keyIsUnknown(second.Hash)),
		), clause.New(
			"add_key_label_of_other_fleet", "two fleets may have keys with the same label",
			clause.Steps(addsFleets(yellow, green), addsKeys(green.ID, second), addsKeys(yellow.ID, domain.FleetKey{Hash: third.Hash, Label: second.Label}),
				keysOpenWith(green, second), keysOpenWith(yellow, domain.FleetKey{Hash: third.Hash, Label: second.Label})),
		), clause.New(
			"add_key_at_once", "AddKey is safe for concurrent use",
			clause.Steps(addsFleets(yellow), clause.AtOnce(clause.Crowd, addKeyAndOpen), keysOpen(yellow), keysOpenWith(yellow, manyKeys(clause.Crowd)...)),
		), clause.New(
			"add_key_same_label_at_once", "of any number of AddKey with the same label one succeeds, the others change nothing",
			clause.Steps(addsFleets(yellow), addSameLabelAtOnce),
		), clause.New(
			"add_key_cut_off", "an AddKey whose ctx ends fails with Unavailable and adds the key whole or not at all",
			clause.Steps(addsFleets(yellow), clause.CutOff(addKeyCutOff)),
		),
	}
}

func keysClauses() []clauseOf {
	return []clauseOf{
		clause.New(
			"keys_ordered", "Keys returns the keys of a fleet, whole, in the order of their labels, by bytes",
			clause.Steps(addsFleets(yellow), addsKeys(yellow.ID, oddLabels()...),
				holdsKeys(yellow.ID, inOrderOfLabels(append(oddLabels(), firstKey(yellow.ID)))...)),
		), clause.New(
			"keys_own_fleet", "Keys returns no key of another fleet",
			clause.Steps(addsFleets(yellow, green), addsKeys(green.ID, labelledKey("second")), holdsKeys(yellow.ID, firstKey(yellow.ID))),
		), clause.New(
			"keys_unknown_fleet", "Keys fails with NotFound when there is no such fleet",
			clause.Steps(addsFleets(green), clause.Fails(domain.NotFound, "Keys of a fleet that was not added", holdsKeys(yellow.ID)),
				clause.Fails(domain.NotFound, "Keys of fleet 0", holdsKeys(0))),
		),
	}
}

func revokeKeyClauses() []clauseOf {
	second, third := labelledKey("second"), labelledKey("third")
	return []clauseOf{
		clause.New(
			"revoke", "when RevokeKey returns, no Authenticate takes the key any more, and Keys lacks it",
			clause.Steps(addsFleets(yellow), addsKeys(yellow.ID, second), keysOpen(yellow), keysOpenWith(yellow, second),
				revokesKey(yellow.ID, second.Label), keyIsUnknown(second.Hash), holdsKeys(yellow.ID, firstKey(yellow.ID))),
		), clause.New(
			"revoke_leaves_others", "RevokeKey removes no other key of the fleet, nor one with the same label of another fleet",
			clause.Steps(addsFleets(yellow, green), addsKeys(yellow.ID, second, third), revokesKey(yellow.ID, domain.FirstKey),
				keysOpen(green), keysOpenWith(yellow, second, third)),
		), clause.New(
			"revoke_last", "a fleet whose last key is revoked stays, without keys",
			clause.Steps(addsFleets(yellow), revokesKey(yellow.ID, domain.FirstKey), holdsFleets(yellow), holdsKeys(yellow.ID)),
		), clause.New(
			"revoke_then_add", "when a key is revoked, its label is free again, and so is the key",
			clause.Steps(addsFleets(yellow, green), addsKeys(yellow.ID, second), revokesKey(yellow.ID, second.Label), addsKeys(green.ID, second),
				addsKeys(yellow.ID, domain.FleetKey{Hash: third.Hash, Label: second.Label, AddedAt: third.AddedAt}), keysOpenWith(green, second),
				keysOpenWith(yellow, domain.FleetKey{Hash: third.Hash, Label: second.Label})),
		), clause.New(
			"revoke_unknown", "RevokeKey fails with NotFound when there is no such key, and removes none",
			clause.Steps(addsFleets(yellow, green), addsKeys(green.ID, second), missesKey(yellow.ID, second.Label), missesKey(yellow.ID, "First"),
				missesKey(0, second.Label), revokesKey(green.ID, second.Label), missesKey(green.ID, second.Label), keysOpen(yellow, green)),
		),
	}
}

// labelledKey is a key that differs from those with another label in all.
func labelledKey(label domain.KeyLabel) domain.FleetKey {
	return domain.FleetKey{
		Hash: sha256.Sum256(fmt.Append(nil, "the key ", label)), Label: label,
		AddedAt: noon.Add(time.Duration(len(label)) * time.Microsecond),
	}
}

// oddLabels are keys whose labels a careless adapter takes for one another,
// doesn't store whole, or has in another order. When the last was added isn't
// known.
func oddLabels() []domain.FleetKey {
	var keys []domain.FleetKey
	for _, label := range []domain.KeyLabel{
		"second", "Second", "first 2", "First", "10", "9", "_", "~", "é", "e\u0301", "É", "Ā", "ß", "ss",
		`\x41 'O"Hara' % _ ; --`, "a", "a-b", "a b", "ab", domain.KeyLabel(strings.Repeat("🚕", 64)), "\uffee", "\U0001f695", "undated",
	} {
		keys = append(keys, labelledKey(label))
	}
	keys[len(keys)-1].AddedAt = time.Time{}
	return keys
}

func manyKeys(n int) []domain.FleetKey {
	keys := make([]domain.FleetKey, n)
	for i := range keys {
		keys[i] = labelledKey(domain.KeyLabel(fmt.Sprint("key ", i)))
	}
	return keys
}

func inOrderOfLabels(keys []domain.FleetKey) []domain.FleetKey {
	return slices.SortedFunc(slices.Values(keys), func(x, y domain.FleetKey) int { return cmp.Compare(x.Label, y.Label) })
}

func addsKeys(fleet domain.FleetID, keys ...domain.FleetKey) check {
	return func(ctx context.Context, auth *Port) error {
		for _, key := range keys {
			if err := auth.AddKey(ctx, fleet, key); err != nil {
				return clause.Failed(fmt.Sprintf("AddKey(%d, %q)", fleet, key.Label), err)
			}
		}
		return nil
	}
}

func refusesKey(kind domain.Kind, fleet domain.FleetID, key domain.FleetKey) check {
	return clause.Fails(kind, fmt.Sprintf("AddKey(%d, %q)", fleet, key.Label), addsKeys(fleet, key))
}

func holdsKeys(fleet domain.FleetID, want ...domain.FleetKey) check {
	return func(ctx context.Context, auth *Port) error {
		got, err := auth.Keys(ctx, fleet)
		return clause.Lists(fmt.Sprintf("Keys(%d)", fleet), got, err, want)
	}
}

// keysOpenWith checks that each key authenticates the fleet under its label.
func keysOpenWith(fleet domain.Fleet, keys ...domain.FleetKey) check {
	return func(ctx context.Context, auth *Port) error {
		for _, key := range keys {
			got, err := auth.Authenticate(ctx, key.Hash)
			want := domain.Caller{Fleet: fleet, Key: key.Label}
			if err := clause.Yields(fmt.Sprintf("Authenticate with the key %q", key.Label), got, err, want); err != nil {
				return err
			}
		}
		return nil
	}
}

func revokesKey(fleet domain.FleetID, label domain.KeyLabel) check {
	return func(ctx context.Context, auth *Port) error {
		return clause.Failed(fmt.Sprintf("RevokeKey(%d, %q)", fleet, label), auth.RevokeKey(ctx, fleet, label))
	}
}

func missesKey(fleet domain.FleetID, label domain.KeyLabel) check {
	return clause.Fails(domain.NotFound, fmt.Sprintf("RevokeKey(%d, %q), which is no key", fleet, label), revokesKey(fleet, label))
}

func addKeyAndOpen(ctx context.Context, auth *Port, i int) error {
	key := manyKeys(clause.Crowd)[i]
	return clause.Steps(addsKeys(yellow.ID, key), keysOpenWith(yellow, key))(ctx, auth)
}

func addSameLabelAtOnce(ctx context.Context, auth *Port) error {
	keys := manyKeys(clause.Crowd)
	for i := range keys {
		keys[i].Label = "second"
	}
	winner, err := clause.OneWins("AddKey with one label", func(i int) error { return auth.AddKey(ctx, yellow.ID, keys[i]) })
	if err != nil {
		return err
	}
	for i, loser := range keys {
		if i == winner {
			continue
		}
		if err := keyIsUnknown(loser.Hash)(ctx, auth); err != nil {
			return err
		}
	}
	return clause.Steps(keysOpenWith(yellow, keys[winner]), holdsKeys(yellow.ID, firstKey(yellow.ID), keys[winner]))(ctx, auth)
}

func addKeyCutOff(ctx, ending context.Context, auth *Port, n int) (done bool, err error) {
	key := labelledKey(domain.KeyLabel(fmt.Sprint("key ", n)))
	failure := auth.AddKey(ending, yellow.ID, key)
	if failure == nil {
		return true, keysOpenWith(yellow, key)(ctx, auth)
	}
	err = clause.FailsWith(domain.Unavailable, "AddKey whose ctx ended", failure)
	keys, listing := auth.Keys(ctx, yellow.ID)
	if slices.Contains(keys, key) {
		return false, errors.Join(err, keysOpenWith(yellow, key)(ctx, auth))
	}
	unlabelled := slices.ContainsFunc(keys, func(k domain.FleetKey) bool { return k.Hash == key.Hash || k.Label == key.Label })
	return false, errors.Join(err, clause.Failed("Keys", listing), keyIsUnknown(key.Hash)(ctx, auth),
		clause.Yields("whether Keys has a part of the key", unlabelled, nil, false))
}
