package postgres

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// instant is how a time is stored: to the microsecond, NULL for the zero time.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// instantUp is the first whole microsecond that isn't before t: a stored time is
// before t just when it is before that.
func instantUp(t time.Time) time.Time { return t.Add(time.Microsecond - 1).Truncate(time.Microsecond) }

// timeColumn reads what instant stored.
type timeColumn struct{ into *time.Time }

// Scan implements sql.Scanner.
func (c timeColumn) Scan(value any) error {
	stored, isTime := value.(time.Time)
	if value != nil && !isTime {
		return fmt.Errorf("want a time, got %T", value)
	}
	*c.into = stored.UTC()
	return nil
}

// digest is how a hash is stored: its bytes, NULL for the zero hash.
func digest(hash [sha256.Size]byte) any {
	if hash == ([sha256.Size]byte{}) {
		return nil
	}
	return hash[:]
}

// digestColumn reads what digest stored.
type digestColumn struct{ into *[sha256.Size]byte }

// Scan implements sql.Scanner.
func (c digestColumn) Scan(value any) error {
	stored, isBytes := value.([]byte)
	if value != nil && (!isBytes || len(stored) != sha256.Size) {
		return fmt.Errorf("want a hash of %d bytes, got %T", sha256.Size, value)
	}
	*c.into = [sha256.Size]byte{}
	copy(c.into[:], stored)
	return nil
}

// text is how a string that may hold anything is stored: as it is, but with
// what Postgres doesn't take for text, NUL and what isn't UTF-8, as \xNN, and
// so the backslash.
func text(s string) string {
	var stored strings.Builder
	for i, length := 0, 0; i < len(s); i += length {
		var r rune
		r, length = utf8.DecodeRuneInString(s[i:])
		if r == 0 || r == '\\' || r == utf8.RuneError && length == 1 {
			fmt.Fprintf(&stored, `\x%02x`, s[i])
		} else {
			stored.WriteString(s[i : i+length])
		}
	}
	return stored.String()
}

var escapes = regexp.MustCompile(`\\x[0-9a-f]{2}`)

// textColumn reads what text stored.
type textColumn struct{ into *string }

// Scan implements sql.Scanner.
func (c textColumn) Scan(value any) error {
	stored, isString := value.(string)
	if !isString {
		return fmt.Errorf("want text, got %T", value)
	}
	*c.into = escapes.ReplaceAllStringFunc(stored, func(escape string) string {
		decoded, _ := hex.DecodeString(escape[2:]) // two digits, as the pattern says
		return string(decoded)
	})
	return nil
}
