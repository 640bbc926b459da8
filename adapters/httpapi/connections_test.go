package httpapi

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"strings"
	"testing"
)

// TestConnections: who takes all connections keeps nobody else out, whatever he
// does with them.
func TestConnections(t *testing.T) {
	const most = 16
	for name, sent := range map[string]string{
		"bare":            "",
		"half a head":     "POST " + UpdatePath + " HTTP/1.1\r\nHost: x\r\n",
		"no body":         callHead(100),
		"a byte of it":    callHead(100) + "{",
		"idle":            "GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
		"refused, no end": callHead(100, "Content-Encoding: gzip\r\n"),
	} {
		for _, addresses := range []int{1, 4, 20} {
			t.Run(fmt.Sprint(name, " from ", addresses), func(t *testing.T) {
				t.Parallel()
				bounded := newConnections(most, nil)
				server := serveTCP(t, newFixture(t), bounded)
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

// TestConnectionThatGoes: of eight connections, two of an address, which goes
// for the next one. A "*" marks those that the server works for, a "+" those that
// just had an answer.
func TestConnectionThatGoes(t *testing.T) {
	const a, b, c, d, e, proxy = "10.0.0.1:1", "10.0.0.2:1", "10.0.0.3:1", "10.0.0.4:1", "[2001:db8::1]:1", "10.9.9.9:1"
	for _, test := range []struct {
		name string
		open string
		next string
		want string // which go, from 0 on; "new": the new one
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
					t.Errorf("number %d is closed: %v, known: %v", i, conn.closed, all.open[conn] != nil)
				}
			}
			if !strings.Contains(test.want, got) || (got == "") != (test.want == "") {
				t.Errorf("gone is %q, want %q", got, test.want)
			}
		})
	}
}

// TestBusy: a connection can be closed for a new one unless it brought a body,
// which the server works on.
func TestBusy(t *testing.T) {
	for body, want := range map[string]int{"": 0, "x": 1} {
		all := newConnections(8, nil)
		conn := &fakeConn{from: "10.0.0.1:1"}
		ctx := all.add(t.Context(), conn)
		busy, before := -1, all.open[conn].since
		handler := all.count(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
			busy = all.open[conn].busy
			if all.open[conn].since <= before {
				t.Errorf("with the body %q, it still counts as waiting since before", body)
			}
		}))
		handler.ServeHTTP(nil, httptest.NewRequestWithContext(ctx, http.MethodPost, UpdatePath, strings.NewReader(body)))
		if after := all.open[conn].busy; busy != want || after != 0 {
			t.Errorf("with the body %q: busy is %d, and %d after it; want %d, 0", body, busy, after, want)
		}
	}
}

// TestClosedForANewOne: a body whose connection was closed to make room isn't
// the sender's fault, and not logged.
func TestClosedForANewOne(t *testing.T) {
	all := newConnections(4, nil) // one from an address
	first := &fakeConn{from: "10.0.0.1:1"}
	ctx := all.add(t.Context(), first)
	b := testBody(t, newRoom(1<<20, 1<<18), 1, 0)
	b.connection = connectionOf(httptest.NewRequestWithContext(ctx, http.MethodPost, UpdatePath, nil))
	b.connection.works()
	b.source = readerFunc(func([]byte) (int, error) {
		all.add(t.Context(), &fakeConn{from: "10.0.0.1:2"})
		return 0, net.ErrClosed
	})
	if _, err := b.Read(make([]byte, 1)); !first.closed || !errors.Is(err, errFull) {
		t.Errorf("it is closed: %v; got %v", first.closed, err)
	}
}
