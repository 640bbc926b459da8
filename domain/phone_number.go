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

// MaxPhoneDigits is the longest number that ITU-T E.164 allows. leastPhoneDigits is
// the shortest one of any country. Both include the country code.
const (
	MaxPhoneDigits   = 15
	leastPhoneDigits = 7
)

// ParsePhoneNumber parses what ParseDialledPhone accepts, for an unknown country. It
// fails with TypeError.
func ParsePhoneNumber(text string) (PhoneNumber, error) {
	dialled, err := ParseDialledPhone(text)
	if err != nil {
		return 0, err
	}
	return dialled.In(0)
}

// checkPhone refuses anything but digits and the punctuation of phone numbers.
func checkPhone(compact, digits string) error {
	foreign := foreignDigits(digits)
	switch {
	case foreign != "":
		return Errorf(TypeError, "phone_number: want the digits 0 to 9, got %s", foreign)
	case !onlyDigits(digits) || strings.HasPrefix(compact, "-"):
		return Errorf(TypeError, "phone_number: want digits, with +, 00, spaces, dashes, dots and parentheses at most; got another character")
	case isDecimal(compact):
		return Errorf(TypeError, "phone_number: want digits, got a number with a decimal point; send the digits alone")
	}
	return nil
}

// String returns the digits.
func (p PhoneNumber) String() string { return strconv.FormatInt(int64(p), 10) }

// Masked returns the last four digits, the only form that is logged. A number of up
// to four digits is masked whole.
func (p PhoneNumber) Masked() MaskedPhone {
	switch {
	case p == 0:
		return ""
	case p < 10_000:
		return "…"
	}
	return MaskedPhone(fmt.Sprintf("…%04d", p%10000))
}

// MaskedPhone is the last four digits of a phone number, such as "…0123"; empty if
// none was sent.
type MaskedPhone string

// compactPhone removes "tel:" (RFC 3966), white space and invisible marks, and
// turns every dash into a hyphen.
func compactPhone(text string) string {
	text = strings.Map(func(r rune) rune {
		switch {
		case r == '\t' || unicode.In(r, unicode.Zs, unicode.Cf): // spaces; marks of text direction and other invisible characters
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

// isDecimal reports whether a number was written as a decimal, such as
// 447700900123.0, rather than with dots between groups of digits. Dropping that dot
// would yield another number.
func isDecimal(compact string) bool {
	_, fraction, _ := strings.Cut(compact, ".")
	return len(fraction) == 1 || fraction != "" && strings.Trim(fraction, "0") == ""
}
