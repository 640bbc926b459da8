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
			"pin_key_again", "BindPINKey of the key that is stored is no error, with PINs and without",
			clause.Steps(bindsPINKey(1), bindsPINKey(1), addsCustomers(alice), bindsPINKey(1), bindsPINKey(1)),
		), clause.New(
			"pin_key_late", "BindPINKey stores the key where none is stored, although customers have PINs",
			clause.Steps(addsCustomers(alice), bindsPINKey(1), refusesPINKey(2), bindsPINKey(1)),
		), clause.New(
			"pin_key_other", "where another key is stored and a customer has a PIN, BindPINKey fails with Conflict and changes nothing",
			clause.Steps(bindsPINKey(1), addsCustomers(withoutPIN, alice), refusesPINKey(2), bindsPINKey(1), findsRefs(alice)),
		), clause.New(
			"pin_key_without_pins", "where another key is stored and no customer has a PIN, BindPINKey stores the key",
			clause.Steps(bindsPINKey(1), addsCustomers(withoutPIN), bindsPINKey(2), addsCustomers(alice), refusesPINKey(1), bindsPINKey(2)),
		), clause.New(
			"pin_key_at_once", "of any number of keys at once, one is stored where a customer has a PIN",
			clause.Steps(addsCustomers(alice), pinKeysAtOnce),
		),
	}, clause.EndedCtx(clause.Steps(bindsPINKey(1), addsCustomers(alice)), clause.Steps(refusesPINKey(2), bindsPINKey(1)), PINKeyCalls()...))
}

// PINKeyCalls returns a call of each method of ports.PINKeyBinder.
func PINKeyCalls() []clause.Call[*Port] { return []call{{Method: "pin_key", Do: bindsPINKey(1)}} }

func bindsPINKey(n byte) check {
	return func(ctx context.Context, repo *Port) error {
		return clause.Failed(fmt.Sprint("BindPINKey of key ", n), repo.BindPINKey(ctx, domain.PINKeyFingerprint{n}))
	}
}

func refusesPINKey(n byte) check {
	return clause.Fails(domain.Conflict, fmt.Sprint("BindPINKey of another key, ", n), func(ctx context.Context, repo *Port) error {
		return repo.BindPINKey(ctx, domain.PINKeyFingerprint{n})
	})
}

func pinKeysAtOnce(ctx context.Context, repo *Port) error {
	winner, err := clause.OneWins("BindPINKey", func(i int) error { return repo.BindPINKey(ctx, domain.PINKeyFingerprint{byte(i + 1)}) })
	if err != nil {
		return err
	}
	return clause.Steps(bindsPINKey(byte(winner+1)), refusesPINKey(0xFF))(ctx, repo)
}
