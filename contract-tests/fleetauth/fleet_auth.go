// Package fleetauth has the clauses of ports.FleetAuth and of its roles.
//
// Package contracttests imports it; it imports ports and domain.
package fleetauth

import (
	"cmp"
	"context"
	"crypto/sha256"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// Port is what is under test. What a suite doesn't need is nil.
type Port struct {
	ports.FleetAuth // Open sets it where a suite is of this port alone
	ports.FleetDirectory
	Open func(fleets ...Seed) ports.FleetAuth
}

// Seed is a fleet that a port has from the start, and its keys.
type Seed struct {
	domain.Fleet
	Keys []domain.FleetKey
}

type (
	check    = clause.Check[*Port]
	call     = clause.Call[*Port]
	clauseOf = clause.Clause[*Port]
)

// The fleets of most clauses.
var (
	yellow   = domain.Fleet{ID: 689, Name: "Yellow Cabs"}
	green    = domain.Fleet{ID: 690, Name: "Green Cabs"}
	disabled = domain.Fleet{ID: 689, Name: "Yellow Cabs", Disabled: true}
	strict   = domain.Fleet{ID: 689, Name: "Yellow Cabs", RequirePIN: true, Country: 998}
)

// noon is a time that is lost unless it is stored to the microsecond.
var noon = time.Date(2026, time.March, 29, 12, 0, 0, 123_457_000, time.UTC)

// Clauses returns those of ports.FleetAuth.
func Clauses() []clause.Clause[*Port] {
	second := labelledKey("second")
	third := domain.FleetKey{Hash: labelledKey("third").Hash, Label: second.Label}
	return slices.Concat([]clauseOf{
		clause.New(
			"authenticate", "Authenticate returns the fleet that has the key, whole",
			clause.Steps(has(withFirstKey(oddFleets()...)...), keysOpen(oddFleets()...)),
		), clause.New(
			"authenticate_disabled", "Authenticate returns a disabled fleet too",
			clause.Steps(has(withFirstKey(disabled)...), keysOpen(disabled)),
		), clause.New(
			"authenticate_policy", "Authenticate tells whether the fleet requires the PIN, and its country",
			clause.Steps(has(withFirstKey(strict, green)...), keysOpen(strict, green)),
		), clause.New(
			"authenticate_labels", "each live key authenticates its fleet, and Authenticate returns its label",
			clause.Steps(has(Seed{yellow, oddLabels()}, Seed{green, []domain.FleetKey{firstKey(green.ID)}}), keysOpenWith(yellow, oddLabels()...), keysOpen(green)),
		), clause.New(
			"authenticate_same_label", "two fleets may have keys with the same label",
			clause.Steps(has(Seed{green, []domain.FleetKey{second}}, Seed{yellow, []domain.FleetKey{third}}), keysOpenWith(green, second), keysOpenWith(yellow, third)),
		), clause.New(
			"authenticate_unknown", "without such a key Authenticate fails with InvalidHashID, also where there are no fleets, or none with a key",
			clause.Steps(has(), keyIsUnknown(keyOf(1)), keyIsUnknown(domain.APIKeyHash{}),
				has(withFirstKey(yellow)...), keyIsUnknown(keyOf(1)), keyIsUnknown(domain.APIKeyHash{}), has(Seed{Fleet: yellow}), keyIsUnknown(keyOf(yellow.ID))),
		), clause.New(
			"authenticate_whole_key", "a key opens nothing unless every bit of its hash is right",
			clause.Steps(has(withFirstKey(yellow)...), everyOtherKeyIsUnknown(keyOf(yellow.ID))),
		), clause.New(
			"authenticate_at_once", "Authenticate is safe for concurrent use",
			clause.Steps(has(withFirstKey(manyFleets(clause.Crowd)...)...), clause.AtOnce(clause.Crowd, func(ctx context.Context, auth *Port, i int) error {
				return keysOpen(manyFleets(clause.Crowd)[i])(ctx, auth)
			})),
		),
	}, clause.EndedCtx(has(withFirstKey(yellow)...), keysOpen(yellow), Calls()...))
}

// Calls returns a call of each method of ports.FleetAuth.
func Calls() []clause.Call[*Port] { return []call{{Method: "authenticate", Do: keysOpen(yellow)}} }

// has opens a port that has these fleets.
func has(fleets ...Seed) check {
	return func(_ context.Context, auth *Port) error {
		auth.FleetAuth = auth.Open(fleets...)
		return nil
	}
}

func withFirstKey(fleets ...domain.Fleet) []Seed {
	var all []Seed
	for _, fleet := range fleets {
		all = append(all, Seed{fleet, []domain.FleetKey{firstKey(fleet.ID)}})
	}
	return all
}

// oddFleets are fleets that a careless adapter doesn't store whole, or in
// another order.
func oddFleets() []domain.Fleet {
	return []domain.Fleet{
		{ID: 10, Name: "Ten"},
		{ID: 9, Name: "Nine", Disabled: true},
		{ID: math.MaxInt64, Name: "Τaxi «O'Hara» 🚕 \\ \" % _ ; --"},
		{ID: math.MaxInt32 + 1, Disabled: true, RequirePIN: true, Country: 1},
		{ID: 1, Name: " spaces "},
	}
}

func manyFleets(n int) []domain.Fleet {
	fleets := make([]domain.Fleet, n)
	for i := range fleets {
		fleets[i] = domain.Fleet{ID: domain.FleetID(i + 1), Name: domain.FleetName(fmt.Sprint("fleet ", i+1))}
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

// keysOpen checks that the key of each fleet authenticates it.
func keysOpen(fleets ...domain.Fleet) check {
	return func(ctx context.Context, auth *Port) error {
		for _, want := range fleets {
			got, err := auth.Authenticate(ctx, keyOf(want.ID))
			what := fmt.Sprint("Authenticate with the key of fleet ", want.ID)
			if err := clause.Yields(what, got, err, domain.Caller{Fleet: want, Key: domain.FirstKey}); err != nil {
				return err
			}
		}
		return nil
	}
}

func keyIsUnknown(key domain.APIKeyHash) check {
	what := fmt.Sprintf("Authenticate with the unknown key %x", key)
	return clause.Fails(domain.InvalidHashID, what, func(ctx context.Context, auth *Port) error {
		_, err := auth.Authenticate(ctx, key)
		return err
	})
}

// everyOtherKeyIsUnknown tries keys that differ from key in one byte.
func everyOtherKeyIsUnknown(key domain.APIKeyHash) check {
	var unknown []check
	for i := range key {
		other := key
		other[i] ^= 0x20
		unknown = append(unknown, keyIsUnknown(other))
	}
	return clause.Steps(unknown...)
}
