package domain

import (
	"crypto/sha256"
	"fmt"
	"io"
)

// APIKeyLength is the number of characters of an API key.
const APIKeyLength = 25

const apiKeyAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

// APIKey is the secret that identifies a fleet's systems. It prints as a fixed
// word; only Reveal returns the secret.
type APIKey struct{ secret string }

// APIKeyHash is the SHA-256 of an API key, the only form that is stored. The
// keys are random and long enough that no slower hash is needed.
type APIKeyHash [sha256.Size]byte

// ParseAPIKey parses the 25 alphanumeric characters of an API key. It fails with
// TypeError if text is empty, and with InvalidHashID if text can't be a key, since
// then no fleet has it.
func ParseAPIKey(text string) (APIKey, error) {
	if text == "" {
		return APIKey{}, Errorf(TypeError, "api_key: it is missing; send the %d characters that the fleet gave out", APIKeyLength)
	}
	if len(text) != APIKeyLength {
		return APIKey{}, Errorf(InvalidHashID, "api_key: want %d letters and digits, got %d characters", APIKeyLength, len(text))
	}
	for i := range len(text) {
		if !isAlphanumeric(text[i]) {
			return APIKey{}, Errorf(InvalidHashID, "api_key: want %d letters and digits, got another character at position %d", APIKeyLength, i+1)
		}
	}
	return APIKey{secret: text}, nil
}

// NewAPIKey makes a key of 148 bits (25 characters out of 62) from a source of
// cryptographic randomness.
func NewAPIKey(random io.Reader) (APIKey, error) {
	// Bytes of 248, which is 4 × 62, or more are discarded, so that all characters are equally likely.
	const unbiased = 4 * len(apiKeyAlphabet)
	var key []byte
	var buffer [1]byte
	for len(key) < APIKeyLength {
		if _, err := io.ReadFull(random, buffer[:]); err != nil {
			return APIKey{}, fmt.Errorf("make an API key: %w", err)
		}
		if int(buffer[0]) < unbiased {
			key = append(key, apiKeyAlphabet[int(buffer[0])%len(apiKeyAlphabet)])
		}
	}
	return APIKey{secret: string(key)}, nil
}

// Hash returns the hash of k, which is what is stored and looked up.
func (k APIKey) Hash() APIKeyHash { return sha256.Sum256([]byte(k.secret)) }

// Reveal returns the secret, to be shown once to the operator who made the key.
func (k APIKey) Reveal() string { return k.secret }

// Format hides the secret, whatever the verb.
func (APIKey) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[API key]") }

func isAlphanumeric(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
}
