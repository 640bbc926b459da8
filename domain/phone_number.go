package domain

import (
	"fmt"
	"strconv"
	"strings"
)

// PhoneNumber is an international mobile number as an integer of up to 15
// digits (ITU-T E.164), without "+" or "00".
type PhoneNumber int64

// MaxPhoneDigits is the length that ITU-T E.164 allows a number.
const MaxPhoneDigits = 15

// ParsePhoneNumber reads digits, with "+", "00", spaces, dashes and parentheses
// where people write them. Leading zeros don't count. It fails with TypeError.
func ParsePhoneNumber(text string) (PhoneNumber, error) {
	text = strings.TrimSpace(text)
	digits := strings.TrimPrefix(strings.Map(dropPhonePunctuation, text), "+")
	if digits == "" {
		return 0, Errorf(TypeError, "phone_number: it is missing; send the digits of the customer's mobile number")
	}
	if !onlyDigits(digits) || strings.HasPrefix(text, "-") {
		return 0, Errorf(TypeError, "phone_number: want digits, with +, 00, spaces, dashes and parentheses at most; got another character")
	}
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

// Masked returns the last four digits, the only form that is logged; of a
// number that has no more than these, none.
func (p PhoneNumber) Masked() MaskedPhone {
	switch {
	case p == 0:
		return ""
	case p < 10_000:
		return "…"
	}
	return MaskedPhone(fmt.Sprintf("…%04d", p%10000))
}

// MaskedPhone is a phone number of which four digits are left, "…0123"; empty
// where no phone number came.
type MaskedPhone string

func dropPhonePunctuation(r rune) rune {
	switch r {
	case ' ', '-', '(', ')', '\t', '\u00a0':
		return -1
	}
	return r
}

func onlyDigits(text string) bool {
	return strings.Trim(text, "0123456789") == ""
}

// UnmarshalText implements encoding.TextUnmarshaler as ParsePhoneNumber does.
func (p *PhoneNumber) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePhoneNumber(string(text))
	return err
}
