package domain

import (
	"fmt"
	"strconv"
	"strings"
	"unicode"
)

// PhoneNumber is an international mobile number as an integer of up to 15
// digits (ITU-T E.164), without "+" or "00".
type PhoneNumber int64

// MaxPhoneDigits is the length that ITU-T E.164 allows a number.
const MaxPhoneDigits = 15

// ParsePhoneNumber reads digits with what people and contact lists write
// around them: "+", "00", "tel:", spaces, dashes, dots, parentheses and invisible
// marks. Leading zeros don't count. It fails with TypeError.
func ParsePhoneNumber(text string) (PhoneNumber, error) {
	compact := compactPhone(text)
	digits := strings.TrimPrefix(strings.Map(dropPhonePunctuation, compact), "+")
	if digits == "" {
		return 0, Errorf(TypeError, "phone_number: it is missing; send the digits of the customer's mobile number")
	}
	if err := checkPhone(compact, digits); err != nil {
		return 0, err
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

// checkPhone refuses what isn't the digits of an international number.
func checkPhone(compact, digits string) error {
	foreign := foreignDigits(digits)
	switch {
	case foreign != "":
		return Errorf(TypeError, "phone_number: want the digits 0 to 9, got %s", foreign)
	case !onlyDigits(digits) || strings.HasPrefix(compact, "-"):
		return Errorf(TypeError, "phone_number: want digits, with +, 00, spaces, dashes, dots and parentheses at most; got another character")
	case isDecimal(compact):
		return Errorf(TypeError, "phone_number: want digits, got a number with a decimal point; send the digits alone")
	case strings.Contains(compact, "(0)"):
		return Errorf(TypeError, "phone_number: leave out the (0), which is dialled within the country alone: +44 7700 900123, not +44 (0)7700 900123")
	}
	return nil
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

// compactPhone removes "tel:" (RFC 3966), white space and invisible marks, and
// makes every dash a hyphen.
func compactPhone(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || unicode.In(r, unicode.Zs, unicode.Cf): // spaces; what steers the direction of text, and the like
			return -1
		case r == '\u2212' || unicode.Is(unicode.Pd, r): // the minus sign; hyphens and dashes
			return '-'
		}
		return r
	}, text)
	text = strings.TrimSpace(text)
	const scheme = "tel:"
	if len(text) >= len(scheme) && strings.EqualFold(text[:len(scheme)], scheme) {
		return text[len(scheme):]
	}
	return text
}

func dropPhonePunctuation(r rune) rune {
	switch r {
	case '-', '(', ')', '.':
		return -1
	}
	return r
}

// isDecimal tells a number that was written as a decimal, such as
// 447700900123.0, from one whose groups have dots between them. Without its dot
// it would be another customer's.
func isDecimal(compact string) bool {
	_, fraction, _ := strings.Cut(compact, ".")
	return len(fraction) == 1 || fraction != "" && strings.Trim(fraction, "0") == ""
}

// UnmarshalText implements encoding.TextUnmarshaler as ParsePhoneNumber does.
func (p *PhoneNumber) UnmarshalText(text []byte) (err error) {
	*p, err = ParsePhoneNumber(string(text))
	return err
}
