package cli

import (
	"fmt"
	"io"
	"strings"
	"unicode"
	"unicode/utf16"
	"unicode/utf8"
)

// printable returns text with every character that isn't printable, line breaks
// included, escaped as in JSON. So text from outside can't move the cursor, hide
// or reorder other text, or look like a line of its own.
func printable(text string) string { return escaped(text, "") }

// escaped escapes characters that aren't printable, except those in kept.
func escaped(text, kept string) string {
	var out strings.Builder
	for rest := text; rest != ""; {
		r, length := utf8.DecodeRuneInString(rest)
		switch {
		case r == utf8.RuneError && length == 1:
			fmt.Fprintf(&out, `\x%02x`, rest[0])
		case unicode.IsPrint(r) || strings.ContainsRune(kept, r):
			out.WriteRune(r)
		default:
			for _, unit := range utf16.Encode([]rune{r}) {
				fmt.Fprintf(&out, `\u%04x`, unit)
			}
		}
		rest = rest[length:]
	}
	return out.String()
}

// printableLines escapes characters that aren't printable, except line breaks and
// tabs. JSON stays equal JSON.
type printableLines struct{ out io.Writer }

// Write implements io.Writer. Text must not end within a character.
func (w printableLines) Write(text []byte) (int, error) {
	if _, err := io.WriteString(w.out, escaped(string(text), "\n\t")); err != nil {
		return 0, err
	}
	return len(text), nil
}
