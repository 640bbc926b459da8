package domain

import (
	"strconv"
	"strings"
)

// CountryCode is the number that phone numbers of a country begin with
// (ITU-T E.164); 0: not known.
type CountryCode int16

// twoDigitCodes are the country codes of two digits. Those of one digit are 1 and
// 7; the others have three.
const twoDigitCodes = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "

// String returns the digits, or none.
func (c CountryCode) String() string {
	if c == 0 {
		return "none"
	}
	return strconv.Itoa(int(c))
}

// UnmarshalText implements encoding.TextUnmarshaler: it takes a country code,
// perhaps with "+" or "00"; nothing or the word none is 0. It fails with TypeError.
func (c *CountryCode) UnmarshalText(text []byte) error {
	code := strings.TrimPrefix(strings.TrimPrefix(string(text), "+"), "00")
	if len(text) == 0 || code == "none" {
		*c = 0
		return nil
	}
	if !isCountryCode(code) {
		return Errorf(TypeError, "country code: want the 1 to 3 digits that the country's phone numbers begin with, such as 44, or none; got %q", text)
	}
	number, err := strconv.ParseInt(code, 10, 16)
	*c = CountryCode(number)
	return err
}

func isCountryCode(code string) bool {
	return code != "" && onlyDigits(code) && code[0] != '0' && codeLength(code) == len(code)
}

// codeLength is how many digits a country code has that begins with these.
func codeLength(digits string) int {
	switch {
	case digits[0] == '1' || digits[0] == '7':
		return 1
	case len(digits) > 1 && strings.Contains(twoDigitCodes, " "+digits[:2]+" "):
		return 2
	}
	return 3
}

// keepsZero tells the countries in which a number's first 0 is part of it, abroad
// too: Italy with San Marino and the Vatican, Burkina Faso, Ivory Coast, Benin and Congo.
func (c CountryCode) keepsZero() bool {
	switch c {
	case 39, 378, 379, 225, 226, 229, 242:
		return true
	}
	return false
}

// abroad returns what follows the country code, of digits before which stands a
// 0 for calls within the country. In Hungary people dial 06.
func (c CountryCode) abroad(digits string, zero trunkZero) string {
	const hungary = 36
	switch {
	case c.keepsZero():
		return "0" + digits
	case c == hungary && zero == leadingZero:
		return strings.TrimPrefix(digits, "6")
	}
	return digits
}
