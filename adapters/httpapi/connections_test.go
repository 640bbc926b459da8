package httpapi

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"slices"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/adapters/httpapi/internal/parameters"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// TestConnections: clients that open more connections than allowed, and whatever they
// do with them, keep no other client out.
func TestConnections(t *testing.T) {
	const most = 16
	for name, sent := range map[string]string{
		"bare":            "",
		"half a head":     "POST " + UpdatePath + " HTTP/1.1\r\nHost: x\r\n",
		"no body":         callHead(100),
		"a byte of it":    callHead(100) + "{",
		"idle":            "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
		"refused, no end": callHead(100, "Content-Encoding: gzip\r\n"),
		"answers unread":  strings.Repeat("GET "+largePage+" HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\n\r\nx", 8),
	} {
		for _, addresses := range []int{1, 4, 20} {
			t.Run(fmt.Sprint(name, " from ", addresses), func(t *testing.T) {
				t.Parallel()
				bounded := newConnections(most, nil)
				server := serveTCP(t, newFixture(t, func(o *Options) { o.Pages = true }), bounded)
				for i := range 4 * most {
					dialFrom(t, server, byte(100+i%addresses)).send(sent)
				}
				mustBeValid(t, server, 2)
				mustBeValid(t, server, 100)
				bounded.mu.Lock()
				defer bounded.mu.Unlock()
				if len(bounded.open) > most {
					t.Errorf("%d connections are open", len(bounded.open))
				}
				for _, origin := range bounded.origins {
					if len(origin.open) > most/senderShare {
						t.Errorf("%v has %d connections", origin.address, len(origin.open))
					}
				}
			})
		}
	}
}

// largePage is a page of which a connection's buffers can't hold eight.
const largePage = "/assets/swagger-ui-bundle.js"

// TestLongHeads: a long unfinished head counts as several connections, also after an
// answered request and with TLS.
func TestLongHeads(t *testing.T) {
	t.Parallel()
	var distinct strings.Builder
	for i := 0; distinct.Len() < 20<<10; i++ {
		fmt.Fprintf(&distinct, "x%d:\r\n", i)
	}
	const head = "POST " + UpdatePath + " HTTP/1.1\r\nHost: x\r\n"
	const most = 16 * (1 + longHead)
	body := string(callJSON(t, parameters.Delete))
	for name, sent := range map[string]string{
		"the first":        head + distinct.String(),
		"after another":    callHead(len(body)) + body + head + distinct.String(),
		"with a long body": callHead(1<<20) + strings.Repeat("x", 20<<10), // which isn't one
	} {
		for _, secured := range []bool{false, true} {
			t.Run(fmt.Sprint(name, " secured=", secured), func(t *testing.T) {
				t.Parallel()
				bounded := newConnections(most, nil)
				var server *httptest.Server
				if secured {
					server = serveHTTP2(t, newFixture(t), bounded)
				} else {
					server = serveTCP(t, newFixture(t), bounded)
				}
				for range 8 {
					c := dialFrom(t, server, 100)
					if secured {
						c.Conn = tls.Client(c.Conn, &tls.Config{InsecureSkipVerify: true})
					}
					go c.send(sent)
				}
				want := 2
				if strings.Contains(name, "body") {
					want = 8
				}
				await(t, func() bool {
					bounded.mu.Lock()
					defer bounded.mu.Unlock()
					long := 0
					for _, conn := range bounded.open {
						if conn.long {
							long++
						}
					}
					return want == 8 && long == 0 && len(bounded.open) == 8 && bounded.turns >= 16 || want == 2 && long == 2 && len(bounded.open) == 2
				})
			})
		}
	}
}

// fakeConn is a connection from an address.
type fakeConn struct {
	net.Conn
	from   string
	closed bool
}

func (f *fakeConn) RemoteAddr() net.Addr {
	return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(f.from))
}
func (f *fakeConn) Close() error { f.closed = true; return nil }

