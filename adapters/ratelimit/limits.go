// Package ratelimit bounds how often a fleet calls and how often an address
// fails to authenticate. Each process counts for itself.
//
// App and tests import it; it imports ports and domain.
package ratelimit

import (
	"context"
	"fmt"
	"log/slog"
	"net/netip"
	"time"

	"golang.org/x/time/rate"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
	"github.com/fleetphoto/fleetphoto/ports"
)

const (
	// FailureBurst is how many calls of an address may fail in a row before the rate counts.
	FailureBurst = 10
	// totalRate and totalBurst bound the failures that have an entry of their own
	// in the API log, whatever number of addresses they come from.
	totalRate  = 100 // a second
	totalBurst = 3000
	// fleetBurst is how many seconds' worth of calls a fleet may send at once.
	fleetBurst = 10
	// subnet is the part of an IPv6 address that a provider gives to one customer.
	subnet = 64
)

// Options says what is let through, and who is told of the rest.
type Options struct {
	FailureRate float64 // failures a second of an address, after FailureBurst; 0: any number
	FleetRate   float64 // calls a second of a fleet; 0: any number
	Log         ports.ApiLog
	Logger      *slog.Logger
	Clock       func() time.Time
}

// Limits implements usecase.RateLimits. It is safe for concurrent use, and its
// memory is bounded: see buckets.
type Limits struct {
	Options
	failures *buckets[netip.Addr]
	total    *rate.Limiter // of failures that are within their address's limit
	fleets   *buckets[domain.FleetID]
}

var _ usecase.RateLimits = (*Limits)(nil)

// New makes Limits.
func New(options Options) *Limits {
	return &Limits{
		Options:  options,
		failures: newBuckets[netip.Addr](rate.Limit(options.FailureRate), FailureBurst),
		total:    rate.NewLimiter(totalRate, totalBurst),
		fleets:   newBuckets[domain.FleetID](rate.Limit(options.FleetRate), max(1, int(fleetBurst*options.FleetRate))),
	}
}

// Failure implements usecase.RateLimits. Who has one IPv6 address has all of
// its /64, so these count together.
func (l *Limits) Failure(from string) time.Duration {
	if l.FailureRate == 0 {
		return 0
	}
	now := l.Clock()
	if addr, err := netip.ParseAddr(from); err == nil { // else unknown: anybody's
		if addr = addr.Unmap(); addr.Is6() {
			addr = netip.PrefixFrom(addr.WithZone(""), subnet).Masked().Addr()
		}
		if wait := l.failures.take(addr, now); wait > 0 {
			return wait
		}
	}
	wait := waitFor(l.total, now)
	if wait > 0 {
		l.failures.count(netip.Addr{}, 1)
	}
	return wait
}

// Fleet implements usecase.RateLimits.
func (l *Limits) Fleet(fleet domain.FleetID) time.Duration {
	return l.fleets.take(fleet, l.Clock())
}

// Report tells of the calls that were refused since the last Report: by one
// entry of the API log for each address and fleet, and by one line of the log.
// What the API log doesn't take is left to the next Report.
func (l *Limits) Report(ctx context.Context) {
	r := report{ctx: ctx, limits: l}
	addresses := record(&r, l.failures, func(addr netip.Addr) (domain.ApiCall, string) {
		if !addr.IsValid() {
			return domain.ApiCall{}, "came without a live API key, when too many of these had come from others"
		}
		return domain.ApiCall{From: nameOf(addr)}, "came without a live API key, from an address that had sent too many of these"
	})
	fleets := record(&r, l.fleets, func(fleet domain.FleetID) (domain.ApiCall, string) {
		return domain.ApiCall{Fleet: fleet}, "were more than the fleet may send"
	})
	if r.calls+r.left == 0 {
		return
	}
	line := []slog.Attr{slog.Int("calls", r.calls), slog.Int("addresses", addresses), slog.Int("fleets", fleets)}
	if r.failed != nil {
		line = append(line, slog.Int("not_yet_logged", r.left), slog.String("cause", r.failed.Error()))
	}
	l.Logger.LogAttrs(ctx, slog.LevelWarn, "calls were refused by the rate limits", line...)
}

// report is what came of one Report.
type report struct {
	ctx         context.Context
	limits      *Limits
	calls, left int
	failed      error // by which the API log took no more
}

// record logs what was refused, and returns how many entries that made. After a
// failure it counts the rest again.
func record[K comparable](r *report, refused *buckets[K], describe func(K) (domain.ApiCall, string)) (entries int) {
	for key, calls := range refused.refusals() {
		call, sentence := describe(key)
		now := domain.Instant(r.limits.Clock())
		call.ReceivedAt = now
		if r.failed == nil {
			_, r.failed = r.limits.Log.Record(r.ctx, call, domain.Outcome{
				Result: domain.Failed, Error: domain.TooManyRequests, EndedAt: now,
				Detail: fmt.Sprintf("calls that are counted in this entry: %d. They %s", calls, sentence),
			})
		}
		if r.failed != nil {
			r.left += calls
			refused.count(key, calls)
			continue
		}
		r.calls += calls
		entries++
	}
	return entries
}

// nameOf is how the log names an address that a bucket is for.
func nameOf(addr netip.Addr) string {
	if addr.Is6() {
		return netip.PrefixFrom(addr, subnet).String()
	}
	return addr.String()
}
