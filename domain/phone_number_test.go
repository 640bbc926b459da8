package domain_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
)

type phone = parsed[domain.PhoneNumber]

func TestParsePhoneNumber(t *testing.T) {
	t.Parallel()
	plain, refused := phone{value: 491701234567}, phone{kind: domain.TypeError}
	checkParse(t, domain.ParsePhoneNumber, map[string]phone{
		"491701234567":                       plain,
		"+491701234567":                      plain,
		"00491701234567":                     plain,
		"0000491701234567":                   plain,
		"+00491701234567":                    plain,
		" 491701234567 ":                     plain,
		"+49 170 1234567":                    plain,
		"+49-170-1234567":                    plain,
		"+49 (170) 123-45-67":                plain,
		"(+49)1701234567":                    plain,
		"49\t170\u00a01234567":               plain,
		"7":                                  {value: 7},
		"2147483648":                         {value: 2147483648},
		"999999999999999":                    {value: 999999999999999},
		"00999999999999999":                  {value: 999999999999999},
		"1000000000000000":                   refused,
		"9223372036854775808":                refused,
		"":                                   refused,
		" -() ":                              refused,
		"+":                                  refused,
		"0":                                  refused,
		"+000":                               refused,
		"++491701234567":                     refused,
		"49+1701234567":                      refused,
		"491701234567+":                      refused,
		"49170 ext 12":                       refused,
		"0x1F":                               refused,
		"4.9e11":                             refused,
		"491701234567.0":                     refused,
		"49170,1234567":                      refused,
		"49_170":                             refused,
		"٤٩١٧٠١٢٣٤٥٦٧":                       refused,
		"\uff14\uff19\uff11\uff17\uff10":     refused,
		"49170\x001234567":                   refused,
		"49170\u200b1234567":                 plain,
		"\u202a+491701234567\u202c":          plain, // as phones paste it from their contacts
		"\ufeff491701234567\u2069\r\n":       plain,
		"49\u00ad170\u200f1234567":           plain,
		"+49.170.123.45.67":                  plain,
		"+49.1701234567":                     plain,
		"491701234567.":                      plain,
		"tel:+49-170-1234567":                plain,
		" TEL: +49 170 1234567":              plain,
		"\u202atel:491701234567":             plain,
		"49\u202f170\u20071234567":           plain,
		"49\u2011170\u2010123\u2013\u221267": {value: 4917012367},
		"tel:":                               refused,
		"tel:tel:491701234567":               refused,
		"tel:+491701234567;ext=1":            refused,
		"\u2013491701234567":                 refused, // negative
		"\u202a-491701234567":                refused,
		"491701234567.00":                    refused,
		"4917012345.6":                       refused,
		"+49 (0)1701234567":                  refused,
		"+49 ( 0 ) 1701234567":               refused,
		"0049(0)1701234567":                  refused,
		"(0)1701234567":                      refused,
		"+225 (07) 01020304":                 {value: 2250701020304}, // some countries' mobile numbers begin with 0
		"491701234567\n":                     plain,                  // as form scripts send it
		"-491701234567":                      refused,
		" -491701234567":                     refused,
		"{}":                                 refused,
		`{"number":491701234567}`:            refused,
		"[491701234567]":                     refused,
		"null":                               refused,
		"true":                               refused,
		`"491701234567"`:                     refused,
		strings.Repeat("9", 4096):            refused,
		strings.Repeat("0", 4096) + "1":      {value: 1},
	})
}

func TestPhoneNumberRefusalNamesTheParameterOnly(t *testing.T) {
	t.Parallel()
	for _, text := range []string{"", "49170secret", "12345678901234567"} {
		_, err := domain.ParsePhoneNumber(text)
		public := domain.AsError(err).Public
		if !strings.HasPrefix(public, "phone_number: ") || text != "" && strings.Contains(public, text) {
			t.Errorf("%q: the caller is told %q", text, public)
		}
	}
}

func TestPhoneNumberRefusalSaysWhy(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"٤٩١٧٠١٢٣":          "phone_number: want the digits 0 to 9, got Arabic-Indic digits",
		"+49 ۱۷۰":           "phone_number: want the digits 0 to 9, got Persian digits",
		"４９１７０":             "phone_number: want the digits 0 to 9, got full-width digits",
		"\u0e54\u0e59":      "phone_number: want the digits 0 to 9, got another script's digits",
		"+49 (0)1701234567": "phone_number: leave out the (0), which is dialled within the country alone: +44 7700 900123, not +44 (0)7700 900123",
		"491701234567.0":    "phone_number: want digits, got a number with a decimal point; send the digits alone",
		"\u200b":            "phone_number: it is missing; send the digits of the customer's mobile number",
	} {
		_, err := domain.ParsePhoneNumber(text)
		if got := domain.AsError(err).Public; got != want {
			t.Errorf("%q: the caller is told %q, want %q", text, got, want)
		}
	}
}

func TestMaskedPhone(t *testing.T) {
	t.Parallel()
	for number, want := range map[domain.PhoneNumber]domain.MaskedPhone{
		0:               "",
		7:               "…",
		4567:            "…",
		10000:           "…0000",
		491701230045:    "…0045",
		999999999999999: "…9999",
	} {
		if got := number.Masked(); got != want {
			t.Errorf("%d: got %q, want %q", number, got, want)
		}
	}
}

func ExampleParsePhoneNumber() {
	number, err := domain.ParsePhoneNumber("+49 (170) 123-4567")
	fmt.Println(number, number.Masked(), err)
	_, err = domain.ParsePhoneNumber("{}")
	fmt.Println(err)
	// Output:
	// 491701234567 …4567 <nil>
	// Type Error: phone_number: want digits, with +, 00, spaces, dashes, dots and parentheses at most; got another character
}

func FuzzParsePhoneNumber(f *testing.F) {
	for _, seed := range []string{"", "+49 (170) 123-4567", "0049170", "999999999999999", "1000000000000000", "٤", "{}", "-", "++1", "00"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		number, err := domain.ParsePhoneNumber(text)
		if err != nil {
			if number != 0 || kindOf(err) != domain.TypeError {
				t.Fatalf("got %d and %v, want 0 and a Type Error", number, err)
			}
			return
		}
		if number < 1 || number > 999_999_999_999_999 {
			t.Fatalf("%d has not 1 to 15 digits", number)
		}
		digits := strings.Map(func(r rune) rune {
			if r < '0' || r > '9' {
				return -1
			}
			return r
		}, text)
		if want := fmt.Sprint(number); strings.TrimLeft(digits, "0") != want {
			t.Fatalf("%q became %s", text, want)
		}
		for _, form := range []string{"%d", "+%d", "00%d", " (%d) ", "%015d"} {
			again, err := domain.ParsePhoneNumber(fmt.Sprintf(form, number))
			if err != nil || again != number {
				t.Fatalf("as %q: got %d and %v, want %d", form, again, err, number)
			}
		}
	})
}
