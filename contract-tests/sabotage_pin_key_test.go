package contracttests

import (
	"context"
	"errors"
	"sync/atomic"

	"github.com/fleetphoto/fleetphoto/domain"
)

func badPINKeys() []customerRepoSabotage {
	return []customerRepoSabotage{
		{"a key is bound only once", []string{"pin_key_again", "pin_key_late", "pin_key_other", "pin_key_without_pins", "pin_key_at_once"}, spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
			var bound atomic.Bool
			bad.bind = func(ctx context.Context, key domain.PINKeyFingerprint) error {
				if ctx.Err() == nil && bound.Swap(true) {
					return domain.Errorf(domain.Conflict, "there is a key already")
				}
				return good.BindPINKey(ctx, key)
			}
		})},
		{"another key is no error", []string{"pin_key_late", "pin_key_other", "pin_key_without_pins", "pin_key_at_once"}, spoilBind(func(ctx context.Context, good CustomerRoles, key domain.PINKeyFingerprint) error {
			if err := good.BindPINKey(ctx, key); !errors.Is(err, domain.Conflict) {
				return err
			}
			return nil
		})},
		{"BindPINKey doesn't look at ctx", []string{"pin_key_ended_ctx"}, spoilBind(func(ctx context.Context, good CustomerRoles, key domain.PINKeyFingerprint) error {
			return good.BindPINKey(live(ctx), key)
		})},
	}
}

func spoilBind(bind func(ctx context.Context, good CustomerRoles, key domain.PINKeyFingerprint) error) func() CustomerRoles {
	return spoilCustomerRepo(func(bad *badCustomerRepo, good CustomerRoles) {
		bad.bind = func(ctx context.Context, key domain.PINKeyFingerprint) error { return bind(ctx, good, key) }
	})
}
