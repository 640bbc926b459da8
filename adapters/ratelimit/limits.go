// Package ratelimit bounds how often a fleet calls and how often an address
// fails to authenticate. Each process counts for itself.
//
// App and tests import it; it imports ports and domain.
package ratelimit

import (
	"context"
	"errors"
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
	fleets   *buckets[domain.FleetID]
}

var _ usecase.RateLimits = (*Limits)(nil)

// New makes Limits.
func New(options Options) *Limits {
	return &Limits{
		Options:  options,
		failures: newBuckets[netip.Addr](rate.Limit(options.FailureRate), FailureBurst),
		fleets:   newBuckets[domain.FleetID](rate.Limit(options.FleetRate), max(1, int(fleetBurst*options.FleetRate))),
	}
}

// Failure implements usecase.RateLimits. Who has one IPv6 address has all of
// its /64, so these count together.
func (l *Limits) Failure(from string) time.Duration {
	addr, err := netip.ParseAddr(from)
	if err != nil {
		return 0 // unknown: anybody's
	}
	if addr = addr.Unmap(); addr.Is6() {
		addr = netip.PrefixFrom(addr.WithZone(""), subnet).Masked().Addr()
	}
	return l.failures.take(addr, l.Clock())
}

// Fleet implements usecase.RateLimits.
func (l *Limits) Fleet(fleet domain.FleetID) time.Duration {
	return l.fleets.take(fleet, l.Clock())
}

// Report tells of the calls that were refused since the last Report: by one
// entry of the API log for each address and fleet, and by one line of the log.
func (l *Limits) Report(ctx context.Context) {
	addresses, fleets := l.failures.refusals(), l.fleets.refusals()
	if len(addresses)+len(fleets) == 0 {
		return
	}
	var calls int
	var failed error
	record := func(call domain.ApiCall, refused int, sentence string) {
		calls += refused
		now := domain.Instant(l.Clock())
		call.ReceivedAt = now
		_, err := l.Log.Record(ctx, call, domain.Outcome{
			Result: domain.Failed, Error: domain.TooManyRequests, EndedAt: now,
			Detail: fmt.Sprintf("calls that are counted in this entry: %d. They %s", refused, sentence),
		})
		failed = errors.Join(failed, err)
	}
	for addr, refused := range addresses {
		record(domain.ApiCall{From: nameOf(addr)}, refused, "came without a live API key, from an address that had sent too many of these")
	}
	for fleet, refused := range fleets {
		record(domain.ApiCall{Fleet: fleet}, refused, "were more than the fleet may send")
	}
	line := []slog.Attr{slog.Int("calls", calls), slog.Int("addresses", len(addresses)), slog.Int("fleets", len(fleets))}
	if failed != nil {
		line = append(line, slog.String("cause", failed.Error()))
	}
	l.Logger.LogAttrs(ctx, slog.LevelWarn, "calls were refused by the rate limits", line...)
}

// nameOf is how the log names whom a bucket is for; empty: those beyond the
// ones that are told apart.
func nameOf(addr netip.Addr) string {
	switch {
	case !addr.IsValid():
		return ""
	case addr.Is6():
		return netip.PrefixFrom(addr, subnet).String()
	}
	return addr.String()
}
