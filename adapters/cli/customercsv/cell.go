package customercsv

import (
	"errors"
	"regexp"
	"strings"
	"unicode/utf8"
)

// What spreadsheets and scripts make of the digits in a cell.
var (
	shortened = regexp.MustCompile(`^[0-9]+([.,][0-9]+)?[eE][+-]?[0-9]+$`)                                                                                  // 4.477E+11
	decimal   = regexp.MustCompile(`^([0-9]+)[.,]0{1,2}$`)                                                                                                  // 1234.0
	grouped   = regexp.MustCompile(`^[0-9]{1,3}((,[0-9]{3})+|(\.[0-9]{3})+|('[0-9]{3})+|(’[0-9]{3})+|( [0-9]{3})+|(\x{a0}[0-9]{3})+|(\x{202f}[0-9]{3})+)$`) // 447,700,900,123
)

//nolint:staticcheck // it begins with a name
var errShortened = errors.New("Excel shortened this number; format the column as text there, so that all digits are seen, and save it again")

// digits reads a cell of digits as they were before a spreadsheet formatted them.
func digits(cell string) (string, error) {
	cell = strings.TrimSpace(utf8Of(cell))
	cell = strings.TrimSpace(strings.TrimPrefix(cell, "'"))
	if shortened.MatchString(cell) {
		return "", errShortened
	}
	if whole := decimal.FindStringSubmatch(cell); whole != nil {
		return whole[1], nil
	}
	if grouped.MatchString(cell) {
		return strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, cell), nil
	}
	return cell, nil
}

// utf8Of takes what isn't UTF-8 for Windows-1252, of which no more than its
// spaces and letters matter here: as Latin-1 has them.
func utf8Of(text string) string {
	if utf8.ValidString(text) {
		return text
	}
	runes := make([]rune, len(text))
	for i := range len(text) {
		runes[i] = rune(text[i])
	}
	return string(runes)
}
