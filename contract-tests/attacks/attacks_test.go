// Package attacks has the shipped command serve a good caller while others
// attack it, each attack bounded and on this machine.
//
// Nothing imports it.
package attacks_test

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"image/png"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// long is how long an attack goes on: most deadlines are longer, so that it isn't
// they that end it.
const long = 8 * time.Second

// attack is what many do at once.
type attack struct {
	attackers int
	from      func(i int) string // the address of one of them
	// strike is what one does, again and again, over a connection of its own. It
	// ends when the server closes the connection, or with it.
	strike func(c net.Conn, s *server, fleets []fleet)
	// valid says that these are calls with a live key, some of which are served.
	valid bool
}

// addresses returns one of so many addresses of this machine.
func addresses(count int) func(int) string {
	return func(i int) string { return fmt.Sprintf("127.0.1.%d", 1+i%count) }
}

func TestAttacks(t *testing.T) {
	needsTheMachine(t)
	head := func(length int) string {
		return fmt.Sprintf("POST /update_customer_photo.json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", length)
	}
	stalled := append([]byte(head(20<<20)+`{"photo_base64":"`), bytes.Repeat([]byte("A"), 17_600_000)...)
	bomb := "POST /update_customer_photo.json HTTP/1.1\r\nHost: x\r\n" + strings.Repeat("a:b\r\n", 200_000) + "\r\n"
	part := "POST /update_customer_photo.json HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 1000000\r\n\r\n--b\r\n"
	for i := range 9900 {
		part += strconv.FormatInt(int64(i), 36) + ":\r\n"
	}
	unread := strings.Repeat("GET /assets/swagger-ui-bundle.js HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 8)
	distinct := bytes.NewBufferString("POST /update_customer_photo.json HTTP/1.1\r\nHost: x\r\n")
	for i := 0; distinct.Len() < 31<<10; i++ {
		fmt.Fprintf(distinct, "%c%c%c:\r\n", 'a'+i%26, 'a'+i/26%26, 'a'+i/26/26)
	}
	var large bytes.Buffer
	const side = 6200 // the largest that is taken: 6700 is refused by its header
	must(t, (&png.Encoder{CompressionLevel: png.BestSpeed}).Encode(&large, image.NewGray(image.Rect(0, 0, side, side))))
	for name, a := range map[string]attack{
		"54 uploads that stall, from one address":       {54, addresses(1), sendAndWait(stalled), false},
		"54 uploads that stall, from nine addresses":    {54, addresses(9), sendAndWait(stalled), false},
		"5000 connections without a byte":               {5000, addresses(9), sendAndWait(nil), false},
		"4200 headers without a body":                   {4200, addresses(9), sendAndWait([]byte(head(1 << 20))), false},
		"30 header bombs":                               {30, addresses(9), sendAndWait([]byte(bomb)), false},
		"2000 heads of parts with 9900 fields":          {2000, addresses(5), sendAndWait([]byte(part + "\r\nx")), false},
		"2100 connections that read no answer":          {2100, addresses(4), sendAndStay(unread), false},
		"2000 heads of distinct fields without an end":  {2000, addresses(5), sendAndWait(distinct.Bytes()), false},
		"200 addresses without a key":                   {200, addresses(200), guess, false},
		"one fleet's 12 senders of PNGs of 6200 × 6200": {12, addresses(9), sendPhotos(large.Bytes()), true},
	} {
		t.Run(name, func(t *testing.T) { a.run(t) })
	}
}

func (a attack) run(t *testing.T) {
	s, fleets := start(t, 2)
	good := newCaller(s, "127.0.9.9", fleets[0], inBase64(photo()))
	if _, err := good.call(t.Context()); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), long)
	defer cancel()
	var attackers sync.WaitGroup
	for i := range a.attackers {
		attackers.Go(func() {
			for ctx.Err() == nil {
				c, err := dialFrom(a.from(i)).DialContext(ctx, "tcp", s.api)
				if err == nil {
					stop := context.AfterFunc(ctx, func() { _ = c.Close() })
					a.strike(c, s, fleets)
					stop()
					_ = c.Close()
				}
				pause(ctx)
			}
		})
	}
	good.goOn(ctx, t)
	attackers.Wait()
	if peak, most := s.peak(t), most(t); peak > most {
		t.Errorf("the process took %.0f MB, docs/operate.md says at most %.0f", peak, most)
	}
	if struck := s.struck.Load(); (struck > 0) != a.valid {
		t.Errorf("%d of the attackers' calls were valid", struck)
	}
	entries := strings.Count(s.output(t, "log", "list", "--json", "--limit=100000"), "\n")
	t.Logf("the API log has %d entries, the server's log %d bytes", entries, len(s.logged()))
	if strings.Contains(s.logged(), "panic") {
		t.Errorf("the server panicked:\n%s", s.logged())
	}
}

// pause keeps an attacker who is turned away from taking this machine's processors.
func pause(ctx context.Context) {
	select {
	case <-time.After(time.Second):
	case <-ctx.Done():
	}
}

// sendAndWait sends text, or what is taken of it, and waits for the end.
func sendAndWait(text []byte) func(net.Conn, *server, []fleet) {
	return func(c net.Conn, _ *server, _ []fleet) {
		_, _ = c.Write(text)
		_, _ = io.Copy(io.Discard, c)
	}
}

// sendAndStay sends text, reads nothing, and stays until the server closes.
func sendAndStay(text string) func(net.Conn, *server, []fleet) {
	return func(c net.Conn, _ *server, _ []fleet) {
		_ = c.(*net.TCPConn).SetReadBuffer(1) // the least there is; its default is as well
		for send := text; ; send = "x" {
			if _, err := io.WriteString(c, send); err != nil {
				return
			}
			time.Sleep(time.Second / 4)
		}
	}
}

// guess makes calls with a key that nobody has.
func guess(c net.Conn, s *server, fleets []fleet) {
	wrong := fleet{key: strings.Repeat("0", 25), phone: fleets[0].phone}
	sendPhotos([]byte("no photo"))(c, s, []fleet{{}, wrong})
}

// sendPhotos makes calls with a photo for the second fleet's customer until
// the connection ends.
func sendPhotos(photo []byte) func(net.Conn, *server, []fleet) {
	return func(c net.Conn, s *server, fleets []fleet) {
		body := callJSON(fleets[1], photo)
		call := append(fmt.Appendf(nil, "POST /update_customer_photo.json HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n", len(body)), body...)
		buffer := make([]byte, 4096)
		for {
			if _, err := c.Write(call); err != nil {
				return
			}
			n, err := c.Read(buffer)
			if err != nil {
				return
			}
			if bytes.Contains(buffer[:n], []byte(`"result":"valid"`)) {
				s.struck.Add(1)
			}
			time.Sleep(time.Second / 100)
		}
	}
}
