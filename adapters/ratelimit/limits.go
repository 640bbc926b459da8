// Package ratelimit limits how often a fleet calls and how often an address
// fails to authenticate. Each process counts separately.
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
	// FailureBurst is how many calls of an address may fail in a row before the
	// rate applies.
	FailureBurst = 10
	// totalRate and totalBurst limit the failures of all addresses together that
	// get an API log entry of their own.
	totalRate  = 100 // a second
	totalBurst = 3000
	// fleetBurst is how many seconds' worth of calls a fleet may send at once.
	fleetBurst = 10
	// subnet is the prefix length of the IPv6 network that a provider gives to one
	// customer.
	subnet = 64
)

// Options are the limits, and where refused calls are reported.
type Options struct {
	FailureRate float64 // failures a second of an address, after FailureBurst; 0: no limit
	FleetRate   float64 // calls a second of a fleet; 0: no limit
	Log         ports.ApiLog
	Logger      *slog.Logger
	Clock       func() time.Time
}

// Limits implements usecase.RateLimits. It is safe for concurrent use, and its
// memory is bounded: see buckets.
type Limits struct {
	Options
	failures *buckets[netip.Addr]
	total    *rate.Limiter // of failures within their addresses' limits
	fleets   *buckets[domain.FleetID]
}

var _ usecase.RateLimits = (*Limits)(nil)

// New returns Limits.
func New(options Options) *Limits {
	return &Limits{
		Options:  options,
		failures: newBuckets[netip.Addr](rate.Limit(options.FailureRate), FailureBurst),
		total:    rate.NewLimiter(totalRate, totalBurst),
		fleets:   newBuckets[domain.FleetID](rate.Limit(options.FleetRate), max(1, int(fleetBurst*options.FleetRate))),
	}
}

// Failure implements usecase.RateLimits. Whoever has one IPv6 address has its
// whole /64, so these addresses count together.
func (l *Limits) Failure(from string) time.Duration {
	if l.FailureRate == 0 {
		return 0
	}
	now := l.Clock()
	if addr, err := netip.ParseAddr(from); err == nil { // an unknown address counts only towards the total
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

// Report reports the calls that were refused since the last Report: one entry
// of the API log for each address and fleet, and one log line. If the API log
// fails, the rest is left to the next Report.
func (l *Limits) Report(ctx context.Context) {
	r := report{ctx: ctx, limits: l}
	addresses := record(&r, l.failures, func(addr netip.Addr) (domain.ApiCall, string) {
		if !addr.IsValid() {
			return domain.ApiCall{}, "came without a live API key, after too many such calls from other addresses"
		}
		return domain.ApiCall{From: nameOf(addr)}, "came without a live API key, from an address that had sent too many such calls"
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

// report is the state of one Report.
type report struct {
	ctx         context.Context
	limits      *Limits
	calls, left int
	failed      error // of the API log; nothing is recorded after it
}

// record writes an entry for each key with refused calls, and returns the
// number of entries. After a failure it counts the remaining calls again, for
// the next Report.
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

// nameOf returns the name in the log of an address that a bucket is for: an
// IPv6 address stands for its /64.
func nameOf(addr netip.Addr) string {
	if addr.Is6() {
		return netip.PrefixFrom(addr, subnet).String()
	}
	return addr.String()
}
