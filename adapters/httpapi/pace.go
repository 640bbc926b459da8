package httpapi

import (
	"math"
	"time"
)

// How slowly a body may arrive. Kestrel's minimum is 240 bytes a second after 5 s,
// that of Apache's mod_reqtimeout 500.
const (
	leastRate  = 500              // bytes a second
	rateGrace  = 5 * time.Second  // before leastRate applies
	mostStall  = 10 * time.Second // the longest time without a byte
	rateWindow = time.Second      // the time constant of a sender's current rate

	// BodyTimeout is how long a whole body may take: enough for 10 MB at 40 kB a
	// second.
	BodyTimeout = 5 * time.Minute
)

// pace is how fast a body arrives while the server reads it.
type pace struct {
	start    time.Time     // when the server began to read
	begun    time.Time     // when the first bytes came; zero: none came
	last     time.Time     // when the last bytes came
	patience time.Duration // how long after last the next bytes may come
	rate     float64       // at last, in bytes a second
}

func newPace(now time.Time) pace { return pace{start: now, last: now, patience: rateGrace} }

// progress notes that n bytes came. Each byte adds 1/leastRate seconds of patience.
func (p *pace) progress(n int, now time.Time) {
	if n == 0 {
		return
	}
	if p.begun.IsZero() {
		p.begun = now
	}
	p.rate = p.rateAt(now) + float64(n)/rateWindow.Seconds()
	p.patience += time.Duration(n)*time.Second/leastRate - now.Sub(p.last)
	p.patience = min(p.patience, mostStall)
	p.last = now
}

// pause excludes time in which the server didn't read.
func (p *pace) pause(d time.Duration) {
	p.start, p.last = p.start.Add(d), p.last.Add(d)
}

// deadline returns the time until which the next bytes must come.
func (p *pace) deadline() time.Time {
	next, all := p.last.Add(p.patience), p.start.Add(BodyTimeout)
	if all.Before(next) {
		return all
	}
	return next
}

// rateAt returns the current rate. The weight of a byte decays exponentially, so a
// fast sender that stalls counts as slow within seconds.
func (p *pace) rateAt(now time.Time) float64 {
	return p.rate * math.Exp(-now.Sub(p.last).Seconds()/rateWindow.Seconds())
}
