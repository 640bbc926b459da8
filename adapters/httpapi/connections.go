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

// The most units of connections open at once at the API's address and at the
// admin address. One client address may have a quarter of them.
const (
	mostConnections  = 2048
	adminConnections = 64
)

// ConnectionsMemory is how many bytes all connections take together at most. One
// connection takes 8 KB without a request, 28 KB while it waits for a body, 50 KB
// with a 4 KB request head, and up to twice as much while it is answered. One that
// takes more counts as several units.
const ConnectionsMemory = (mostConnections + adminConnections) * unitMemory

const unitMemory = 80 << 10

// connections bounds the open connections of a server, in units: a connection is
// one unit, each of its HTTP/2 requests one more, and a long request head longHead
// more. When the bound is reached, the connection that has waited longest for its
// client, of the address with the most units, is closed to make room. If none is
// waiting, the connection that asks for more is closed.
type connections struct {
	most int
	// proxies may each have as many units as all clients together.
	proxies Proxies

	mu      sync.Mutex
	open    map[net.Conn]*connection
	origins map[netip.Addr]*connectionOrigin
	units   int
	turns   int64 // how often a connection began to wait
}

// connectionOrigin is a client address with open connections.
type connectionOrigin struct {
	address     netip.Addr
	most, units int
	long        int // the part of units for long heads
	open        []*connection
}

type connection struct {
	all    *connections
	conn   net.Conn
	head   *headConn // nil: unknown
	origin *connectionOrigin
	units  int
	long   bool  // the current request head is a long one
	busy   int   // calls being handled
	since  int64 // the turn when it last began to wait
	closed bool  // by this server, to make room
}

type connectionKey struct{}

func newConnections(most int, proxies Proxies) *connections {
	return &connections{most: most, proxies: proxies, open: map[net.Conn]*connection{}, origins: map[netip.Addr]*connectionOrigin{}}
}

// connectionOf returns the connection of a request, or nil if it isn't known: works,
// waits, turn, grow and lengthen accept that.
func connectionOf(r *http.Request) *connection {
	found, _ := r.Context().Value(connectionKey{}).(*connection)
	return found
}

// add is the ConnContext of an http.Server, which calls it before ConnState.
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

// grow adds n units to a connection, closing others to make room if necessary.
// It reports whether there was room.
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

// longestWaiting returns the connection that has waited longest for its client,
// other than but, of the address with the most units. nil: none waits.
func (c *connections) longestWaiting(but *connection) (longest *connection) {
	for _, origin := range c.origins {
		if longest == nil || origin.units > longest.origin.units {
			longest = cmp.Or(origin.longestWaiting(but), longest)
		}
	}
	return longest
}

// longestWaiting returns the connection other than but that has waited longest
// for its client. nil: none waits.
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

// follow is the ConnState of an http.Server.
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

// count notes the beginning of each request, and adds a unit for each of HTTP/2.
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

// grow adds n units, which may be negative. It reports whether there was room.
func (c *connection) grow(n int) bool {
	if c == nil {
		return true
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	return c.all.open[c.conn] == c && c.all.grow(c, n)
}

// lengthen adds the units of a long head until the connection is idle. It reports
// whether there was room; long heads may take half of an address's units.
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

// works marks the connection as busy with a call: it isn't waiting for its client.
func (c *connection) works() { c.change(1) }

// waits ends what works began.
func (c *connection) waits() { c.change(-1) }

// turn begins a new wait for the client. It reports whether the connection was
// closed to make room.
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

// closeSocket closes a connection without TLS's closing message, which could block
// until the client reads.
func closeSocket(conn net.Conn) { _ = socket(conn).Close() } // it is gone, either way

// clientNetwork returns the address range that one client is assumed to have: an
// IPv4 address, or the /64 of an IPv6 address.
func clientNetwork(addr netip.Addr) netip.Addr {
	const bits = 64
	if addr.Is6() {
		if prefix, err := addr.Prefix(bits); err == nil {
			return prefix.Masked().Addr()
		}
	}
	return addr
}
