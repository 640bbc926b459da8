package contracttests_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// callers are the systems of fleets, which change photos.
type callers struct {
	crew

	keys  map[domain.FleetID]string
	begun time.Time
	made  []call
}

// call is one that a caller made, and what the caller knows of it.
type call struct {
	customer    domain.CustomerRef
	photo       domain.Digest // zero: it is to be deleted
	end         ending
	id          domain.ApiLogID // 0: not told
	start, stop time.Duration
}

// ending is how a call ended, as far as its caller can tell.
type ending string

const (
	acknowledged ending = "acknowledged"
	unknown      ending = "unknown"
	unchanged    ending = "unchanged" // surely
)

// target is a customer as callers know it.
type target struct {
	ref   domain.CustomerRef
	phone domain.PhoneNumber
	pin   string // empty: the call is made without
}

// load has callers change photos until it is told to stop, and then waits for them.
func (c *callers) load(t *testing.T, seed uint64, choose func(*rand.Rand) target) (stop func()) {
	t.Helper()
	const together = 4
	const pause = 30 * time.Millisecond // leaves the machine to what runs beside
	ctx, cancel := context.WithCancel(t.Context())
	turns := time.NewTicker(pause)
	var running sync.WaitGroup
	for caller := range together {
		running.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(caller)))
			for {
				select {
				case <-turns.C:
				case <-ctx.Done():
					return
				}
				var photo []byte // none: it is to be deleted
				if random.IntN(3) > 0 {
					photo = noise(random)
				}
				if another := c.call(t, random, choose(random), photo); another != nil {
					select {
					case <-another:
					case <-ctx.Done():
					}
				}
			}
		})
	}
	stop = func() { cancel(); running.Wait(); turns.Stop() }
	t.Cleanup(stop)
	return stop
}

// call makes a call to one of the servers and writes down how it ended. Where the
// service is being moved, it returns what ends when another server serves.
func (c *callers) call(t *testing.T, random *rand.Rand, customer target, photo []byte) (wait <-chan struct{}) {
	form := url.Values{"api_key": {c.keys[customer.ref.Fleet]}, "phone_number": {strconv.FormatInt(int64(customer.phone), 10)}, "customer_pin": {customer.pin}}
	one, sent := call{customer: customer.ref}, "delete"
	if photo != nil {
		one.photo, sent = sha256.Sum256(photo), base64.StdEncoding.EncodeToString(photo)
	}
	another := c.another()
	s := c.one(random)
	one.start = time.Since(c.begun)
	a, err := s.change(form, sent)
	one.stop = time.Since(c.begun)
	one.id = domain.ApiLogID(a.ApiLogID)
	switch {
	case err != nil:
		one.end = unknown
	case a.Result == "valid":
		one.end = acknowledged
	case a.Status != http.StatusServiceUnavailable:
		t.Errorf("got %+v", a)
		return nil
	case strings.HasPrefix(a.Detail, "nothing was changed"):
		one.end = unchanged
		if strings.Contains(a.Detail, "is being moved") {
			wait = another
		}
	default:
		one.end = unknown
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.made = append(c.made, one)
	if one.end == acknowledged {
		c.answered(s)
	}
	return wait
}
