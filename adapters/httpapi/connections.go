package httpapi

import (
	"cmp"
	"context"
	"net"
	"net/http"
	"net/netip"
	"slices"
	"sync"
)

// mostConnections are open at once at the API's address, a quarter of them from
// one address, and adminConnections at the admin's.
const (
	mostConnections  = 2048
	adminConnections = 64
)

// ConnectionsMemory is what they take together. One costs 8 KB without a request,
// 28 KB where it waits for a body, 50 KB with 4 KB of a head, and up to twice as
// much while it is answered; what costs more counts as several.
const ConnectionsMemory = (mostConnections + adminConnections) * unitMemory

const unitMemory = 80 << 10

// connections bounds the open connections of a server, in units: a connection is
// one, each of its requests in HTTP/2 one more, and a long head longHead more. At
// the bound, of the address with the most units the connection that has waited
// longest for its client makes room; where none waits, who wants more is closed.
type connections struct {
	most int
	// proxies may each have as many as all together.
	proxies Proxies

	mu      sync.Mutex
	open    map[net.Conn]*connection
	origins map[netip.Addr]*connectionOrigin
	units   int
	turns   int64 // counts who began to wait
}

// connectionOrigin is an address that has connections.
type connectionOrigin struct {
	address     netip.Addr
	most, units int
	long        int // of units, for long heads
	open        []*connection
}

type connection struct {
	all    *connections
	conn   net.Conn
	head   *headConn // nil: unknown
	origin *connectionOrigin
	units  int
	long   bool  // so is the head that comes
	busy   int   // calls that the server works on
	since  int64 // its turn
	closed bool  // to make room
}

type connectionKey struct{}

func newConnections(most int, proxies Proxies) *connections {
	return &connections{most: most, proxies: proxies, open: map[net.Conn]*connection{}, origins: map[netip.Addr]*connectionOrigin{}}
}

// connectionOf returns the connection that a request came by, or nil.
func connectionOf(r *http.Request) *connection {
	found, _ := r.Context().Value(connectionKey{}).(*connection)
	return found
}

// add is an http.Server's ConnContext: it is called before the first state.
func (c *connections) add(ctx context.Context, conn net.Conn) context.Context {
	c.mu.Lock()
	defer c.mu.Unlock()
	addr := socketAddr(conn.RemoteAddr().String())
	address := clientNetwork(addr)
	origin := c.origins[address]
	if origin == nil {
		origin = &connectionOrigin{address: address, most: c.most / senderShare}
		if c.proxies.trusted(addr) {
			origin.most = c.most
		}
	}
	added := &connection{all: c, conn: conn, head: headOf(conn), origin: origin}
	if !c.grow(added, 1) {
		closeSocket(conn)
		return ctx
	}
	if added.head != nil {
		added.head.connection = added
	}
	c.open[conn] = added
	c.origins[address] = origin
	origin.open = append(origin.open, added)
	added.begin()
	return context.WithValue(ctx, connectionKey{}, added)
}

// grow has a connection count n units more. It tells whether others made room.
func (c *connections) grow(grown *connection, n int) bool {
	origin := grown.origin
	for {
		var longest *connection
		switch {
		case origin.units+n > origin.most:
			longest = origin.longestWaiting(grown)
		case c.units+n > c.most:
			longest = c.longestWaiting(grown)
		default:
			c.charge(grown, n)
			return true
		}
		if longest == nil {
			return false
		}
		longest.closed = true
		c.remove(longest)
		closeSocket(longest.conn)
	}
}

func (c *connections) charge(conn *connection, n int) {
	conn.units += n
	conn.origin.units += n
	c.units += n
}

// longestWaiting returns who has waited longest of the address with the most units,
// but for one connection.
func (c *connections) longestWaiting(but *connection) (longest *connection) {
	for _, origin := range c.origins {
		if longest == nil || origin.units > longest.origin.units {
			longest = cmp.Or(origin.longestWaiting(but), longest)
		}
	}
	return longest
}

// longestWaiting returns the connection that has waited longest for its client;
// nil: none waits.
func (o *connectionOrigin) longestWaiting(but *connection) (longest *connection) {
	for _, conn := range o.open {
		if conn != but && conn.busy == 0 && (longest == nil || conn.since < longest.since) {
			longest = conn
		}
	}
	return longest
}

func (c *connections) remove(gone *connection) {
	delete(c.open, gone.conn)
	gone.shorten()
	c.charge(gone, -gone.units)
	origin := gone.origin
	origin.open = slices.DeleteFunc(origin.open, func(other *connection) bool { return other == gone })
	if len(origin.open) == 0 {
		delete(c.origins, origin.address)
	}
}

// follow is an http.Server's ConnState.
func (c *connections) follow(conn net.Conn, state http.ConnState) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known := c.open[conn]
	switch {
	case known == nil:
	case state == http.StateClosed || state == http.StateHijacked:
		c.remove(known)
	case state == http.StateIdle: // the next head is awaited
		known.shorten()
		if known.head != nil {
			known.head.awaits()
		}
	}
}

// count notes that a connection's request begins, and counts those of HTTP/2.
func (c *connections) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := connectionOf(r)
		conn.turn()
		if conn != nil && conn.head != nil {
			conn.head.arrived()
		}
		if r.ProtoMajor > 1 {
			if !conn.grow(1) {
				panic(http.ErrAbortHandler)
			}
			defer conn.grow(-1)
		}
		next.ServeHTTP(w, r)
	})
}

// grow counts n units more, or -n less. It tells whether there is room for them.
func (c *connection) grow(n int) bool {
	if c == nil {
		return true
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	return c.all.open[c.conn] == c && c.all.grow(c, n)
}

// lengthen counts a long head, until the connection is idle. Where its address has
// many already, there is no room for it: to read it costs more than to refuse it.
func (c *connection) lengthen() bool {
	if c == nil {
		return true
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	origin := c.origin
	if c.all.open[c.conn] != c || origin.long+longHead > origin.most/2 || !c.all.grow(c, longHead) {
		return false
	}
	c.long = true
	origin.long += longHead
	return true
}

func (c *connection) shorten() {
	if c.long {
		c.long = false
		c.origin.long -= longHead
		c.all.charge(c, -longHead)
	}
}

// works notes that the server works on a call, and nothing depends on its client.
func (c *connection) works() { c.change(1) }

// waits notes that it has done so.
func (c *connection) waits() { c.change(-1) }

// turn begins a new wait for the client. It tells whether the connection was closed
// meanwhile to make room.
func (c *connection) turn() (closed bool) { return c.change(0) }

func (c *connection) change(busy int) (closed bool) {
	if c == nil {
		return false
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.busy += busy
	c.begin()
	return c.closed
}

func (c *connection) begin() {
	c.all.turns++
	c.since = c.all.turns
}

// closeSocket closes a connection at once: what TLS says at its end could have
// to wait for the client.
func closeSocket(conn net.Conn) { _ = socket(conn).Close() } // it is gone, either way

// clientNetwork is what one client has of the addresses: of IPv6, the first 64 bits.
func clientNetwork(addr netip.Addr) netip.Addr {
	const bits = 64
	if addr.Is6() {
		if prefix, err := addr.Prefix(bits); err == nil {
			return prefix.Masked().Addr()
		}
	}
	return addr
}