// TestConnectionThatGoes: which connection is closed for a new one, with a limit of
// eight and of two for an address. "*" marks busy connections, "+" those that were
// just answered.
func TestConnectionThatGoes(t *testing.T) {
	const a, b, c, d, e, proxy = "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1", "[2001:db8::1]:1", "10.9.9.9:1"
	for _, test := range []struct {
		name string
		open string
		next string
		want string // the index of the closed one, or alternatives; "new": the new one
	}{
		{"there is room", a + " " + b, c, ""},
		{"an address has its share", a + " " + b + " " + a, a, "0"},
		{"of its own, one that waits", a + "* " + b + " " + a, a, "2"},
		{"of its own, the one that has waited longest", a + "+ " + b + " " + a, a, "2"},
		{"none of them waits", a + "* " + b + " " + a + "*", a, "new"},
		{"another port, the same network", "[2001:db8::5]:9 [2001:db8::6]:7", e, "0"},
		{"another network", "[2001:db8:1::5]:9 [2001:db8:1::6]:7", e, ""},
		{"all are taken: one of those with most", strings.Join([]string{a, b, b, c, c, d, d, "10.0.0.5:1"}, " "), e, "1 or 3 or 5"},
		{"all are taken, and one with most waits", strings.Join([]string{a, b + "*", b + "*", c + "*", c, d + "*", d + "*", "10.0.0.5:1"}, " "), e, "4"},
		{"all are taken and none waits", strings.Join([]string{a + "*", b + "*", b + "*", c + "*", c + "*", d + "*", d + "*", proxy + "*"}, " "), e, "new"},
		{"a trusted proxy", strings.Join([]string{proxy, proxy, proxy, proxy}, " "), proxy, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			all := newConnections(8, Proxies{netip.MustParsePrefix("10.9.0.0/16")})
			var conns []*fakeConn
			add := func(from string) {
				conn := &fakeConn{from: strings.TrimRight(from, "*+")}
				conns = append(conns, conn)
				all.add(t.Context(), conn)
			}
			open := strings.Fields(test.open)
			for _, from := range open {
				add(from)
			}
			for i, from := range open {
				switch from[len(from)-1] {
				case '*':
					all.open[conns[i]].works()
				case '+':
					all.open[conns[i]].change(0)
				}
			}
			add(test.next)
			got := ""
			for i, conn := range conns {
				switch {
				case conn.closed && i == len(conns)-1:
					got = "new"
				case conn.closed:
					got = fmt.Sprint(i)
				}
				if conn.closed != (all.open[conn] == nil) {
					t.Errorf("connection %d: closed is %v, open has it: %v", i, conn.closed, all.open[conn] != nil)
				}
			}
			if !strings.Contains(test.want, got) || (got == "") != (test.want == "") {
				t.Errorf("closed is %q, want %q", got, test.want)
			}
		})
	}
}

// TestWorkKeepsAConnection: a connection is busy while its call is handled, and only
// then.
func TestWorkKeepsAConnection(t *testing.T) {
	all := newConnections(8, nil)
	conn := &fakeConn{from: "10.0.0.1:1"}
	ctx := all.add(t.Context(), conn)
	var busy []int
	see := func() { busy = append(busy, all.open[conn].busy) }
	f := newFixture(t, func(o *Options) { o.Update.Fleets = seenFleets{o.Update.Fleets, see} })
	body := bytes.NewReader(callJSON(t, parameters.Delete))
	request := httptest.NewRequestWithContext(ctx, http.MethodPost, UpdatePath, readerFunc(func(p []byte) (int, error) {
		see()
		return body.Read(p)
	}))
	request.ContentLength = body.Size()
	all.count(f).ServeHTTP(seenWriter{httptest.NewRecorder(), see}, request)
	if busy = slices.Compact(busy); !slices.Equal(busy, []int{0, 1, 0}) {
		t.Errorf("busy was %v; want [0 1 0]: 1 between the body and the answer", busy)
	}
}

type seenFleets struct {
	ports.FleetAuth
	see func()
}

// Authenticate implements ports.FleetAuth.
func (f seenFleets) Authenticate(ctx context.Context, key domain.APIKeyHash) (domain.Caller, error) {
	f.see()
	return f.FleetAuth.Authenticate(ctx, key)
}

type seenWriter struct {
	http.ResponseWriter
	see func()
}

// Write implements http.ResponseWriter.
func (w seenWriter) Write(p []byte) (int, error) {
	w.see()
	return w.ResponseWriter.Write(p)
}

// TestClosedForANewOne: if a body's connection was closed to make room, the error
// says that the server is full.
func TestClosedForANewOne(t *testing.T) {
	all := newConnections(4, nil) // one from an address
	first := &fakeConn{from: "10.0.0.1:1"}
	ctx := all.add(t.Context(), first)
	b := testBody(t, newRoom(1<<20, 1<<18), 1, 0)
	b.connection = connectionOf(httptest.NewRequestWithContext(ctx, http.MethodPost, UpdatePath, nil))
	b.source = readerFunc(func([]byte) (int, error) {
		all.add(t.Context(), &fakeConn{from: "10.0.0.1:2"})
		return 0, net.ErrClosed
	})
	if _, err := b.Read(make([]byte, 1)); !first.closed || !errors.Is(err, errFull) {
		t.Errorf("closed is %v, the error %v; want true and %v", first.closed, err, errFull)
	}
}
