//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/Shopify/toxiproxy/v2"
)

// fault is one that has ended.
type fault struct {
	replica    *replica // that it befell; nil: all
	start, end time.Duration
}

// cause brings about a fault and returns when it has ended.
type cause struct {
	name string
	do   func(random *rand.Rand, r *replica) // r: the replica that processCauses befall
}

// processCauses befall a replica.
var processCauses = []cause{
	{"kill", func(_ *rand.Rand, r *replica) { r.kill() }},
	{"kill at a step", func(random *rand.Rand, r *replica) {
		r.kill(killAt + someStep(random))
	}},
	{"freeze", func(random *rand.Rand, r *replica) {
		r.signal(syscall.SIGSTOP)
		freeze(random, r)
	}},
	{"freeze at a step", func(random *rand.Rand, r *replica) {
		r.kill(pauseAt + someStep(random))
		const patience = 4 * time.Second
		for end := time.Now().Add(patience); !r.isStopped() && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
		}
		freeze(random, r)
	}},
}

func someStep(random *rand.Rand) string {
	return fmt.Sprintf("%s:%d", steps[random.IntN(len(steps))], 1+random.IntN(60))
}

// freeze lets a stopped replica go on, mostly within the time that its calls may
// take, now and then after Repair has taken them for cut off.
func freeze(random *rand.Rand, r *replica) {
	d := between(random, 100, 2500)
	switch random.IntN(10) {
	case 0:
		d = between(random, 14_500, 17_000)
	case 1, 2:
		d = between(random, 3000, 6000)
	}
	time.Sleep(d)
	r.signal(syscall.SIGCONT)
}

// between draws a time, in milliseconds.
func between(random *rand.Rand, least, most int) time.Duration {
	return time.Duration(least+random.IntN(most-least)) * time.Millisecond
}

// networkCauses befall what lies between the replicas and their backends.
func (w *world) networkCauses() (causes []cause) {
	if w.store != nil {
		causes = append(causes,
			w.requests("requests to the store are late", func(random *rand.Rand) treatment { return delay(between(random, 500, 18_000)) }),
			w.requests("requests to the store come again", func(random *rand.Rand) treatment { return repeat(between(random, 0, 10_000)) }),
			w.requests("requests to the store come twice", func(*rand.Rand) treatment { return repeat(0) }),
			w.requests("answers of the store are lost", func(*rand.Rand) treatment { return dropAnswer }),
			w.requests("requests to the store are lost", func(*rand.Rand) treatment { return dropRequest }),
			cause{"the store refuses connections", func(random *rand.Rand, _ *replica) {
				w.store.refuse()
				time.Sleep(between(random, 200, 1500))
				w.store.accept()
			}})
	}
	for _, of := range []struct {
		name  string
		proxy *toxiproxy.Proxy
	}{{"the database", w.database}, {"the log", w.own}} {
		if of.proxy == nil {
			continue
		}
		causes = append(causes, cause{of.name + " is away", func(random *rand.Rand, _ *replica) {
			of.proxy.Stop()
			time.Sleep(between(random, 200, 1500))
			w.noError(of.proxy.Start())
		}}, cause{of.name + " doesn't answer", func(random *rand.Rand, _ *replica) {
			_, err := of.proxy.Toxics.AddToxicJson(strings.NewReader(`{"name":"silence","type":"timeout","stream":"downstream","attributes":{"timeout":0}}`))
			w.noError(err)
			time.Sleep(between(random, 500, 4000))
			w.noError(of.proxy.Toxics.RemoveToxic(context.Background(), "silence"))
		}})
	}
	return causes
}

func (w *world) noError(err error) {
	if err != nil {
		w.t.Error(err)
	}
}

// requests has some of the store's requests treated so, for a while.
func (w *world) requests(name string, treat func(*rand.Rand) treatment) cause {
	return cause{name, func(random *rand.Rand, _ *replica) {
		const oneIn = 4
		d := between(random, 1000, 4000)
		var mu sync.Mutex // random is used by all requests
		w.store.set(func(*http.Request) treatment {
			mu.Lock()
			defer mu.Unlock()
			if random.IntN(oneIn) > 0 {
				return pass
			}
			return treat(random)
		})
		time.Sleep(d)
		w.store.set(nil)
	}}
}

// befall brings about one of the causes after the other until ctx ends, and
// returns the faults.
func (w *world) befall(ctx context.Context, random *rand.Rand, causes []cause, replicas []*replica) (faults []fault) {
	for len(causes) > 0 {
		select {
		case <-ctx.Done():
			return faults
		case <-time.After(between(random, 500, 2500)):
		}
		var r *replica
		of := ""
		if len(replicas) > 0 {
			r = replicas[random.IntN(len(replicas))]
			of = r.name + ": "
		}
		c := causes[random.IntN(len(causes))]
		start := w.history.now()
		c.do(rand.New(rand.NewPCG(random.Uint64(), 0)), r)
		faults = append(faults, fault{r, start, w.history.now()})
		w.t.Logf("%v to %v: %s%s", start.Round(time.Millisecond), w.history.now().Round(time.Millisecond), of, c.name)
	}
	return nil
}
