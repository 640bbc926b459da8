package postgres

import (
	"encoding/binary"
	"io"
	"net"
	"strconv"
	"strings"
	"sync"
	"testing"

	"github.com/jackc/pgx/v5/pgproto3"
)

// wire is a proxy before a server that counts what clients wait for.
type wire struct {
	url, server string

	mu             sync.Mutex
	trips, commits int    // pings of the pool aside
	lose           string // the answer to a statement that begins with this is lost, once
}

func newWire(t *testing.T, rawURL string, direct *DB) *wire {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	host, port, err := net.SplitHostPort(listener.Addr().String())
	must(t, err)
	to := direct.pool.Config().ConnConfig
	w := &wire{
		url:    with(t, with(t, with(t, rawURL, "host", host), "port", port), "sslmode", "disable"),
		server: net.JoinHostPort(to.Host, strconv.Itoa(int(to.Port))),
	}
	var connections sync.WaitGroup
	connections.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return
			}
			connections.Go(func() { w.serve(client) })
		}
	})
	t.Cleanup(func() { _ = listener.Close(); connections.Wait() }) // the clients are gone by then
	return w
}

// serve forwards what comes from one client until an end hangs up.
func (w *wire) serve(client net.Conn) {
	defer func() { _ = client.Close() }()
	server, err := net.Dial("tcp", w.server)
	if err != nil {
		return
	}
	defer func() { _ = server.Close() }()
	var startup [4]byte // its length, which nothing stands before
	if _, err := io.ReadFull(client, startup[:]); err != nil {
		return
	}
	_, _ = server.Write(startup[:])
	if _, err := io.CopyN(server, client, int64(binary.BigEndian.Uint32(startup[:]))-4); err != nil {
		return
	}
	var session session
	lost := make(chan struct{})
	go func() {
		defer func() { _ = server.Close() }()
		for {
			message, err := readMessage(client)
			if err != nil {
				return
			}
			if w.count(session.read(message)) {
				close(lost)
			}
			if _, err := server.Write(message); err != nil {
				return
			}
		}
	}()
	for {
		message, err := readMessage(server)
		if err != nil {
			return
		}
		select {
		case <-lost:
			if message[0] == 'Z' { // all is done
				return
			}
		default:
			if _, err := client.Write(message); err != nil {
				return
			}
		}
	}
}

// count counts what one message begins, and says whether its answer is to be lost.
func (w *wire) count(trip bool, executed []string, commits int) (lose bool) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.commits += commits
	if trip {
		w.trips++
	}
	for _, statement := range executed {
		if w.lose != "" && strings.HasPrefix(statement, w.lose) {
			w.lose, lose = "", true
		}
	}
	return lose
}

// counted runs f and returns the round trips and commits that it takes.
func (w *wire) counted(f func() error) (trips, commits int, err error) {
	w.mu.Lock()
	w.trips, w.commits = 0, 0
	w.mu.Unlock()
	err = f()
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.trips, w.commits, err
}

// losing runs f, which doesn't get the answer to a statement that begins so.
func (w *wire) losing(statement string, f func() error) error {
	w.mu.Lock()
	w.lose = statement
	w.mu.Unlock()
	return f()
}

// session is what a client has said.
type session struct {
	prepared map[string]string // by name
	bound    string
	executed []string // since the last round trip
	inTx     bool
}

// read returns what a message begins: a round trip, with the statements that it
// executes and the transactions that these make durable.
func (s *session) read(message []byte) (trip bool, executed []string, commits int) {
	body := message[5:]
	switch message[0] {
	case 'P':
		var parse pgproto3.Parse
		_ = parse.Decode(body)
		if s.prepared == nil {
			s.prepared = map[string]string{}
		}
		s.prepared[parse.Name] = strings.TrimSpace(parse.Query)
	case 'B':
		var bind pgproto3.Bind
		_ = bind.Decode(body)
		s.bound = s.prepared[bind.PreparedStatement]
	case 'E':
		s.executed = append(s.executed, s.bound)
	case 'Q':
		query := strings.TrimRight(string(body), "\x00")
		if query == "-- ping" {
			return false, nil, 0
		}
		s.executed = append(s.executed, query)
		return s.end()
	case 'S':
		return s.end()
	}
	return false, nil, 0
}

func (s *session) end() (trip bool, executed []string, commits int) {
	executed, s.executed = s.executed, nil
	for _, statement := range executed {
		switch word, _, _ := strings.Cut(strings.ToUpper(statement), " "); word {
		case "BEGIN":
			s.inTx = true
		case "COMMIT":
			s.inTx = false
			commits++
		case "ROLLBACK":
			s.inTx = false
		case "INSERT", "UPDATE", "DELETE", "WITH":
			if !s.inTx {
				commits++
			}
		}
	}
	return true, executed, commits
}

// readMessage returns a message with its type and length.
func readMessage(from io.Reader) ([]byte, error) {
	message := make([]byte, 5)
	if _, err := io.ReadFull(from, message); err != nil {
		return nil, err
	}
	message = append(message, make([]byte, binary.BigEndian.Uint32(message[1:])-4)...)
	_, err := io.ReadFull(from, message[5:])
	return message, err
}
