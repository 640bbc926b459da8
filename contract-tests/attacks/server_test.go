package attacks_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
)

// shippedCommand is the command as it is shipped: the race detector, which the tests
// may have, takes many times the memory.
var shippedCommand = sync.OnceValues(func() (string, error) {
	path := filepath.Join(directory, "fleetphoto")
	out, err := exec.Command("go", "build", "-o", path, "../../app/fleetphoto").CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%w: %s", err, out)
	}
	return path, err
})

var directory string // of what all tests share

func TestMain(m *testing.M) {
	var err error
	if directory, err = os.MkdirTemp("", "fleetphoto-attacks"); err != nil {
		panic(err)
	}
	code := m.Run()
	_ = os.RemoveAll(directory)
	os.Exit(code)
}

// needsTheMachine skips a test unless it has the machine to itself: beside other
// tests the attackers would starve the good caller, rather than the server.
func needsTheMachine(t *testing.T) {
	t.Helper()
	required := slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "attacks")
	switch {
	case runtime.GOOS != "linux" && required:
		t.Fatal("the attackers have addresses that only Linux gives, and memory is read from /proc")
	case !required:
		t.Skip("attacks take two minutes of all processors: set FLEETPHOTO_REQUIRE=attacks, on Linux, and run nothing beside them")
	}
}

// server is a process of the product with its defaults: SQLite and files.
type server struct {
	directory string
	pid       int
	api       string       // host and port
	struck    atomic.Int64 // attackers' calls that were valid
	mu        sync.Mutex
	log       bytes.Buffer
}

// key of each fleet, whose customer has the fleet's number and phone.
type fleet struct{ key, phone string }

// start starts a server with so many fleets.
func start(t *testing.T, fleets int) (*server, []fleet) {
	t.Helper()
	s := &server{directory: t.TempDir()}
	s.output(t, "migrate")
	var all []fleet
	for i := range fleets {
		f := fleet{phone: fmt.Sprint(447700900100 + i)}
		f.key = s.output(t, "fleet", "add", fmt.Sprint(i+1))
		s.output(t, "customer", "add", fmt.Sprintf("--fleet=%d", i+1), "--id=1", "--phone="+f.phone)
		all = append(all, f)
	}
	s.serve(t)
	return s, all
}

func (s *server) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	path, err := shippedCommand()
	must(t, err)
	c := exec.Command(path, args...)
	c.Dir = s.directory
	// docs/operate.md's number is that of two processors.
	c.Env = append(os.Environ(), "GOMAXPROCS=2", "GOMEMLIMIT=off", "FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0")
	return c
}

// output runs a command, which must succeed, and returns what it prints.
func (s *server) output(t *testing.T, args ...string) string {
	t.Helper()
	out, err := s.command(t, args...).Output()
	if err != nil {
		var exit *exec.ExitError
		errors.As(err, &exit)
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, exit.Stderr)
	}
	return strings.TrimSpace(string(out))
}

// serve starts the process and waits until it listens.
func (s *server) serve(t *testing.T) {
	t.Helper()
	c := s.command(t, "serve")
	errOut, err := c.StderrPipe()
	must(t, errors.Join(err, c.Start()))
	s.pid = c.Process.Pid
	read := make(chan struct{})
	t.Cleanup(func() {
		_ = c.Process.Kill()
		<-read
		_ = c.Wait()
	})
	listens := make(chan string, 1)
	go func() {
		defer close(read)
		for lines := bufio.NewScanner(errOut); lines.Scan(); {
			var entry struct{ Setting, Address string }
			if json.Unmarshal(lines.Bytes(), &entry) == nil && entry.Setting == "FLEETPHOTO_ADDR" {
				listens <- entry.Address
			}
			s.mu.Lock()
			_, _ = s.log.WriteString(lines.Text() + "\n") // never fails
			s.mu.Unlock()
		}
		close(listens)
	}()
	if s.api = <-listens; s.api == "" {
		t.Fatalf("the server ended before it listened:\n%s", &s.log)
	}
}

// logged returns what the server has written to its log so far.
func (s *server) logged() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.log.String()
}

// peak returns how many MB of the process were resident at most.
func (s *server) peak(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", s.pid))
	must(t, err)
	_, rest, _ := strings.Cut(string(text), "VmHWM:")
	var kilobytes float64
	_, err = fmt.Sscan(rest, &kilobytes)
	must(t, err)
	return kilobytes * 1024 / 1e6
}

// most is the number of MB that docs/operate.md promises.
func most(t *testing.T) float64 {
	t.Helper()
	text, err := os.ReadFile("../../docs/operate.md")
	must(t, err)
	found := regexp.MustCompile(`at most \*\*(\d+) MB\*\* of memory`).FindSubmatch(text)
	if found == nil {
		t.Fatal("docs/operate.md doesn't say how much memory the service takes at most")
	}
	megabytes, err := strconv.ParseFloat(string(found[1]), 64)
	must(t, err)
	return megabytes
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
