//go:build chaos

package chaos_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/Shopify/toxiproxy/v2"
)

// fault is one that has ended.
type fault struct {
	replica    *replica // that it befell; nil: all
	halts      bool     // it may have kept the other replicas from working too
	start, end time.Duration
	recovered  time.Duration // when the first call was acknowledged that began after its end
}

// cause brings about a fault and returns when it has ended.
type cause struct {
	name  string
	do    func(random *rand.Rand, r *replica) // r: the replica that processCauses befall
	after func()                              // what an operator does once the service is back; nil: nothing

	freezes bool // the replica keeps the locks that it has
}

// processCauses befall a replica.
var processCauses = append(slices.Concat(
	slices.Repeat([]cause{{name: "kill", do: func(_ *rand.Rand, r *replica) { r.kill() }}}, 8), // the commonest
	slices.Repeat([]cause{{name: "kill at a step", do: killAtStep}}, 5),
), []cause{
	{name: "SIGTERM", do: func(_ *rand.Rand, r *replica) { r.stop() }},
	{name: "freeze", freezes: true, do: func(random *rand.Rand, r *replica) {
		r.signal(syscall.SIGSTOP)
		freeze(random, r)
	}},
	{name: "freeze at a step", freezes: true, do: func(random *rand.Rand, r *replica) {
		r.kill(pauseAt + someStep(random))
		waitFor(r.isStopped)
		freeze(random, r)
	}},
}...)

// killAtStep kills twice: so that the hook is set, and by it.
func killAtStep(random *rand.Rand, r *replica) {
	kills := r.killed()
	r.kill(killAt + someStep(random))
	waitFor(func() bool { return r.killed() >= kills+2 })
}

// waitFor waits until it is so, which may never come.
func waitFor(isSo func() bool) {
	const patience = 4 * time.Second
	for end := time.Now().Add(patience); !isSo() && time.Now().Before(end); time.Sleep(5 * time.Millisecond) {
	}
}

func someStep(random *rand.Rand) string {
	return fmt.Sprintf("%s:%d", steps[random.IntN(len(steps))], 1+random.IntN(20))
}

// freeze lets a stopped replica go on, mostly within the time that its calls may
// take, now and then after Repair has taken them for cut off.
func freeze(random *rand.Rand, r *replica) {
	d := between(random, 100, 2500)
	switch random.IntN(20) {
	case 0:
		d = between(random, 14_500, 17_000)
	case 1, 2, 3:
		d = between(random, 3000, 6000)
	}
	time.Sleep(d)
	r.signal(syscall.SIGCONT)
}

// between draws a time, in milliseconds.
func between(random *rand.Rand, least, most int) time.Duration {
	return time.Duration(least+random.IntN(most-least)) * time.Millisecond
}

// storeCauses befall requests to an object store.
func (w *world) storeCauses() []cause {
	if w.store == nil {
		return nil
	}
	return []cause{
		w.requests("requests to the store are late", func(random *rand.Rand) treatment { return delay(between(random, 500, 18_000)) }),
		w.requests("requests to the store come again", func(random *rand.Rand) treatment { return repeat(between(random, 0, 10_000)) }),
		w.requests("requests to the store come twice", func(*rand.Rand) treatment { return repeat(0) }),
		w.requests("answers of the store are lost", func(*rand.Rand) treatment { return dropAnswer }),
		w.requests("requests to the store are lost", func(*rand.Rand) treatment { return dropRequest }),
	}
}

// toxics are what Toxiproxy does to connections.
var toxics = []struct{ name, json string }{
	{"is slow", `{"type":"latency","attributes":{"latency":150,"jitter":100}}`},
	{"resets connections", `{"type":"reset_peer","attributes":{"timeout":20}}`},
	{"is a black hole", `{"type":"timeout","attributes":{"timeout":0}}`},
	{"has little bandwidth", `{"type":"bandwidth","attributes":{"rate":20}}`},
}

