package bench

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
)

// What a process of this binary is, and settings of the product that the bare
// handler goes by too.
const (
	asBare        = "bare"
	asCommand     = "FLEETPHOTO_TEST_AS_COMMAND"
	databaseURL   = "FLEETPHOTO_DATABASE_URL"
	photoStoreURL = "FLEETPHOTO_PHOTO_STORE_URL"
	bareCustomers = "FLEETPHOTO_TEST_CUSTOMERS"
	apiAddress    = "FLEETPHOTO_ADDR"
	adminAddress  = "FLEETPHOTO_ADMIN_ADDR"
)

// The first customer and its key are those of the product's demo; the others count on.
const (
	demoKey       = "DEMO0DEMO0DEMO0DEMO0DEMO0"
	firstCustomer = 452733
	firstPhone    = 447700900123
)

// program is what a handler runs: the bare handler's or the product's.
type program struct{ name, path, as string }

// handler is a server in a process of its own.
type handler struct {
	program
	backend, database string
	directory         string
	settings          []string
	pid               int
	api, admin        string // addresses
	customers         int
	requests          [2]request // one for each photo
	called            atomic.Int64
}

// start starts a handler for a variant.
func start(t testing.TB, p program, backend, database, photos string, v variant) *handler {
	t.Helper()
	h := &handler{program: p, backend: backend, database: database, customers: v.customers, directory: t.TempDir(), settings: slices.Concat([]string{
		p.as + "=1", databaseURL + "=" + database, photoStoreURL + "=" + photos, bareCustomers + "=" + strconv.Itoa(v.customers),
		"FLEETPHOTO_PIN_KEY=" + strings.Repeat("01", 32), apiAddress + "=127.0.0.1:0", adminAddress + "=127.0.0.1:0",
		"FLEETPHOTO_FLEET_RATE=0",
	}, v.settings)}
	key, body, args := demoKey, v.body, []string{"serve"}
	switch {
	case p.as == asBare:
		body = base.body
	case backend == onMemory:
		args = append(args, "--demo")
	default:
		h.output(t, "", "migrate")
		key = h.output(t, "", "fleet", "add", "689")
		var list strings.Builder
		for i := range v.customers {
			_, _ = fmt.Fprintf(&list, "%d,%d\n", firstCustomer+i, firstPhone+i)
		}
		h.output(t, list.String(), "customer", "import", "--fleet=689", "-")
	}
	h.serve(t, args...)
	for i, photo := range v.photo.photos() {
		h.requests[i] = newRequest(h.api, body, key, photo)
	}
	return h
}

// request is a call: the start has a placeholder for the phone number.
type request struct {
	start      []byte
	photo, end []byte
}

const (
	placeholder = "PHONE_NUMBER" // as long as one
	boundary    = "boundary"
)

// newRequest makes a call by its body: json, form, multipart or multipart-base64.
func newRequest(host, body, key string, photo []byte) request {
	inBase64 := base64.StdEncoding.AppendEncode(nil, photo)
	r, contentType := request{photo: inBase64}, "application/json"
	switch start := ""; body {
	case "form":
		contentType, r.photo = "application/x-www-form-urlencoded", []byte(url.QueryEscape(string(inBase64)))
		r.start = []byte("api_key=" + key + "&phone_number=" + placeholder + "&photo_base64=")
	case "multipart", "multipart-base64":
		for _, field := range [][2]string{{"api_key", key}, {"phone_number", placeholder}} {
			start += fmt.Sprintf("--%s\r\nContent-Disposition: form-data; name=%q\r\n\r\n%s\r\n", boundary, field[0], field[1])
		}
		named := ""
		if body == "multipart" {
			r.photo, named = photo, "; filename=portrait.jpg\r\nContent-Type: image/jpeg"
		}
		contentType = "multipart/form-data; boundary=" + boundary
		r.start = fmt.Appendf(nil, "%s--%s\r\nContent-Disposition: form-data; name=photo_base64%s\r\n\r\n", start, boundary, named)
		r.end = []byte("\r\n--" + boundary + "--\r\n")
	default:
		r.start, r.end = fmt.Appendf(nil, `{"api_key":%q,"phone_number":%s,"photo_base64":"`, key, placeholder), []byte(`"}`)
	}
	r.start = fmt.Appendf(nil, "POST /update_customer_photo.json HTTP/1.1\r\nHost: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\n\r\n%s",
		host, contentType, len(r.start)+len(r.photo)+len(r.end), r.start)
	return r
}

// request returns the nth call. Each changes what is stored, and customers who
// follow one another aren't neighbours in a table.
func (h *handler) request(n int) request {
	const stride = 7919 // a prime, so all customers have their turn
	r := h.requests[n/h.customers%len(h.requests)]
	r.start = bytes.Replace(r.start, []byte(placeholder), strconv.AppendInt(nil, int64(firstPhone+n*stride%h.customers), 10), 1)
	return r
}

func (h *handler) command(args ...string) *exec.Cmd {
	c := exec.Command(h.path, args...)
	c.Dir, c.Env = h.directory, append(os.Environ(), h.settings...)
	return c
}

// output runs a command, which must succeed, and returns what it prints.
func (h *handler) output(t testing.TB, input string, args ...string) string {
	t.Helper()
	var errOut bytes.Buffer
	c := h.command(args...)
	c.Stdin, c.Stderr = strings.NewReader(input), &errOut
	out, err := c.Output()
	if err != nil {
		t.Fatalf("%s %s: %v\n%s", h.name, strings.Join(args, " "), err, &errOut)
	}
	return strings.TrimSpace(string(out))
}

// serve starts the server and waits until it listens.
func (h *handler) serve(t testing.TB, args ...string) {
	t.Helper()
	c := h.command(args...)
	errOut, err := c.StderrPipe()
	must(t, errors.Join(err, c.Start()))
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	h.pid = c.Process.Pid
	log := ""
	for lines := bufio.NewScanner(errOut); h.api == "" || h.admin == ""; {
		if !lines.Scan() {
			t.Fatalf("%s ended before it listened:\n%s", h.name, log)
		}
		log += lines.Text() + "\n"
		var entry struct{ Setting, Address string }
		switch _ = json.Unmarshal(lines.Bytes(), &entry); entry.Setting { // what isn't JSON says nothing
		case apiAddress:
			h.api = entry.Address
		case adminAddress:
			h.admin = entry.Address
		}
	}
	go func() { _, _ = io.Copy(io.Discard, errOut) }()
}
