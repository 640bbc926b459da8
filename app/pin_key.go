package app

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

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
// hashed under one of them. A backend that binds no key isn't asked.
func (b *backends) boundPINKeys() (domain.PINKeys, error) {
	keys, err := b.pinKeys()
	if err != nil {
		return keys, err
	}
	if customers, err := b.customers(); err == nil && customers.PINKeyBinder != nil {
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
	secret, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return domain.PINKey{}, settingError(variable, errors.New("want hexadecimal digits, as openssl rand -hex 32 prints them, got another character or an odd number"))
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
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if info, err := os.Stat(customers.DataFile); err == nil && info.Mode().IsRegular() && info.Size() > 0 {
			return domain.PINKey{}, settingError(pinKeyVariable, fmt.Errorf("the database %s exists, but the PIN key beside it, %s, does not; bring that file back, or set the variable: with another key no stored PIN matches", customers.DataFile, path))
		}
		if err := b.mayMake(context.Background(), customers); err != nil {
			return domain.PINKey{}, err
		}
		if err = createPINKey(path); err == nil {
			text, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return domain.PINKey{}, settingError(customers.variable, fmt.Errorf("the PIN key beside the database can't be read or written: %w", err))
	}
	return parsePINKey(pinKeyVariable+", from "+path, string(text))
}

// createPINKey makes the file whole and durable, or leaves the one that
// another process made meanwhile.
func createPINKey(path string) error {
	directory := filepath.Dir(path)
	changed := []string{directory}
	if !isThere(directory) { // else the one above may be closed to this process
		changed = append(changed, filepath.Dir(directory))
	}
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(directory, "pin.key.*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.WriteString(hex.EncodeToString(randomKey()) + "\n")
	if err := errors.Join(err, temporary.Sync(), temporary.Close()); err != nil {
		return err
	}
	if err := os.Link(temporary.Name(), path); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	for _, path := range changed {
		if err := syncDirectory(path); err != nil {
			return err
		}
	}
	return nil
}

// syncDirectory makes what was created in a directory outlast a power cut.
// Windows and some file systems can't sync a directory and need not.
func syncDirectory(path string) error {
	if runtime.GOOS == "windows" {
		return nil
	}
	directory, err := os.Open(path)
	if err != nil {
		return err
	}
	err = directory.Sync()
	if errors.Is(err, syscall.EINVAL) {
		err = nil
	}
	return errors.Join(err, directory.Close())
}

func randomKey() []byte {
	key := make([]byte, domain.MinPINKeyBytes)
	_, _ = rand.Read(key) // never fails, as crypto/rand says
	return key
}
