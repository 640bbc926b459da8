package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"go.uber.org/fx"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	pinKeyVariable    = "FLEETPHOTO_PIN_KEY"
	pinKeyOldVariable = "FLEETPHOTO_PIN_KEY_OLD"
)

// pinKeyBeside returns the path of the key file of an embedded database.
func pinKeyBeside(database string) string {
	return filepath.Join(filepath.Dir(database), "pin.key")
}

// pinKey returns the configured key, or the one beside the customers'
// embedded database, which is made when neither exists yet.
func (b *backends) pinKey() (domain.PINKey, error) {
	customers, err := b.customers()
	switch {
	case err != nil:
		return domain.PINKey{}, err
	case b.config.PINKey != "":
		return parsePINKey(pinKeyVariable, b.config.PINKey)
	case customers.Ephemeral:
		return domain.NewPINKey(randomKey())
	case customers.PINKeyFile != "":
		return b.embeddedPINKey(customers)
	}
	return domain.PINKey{}, settingError(pinKeyVariable, errors.New("it is missing, and this database needs it; make one with: openssl rand -hex 32"))
}

// pinKeys are pinKey and the one before it.
func (b *backends) pinKeys() (keys domain.PINKeys, err error) {
	if keys.Current, err = b.pinKey(); err == nil && b.config.PINKeyOld != "" {
		keys.Old, err = parsePINKey(pinKeyOldVariable, b.config.PINKeyOld)
	}
	return keys, err
}

// boundPINKeys is pinKeys, with a start that fails unless the stored PINs were
// hashed under one of them. A backend that binds no key isn't asked, nor one that
// stays as it is.
func (b *backends) boundPINKeys() (domain.PINKeys, error) {
	keys, err := b.pinKeys()
	if err != nil {
		return keys, err
	}
	if customers, err := b.customers(); err == nil && customers.PINKeyBinder != nil && !b.config.readOnly() {
		b.lifecycle.Append(fx.StartHook(func(ctx context.Context) error { return bindPINKey(ctx, customers.PINKeyBinder, keys) }))
	}
	return keys, nil
}

// bindPINKey finds out on start, rather than by right PINs that don't match,
// that the keys are others than the stored PINs'.
func bindPINKey(ctx context.Context, customers ports.PINKeyBinder, keys domain.PINKeys) error {
	err := customers.BindPINKey(ctx, keys.Current.Fingerprint(), keys.OldFingerprint())
	if errors.Is(err, domain.Conflict) {
		err = errors.New("the PINs in the database were hashed under another key, and none would match; set the key that they were stored with, " +
			"or name it in " + pinKeyOldVariable + " beside the new one")
	}
	if err != nil {
		return settingError(pinKeyVariable, err)
	}
	return nil
}

func parsePINKey(variable, text string) (domain.PINKey, error) {
	secret, err := parseKey(variable, text)
	if err != nil {
		return domain.PINKey{}, err
	}
	key, err := domain.NewPINKey(secret)
	if err != nil {
		return domain.PINKey{}, settingError(variable, err)
	}
	return key, nil
}

// embeddedPINKey makes the key file before the database exists, never after:
// with another key, no stored PIN would match.
func (b *backends) embeddedPINKey(customers *opened) (domain.PINKey, error) {
	path := customers.PINKeyFile
	text, err := keyFile(customers.variable, path, func() error {
		if info, err := os.Stat(customers.DataFile); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return settingError(pinKeyVariable, fmt.Errorf("the database %s exists, but the PIN key beside it, %s, does not; bring that file back, or set the variable: with another key no stored PIN matches", customers.DataFile, path))
		}
		return b.mayMake(context.Background(), customers)
	})
	if err != nil {
		return domain.PINKey{}, err
	}
	return parsePINKey(pinKeyVariable+", from "+path, text)
}
