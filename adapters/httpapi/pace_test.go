package httpapi

import (
	"slices"
	"testing"
	"testing/synctest"
	"time"
)

// TestPace: the deadline of the next bytes after given bytes at given times.
func TestPace(t *testing.T) {
	type came struct {
		after time.Duration
		bytes int
	}
	for _, test := range []struct {
		name  string
		came  []came
		pause time.Duration
		want  time.Duration
	}{
		{"nothing yet", nil, 0, 5 * time.Second},
		{"a byte is nothing", []came{{4 * time.Second, 1}}, 0, 5*time.Second + 2*time.Millisecond},
		{"500 bytes a second", []came{{time.Second, 500}, {2 * time.Second, 500}, {3 * time.Second, 500}}, 0, 8 * time.Second},
		{"half as much", []came{{time.Second, 250}, {2 * time.Second, 250}, {3 * time.Second, 250}}, 0, 6500 * time.Millisecond},
		{"much, and then a gap", []came{{time.Second, 1 << 20}}, 0, 11 * time.Second},
		{"the server didn't read", []came{{time.Second, 500}}, 9 * time.Second, 15 * time.Second},
		{"all of it in time", []came{{BodyTimeout - time.Second, 1 << 20}}, 0, BodyTimeout},
	} {
		t.Run(test.name, func(t *testing.T) {
			start := time.Now()
			p := newPace(start)
			for _, c := range test.came {
				p.progress(c.bytes, start.Add(c.after))
			}
			p.pause(test.pause)
			if got := p.deadline().Sub(start); got != test.want {
				t.Errorf("got %v, want %v", got, test.want)
			}
		})
	}
}

// TestRate: a fast sender that stalls soon has a lower rate than a slow one that goes on.
func TestRate(t *testing.T) {
	start := time.Now()
	stalled, phone := newPace(start), newPace(start)
	stalled.progress(17<<20, start)
	for at := range 60 {
		phone.progress(20_000, start.Add(time.Duration(at)*100*time.Millisecond))
	}
	now := start.Add(6 * time.Second)
	if stalled.rateAt(now) >= phone.rateAt(now) {
		t.Errorf("a stalled sender has %.0f bytes a second, want less than the %.0f of one that goes on", stalled.rateAt(now), phone.rateAt(now))
	}
	if got := phone.rateAt(now); got < 150_000 || got > 250_000 {
		t.Errorf("got %.0f bytes a second, want about 200000", got)
	}
}

// TestReadsHaveDeadlines: each read has the deadline of the pace at its beginning.
func TestReadsHaveDeadlines(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		b := testBody(t, newRoom(1<<20, 1<<18), 1, 0)
		begin, deadlines := time.Now(), []time.Duration(nil)
		b.setDeadline = func(at time.Time) {
			if at.IsZero() {
				at = begin
			}
			deadlines = append(deadlines, at.Sub(begin))
		}
		b.source = readerFunc(func([]byte) (int, error) {
			time.Sleep(2 * time.Second)
			return 500, nil
		})
		for range 3 {
			if n, err := b.Read(make([]byte, 1000)); n != 500 || err != nil {
				t.Errorf("got %d, %v", n, err)
			}
		}
		check(t, b.join()) // removes the deadline
		if want := []time.Duration{5 * time.Second, 6 * time.Second, 7 * time.Second, 0}; !slices.Equal(deadlines, want) {
			t.Errorf("the deadlines are %v, want %v", deadlines, want)
		}
	})
}
