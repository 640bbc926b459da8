package domain

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"
)

// The least and greatest length of a PIN, in digits.
const (
	MinPINDigits = 4
	MaxPINDigits = 12
)

// PIN is a customer's secret number. The zero PIN is blank: none was sent. It prints
// as a fixed word.
type PIN struct {
	number uint64
	set    bool
}

// ParsePIN parses the PIN of a call: blank, or up to 12 digits. PINs compare as
// integers, so fewer than four digits are accepted as a PIN that has lost its
// leading zeros. It fails with TypeError.
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

// ParseNewPIN parses a PIN to set for a customer: blank, or 4 to 12 digits. It fails
// with TypeError.
func ParseNewPIN(text string) (PIN, error) {
	text = strings.TrimSpace(text)
	if text != "" && len(text) < MinPINDigits {
		return PIN{}, Errorf(TypeError, "customer_pin: want %d to %d digits or nothing, got %s", MinPINDigits, MaxPINDigits, describePIN(text))
	}
	return ParsePIN(text)
}

// IsBlank reports whether no PIN was sent.
func (p PIN) IsBlank() bool { return !p.set }

// Format hides the secret, whatever the verb.
func (PIN) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[PIN]") }

func describePIN(text string) string {
	if onlyDigits(text) {
		return fmt.Sprintf("%d digits", len(text))
	}
	return cmp.Or(foreignDigits(text), "another character")
}

// PINKey is the key of the PIN hashes. PINs have so few digits that anyone could
// find them by trial from a hash without a key.
type PINKey struct{ secret []byte }

// MinPINKeyBytes is the minimum length of a PINKey.
const MinPINKeyBytes = 32

// NewPINKey returns a PINKey of a copy of secret, at least 32 random bytes.
func NewPINKey(secret []byte) (PINKey, error) {
	if len(secret) < MinPINKeyBytes {
		return PINKey{}, fmt.Errorf("want a PIN key of at least %d bytes, got %d", MinPINKeyBytes, len(secret))
	}
	return PINKey{secret: append([]byte(nil), secret...)}, nil
}

// Format hides the secret, whatever the verb.
func (PINKey) Format(out fmt.State, _ rune) { _, _ = io.WriteString(out, "[PIN key]") }

// PINKeyFingerprint identifies a PIN key without revealing it.
type PINKeyFingerprint [sha256.Size]byte

// Fingerprint returns the fingerprint of k.
func (k PINKey) Fingerprint() PINKeyFingerprint {
	mac := hmac.New(sha256.New, k.secret)
	_, _ = io.WriteString(mac, "the fingerprint of this key") // never the text of a PIN; a hash's Write never fails
	return PINKeyFingerprint(mac.Sum(nil))
}

// PINHash is the HMAC-SHA-256 of a PIN under a PINKey, salted with the customer's
// identity. The zero PINHash belongs to a customer without a PIN.
type PINHash [sha256.Size]byte

// Hash returns the hash of pin for the customer ref; zero for a blank pin.
func (k PINKey) Hash(ref CustomerRef, pin PIN) PINHash {
	if pin.IsBlank() {
		return PINHash{}
	}
	mac := hmac.New(sha256.New, k.secret)
	_, _ = fmt.Fprintf(mac, "%d/%d/%d", ref.Fleet, ref.Customer, pin.number) // a hash's Write never fails
	return PINHash(mac.Sum(nil))
}

// Matches reports whether h and offered are equal, in constant time. A zero h matches
// nothing.
func (h PINHash) Matches(offered PINHash) bool {
	return h != PINHash{} && hmac.Equal(h[:], offered[:])
}

// PINKeys are the keys that PINs may be hashed under: the current one and, while
// keys are rotated, the old one, otherwise zero.
type PINKeys struct{ Current, Old PINKey }

// Offer returns the hashes under which pin may be stored for the customer ref.
func (k PINKeys) Offer(ref CustomerRef, pin PIN) OfferedPIN {
	offered := OfferedPIN{Current: k.Current.Hash(ref, pin)}
	if k.Old.secret != nil {
		offered.Old = k.Old.Hash(ref, pin)
	}
	return offered
}

// OldFingerprint returns the fingerprint of Old; zero where there is none.
func (k PINKeys) OldFingerprint() PINKeyFingerprint {
	if k.Old.secret == nil {
		return PINKeyFingerprint{}
	}
	return k.Old.Fingerprint()
}

// OfferedPIN is the PIN of a call, hashed under each key that the stored PIN may be
// hashed under.
type OfferedPIN struct {
	Current PINHash // zero matches nothing
	Old     PINHash // under the old key; zero: there is none
}

// The PIN lock: MaxWrongPINs in a row lock a customer's PIN for PINLockDuration.
// MaxWrongPINsInAll since the last right one, over any time, lock it until an
// operator unlocks it, as NIST SP 800-63B, 5.2.2, requires.
const (
	MaxWrongPINs      = 5
	PINLockDuration   = 15 * time.Minute
	MaxWrongPINsInAll = 100
)

// PINLock counts the wrong PINs that were offered for a customer.
type PINLock struct {
	Attempts    int       // wrong PINs since the last right one, or since the last lock ended
	LockedUntil time.Time // zero: not locked
	Wrong       int       // wrong PINs since the last right one
}

// Try compares offered with the stored PIN at the time now. It returns the lock and
// the PIN to store, even if it fails. A right PIN sets the lock to its zero value and
// is stored under the current key. A wrong PIN is counted and fails with InvalidPIN.
// While locked, Try fails with PINLocked, compares nothing and counts nothing;
// the error's RetryAfter is the time to wait, 0 if only an operator can unlock.
func (l PINLock) Try(stored PINHash, offered OfferedPIN, now time.Time) (PINLock, PINHash, error) {
	switch {
	case l.Wrong >= MaxWrongPINsInAll:
		return l, stored, Errorf(PINLocked, "customer_pin: %d wrong PINs since the last right one; the PIN stays locked until the fleet has it unlocked, so ask the fleet", MaxWrongPINsInAll)
	case now.Before(l.LockedUntil):
		locked := Errorf(PINLocked, "customer_pin: %d wrong PINs in a row; wait until the lock ends", MaxWrongPINs)
		locked.RetryAfter = l.LockedUntil.Sub(now)
		return l, stored, locked
	case stored.Matches(offered.Current), stored.Matches(offered.Old):
		return PINLock{}, offered.Current, nil
	}
	if !l.LockedUntil.IsZero() {
		l.Attempts, l.LockedUntil = 0, time.Time{}
	}
	l.Attempts++
	l.Wrong++
	if l.Attempts >= MaxWrongPINs {
		l.LockedUntil = now.Add(PINLockDuration)
	}
	return l, stored, Errorf(InvalidPIN, "customer_pin: it does not match; after %d wrong ones in a row the PIN is locked for %.0f minutes", MaxWrongPINs, PINLockDuration.Minutes())
}
