package httpapi

import (
	"math"
	"time"
)

// How slowly a body may arrive. Kestrel asks for 240 bytes a second after 5 s,
// Apache's mod_reqtimeout for 500.
const (
	leastRate  = 500              // bytes a second
	rateGrace  = 5 * time.Second  // before they are asked for
	mostStall  = 10 * time.Second // without any, however much came before
	rateWindow = time.Second      // what a sender's present rate is a mean over

	// BodyTimeout is how long a whole body may take: one of 10 MB at 40 kB a second.
	BodyTimeout = 5 * time.Minute
)

// pace is how fast a body arrives, while the server reads it.
type pace struct {
	start    time.Time     // when the server began to wait for it
	begun    time.Time     // when its first bytes came; zero: they haven't
	last     time.Time     // when some came last
	patience time.Duration // from last on
	rate     float64       // at last, in bytes a second
}

func newPace(now time.Time) pace { return pace{start: now, last: now, patience: rateGrace} }

// progress notes that n bytes came.
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

// pause leaves time out of account in which the server didn't read.
func (p *pace) pause(d time.Duration) {
	p.start, p.last = p.start.Add(d), p.last.Add(d)
}

// deadline returns when the next bytes have to be there.
func (p *pace) deadline() time.Time {
	next, all := p.last.Add(p.patience), p.start.Add(BodyTimeout)
	if all.Before(next) {
		return all
	}
	return next
}

// rateAt returns the present rate, in which older bytes count less and less: who
// has sent much and stalls is slow within seconds.
func (p *pace) rateAt(now time.Time) float64 {
	return p.rate * math.Exp(-now.Sub(p.last).Seconds()/rateWindow.Seconds())
}
