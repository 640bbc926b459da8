package httpapi

import (
	"math"
	"net"
	"sync/atomic"
)

const (
	// shortHead is what the head of a request takes of its connection's unit.
	shortHead = 4 << 10
	// longHead is how many units a longer one takes beside it: 32 KB of
	// distinct fields take half a megabyte while they arrive.
	longHead = 7
	// writeBuffer is what the kernel keeps of an answer that isn't taken.
	writeBuffer = 128 << 10
)

// Listen has HTTPServer see how much of a request's head has come by a
// connection, before there is a request.
func Listen(listener net.Listener) net.Listener { return headListener{listener} }

type headListener struct{ net.Listener }

// Accept implements net.Listener.
func (l headListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, is := conn.(*net.TCPConn); is {
		_ = tcp.SetWriteBuffer(writeBuffer) // or else the kernel's own bound holds
		return &headConn{TCPConn: tcp}, err
	}
	return conn, err
}

// headConn counts the bytes that come while a request's head is awaited, TLS's
// own among them.
type headConn struct {
	*net.TCPConn
	connection *connection
	came       atomic.Int64
}

// Read implements io.Reader.
func (h *headConn) Read(p []byte) (int, error) {
	n, err := h.TCPConn.Read(p)
	if came := h.came.Add(int64(n)); came > shortHead && came-int64(n) <= shortHead && !h.connection.lengthen() {
		closeSocket(h.TCPConn)
		return 0, net.ErrClosed
	}
	return n, err
}

// awaits begins to count.
func (h *headConn) awaits() { h.came.Store(0) }

// arrived ends it.
func (h *headConn) arrived() { h.came.Store(math.MinInt64 / 2) }

// headOf returns what counts the heads of a connection, or nil.
func headOf(conn net.Conn) *headConn {
	head, _ := socket(conn).(*headConn)
	return head
}

// socket returns what is below TLS.
func socket(conn net.Conn) net.Conn {
	if secured, is := conn.(interface{ NetConn() net.Conn }); is {
		return secured.NetConn()
	}
	return conn
}