// connectionCauses befall the connections to a server, or to one of several.
func connectionCauses(server string, proxies ...*toxiproxy.Proxy) (causes []cause) {
	each := func(do func(*toxiproxy.Proxy) error) {
		for _, proxy := range proxies {
			if err := do(proxy); err != nil {
				panic(err) // of the proxy, not of what is tested
			}
		}
	}
	away := func(d time.Duration) {
		each(func(p *toxiproxy.Proxy) error { p.Stop(); return nil })
		time.Sleep(d)
		each((*toxiproxy.Proxy).Start)
	}
	for _, toxic := range toxics {
		causes = append(causes, cause{name: server + " " + toxic.name, do: func(random *rand.Rand, _ *replica) {
			named := strings.Replace(toxic.json, "{", `{"name":"toxic","stream":"downstream",`, 1)
			each(func(p *toxiproxy.Proxy) error { _, err := p.Toxics.AddToxicJson(strings.NewReader(named)); return err })
			time.Sleep(between(random, 500, 3000))
			each(func(p *toxiproxy.Proxy) error { return p.Toxics.RemoveToxic(context.Background(), "toxic") })
		}})
	}
	return append(causes, cause{name: server + " is away", do: func(random *rand.Rand, _ *replica) {
		away(between(random, 200, 1500))
	}}, cause{name: server + " flaps", do: func(random *rand.Rand, _ *replica) {
		for range 5 {
			away(between(random, 20, 200))
			time.Sleep(between(random, 20, 200))
		}
	}})
}

// requests has some of the store's requests treated so, for a while.
func (w *world) requests(name string, treat func(*rand.Rand) treatment) cause {
	return cause{name: name, do: func(random *rand.Rand, _ *replica) {
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

// befall brings about one of the causes after the other until ctx ends, with at
// most so many milliseconds between them, and returns the faults. None comes before the service has recovered from the last by
// itself. r: the replica that they befall; nil: none.
func (w *world) befall(ctx context.Context, random *rand.Rand, causes []cause, most int, r *replica) (faults []fault) {
	for len(causes) > 0 {
		select {
		case <-ctx.Done():
			return faults
		case <-time.After(between(random, 100, most)):
		}
		c := causes[random.IntN(len(causes))]
		start := w.history.now()
		c.do(rand.New(rand.NewPCG(random.Uint64(), 0)), r)
		f := fault{replica: r, halts: c.freezes && w.oneWriter, start: start, end: w.history.now()}
		f.recovered = w.recovery(f)
		if c.after != nil {
			c.after()
		}
		faults = append(faults, f)
		of := ""
		if r != nil {
			of = r.name + ": "
		}
		if took := f.recovered - f.end; took > time.Second {
			of = fmt.Sprintf("back after %v: %s", took, of)
		}
		w.t.Logf("%v to %v: %s%s", start.Round(time.Millisecond), f.end.Round(time.Millisecond), of, c.name)
	}
	return nil
}

// recovery waits for the first call that began after a fault and was
// acknowledged, and returns when.
func (w *world) recovery(f fault) time.Duration {
	const patience = 40 * time.Second
	for seen := w.history.size(); ; time.Sleep(2 * time.Millisecond) {
		var at time.Duration
		if at, seen = w.history.acknowledgedSince(seen, f); at > 0 {
			return at
		}
		if now := w.history.now(); now > f.end+patience {
			w.t.Errorf("nothing was acknowledged within %v of a fault", patience)
			return now
		}
	}
}

// slowestRecovery is the longest time from the end of a fault to the first call
// that began after it and was acknowledged: by the replica that the fault befell,
// or by any where it befell all. Where another fault may have kept them from it,
// the time begins with that one's end.
func slowestRecovery(faults []fault, replicas []*replica) (slowest time.Duration) {
	for _, f := range faults {
		began := f.recovered
		for _, r := range replicas {
			if f.replica == nil || f.replica == r {
				began = min(began, f.heldUp(faults, r))
			}
		}
		slowest = max(slowest, f.recovered-began)
	}
	return slowest
}

// heldUp is when the last of the faults ended that may have kept a replica from working
// after a fault and before its recovery.
func (f fault) heldUp(faults []fault, r *replica) time.Duration {
	until := f.end
	for _, g := range faults {
		if (g.replica == nil || g.replica == r || g.halts) && g.start < f.recovered {
			until = max(until, g.end)
		}
	}
	return until
}
