package domain

import (
	"strconv"
	"strings"
)

// CountryCode is the country code of phone numbers (ITU-T E.164), such as 44; 0 is
// unknown.
type CountryCode int16

// twoDigitCodes are the country codes of two digits. 1 and 7 have one digit; all
// others have three.
const twoDigitCodes = " 20 27 30 31 32 33 34 36 39 40 41 43 44 45 46 47 48 49 51 52 53 54 55 56 57 58 60 61 62 63 64 65 66 81 82 84 86 90 91 92 93 94 95 98 "

// String returns the digits, or "none" for 0.
func (c CountryCode) String() string {
	if c == 0 {
		return "none"
	}
	return strconv.Itoa(int(c))
}

// UnmarshalText implements encoding.TextUnmarshaler. It accepts a country code,
// optionally with "+" or "00", and empty text or "none" for 0. It fails with
// TypeError.
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

// codeLength returns the length of the country code that digits begin with.
func codeLength(digits string) int {
	switch {
	case digits[0] == '1' || digits[0] == '7':
		return 1
	case len(digits) > 1 && strings.Contains(twoDigitCodes, " "+digits[:2]+" "):
		return 2
	}
	return 3
}

// keepsZero reports whether numbers of the country keep their first 0 when dialled
// from abroad: Italy with San Marino and the Vatican, Burkina Faso, Ivory Coast,
// Benin and Congo.
func (c CountryCode) keepsZero() bool {
	switch c {
	case 39, 378, 379, 225, 226, 229, 242:
		return true
	}
	return false
}

// abroad returns what follows the country code when a number is dialled from
// abroad. Within the country it is dialled as 0 and digits; in Hungary as 06.
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
