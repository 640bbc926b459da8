package bench

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
)

// What a process of this binary is, and settings of the product that the bare
// handler goes by too.
const (
	asBare       = "FLEETPHOTO_TEST_AS_BARE"
	asCommand    = "FLEETPHOTO_TEST_AS_COMMAND"
	databaseURL  = "FLEETPHOTO_DATABASE_URL"
	apiAddress   = "FLEETPHOTO_ADDR"
	adminAddress = "FLEETPHOTO_ADMIN_ADDR"
)

// The first customer and its key are those of the product's demo; the others count on.
const (
	demoKey       = "DEMO0DEMO0DEMO0DEMO0DEMO0"
	firstCustomer = 452733
	firstPhone    = 447700900123
	manyCustomers = 64 // so that connections seldom wait for one another
)

// program is what a handler runs: the bare handler's or the product's.
type program struct{ name, path, as string }

// handler is a server in a process of its own.
type handler struct {
	program
	directory  string
	settings   []string
	pid        int
	api, admin string    // addresses
	requests   []request // in this order, each changes what is stored
	called     atomic.Int64
}

// request is a call. Its end, the photo, is shared by all of its workload.
type request struct{ start, photo []byte }

// start starts a handler for a workload.
func start(t testing.TB, p program, database string, w workload, settings ...string) *handler {
	t.Helper()
	h := &handler{program: p, directory: t.TempDir(), settings: slices.Concat([]string{
		p.as + "=1", databaseURL + "=" + database, "FLEETPHOTO_PHOTO_STORE_URL=file://photos",
		"FLEETPHOTO_PIN_KEY=" + strings.Repeat("01", 32), apiAddress + "=127.0.0.1:0", adminAddress + "=127.0.0.1:0",
		"FLEETPHOTO_FLEET_RATE=0",
	}, w.settings, settings)}
	key, customers, args := demoKey, manyCustomers, []string{"serve"}
	switch {
	case database == "memory://":
		customers, args = 1, []string{"serve", "--demo"}
	case p.as == asCommand:
		h.output(t, "", "migrate")
		key = h.output(t, "", "fleet", "add", "689")
		var list strings.Builder
		for i := range customers {
			_, _ = fmt.Fprintf(&list, "%d,%d\n", firstCustomer+i, firstPhone+i)
		}
		h.output(t, list.String(), "customer", "import", "--fleet=689", "-")
	}
	h.serve(t, args...)
	h.address(key, customers, w.photos())
	return h
}

// address makes the requests: a photo for each customer, and then another.
func (h *handler) address(key string, customers int, photos [2][]byte) {
	for _, photo := range photos {
		end := append(base64.StdEncoding.AppendEncode(nil, photo), `"}`...)
		for i := range customers {
			body := fmt.Sprintf(`{"api_key":%q,"phone_number":%d,"photo_base64":"`, key, firstPhone+i)
			h.requests = append(h.requests, request{fmt.Appendf(nil, "POST /update_customer_photo.json HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
				h.api, len(body)+len(end), body), end})
		}
	}
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
