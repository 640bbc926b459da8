package customerrepo

import (
	"context"
	"fmt"
	"slices"

	"github.com/fleetphoto/fleetphoto/contract-tests/clause"
	"github.com/fleetphoto/fleetphoto/domain"
)

// PINKeyClauses returns those of ports.PINKeyBinder.
func PINKeyClauses() []clause.Clause[*Port] {
	alice, withoutPIN := customer(689, 1), withPIN(customer(689, 2), domain.PINHash{})
	return slices.Concat([]clauseOf{
		clause.New(
			"pin_key_again", "BindPINKey of the key that is stored is no error, with PINs and without, whatever the old key",
			clause.Steps(bindsPINKey(1, 0), bindsPINKey(1, 0), addsCustomers(alice), bindsPINKey(1, 0), bindsPINKey(1, 2), bindsPINKey(1, 0)),
		), clause.New(
			"pin_key_late", "BindPINKey stores the key where none is stored, although customers have PINs",
			clause.Steps(addsCustomers(alice), bindsPINKey(1, 3), refusesPINKey(2, 0), bindsPINKey(1, 0)),
		), clause.New(
			"pin_key_other", "where another key is stored and a customer has a PIN, BindPINKey fails with Conflict and changes nothing",
			clause.Steps(bindsPINKey(1, 0), addsCustomers(withoutPIN, alice), refusesPINKey(2, 0), bindsPINKey(1, 0), findsRefs(alice)),
		), clause.New(
			"pin_key_without_pins", "where another key is stored and no customer has a PIN, BindPINKey stores the key",
			clause.Steps(bindsPINKey(1, 0), addsCustomers(withoutPIN), bindsPINKey(2, 0), addsCustomers(alice), refusesPINKey(1, 0), bindsPINKey(2, 0)),
		), clause.New(
			"pin_key_rotated", "where the stored key is the old one, BindPINKey stores the key, and takes the old one no more, but for rotating back",
			clause.Steps(bindsPINKey(1, 0), addsCustomers(alice), bindsPINKey(2, 1), bindsPINKey(2, 1), refusesPINKey(1, 0), bindsPINKey(2, 0), bindsPINKey(1, 2), bindsPINKey(1, 0)),
		), clause.New(
			"pin_key_rotated_from_another", "where neither the key nor the old one is stored and a customer has a PIN, BindPINKey fails with Conflict and changes nothing",
			clause.Steps(bindsPINKey(1, 0), addsCustomers(alice), refusesPINKey(3, 2), bindsPINKey(1, 0)),
		), clause.New(
			"pin_key_at_once", "of any number of keys at once, one is stored where a customer has a PIN",
			clause.Steps(addsCustomers(alice), pinKeysAtOnce(0)),
		), clause.New(
			"pin_key_rotated_at_once", "of any number of keys that are rotated to at once, one is stored where a customer has a PIN",
			clause.Steps(addsCustomers(alice), bindsPINKey(0xFE, 0), pinKeysAtOnce(0xFE)),
		),
		clause.New(
			"pin_key_bound", "BoundPINKey returns the key that is stored; zero where there is none",
			clause.Steps(hasPINKey(0), bindsPINKey(1, 0), hasPINKey(1), addsCustomers(alice), refusesPINKey(2, 0), hasPINKey(1), bindsPINKey(2, 1), hasPINKey(2)),
		), clause.New(
			"pin_key_bound_at_once", "BoundPINKey is safe for concurrent use",
			clause.Steps(bindsPINKey(1, 0), clause.AtOnce(clause.Crowd, func(ctx context.Context, repo *Port, i int) error {
				if i%2 == 0 {
					return bindsPINKey(1, 0)(ctx, repo)
				}
				return hasPINKey(1)(ctx, repo)
			})),
		),
	}, clause.EndedCtx(clause.Steps(bindsPINKey(1, 0), addsCustomers(alice)), clause.Steps(refusesPINKey(2, 0), bindsPINKey(1, 0)), PINKeyCalls()...))
}

// PINKeyCalls returns a call of each method of ports.PINKeyBinder.
func PINKeyCalls() []clause.Call[*Port] {
	return []call{{Method: "pin_key", Do: bindsPINKey(2, 1)}, {Method: "pin_key_bound", Do: hasPINKey(1)}}
}

// bindPINKey binds a key, after an old one; 0 is none.
func bindPINKey(ctx context.Context, repo *Port, key, old byte) error {
	return repo.BindPINKey(ctx, domain.PINKeyFingerprint{key}, domain.PINKeyFingerprint{old})
}

func bindsPINKey(key, old byte) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprintf("BindPINKey of key %d after %d", key, old), bindPINKey(ctx, repo, key, old))
	}
}

func hasPINKey(want byte) check {
	return func(ctx context.Context, repo *Port) error {
		got, err := repo.BoundPINKey(ctx)
		return clause.Yields("BoundPINKey", got, err, domain.PINKeyFingerprint{want})
	}
}

func refusesPINKey(key, old byte) check {
	return clause.Fails(domain.Conflict, fmt.Sprintf("BindPINKey of another key, %d after %d", key, old), func(ctx context.Context, repo *Port) error {
		return bindPINKey(ctx, repo, key, old)
	})
}

func pinKeysAtOnce(old byte) check {
	return func(ctx context.Context, repo *Port) error {
		winner, err := clause.OneWins("BindPINKey", func(i int) error { return bindPINKey(ctx, repo, byte(i+1), old) })
		if err != nil {
			return err
		}
		return clause.Steps(bindsPINKey(byte(winner+1), 0), refusesPINKey(0xFF, 0))(ctx, repo)
	}
}
