package cli

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// Age is a positive duration in the syntax of time.ParseDuration, after an optional
// number of days: 90d, 1d12h, 12h, 30m.
type Age time.Duration

// UnmarshalText implements encoding.TextUnmarshaler.
func (a *Age) UnmarshalText(text []byte) error {
	days, rest, found := strings.Cut(string(text), "d")
	if !found {
		days, rest = "0", days
	}
	whole, err := strconv.ParseUint(days, 10, 15) // 89 years, far from an overflow
	var part time.Duration
	if rest != "" && err == nil {
		part, err = time.ParseDuration(rest)
	}
	*a = Age(time.Duration(whole)*24*time.Hour + part)
	if err != nil || part < 0 || *a <= 0 {
		return errors.New("want a duration such as 90d, 12h or 30m")
	}
	return nil
}

// String returns what UnmarshalText accepts, or "" for 0.
func (a Age) String() string {
	if a == 0 {
		return ""
	}
	return time.Duration(a).String()
}

// moment is a time, or an age before now.
type moment struct {
	at   time.Time
	back Age
}

// UnmarshalText implements encoding.TextUnmarshaler.
func (m *moment) UnmarshalText(text []byte) error {
	if m.back.UnmarshalText(text) == nil {
		return nil
	}
	*m = moment{}
	if err := m.at.UnmarshalText(text); err != nil {
		return errors.New("want a time such as 2026-07-28T14:03:00Z, or how long ago, such as 24h or 7d")
	}
	return nil
}

// time returns the time, which is zero if none was given.
func (m moment) time(now time.Time) time.Time {
	if m.back != 0 {
		return now.Add(-time.Duration(m.back))
	}
	return m.at
}

// result is a call's result, or open.
type result domain.Result

// UnmarshalText implements encoding.TextUnmarshaler.
func (r *result) UnmarshalText(text []byte) error {
	found, err := oneOf(string(text), domain.Valid, domain.Failed, domain.Interrupted, domain.Open)
	*r = result(found)
	return err
}

// errorWord is an error word of the contract.
type errorWord domain.Kind

// UnmarshalText implements encoding.TextUnmarshaler.
func (w *errorWord) UnmarshalText(text []byte) error {
	found, err := oneOf(string(text), domain.Kinds()...)
	*w = errorWord(found)
	return err
}

// oneOf returns the word that equals text, ignoring case.
func oneOf[Word ~string](text string, words ...Word) (Word, error) {
	var known []string
	for _, word := range words {
		if strings.EqualFold(text, string(word)) {
			return word, nil
		}
		known = append(known, string(word))
	}
	return "", fmt.Errorf("want one of %s, got %q", strings.Join(known, ", "), text)
}
