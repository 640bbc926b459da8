package httpapi

import (
	"math"
	"net"
	"sync/atomic"
)

const (
	// shortHead is the size of a request head, in bytes, that its connection's
	// unit covers.
	shortHead = 4 << 10
	// longHead is how many more units a longer head takes: 32 KB of distinct
	// fields take half a megabyte of memory while they arrive.
	longHead = 7
	// writeBuffer is how many bytes of an unread answer the kernel buffers.
	writeBuffer = 128 << 10
)

// Listen wraps a listener for HTTPServer and AdminServer, so that they can bound
// request heads while these arrive.
func Listen(listener net.Listener) net.Listener { return headListener{listener} }

type headListener struct{ net.Listener }

// Accept implements net.Listener.
func (l headListener) Accept() (net.Conn, error) {
	conn, err := l.Listener.Accept()
	if tcp, is := conn.(*net.TCPConn); is {
		_ = tcp.SetWriteBuffer(writeBuffer) // if it fails, the kernel's default holds
		return &headConn{TCPConn: tcp}, err
	}
	return conn, err
}

// headConn counts the bytes of a request's head, TLS overhead included.
type headConn struct {
	*net.TCPConn
	connection *connection
	came       atomic.Int64 // bytes of the head; far below zero: no head is awaited
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

// awaits starts counting.
func (h *headConn) awaits() { h.came.Store(0) }

// arrived stops counting.
func (h *headConn) arrived() { h.came.Store(math.MinInt64 / 2) }

// headOf returns the headConn below conn, or nil.
func headOf(conn net.Conn) *headConn {
	head, _ := socket(conn).(*headConn)
	return head
}

// socket returns the connection below TLS, or conn itself.
func socket(conn net.Conn) net.Conn {
	if secured, is := conn.(interface{ NetConn() net.Conn }); is {
		return secured.NetConn()
	}
	return conn
}
