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

// mostConnections are open at once, a quarter of them from one address.
const mostConnections = 2048

// ConnectionsMemory is what they take together: one costs 8 KB without a request,
// 28 KB where it waits for a body or, with the largest headers, 50 KB, and about
// twice as much while it is answered.
const ConnectionsMemory = mostConnections * 80 << 10

// connections bounds the open connections of a server. At the bound, the one of
// the address with the most that has waited longest for its client makes room
// for the new one; where none waits, the new one is closed. In HTTP/2, requests
// that come by one connection are bounded likewise.
type connections struct {
	most int
	// proxies may each have as many as all together.
	proxies Proxies

	mu      sync.Mutex
	open    map[net.Conn]*connection
	origins map[netip.Addr]*connectionOrigin
	streams int   // requests of HTTP/2 that run
	turns   int64 // counts who began to wait
}

// connectionOrigin is an address that has connections.
type connectionOrigin struct {
	address netip.Addr
	most    int
	open    []*connection
	streams int
}

type connection struct {
	all    *connections
	conn   net.Conn
	origin *connectionOrigin
	busy   int   // requests with a body that the server doesn't wait for
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
	if !c.makeRoom(origin) {
		closeSocket(conn)
		return ctx
	}
	added := &connection{all: c, conn: conn, origin: origin}
	c.open[conn] = added
	c.origins[address] = origin
	origin.open = append(origin.open, added)
	added.turn(0)
	return context.WithValue(ctx, connectionKey{}, added)
}

// makeRoom tells whether there is room for one more of origin.
func (c *connections) makeRoom(origin *connectionOrigin) bool {
	var longest *connection
	switch {
	case len(origin.open) >= origin.most:
		longest = origin.longestWaiting()
	case len(c.open) < c.most:
		return true
	default:
		for _, other := range c.origins {
			if longest == nil || len(other.open) > len(longest.origin.open) {
				longest = cmp.Or(other.longestWaiting(), longest)
			}
		}
	}
	if longest == nil {
		return false
	}
	longest.closed = true
	c.remove(longest)
	closeSocket(longest.conn)
	return true
}

// longestWaiting returns the connection that has waited longest for its client;
// nil: none waits.
func (o *connectionOrigin) longestWaiting() (longest *connection) {
	for _, conn := range o.open {
		if conn.busy == 0 && (longest == nil || conn.since < longest.since) {
			longest = conn
		}
	}
	return longest
}

func (c *connections) remove(gone *connection) {
	delete(c.open, gone.conn)
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
	if known := c.open[conn]; known != nil && (state == http.StateClosed || state == http.StateHijacked) {
		c.remove(known)
	}
}

// count has the server work for the connections of requests with a body. Others
// never keep a connection: their clients may be slow to take the answer.
func (c *connections) count(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		conn := connectionOf(r)
		if r.ProtoMajor > 1 {
			if !conn.stream(1) {
				newFailure(errNoRoom(), 0).write(w)
				return
			}
			defer conn.stream(-1)
		}
		if r.ContentLength != 0 {
			conn.works()
			defer conn.waits()
		} else {
			conn.change(0)
		}
		next.ServeHTTP(w, r)
	})
}

// stream counts a request of HTTP/2 that begins or ends. It tells whether there
// is room for it.
func (c *connection) stream(n int) bool {
	if c == nil {
		return true
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	if n > 0 && (c.all.streams >= c.all.most || c.origin.streams >= c.origin.most) {
		return false
	}
	c.all.streams += n
	c.origin.streams += n
	return true
}

// waits notes that from now on the server waits for a request's client.
func (c *connection) waits() { c.change(-1) }

// works notes that it doesn't. It tells whether the connection was closed
// meanwhile to make room.
func (c *connection) works() (closed bool) { return c.change(1) }

func (c *connection) change(busy int) (closed bool) {
	if c == nil {
		return false
	}
	c.all.mu.Lock()
	defer c.all.mu.Unlock()
	c.turn(busy)
	return c.closed
}

// turn begins a new wait where the connection isn't busy then.
func (c *connection) turn(busy int) {
	c.busy += busy
	c.all.turns++
	c.since = c.all.turns
}

// closeSocket closes a connection at once: what TLS says at its end could have
// to wait for the client.
func closeSocket(conn net.Conn) {
	if secured, is := conn.(interface{ NetConn() net.Conn }); is {
		conn = secured.NetConn()
	}
	_ = conn.Close() // it is gone, either way
}

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
