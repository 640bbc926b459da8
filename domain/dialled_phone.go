package domain

import (
	"cmp"
	"strconv"
	"strings"
)

// DialledPhone is a phone number as people write it: international, or with the
// trunk prefix 0, which is dialled only within a country.
type DialledPhone struct {
	Number PhoneNumber // without leading zeros and without a (0)

	zero   trunkZero
	before CountryCode // the country code before a bracketed zero; 0: none
}

// trunkZero says whether and how a number is written with the trunk prefix 0.
type trunkZero uint8

const (
	noZero        trunkZero = iota
	leadingZero             // 07700 900123
	bracketedZero           // (0)7700 900123, +44 (0)7700 900123
)

// ParseDialledPhone parses digits and what people and contact lists put around
// them: "+", "00", "tel:", spaces, dashes, dots, parentheses and invisible marks.
// It fails with TypeError.
func ParseDialledPhone(text string) (DialledPhone, error) {
	compact := compactPhone(text)
	digits := digitsOf(compact)
	if digits == "" {
		return DialledPhone{}, Errorf(TypeError, "phone_number: it is missing; send the digits of the customer's mobile number")
	}
	if err := checkPhone(compact, digits); err != nil {
		return DialledPhone{}, err
	}
	var dialled DialledPhone
	var codeErr, err error
	if before, after, found := strings.Cut(compact, "(0)"); found {
		dialled.zero = bracketedZero
		dialled.before, codeErr = codeBefore(digitsOf(before))
		if digits = digitsOf(before) + digitsOf(after); strings.Contains(after, "(0)") {
			codeErr = errBracketedZero()
		}
	} else if strings.HasPrefix(digits, "0") && !strings.HasPrefix(digits, "00") {
		dialled.zero = leadingZero
	}
	dialled.Number, err = parseDigits(digits)
	if err = cmp.Or(codeErr, err); err != nil {
		return DialledPhone{}, err
	}
	return dialled, nil
}

func digitsOf(compact string) string {
	return strings.TrimPrefix(strings.Map(dropPhonePunctuation, compact), "+")
}

// codeBefore parses the digits before a (0): none, or a country code.
func codeBefore(digits string) (code CountryCode, err error) {
	if digits == "" {
		return 0, nil
	}
	if err := code.UnmarshalText([]byte(digits)); err != nil {
		return 0, errBracketedZero()
	}
	return code, nil
}

func errBracketedZero() error {
	return Errorf(TypeError, "phone_number: leave out the (0), which is dialled within the country alone: +44 7700 900123, not +44 (0)7700 900123")
}

// parseDigits ignores leading zeros.
func parseDigits(digits string) (PhoneNumber, error) {
	digits = strings.TrimLeft(digits, "0")
	if digits == "" || len(digits) > MaxPhoneDigits {
		return 0, Errorf(TypeError, "phone_number: want 1 to %d digits after leading zeros, got %d", MaxPhoneDigits, len(digits))
	}
	number, err := strconv.ParseInt(digits, 10, 64)
	if err != nil {
		return 0, Errorf(TypeError, "phone_number: want 1 to %d digits", MaxPhoneDigits).WithCause(err)
	}
	return PhoneNumber(number), nil
}

// In returns the international number that d means in country: the country code
// replaces a trunk prefix 0. If country is unknown, a leading 0 is ignored. It fails
// with TypeError.
func (d DialledPhone) In(country CountryCode) (PhoneNumber, error) {
	switch {
	case d.zero == noZero, d.zero == leadingZero && country == 0:
		return d.Number, nil
	case country == 0, d.before != 0 && d.before != country:
		return 0, errBracketedZero()
	}
	code, digits := country.String(), d.Number.String()
	if d.before != 0 {
		digits = strings.TrimPrefix(digits, code)
	}
	return parseDigits(code + country.abroad(digits, d.zero))
}

// ToStore returns the number to store for a customer of a fleet in this country. It
// is stricter than In: callers send international numbers of 7 to 15 digits, and
// would never find a customer stored under any other. It fails with TypeError.
func (d DialledPhone) ToStore(country CountryCode) (PhoneNumber, error) {
	if d.zero == leadingZero && country == 0 {
		return 0, Errorf(TypeError, "phone_number: it begins with a single 0, as numbers do within their country; write the country code in place of the 0, as in 447700900123, or set the fleet's country (fleet set ID --country 44) and try again")
	}
	number, err := d.In(country)
	if err == nil {
		err = number.CheckStored(country)
	}
	if err != nil {
		return 0, err
	}
	return number, nil
}

// CheckStored fails with TypeError if p is not an international number, so that no
// caller of a fleet in this country would send it.
func (p PhoneNumber) CheckStored(country CountryCode) error {
	const form = "write it with the country code first, as in 447700900123"
	digits := p.String()
	after, isOurs := strings.CutPrefix(digits, country.String())
	switch {
	case len(digits) < leastPhoneDigits || len(digits) > MaxPhoneDigits:
		return Errorf(TypeError, "phone_number: want %d to %d digits, got %d; %s", leastPhoneDigits, MaxPhoneDigits, len(digits), form)
	case codeLength(digits) == 1 && len(digits) != 11:
		return Errorf(TypeError, "phone_number: it has %d digits and begins with %c, but numbers of country code %c have 11; perhaps its own country code is missing: %s", len(digits), digits[0], digits[0], form)
	case country != 0 && isOurs && strings.HasPrefix(after, "0") && !country.keepsZero():
		return Errorf(TypeError, "phone_number: it has a 0 behind the country code %d; leave that 0 out", country)
	}
	return nil
}

// Mistake tells the sender of a number that no customer of a fleet in this country
// has what is probably wrong with it. It is empty if nothing looks wrong.
func (d DialledPhone) Mistake(country CountryCode) string {
	const send = "send it with the country code first, as in 447700900123"
	number, err := d.In(country)
	switch {
	case err != nil:
		return ""
	case d.zero == leadingZero && country == 0:
		return "it begins with a single 0, as numbers do within their country; " + send
	case number.CheckStored(country) != nil:
		return "it is no international number, perhaps the country code is missing; " + send
	case country != 0 && !strings.HasPrefix(number.String(), country.String()):
		return "it doesn't begin with " + country.String() + ", the fleet's country code, which is perhaps missing; " + send
	}
	return ""
}

// UnmarshalText implements encoding.TextUnmarshaler as ParseDialledPhone does.
func (d *DialledPhone) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDialledPhone(string(text))
	return err
}
