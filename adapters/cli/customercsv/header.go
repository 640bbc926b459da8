package customercsv

import (
	"fmt"
	"strings"
	"unicode"
)

// columnNames are how columns are called, compared without case, spaces and
// punctuation. The first one is ours.
var columnNames = []struct {
	name    string
	aliases []string
}{
	{"id", []string{"id", "customerid", "customerno", "customernumber", "customernr", "customer", "clientid", "accountid"}},
	{"phone", []string{"phone", "phonenumber", "phoneno", "mobile", "mobilenumber", "mobileno", "mobilephone", "telephone", "telephonenumber", "tel", "cell", "cellphone", "msisdn"}},
	{"pin", []string{"pin", "pincode", "pinnumber", "pinno", "customerpin"}},
}

// mostShown is how many columns, and how many characters of each, a message shows.
const (
	mostShown      = 20
	mostShownRunes = 30
)

func namedColumns(header []string) (columns, error) {
	var places [3]int
	for i, column := range columnNames {
		place, err := placeOf(header, column.name, column.aliases)
		if err != nil {
			return columns{}, err
		}
		if place < 0 && column.name != "pin" {
			return columns{}, fmt.Errorf("the first line names no column %s; want id, phone and, where PINs are to be set, pin; it has %s. Rename the columns in the first line", column.name, seen(header))
		}
		places[i] = place
	}
	return columns{places[0], places[1], places[2], len(header)}, nil
}

// placeOf finds a column; our own name goes before others. -1: there is none.
func placeOf(header []string, name string, aliases []string) (int, error) {
	place, found := -1, ""
	for i, field := range header {
		for _, alias := range aliases {
			if plain(field) != alias || place >= 0 && found == name && alias != name {
				continue
			}
			if place >= 0 && (found != name) == (alias != name) {
				if found == alias {
					return 0, fmt.Errorf("the first line names the column %s twice", alias)
				}
				return 0, fmt.Errorf("the first line names two columns for %s, %s and %s; rename the right one to %s", name, found, alias, name)
			}
			place, found = i, alias
		}
	}
	return place, nil
}

// plain is a column's name without case, spaces and punctuation.
func plain(name string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsLetter(r) && !unicode.IsDigit(r) {
			return -1
		}
		return unicode.ToLower(r)
	}, utf8Of(name))
}

// seen lists the names of columns; without what may be a number or a PIN, where
// the first line is a customer's.
func seen(header []string) string {
	var names []string
	for _, field := range header[:min(len(header), mostShown)] {
		name := []rune(strings.TrimSpace(utf8Of(field)))
		if strings.ContainsFunc(string(name), unicode.IsDigit) {
			name = []rune("…")
		}
		names = append(names, fmt.Sprintf("%q", string(name[:min(len(name), mostShownRunes)])))
	}
	if len(header) > mostShown {
		names = append(names, "…")
	}
	return strings.Join(names, ", ")
}
