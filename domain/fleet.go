package domain

import (
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"
)

// FleetID identifies a fleet: a positive integer.
type FleetID int64

// UnmarshalText implements encoding.TextUnmarshaler. It accepts a positive integer.
func (id *FleetID) UnmarshalText(text []byte) error { return parseID("fleet id", text, (*int64)(id)) }

// parseID parses a positive integer. It fails with TypeError.
func parseID(name string, text []byte, id *int64) error {
	read, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil || read <= 0 {
		return Errorf(TypeError, "%s: want a positive integer, got %q", name, text)
	}
	*id = read
	return nil
}

// Fleet is a taxi fleet. Its systems make calls with its API keys.
type Fleet struct {
	ID         FleetID
	Name       FleetName   // for operators; may be empty
	Disabled   bool        // its calls are refused with FleetDisabled
	RequirePIN bool        // its calls without the customer's PIN are refused with InvalidPIN
	Country    CountryCode // replaces the trunk prefix 0 of phone numbers; 0: none does
}

// FleetName tells fleets apart for operators.
type FleetName string

// UnmarshalText implements encoding.TextUnmarshaler. It accepts empty text and what
// ParseKeyLabel accepts. It fails with TypeError.
func (n *FleetName) UnmarshalText(text []byte) error {
	if len(text) > 0 && !isLabel(string(text)) {
		return Errorf(TypeError, "fleet name: want at most %d printable characters without spaces around them", maxLabel)
	}
	*n = FleetName(text)
	return nil
}

// KeyLabel tells a fleet's API keys apart for people, for instance in the API log.
// It is unique among the keys of its fleet.
type KeyLabel string

// FirstKey is the default label of a fleet's first key.
const FirstKey KeyLabel = "first"

// maxLabel is the longest label or name, in characters.
const maxLabel = 64

// ParseKeyLabel accepts 1 to 64 printable characters that don't begin or end with a
// space. It fails with TypeError.
func ParseKeyLabel(text string) (KeyLabel, error) {
	if !isLabel(text) {
		return "", Errorf(TypeError, "key label: want 1 to %d printable characters without spaces around them", maxLabel)
	}
	return KeyLabel(text), nil
}

func isLabel(text string) bool {
	printable := !strings.ContainsFunc(text, func(r rune) bool { return !unicode.IsPrint(r) })
	length := utf8.RuneCountInString(text)
	return utf8.ValidString(text) && printable && length >= 1 && length <= maxLabel && strings.TrimSpace(text) == text
}

// FleetKey is a live API key of a fleet, as stored.
type FleetKey struct {
	Hash    APIKeyHash
	Label   KeyLabel
	AddedAt time.Time // UTC, whole microseconds
}

// Caller is the fleet that an API key belongs to, and the key's label.
type Caller struct {
	Fleet Fleet
	Key   KeyLabel
}

// UnmarshalText implements encoding.TextUnmarshaler as ParseKeyLabel does.
func (l *KeyLabel) UnmarshalText(text []byte) (err error) {
	*l, err = ParseKeyLabel(string(text))
	return err
}
