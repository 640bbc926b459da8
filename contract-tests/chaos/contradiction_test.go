//go:build chaos

package chaos_test

import (
	"testing"
	"time"
)

// TestContradiction tests the check itself.
func TestContradiction(t *testing.T) {
	t.Parallel()
	const a, b, none = digest("aaaaaaaa"), digest("bbbbbbbb"), digest("")
	at := func(photo digest, start, end time.Duration, o outcome) call {
		return call{replica: &replica{}, photo: photo, start: start, end: end, outcome: o}
	}
	for name, c := range map[string]struct {
		calls []call
		reads []read
		final digest
		wrong bool
	}{
		"nothing was called":                 {nil, nil, none, false},
		"a photo from nowhere":               {nil, nil, a, true},
		"the last one":                       {[]call{at(a, 1, 2, acknowledged), at(b, 3, 4, acknowledged)}, nil, b, false},
		"the one before":                     {[]call{at(a, 1, 2, acknowledged), at(b, 3, 4, acknowledged)}, nil, a, true},
		"either of two at once":              {[]call{at(a, 1, 4, acknowledged), at(b, 2, 3, acknowledged)}, nil, a, false},
		"a lost first photo":                 {[]call{at(a, 1, 2, acknowledged)}, nil, none, true},
		"an unanswered one":                  {[]call{at(a, 1, 2, acknowledged), at(b, 3, 4, unknown)}, nil, b, false},
		"an unanswered one that did nothing": {[]call{at(a, 1, 2, acknowledged), at(b, 3, 4, unknown)}, nil, a, false},
		"a late one over a later one":        {[]call{at(a, 1, 2, unknown), at(b, 3, 4, acknowledged)}, nil, a, true},
		"a late deletion":                    {[]call{at(a, 1, 2, acknowledged), at(none, 3, 4, unknown), at(b, 5, 6, acknowledged)}, nil, none, true},
		"one that was told to be unchanged":  {[]call{at(a, 1, 2, unchanged)}, nil, a, true},
		"an acknowledged photo isn't seen":   {[]call{at(a, 1, 2, acknowledged)}, []read{{0, none, 3, 4}}, a, true},
		"an old photo is seen":               {[]call{at(a, 1, 2, acknowledged), at(b, 3, 4, acknowledged)}, []read{{0, a, 5, 6}}, b, true},
		"a deletion is seen before its end":  {[]call{at(a, 1, 2, acknowledged), at(none, 3, 9, acknowledged)}, []read{{0, none, 4, 5}}, none, false},
		"a late one is seen for a while":     {[]call{at(a, 1, 2, unknown), at(none, 3, 4, acknowledged)}, []read{{0, a, 5, 6}}, none, false},
	} {
		h := history{begun: time.Now(), calls: c.calls, reads: c.reads}
		if wrong := h.contradiction(0, c.final); (wrong != "") != c.wrong {
			t.Errorf("%s: got %q", name, wrong)
		}
	}
}

// TestSlowestRecovery tests whose end a recovery is counted from.
func TestSlowestRecovery(t *testing.T) {
	t.Parallel()
	one, other := &replica{}, &replica{}
	for name, c := range map[string]struct {
		faults []fault
		want   time.Duration
	}{
		"none":                               {nil, 0},
		"the slowest":                        {[]fault{{one, false, 0, 1, 3}, {nil, false, 5, 6, 9}, {other, false, 12, 13, 14}}, 3},
		"a replica, which has no backend":    {[]fault{{one, false, 0, 1, 9}, {nil, false, 2, 5, 6}}, 4},
		"a replica, and a later fault":       {[]fault{{one, false, 0, 1, 3}, {nil, false, 4, 5, 6}}, 2},
		"a backend, one replica is frozen":   {[]fault{{nil, false, 0, 1, 9}, {one, false, 0, 8, 9}}, 8},
		"a backend, both replicas are":       {[]fault{{nil, false, 0, 1, 9}, {one, false, 0, 8, 9}, {other, false, 3, 5, 6}}, 4},
		"a replica, the other is frozen":     {[]fault{{one, false, 0, 1, 9}, {other, false, 2, 6, 7}}, 8},
		"a replica, the other has the lock":  {[]fault{{one, false, 0, 1, 9}, {other, true, 2, 6, 7}}, 3},
		"a backend, the other fault is over": {[]fault{{nil, false, 4, 5, 9}, {one, false, 0, 2, 3}, {other, false, 0, 1, 3}}, 4},
	} {
		if got := slowestRecovery(c.faults, []*replica{one, other}); got != c.want {
			t.Errorf("%s: got %d, want %d", name, got, c.want)
		}
	}
}
