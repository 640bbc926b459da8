package contracttests_test

import (
	"bufio"
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// product is the command with its settings.
type product struct {
	program, directory string
	settings           []string
}

// newProduct makes one of this test binary and settings such as
// "FLEETPHOTO_DATABASE_URL=memory://". It has credentials from this process.
func newProduct(t *testing.T, settings ...string) product {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	return product{program, t.TempDir(), append([]string{
		asCommand + "=1", "FLEETPHOTO_PIN_KEY=" + strings.Repeat("01", 32),
		"FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0", "GOCOVERDIR=" + t.TempDir(),
	}, settings...)}
}

func (p product) with(settings ...string) product {
	p.settings = append(p.settings[:len(p.settings):len(p.settings)], settings...)
	return p
}

func (p product) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Minute)
	t.Cleanup(cancel)
	c := exec.CommandContext(ctx, p.program, args...)
	c.Dir = p.directory
	c.Env = append(os.Environ(), p.settings...)
	return c
}

// output runs a command, which must succeed, and returns what it prints.
func (p product) output(t *testing.T, args ...string) string {
	t.Helper()
	c := p.command(t, args...)
	var errOut bytes.Buffer
	c.Stderr = &errOut
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s: %v\n%s", strings.Join(args, " "), err, &errOut)
	}
	return strings.TrimSpace(string(out))
}

// addCustomer adds fleet 689 and a customer, and returns a form for it.
func (p product) addCustomer(t *testing.T) url.Values {
	t.Helper()
	p.output(t, "migrate")
	key := p.output(t, "fleet", "add", "689")
	p.output(t, "customer", "add", "--fleet=689", "--id=452733", "--phone="+phone, "--pin=1234")
	return url.Values{"api_key": {key}, "phone_number": {phone}, "customer_pin": {"1234"}}
}

const phone = "447700900123"

// process is a server in a process of its own.
type process struct {
	*exec.Cmd
	api, admin string // base URLs, once it listens
	log        []string
	lines      <-chan string // of the log, which nobody has read yet
}

// start starts a server without waiting for it.
func (p product) start(t *testing.T, args ...string) *process {
	t.Helper()
	lines := make(chan string, 10_000)
	s := &process{Cmd: p.command(t, append([]string{"serve"}, args...)...), lines: lines}
	errOut, err := s.StderrPipe()
	must(t, err)
	must(t, s.Start())
	t.Cleanup(func() {
		_ = s.Process.Kill()
		for line := range lines {
			s.log = append(s.log, line)
		}
		_ = s.Wait()
		if t.Failed() {
			t.Logf("the log of a server:\n%s", strings.Join(s.log, "\n"))
		}
	})
	go func() {
		defer close(lines)
		for scanner := bufio.NewScanner(errOut); scanner.Scan(); {
			lines <- scanner.Text()
		}
	}()
	return s
}

// waitFor reads the log until it has a line with this message.
func (s *process) waitFor(t *testing.T, message string) (setting, address string) {
	t.Helper()
	for line := range s.lines {
		s.log = append(s.log, line)
		var entry struct{ Msg, Setting, Address string }
		if json.Unmarshal([]byte(line), &entry) == nil && entry.Msg == message {
			return entry.Setting, entry.Address
		}
	}
	t.Fatalf("the server ended before it said %q", message)
	return "", ""
}

// listens waits until the server listens.
func (s *process) listens(t *testing.T) {
	t.Helper()
	_, api := s.waitFor(t, "the API is served")
	_, admin := s.waitFor(t, "health and metrics are served")
	s.api, s.admin = "http://"+api, "http://"+admin
}

func (p product) serve(t *testing.T) *process {
	t.Helper()
	s := p.start(t)
	s.listens(t)
	return s
}

// answer is what a call returns.
type answer struct {
	Status     int    `json:"-"`
	RetryAfter string `json:"-"`
	Result     string `json:"result"`
	Error      string `json:"error"`
	Detail     string `json:"detail"`
	URL        string `json:"url_customer_picture"`
	ApiLogID   int64  `json:"api_log_id"`
}

// change makes the call for a photo, or for the word delete.
func (s *process) change(form url.Values, photo string) (a answer, err error) {
	with := maps.Clone(form)
	with.Set("photo_base64", photo)
	response, err := http.PostForm(s.api+"/update_customer_photo.json", with)
	if err != nil {
		return a, err
	}
	defer func() { _ = response.Body.Close() }()
	a.Status, a.RetryAfter = response.StatusCode, response.Header.Get("Retry-After")
	return a, json.NewDecoder(response.Body).Decode(&a)
}

// changePatiently makes the call up to five times while the server is too busy
// for it, as callers do.
func (s *process) changePatiently(form url.Values, photo string) (a answer, err error) {
	for range 5 {
		if a, err = s.change(form, photo); err != nil || a.Status != http.StatusServiceUnavailable {
			break
		}
	}
	return a, err
}

// ready returns the status of the readiness check.
func (s *process) ready(t *testing.T) int {
	t.Helper()
	status, _ := fetch(t, s.admin+"/readyz")
	return status
}

func fetch(t *testing.T, address string) (status int, body []byte) {
	t.Helper()
	response, err := http.Get(address)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	body, err = io.ReadAll(response.Body)
	must(t, err)
	return response.StatusCode, body
}

// eventually asks again and again until it is so.
func eventually(t *testing.T, what string, isSo func() bool) {
	t.Helper()
	const patience, interval = time.Minute, 20 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ticker := time.Tick(interval); !isSo(); {
		select {
		case <-ticker:
		case <-ctx.Done():
			t.Fatalf("still not: %s", what)
		}
	}
}

// photoOf makes a photo, in Base64, of so many pixels a side.
func photoOf(t *testing.T, side int) string {
	t.Helper()
	var out bytes.Buffer
	must(t, jpeg.Encode(&out, image.NewGray(image.Rect(0, 0, side, side)), nil))
	return base64.StdEncoding.EncodeToString(out.Bytes())
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
