package contracttests

import (
	"context"
	"fmt"

	"github.com/fleetphoto/fleetphoto/domain"
)

func pinKeyClauses() []customerClause {
	alice, withoutPIN := customer(689, 1), withPIN(customer(689, 2), domain.PINHash{})
	return []customerClause{
		{
			"pin_key_again", "BindPINKey of the key that is stored is no error, with PINs and without",
			steps(bindsPINKey(1), bindsPINKey(1), addsCustomers(alice), bindsPINKey(1), bindsPINKey(1)),
		}, {
			"pin_key_late", "BindPINKey stores the key where none is stored, although customers have PINs",
			steps(addsCustomers(alice), bindsPINKey(1), refusesPINKey(2), bindsPINKey(1)),
		}, {
			"pin_key_other", "where another key is stored and a customer has a PIN, BindPINKey fails with Conflict and changes nothing",
			steps(bindsPINKey(1), addsCustomers(withoutPIN, alice), refusesPINKey(2), bindsPINKey(1), findsCustomers(alice)),
		}, {
			"pin_key_without_pins", "where another key is stored and no customer has a PIN, BindPINKey stores the key",
			steps(bindsPINKey(1), addsCustomers(withoutPIN), bindsPINKey(2), addsCustomers(alice), refusesPINKey(1), bindsPINKey(2)),
		}, {
			"pin_key_at_once", "of any number of keys at once, one is stored where a customer has a PIN",
			steps(addsCustomers(alice), pinKeysAtOnce),
		},
	}
}

func bindsPINKey(n byte) customerCheck {
	return func(ctx context.Context, repo CustomerRoles) error {
		return failed(fmt.Sprint("BindPINKey of key ", n), repo.BindPINKey(ctx, domain.PINKeyFingerprint{n}))
	}
}

func refusesPINKey(n byte) customerCheck {
	return fails(domain.Conflict, fmt.Sprint("BindPINKey of another key, ", n), func(ctx context.Context, repo CustomerRoles) error {
		return repo.BindPINKey(ctx, domain.PINKeyFingerprint{n})
	})
}

func pinKeysAtOnce(ctx context.Context, repo CustomerRoles) error {
	winner, err := oneWins("BindPINKey", func(i int) error { return repo.BindPINKey(ctx, domain.PINKeyFingerprint{byte(i + 1)}) })
	if err != nil {
		return err
	}
	return steps(bindsPINKey(byte(winner+1)), refusesPINKey(0xFF))(ctx, repo)
}
