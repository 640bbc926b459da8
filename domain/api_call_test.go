package domain_test

import (
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

func TestApiLogFilterMatches(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	entry := domain.ApiLogEntry{
		ID:      10,
		Call:    domain.ApiCall{ReceivedAt: at, Fleet: 689, Customer: 452733},
		Outcome: domain.Outcome{Result: domain.Failed, Error: domain.InvalidPIN},
	}
	position := func(at time.Time, id domain.ApiLogID) domain.ApiLogFilter {
		return domain.ApiLogFilter{Before: domain.ApiLogPosition{ReceivedAt: at, ID: id}}
	}
	whole := domain.ApiLogFilter{
		Fleet: 689, Customer: 452733, Result: domain.Failed, Error: domain.InvalidPIN,
		Since: at, Until: at.Add(1), Before: domain.ApiLogPosition{ReceivedAt: at, ID: 11},
	}
	inPart := whole
	inPart.Customer = 452734
	for filter, want := range map[domain.ApiLogFilter]bool{
		{}:                                     true,
		{Fleet: 689}:                           true,
		{Fleet: 690}:                           false,
		{Fleet: 689, Customer: 452733}:         true,
		{Fleet: 689, Customer: 452734}:         false,
		{Fleet: 690, Customer: 452733}:         false,
		{Result: domain.Failed}:                true,
		{Result: domain.Valid}:                 false,
		{Result: domain.Open}:                  false,
		{Error: domain.InvalidPIN}:             true,
		{Error: domain.PINLocked}:              false,
		{Since: at}:                            true,
		{Since: at.Add(-1)}:                    true,
		{Since: at.Add(1)}:                     false,
		{Until: at}:                            false,
		{Until: at.Add(1)}:                     true,
		position(at, 10):                       false,
		position(at, 11):                       true,
		position(at.Add(1), 0):                 true,
		position(at.Add(-1), 99):               false,
		{Before: entry.Position()}:             false,
		{Since: at.In(time.FixedZone("", 60))}: true,
		{Until: at.In(time.FixedZone("", 60))}: false,
		whole:                                  true,
		inPart:                                 false,
	} {
		if got := filter.Matches(entry); got != want {
			t.Errorf("%+v: Matches is %v, want %v", filter, got, want)
		}
	}
}

func TestApiLogFilterMatchesOpen(t *testing.T) {
	t.Parallel()
	for filter, want := range map[domain.ApiLogFilter]bool{
		{}: true, {Result: domain.Open}: true, {Result: domain.Failed}: false, {Error: domain.InvalidPIN}: false,
	} {
		if got := filter.Matches(domain.ApiLogEntry{ID: 1}); got != want {
			t.Errorf("%+v: Matches is %v, want %v", filter, got, want)
		}
	}
}

func TestStatus(t *testing.T) {
	t.Parallel()
	for result, want := range map[domain.Result]domain.Result{
		"": domain.Open, domain.Valid: domain.Valid, domain.Failed: domain.Failed, domain.Interrupted: domain.Interrupted,
	} {
		if got := (domain.Outcome{Result: result}).Status(); got != want {
			t.Errorf("%q: Status is %q, want %q", result, got, want)
		}
	}
}
