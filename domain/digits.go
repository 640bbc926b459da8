package domain

import (
	"strings"
	"unicode"
)

func onlyDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

// foreignDigits names the first digit of text that isn't one of 0 to 9, for
// instance "Arabic-Indic digits". It is empty if there is none.
func foreignDigits(text string) string {
	at := strings.IndexFunc(text, func(r rune) bool { return r > unicode.MaxASCII && unicode.IsDigit(r) })
	if at < 0 {
		return ""
	}
	digit := []rune(text[at:])[0]
	for _, script := range []struct {
		zero rune
		name string
	}{{'\u0660', "Arabic-Indic"}, {'\u06f0', "Persian"}, {'\u0966', "Devanagari"}, {'\u09e6', "Bengali"}, {'\uff10', "full-width"}} {
		if digit >= script.zero && digit <= script.zero+9 {
			return script.name + " digits"
		}
	}
	return "another script's digits"
}
