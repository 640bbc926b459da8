package domain_test

import (
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestPhoneNumbersOfACountry(t *testing.T) {
	t.Parallel()
	const uk, germany, italy, hungary = 44, 49, 39, 36
	refused := domain.PhoneNumber(0)
	for _, test := range []struct {
		text         string
		country      domain.CountryCode
		sent, stored domain.PhoneNumber // 0: refused
	}{
		{"447700900123", 0, 447700900123, 447700900123},
		{"+44 7700 900123", uk, 447700900123, 447700900123},
		{"0044 7700 900123", uk, 447700900123, 447700900123},
		{"+49 170 1234567", uk, 491701234567, 491701234567},
		{"07700 900123", 0, 7700900123, refused},
		{"07700 900123", uk, 447700900123, 447700900123},
		{"+07700 900123", uk, 447700900123, 447700900123},
		{"(07700) 900-123", uk, 447700900123, 447700900123},
		{"tel:07700900123", uk, 447700900123, 447700900123},
		{"7700900123", uk, 7700900123, refused}, // as a JSON number is, that has lost its 0
		{"1701234567", germany, 1701234567, refused},
		{"(0)7700 900123", 0, refused, refused},
		{"(0)7700 900123", uk, 447700900123, 447700900123},
		{"+44 (0)7700 900123", 0, refused, refused},
		{"+44 (0)7700 900123", uk, 447700900123, 447700900123},
		{"0044 (0) 7700 900123", uk, 447700900123, 447700900123},
		{"+44 (0)7700 900123", germany, refused, refused},
		{"+44 7700 (0)900123", uk, refused, refused},
		{"+44 (0)(0)7700 900123", uk, refused, refused},
		{"(0)491 123456", germany, 49491123456, 49491123456}, // not +49 1…
		{"+44 07700 900123", uk, 4407700900123, refused},
		{"06 1234 5678", italy, 390612345678, 390612345678},
		{"+39 (0)6 1234 5678", italy, 390612345678, 390612345678},
		{"+39 06 1234 5678", italy, 390612345678, 390612345678},
		{"07 01 02 03 04", 225, 2250701020304, 2250701020304},
		{"06 20 123 4567", hungary, 36201234567, 36201234567},
		{"+36 (0)62 123 456", hungary, 3662123456, 3662123456},
		{"123456", 0, 123456, refused},
		{"0123", uk, 44123, refused},
		{"01234567890123", uk, 441234567890123, 441234567890123},
		{"012345678901234", uk, refused, refused},
		{"12025550123", 0, 12025550123, 12025550123},
		{"79161234567", 0, 79161234567, 79161234567},
	} {
		dialled, err := domain.ParseDialledPhone(test.text)
		if err != nil {
			if test.sent != refused || test.stored != refused {
				t.Errorf("%q: %v", test.text, err)
			}
			continue
		}
		sent, sentErr := dialled.In(test.country)
		stored, storedErr := dialled.ToStore(test.country)
		if sent != test.sent || stored != test.stored {
			t.Errorf("%q in %v: got %v (%v) and %v (%v), want %v and %v", test.text, test.country, sent, sentErr, stored, storedErr, test.sent, test.stored)
		}
		for _, err := range []error{sentErr, storedErr} {
			if err != nil && kindOf(err) != domain.TypeError {
				t.Errorf("%q: got %v, want a Type Error", test.text, err)
			}
		}
	}
}

// Each refusal says what to write instead, and nothing of the number.
func TestStoredPhoneNumberRefusalSaysWhy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"07700900124":      "phone_number: it begins with a single 0, as numbers do within their country; write the country code in place of the 0, as in 447700900123, or set the fleet's country (fleet set ID --country 44) and try again",
		"+44 (0)770090124": "phone_number: leave out the (0), which is dialled within the country alone: +44 7700 900123, not +44 (0)7700 900123",
		"44770":            "phone_number: want 7 to 15 digits, got 5; write it with the country code first, as in 447700900123",
		"7700900124":       "phone_number: it has 10 digits and begins with 7, but numbers of country code 7 have 11; perhaps its own country code is missing: write it with the country code first, as in 447700900123",
	} {
		dialled, err := domain.ParseDialledPhone(text)
		if err == nil {
			_, err = dialled.ToStore(0)
		}
		if got := domain.AsError(err).Public; got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
	const zeroBehind = "phone_number: it has a 0 behind the country code 44; leave that 0 out"
	if got := domain.AsError(domain.PhoneNumber(4407700900124).CheckStored(44)).Public; got != zeroBehind {
		t.Errorf("got %q, want %q", got, zeroBehind)
	}
}

func TestMistakesInPhoneNumbers(t *testing.T) {
	t.Parallel()
	const national, missing, other = "it begins with a single 0", "it is no international number", "it doesn't begin with 44, the fleet's country code"
	for _, test := range []struct {
		text    string
		country domain.CountryCode
		want    string // the beginning; empty: nothing is seen
	}{
		{"07700900124", 0, national},
		{"7700900124", 0, missing},
		{"7700900124", 44, missing},
		{"12345", 0, missing},
		{"4407700900124", 44, missing},
		{"07700900124", 44, ""},
		{"447700900124", 44, ""},
		{"447700900124", 0, ""},
		{"491701234568", 44, other},
		{"491701234568", 0, ""},
		{"+44 (0)7700900124", 0, ""},
	} {
		dialled, err := domain.ParseDialledPhone(test.text)
		got := dialled.Mistake(test.country)
		if err != nil || !strings.HasPrefix(got, test.want) || (got == "") != (test.want == "") || strings.Contains(got, "900124") {
			t.Errorf("%q in %v: got %q, %v, want %q", test.text, test.country, got, err, test.want)
		}
	}
}

func TestCountryCode(t *testing.T) {
	t.Parallel()
	want := map[string]parsed[domain.CountryCode]{
		"": {}, "none": {}, "1": {value: 1}, "7": {value: 7}, "44": {value: 44}, "+44": {value: 44}, "0044": {value: 44}, "353": {value: 353}, "998": {value: 998},
	}
	for _, text := range []string{"0", "4", "35", "440", "71", "3531", "-44", "GB", "+", "00", "none ", "٤٤", "044"} {
		want[text] = parsed[domain.CountryCode]{kind: domain.TypeError}
	}
	checkParse(t, func(text string) (code domain.CountryCode, err error) {
		err = code.UnmarshalText([]byte(text))
		return code, err
	}, want)
}
