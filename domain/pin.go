package domain

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The lengths that a PIN may have, in digits.
const (
	MinPINDigits = 4
	MaxPINDigits = 12
)

// PIN is a customer's secret number. The zero PIN is blank: none came. It
// prints as a fixed word.
type PIN struct {
	number uint64
	set    bool
}

// ParsePIN reads the PIN that a call sends: blank, or up to 12 digits. PINs
// compare as integers, so fewer than four digits are a PIN whose leading zeros
// were lost on the way. It fails with TypeError.
func ParsePIN(text string) (PIN, error) {
	text = strings.TrimSpace(text)
	if text == "" {
		return PIN{}, nil
	}
	if !onlyDigits(text) || len(text) > MaxPINDigits {
		return PIN{}, Errorf(TypeError, "customer_pin: want %d to %d digits or nothing, got %s", MinPINDigits, MaxPINDigits, describePIN(text))
	}
	number, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		return PIN{}, Errorf(TypeError, "customer_pin: want %d to %d digits or nothing", MinPINDigits, MaxPINDigits).WithCause(err)
	}
	return PIN{number: number, set: true}, nil
}

// ParseNewPIN reads a PIN that is to be set for a customer: blank, or 4 to 12
// digits. It fails with TypeError.
func ParseNewPIN(text string) (PIN, error) {
	text = strings.TrimSpace(text)
	if text != "" && len(text) < MinPINDigits {
		return PIN{}, Errorf(TypeError, "customer_pin: want %d to %d digits or nothing, got %s", MinPINDigits, MaxPINDigits, describePIN(text))
	}
	return ParsePIN(text)
}

// IsBlank says that no PIN came.
func (p PIN) IsBlank() bool { return !p.set }

// Format hides the secret, whatever the verb.
func (PIN) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[PIN]") }

func describePIN(text string) string {
	if onlyDigits(text) {
		return fmt.Sprintf("%d digits", len(text))
	}
	return "another character"
}

// PINKey keys the PIN hashes: so few digits fall to any hash that can be
// tried without it.
type PINKey struct{ secret []byte }

// MinPINKeyBytes is the least length of a PINKey.
const MinPINKeyBytes = 32

// NewPINKey takes at least 32 random bytes and keeps a copy.
func NewPINKey(secret []byte) (PINKey, error) {
	if len(secret) < MinPINKeyBytes {
		return PINKey{}, fmt.Errorf("want a PIN key of at least %d bytes, got %d", MinPINKeyBytes, len(secret))
	}
	return PINKey{secret: append([]byte(nil), secret...)}, nil
}

// Format hides the secret, whatever the verb.
func (PINKey) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[PIN key]") }

// PINKeyFingerprint tells PIN keys apart and says nothing of the key.
type PINKeyFingerprint [sha256.Size]byte

// Fingerprint returns the fingerprint of k.
func (k PINKey) Fingerprint() PINKeyFingerprint {
	mac := hmac.New(sha256.New, k.secret)
	_, _ = io.WriteString(mac, "the fingerprint of this key") // no PIN's text; a hash's Write never fails
	return PINKeyFingerprint(mac.Sum(nil))
}

// PINHash is the HMAC-SHA-256 of a PIN under the PINKey, salted with the
// customer's identity. The zero hash is a customer without a PIN.
type PINHash [sha256.Size]byte

// Hash returns the form of pin that is stored for the customer ref; zero for a blank pin.
func (k PINKey) Hash(ref CustomerRef, pin PIN) PINHash {
	if pin.IsBlank() {
		return PINHash{}
	}
	mac := hmac.New(sha256.New, k.secret)
	_, _ = fmt.Fprintf(mac, "%d/%d/%d", ref.Fleet, ref.Customer, pin.number) // a hash's Write never fails
	return PINHash(mac.Sum(nil))
}

// Matches compares in constant time. A customer without a PIN matches none.
func (h PINHash) Matches(sent PINHash) bool {
	return h != PINHash{} && hmac.Equal(h[:], sent[:])
}

// The PIN lock: so many wrong PINs in a row lock a customer's PIN for so long.
const (
	MaxWrongPINs    = 5
	PINLockDuration = 15 * time.Minute
)

// PINLock counts the attempts on a customer's PIN since the last right one.
type PINLock struct {
	Attempts    int
	LockedUntil time.Time // zero: not locked
}

// Count counts an attempt, before anyone checks its PIN, and returns the lock
// to be stored. The fifth attempt is let through and locks; a right PIN then
// resets the lock to its zero value. While locked, Count fails with PINLocked.
func (l PINLock) Count(now time.Time) (PINLock, error) {
	if now.Before(l.LockedUntil) {
		locked := Errorf(PINLocked, "customer_pin: %d wrong PINs in a row; wait until the lock ends", MaxWrongPINs)
		locked.RetryAfter = l.LockedUntil.Sub(now)
		return l, locked
	}
	if !l.LockedUntil.IsZero() {
		l = PINLock{}
	}
	l.Attempts++
	if l.Attempts >= MaxWrongPINs {
		l.LockedUntil = now.Add(PINLockDuration)
	}
	return l, nil
}
