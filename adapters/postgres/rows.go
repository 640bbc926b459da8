package postgres

import (
	"encoding/hex"
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
)

var dialect = rows.Dialect{Text: text, Original: original, Time: instant, IsDuplicate: isDuplicate}

// instant is how a time is stored: to the microsecond, NULL for the zero time.
func instant(t time.Time) any {
	if t.IsZero() {
		return nil
	}
	return t
}

// instantUp is t, rounded up to the microsecond: a stored time is before t if and
// only if it is before that.
func instantUp(t time.Time) any { return t.Add(time.Microsecond - 1).Truncate(time.Microsecond) }

// text encodes a string that may hold any bytes: those that PostgreSQL doesn't
// accept as text (NUL and invalid UTF-8) and the backslash become \xNN.
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

// original undoes text.
func original(stored string) string {
	return escapes.ReplaceAllStringFunc(stored, func(escape string) string {
		decoded, _ := hex.DecodeString(escape[2:]) // two digits, as the pattern says
		return string(decoded)
	})
}
