//go:build chaos

package chaos_test

import (
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"net"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// TestPINs has callers with the right PIN hang up, which locks nobody, and many at
// once with the right one, or with a wrong one.
func TestPINs(t *testing.T) {
	t.Parallel()
	for _, on := range []struct {
		name string
		make func(*testing.T) *backends
	}{{"sqlite", sqliteAndFiles}, {"postgres", postgresAndFiles}} {
		t.Run(on.name, func(t *testing.T) {
			t.Parallel()
			const hangUps, atOnce, wrong = 60, 64, 5
			w := newWorld(t, on.make(t), 3, nil)
			for i := range hangUps {
				w.hangUp(w.withPIN(1, "1234"), i%2 == 0)
			}
			w.answers(w.withPIN(1, "1234"), 1, "valid", map[string]int{"valid": 1})
			w.answers(w.withPIN(1, "1234"), atOnce, "valid", map[string]int{"valid": atOnce})
			w.answers(w.withPIN(2, "4321"), atOnce, "PIN Locked", map[string]int{"Invalid PIN": wrong, "PIN Locked": atOnce - wrong})
		})
	}
}

func (w *world) withPIN(customer int, pin string) url.Values {
	form := w.form(customer, nil)
	form.Set("customer_pin", pin)
	return form
}

// hangUp sends a call and closes the connection at once: half, or by a reset.
func (w *world) hangUp(form url.Values, half bool) {
	w.t.Helper()
	connection, err := net.Dial("tcp", strings.TrimPrefix(w.replicas[0].address(), "http://"))
	must(w.t, err)
	tcp, _ := connection.(*net.TCPConn)
	defer func() { _ = tcp.Close() }()
	body := form.Encode()
	_, err = fmt.Fprintf(tcp, "POST /update_customer_photo.json HTTP/1.1\r\nHost: test\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
	must(w.t, err)
	if !half {
		must(w.t, tcp.SetLinger(0))
		return
	}
	must(w.t, tcp.CloseWrite())
	_, _ = io.Copy(io.Discard, tcp) // there may be no answer
}

// answers makes so many calls at once and counts what they are answered. A call
// that waits for the others for too long counts as most of them do; of many, a
// quarter may.
func (w *world) answers(form url.Values, calls int, mostly string, want map[string]int) {
	w.t.Helper()
	got, tooLong := map[string]int{}, 0
	var mu sync.Mutex
	var running sync.WaitGroup
	for range calls {
		running.Go(func() {
			response, err := w.client.PostForm(w.replicas[0].address()+"/update_customer_photo.json", form)
			if err != nil {
				w.t.Error(err)
				return
			}
			defer func() { _ = response.Body.Close() }()
			var a answer
			_ = json.NewDecoder(response.Body).Decode(&a) // else it counts as nothing
			mu.Lock()
			defer mu.Unlock()
			switch {
			case a.Result == "valid":
				got[a.Result]++
			case a.Error == "Service Unavailable":
				got[mostly]++
				tooLong++
			default:
				got[a.Error]++
			}
		})
	}
	running.Wait()
	if !maps.Equal(got, want) || tooLong > calls/4 {
		w.t.Errorf("%d calls at once: got %v, of which %d took too long; want %v", calls, got, tooLong, want)
	}
}
