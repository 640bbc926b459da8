package domain_test

import (
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestParseKeyLabel(t *testing.T) {
	t.Parallel()
	want := map[string]parsed[domain.KeyLabel]{}
	for _, text := range []string{
		"first", "x", "0", "Ta 7 / night", "Größe 🚕", "e\u0301", `\"'%_;--`, strings.Repeat("x", 64), strings.Repeat("🚕", 64),
	} {
		want[text] = parsed[domain.KeyLabel]{value: domain.KeyLabel(text)}
	}
	for _, text := range []string{
		"", " ", " first", "first ", "\tfirst", "first\n", "fi\nrst", "fi\x00rst", "fi\x7frst", "fi\u00a0rst", "fi\u200brst", "fi\u2028rst", "\u00a0first",
		"fi\xffrst", "\xc3", strings.Repeat("x", 65), strings.Repeat("🚕", 65),
	} {
		want[text] = parsed[domain.KeyLabel]{kind: domain.TypeError}
	}
	checkParse(t, domain.ParseKeyLabel, want)
	if _, err := domain.ParseKeyLabel(string(domain.FirstKey)); err != nil {
		t.Errorf("the first key's label: %v", err)
	}
}

// TestFleetName: a name is as strict as a label, but may be left out.
func TestFleetName(t *testing.T) {
	t.Parallel()
	want := map[string]parsed[domain.FleetName]{"": {}, "City Cabs": {value: "City Cabs"}, "Größe 🚕": {value: "Größe 🚕"}}
	for _, text := range []string{" City", "City\nCabs", "City\x1b[31mCabs", "City\u009bCabs", "City\u202eCabs", "City\u2066Cabs", "City\u2028Cabs", "\ufeffCity", "City\xff", strings.Repeat("x", 65)} {
		want[text] = parsed[domain.FleetName]{kind: domain.TypeError}
	}
	checkParse(t, func(text string) (name domain.FleetName, err error) {
		err = name.UnmarshalText([]byte(text))
		return name, err
	}, want)
}
