package app

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// TestMain makes this binary the command too, under the name fleetphoto in the
// PATH of the tests.
func TestMain(m *testing.M) {
	testscript.Main(withServers{m}, map[string]func(){
		"fleetphoto": func() { os.Exit(Main(context.Background(), os.Args[1:], Adapters())) },
	})
}

// withServers ends the servers that the tests started.
type withServers struct{ *testing.M }

func (m withServers) Run() int { return servers.Main(m.M) }

// command makes a process of the command in a directory, with settings such as
// "FLEETPHOTO_ADDR=:0" in its environment and nothing of this process's own.
func command(t testing.TB, directory string, settings []string, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 2*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, "fleetphoto", args...)
	c.Dir = directory
	c.Env = append([]string{"HOME=" + directory, "PATH=" + os.Getenv("PATH"), "GOCOVERDIR=" + t.TempDir()}, settings...)
	return c
}

// output runs the command, which must succeed, and returns its standard output.
func output(t *testing.T, directory string, settings []string, args ...string) string {
	t.Helper()
	c := command(t, directory, settings, args...)
	var errors bytes.Buffer
	c.Stderr = &errors
	out, err := c.Output()
	if err != nil {
		t.Fatalf("fleetphoto %s: %v\n%s", strings.Join(args, " "), err, &errors)
	}
	return string(out)
}

// running is a server in a process of its own.
type running struct {
	*exec.Cmd
	api, admin string // base URLs
	logged     string // until it listened
	lines      <-chan string
}

// serve starts a server on free ports and waits until it listens.
func serve(t testing.TB, directory string, settings ...string) *running {
	t.Helper()
	settings = append([]string{"FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0"}, settings...)
	s := &running{Cmd: command(t, directory, settings, "serve")}
	errOut, err := s.StderrPipe()
	check(t, err)
	check(t, s.Start())
	t.Cleanup(func() { _ = s.Process.Kill(); _ = s.Wait() })
	lines := make(chan string, 10_000)
	s.lines = lines
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(errOut); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	for s.api == "" || s.admin == "" {
		line, open := <-lines
		if !open {
			t.Fatal("the server ended before it listened")
		}
		s.logged += line + "\n"
		var entry struct{ Address, Setting string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Address != "" {
			switch entry.Setting {
			case "FLEETPHOTO_ADDR":
				s.api = "http://" + entry.Address
			case "FLEETPHOTO_ADMIN_ADDR":
				s.admin = "http://" + entry.Address
			}
		}
	}
	return s
}

// stop asks the server to stop and returns what it logged since it listened.
func (s *running) stop(t testing.TB) string {
	t.Helper()
	check(t, s.Process.Signal(os.Interrupt))
	var log strings.Builder
	for line := range s.lines {
		log.WriteString(line + "\n")
	}
	check(t, s.Wait())
	return log.String()
}

// answer is the envelope, of a success or a failure.
type answer struct {
	Result, Error, Detail string
	URL                   string `json:"url_customer_picture"`
	ApiLogID              int64  `json:"api_log_id"`
}

func postForm(base string, form url.Values) (answer, error) {
	var a answer
	response, err := http.PostForm(base+"/update_customer_photo.json", form)
	if err != nil {
		return a, err
	}
	defer func() { _ = response.Body.Close() }()
	return a, json.NewDecoder(response.Body).Decode(&a)
}

func fetch(t *testing.T, address string) (int, []byte) {
	t.Helper()
	response, err := http.Get(address)
	check(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	check(t, err)
	return response.StatusCode, body
}

// freeAddress returns an address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// readLine reads byte by byte, so that nothing of the next line is taken.
func readLine(from io.Reader) (string, error) {
	var line []byte
	var next [1]byte
	for {
		if _, err := io.ReadFull(from, next[:]); err != nil {
			return "", err
		}
		if next[0] == '\n' {
			return string(line), nil
		}
		line = append(line, next[0])
	}
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
