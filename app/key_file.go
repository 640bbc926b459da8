package app

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"

	"github.com/fleetphoto/fleetphoto/domain"
)

// parseKey parses the key in a variable or a file.
func parseKey(variable, text string) ([]byte, error) {
	key, err := hex.DecodeString(strings.TrimSpace(text))
	if err != nil {
		return nil, settingError(variable, errors.New("want an even number of hexadecimal digits, such as openssl rand -hex 32 prints"))
	}
	return key, nil
}

// keyFile reads a key file beside an embedded database, which variable names. It
// creates a missing one if mayMake returns nil.
func keyFile(variable, path string, mayMake func() error) (string, error) {
	text, err := os.ReadFile(path)
	if errors.Is(err, os.ErrNotExist) {
		if err := mayMake(); err != nil {
			return "", err
		}
		if err = createKeyFile(path); err == nil {
			text, err = os.ReadFile(path)
		}
	}
	if err != nil {
		return "", settingError(variable, fmt.Errorf("the key %s beside the database can't be read or written: %w", filepath.Base(path), err))
	}
	return string(text), nil
}

// createKeyFile creates the file atomically and durably. If another process creates
// it first, that file stays.
func createKeyFile(path string) error {
	directory := filepath.Dir(path)
	changed := []string{directory}
	if !isThere(directory) { // otherwise this process may lack rights on the parent
		changed = append(changed, filepath.Dir(directory))
	}
	if err := os.MkdirAll(directory, 0o750); err != nil {
		return err
	}
	temporary, err := os.CreateTemp(directory, filepath.Base(path)+".*.tmp")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(temporary.Name()) }()
	_, err = temporary.WriteString(newKey() + "\n")
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

// syncDirectory makes created files survive a power failure. Windows and some file
// systems can't sync a directory and needn't.
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

// newKey returns a new key in the format of its file.
func newKey() string { return hex.EncodeToString(randomKey()) }

func randomKey() []byte {
	key := make([]byte, domain.MinPINKeyBytes)
	_, _ = rand.Read(key) // never fails, as crypto/rand says
	return key
}
