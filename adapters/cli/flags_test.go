package cli

import (
	"testing"
	"time"
)

func TestAges(t *testing.T) {
	t.Parallel()
	const day = 24 * time.Hour
	for text, want := range map[string]time.Duration{ // 0: refused
		"90d": 90 * day, "1d12h": 36 * time.Hour, "12h": 12 * time.Hour, "2m10s": 130 * time.Second, "0d1h": time.Hour, "32767d": 32767 * day,
		"": 0, "d": 0, "90": 0, "0d": 0, "0s": 0, "-1d": 0, "-1h": 0, "1d-1h": 0, "1.5d": 0, "40000d": 0, "12h1d": 0, "1d2d": 0, "9999999999h": 0,
	} {
		var got Age
		if err := got.UnmarshalText([]byte(text)); (err == nil) != (want != 0) || err == nil && time.Duration(got) != want {
			t.Errorf("%q: got %v, %v, want %v", text, time.Duration(got), err, want)
		}
	}
}

func TestMoments(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 28, 14, 3, 0, 0, time.UTC)
	for text, want := range map[string]string{ // "": refused
		"24h": "2026-07-27T14:03:00Z", "7d": "2026-07-21T14:03:00Z", "2026-07-01T12:00:00+02:00": "2026-07-01T10:00:00Z",
		"": "", "yesterday": "", "2026-07-01": "", "-24h": "", "14:03": "",
	} {
		var m moment
		err := m.UnmarshalText([]byte(text))
		if got := m.time(now).UTC().Format(time.RFC3339); (err == nil) != (want != "") || err == nil && got != want {
			t.Errorf("%q: got %s, %v, want %q", text, got, err, want)
		}
	}
	if got := (moment{}).time(now); !got.IsZero() {
		t.Errorf("got %v without a moment", got)
	}
}
