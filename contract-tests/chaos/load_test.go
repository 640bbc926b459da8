//go:build chaos

package chaos_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/jpeg"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// world is everything of one test.
type world struct {
	*backends
	t        *testing.T
	product  product
	key      string // of fleet 689
	many     int    // customers 1 to many, each with the PIN 1234
	replicas []*replica
	history  history
	client   *http.Client
}

const hot = 1 // the customer whose photo changes more often than any other

// newWorld adds a fleet and so many customers, and starts a replica for each of
// settings.
func newWorld(t *testing.T, b *backends, many int, settings ...[]string) *world {
	t.Helper()
	w := &world{backends: b, t: t, many: many, product: product{b.directory, b.settings}}
	w.history.begun = time.Now()
	const patience = 30 * time.Second // longer than a replica is frozen and takes to answer then
	w.client = &http.Client{Timeout: patience, Transport: &http.Transport{MaxIdleConnsPerHost: 32}}
	t.Cleanup(w.client.CloseIdleConnections)
	w.product.output(t, "", "migrate")
	w.key = w.product.output(t, "", "fleet", "add", "689")
	var list strings.Builder
	for customer := 1; customer <= many; customer++ {
		_, _ = fmt.Fprintf(&list, "%d,%s,1234\n", customer, phoneOf(customer))
	}
	w.product.output(t, list.String(), "customer", "import", "--fleet=689", "-")
	for i, own := range settings {
		w.replicas = append(w.replicas, w.product.start(t, fmt.Sprintf("replica %d", i+1), own...))
	}
	w.agreeOnBytes()
	return w
}

// agreeOnBytes makes sure that the stored bytes are those that were sent.
func (w *world) agreeOnBytes() {
	w.t.Helper()
	photo := newPhoto(rand.Uint64())
	w.mustChange(w.replicas[0], w.many, photo)
	if stored, err := w.stored(w.many); err != nil || stored != digestOf(photo) {
		w.t.Fatalf("want the photo stored as it came, got %q, %v", stored, err)
	}
}

func phoneOf(customer int) string { return fmt.Sprint(447700900000 + customer) }

// newPhoto makes a JPEG that no other seed makes.
func newPhoto(seed uint64) []byte {
	const side = 16
	picture := image.NewGray(image.Rect(0, 0, side, side))
	random := rand.New(rand.NewPCG(seed, seed))
	for i := range picture.Pix {
		picture.Pix[i] = byte(random.Uint32())
	}
	var out bytes.Buffer
	if err := jpeg.Encode(&out, picture, nil); err != nil {
		panic(err)
	}
	return out.Bytes()
}

// form is the body of a call; photo nil: it deletes.
func (w *world) form(customer int, photo []byte) url.Values {
	form := url.Values{"api_key": {w.key}, "phone_number": {phoneOf(customer)}, "photo_base64": {"delete"}}
	if photo != nil {
		form.Set("photo_base64", base64.StdEncoding.EncodeToString(photo))
	}
	return form
}

// answer is what a call returns.
type answer struct {
	Result string `json:"result"`
	Error  string `json:"error"`
	Detail string `json:"detail"`
	ID     int64  `json:"api_log_id"`
}

func (a answer) outcome() outcome {
	switch {
	case a.Result == "valid":
		return acknowledged
	case strings.Contains(a.Detail, "nothing was changed"), a.Error != "Service Unavailable" && a.Error != "Internal Error":
		return unchanged
	}
	return unknown
}

// change makes the call, notes it in the history and returns what came back. A
// call that no server heard isn't noted; ok is false then.
func (w *world) change(r *replica, customer int, photo []byte) (a answer, ok bool) {
	address := r.address()
	if address == "" {
		return a, false
	}
	c := call{customer: customer, replica: r, photo: digestOf(photo), outcome: unknown, start: w.history.now()}
	response, err := w.client.PostForm(address+"/update_customer_photo.json", w.form(customer, photo))
	if err == nil {
		err = json.NewDecoder(response.Body).Decode(&a)
		_ = response.Body.Close()
	}
	c.end = w.history.now()
	var network *net.OpError
	switch {
	case errors.As(err, &network) && network.Op == "dial":
		return a, false
	case err == nil:
		c.outcome, c.id, c.detail = a.outcome(), a.ID, a.Error+": "+a.Detail
	default:
		c.detail = err.Error()
		c.left = isTimeout(err)
	}
	w.history.add(c)
	return a, true
}

func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

func (w *world) mustChange(r *replica, customer int, photo []byte) answer {
	w.t.Helper()
	a, ok := w.change(r, customer, photo)
	if !ok || a.Result != "valid" {
		w.t.Fatalf("customer %d, %s: want valid, got %+v", customer, r.name, a)
	}
	return a
}

// read fetches the photo at its address and notes what it saw.
func (w *world) read(r *replica, customer int) {
	seen := read{customer: customer, start: w.history.now()}
	var err error
	if w.store != nil {
		seen.photo, err = w.stored(customer)
	} else if address := r.address(); address != "" {
		seen.photo, err = fetch(w.client, address+"/photos/"+photoKey(customer))
	} else {
		return
	}
	if seen.end = w.history.now(); err == nil {
		w.history.addRead(seen)
	}
}

// loadUntil has clients change and read photos until ctx ends.
func (w *world) loadUntil(ctx context.Context, clients int, seed uint64) {
	var running sync.WaitGroup
	for client := range clients {
		running.Go(func() {
			random := rand.New(rand.NewPCG(seed, uint64(client)))
			for ctx.Err() == nil {
				w.step(random, w.replicas[client%len(w.replicas)])
			}
		})
	}
	running.Wait()
}

// step is what a client does once. After a call it waits for as long as the call
// took, so that clients alone don't keep the processors busy, and after one that
// wasn't acknowledged for a little at least, as failures would outnumber all else.
func (w *world) step(random *rand.Rand, r *replica) {
	const least, most = 20 * time.Millisecond, 200 * time.Millisecond
	customer := hot
	if random.IntN(6) > 0 {
		customer = 1 + random.IntN(w.many)
	}
	var photo []byte // none: it is deleted
	switch n := random.IntN(10); {
	case n < 2:
		w.read(r, customer)
		return
	case n < 8:
		photo = newPhoto(random.Uint64())
	}
	began := time.Now()
	a, _ := w.change(r, customer, photo)
	pause := time.Since(began)
	if a.outcome() != acknowledged {
		pause = max(pause, least)
	}
	time.Sleep(min(pause, most))
}
