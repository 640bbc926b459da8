package bench

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"image"
	"image/color"
	"image/jpeg"
	"io"
	"math/rand/v2"
	"os"
	"os/exec"
	"strings"
	"sync"
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
	manyCustomers = 63 // odd, so that each gets two photos in turn
)

// handler is a server in a process of its own.
type handler struct {
	name, program, directory string
	settings                 []string
	pid                      int
	api, admin               string   // addresses
	requests                 [][]byte // in this order, each changes what is stored
	called                   atomic.Int64
}

// start starts the product that program is, or a bare handler where as says so.
func start(t testing.TB, name, program, as, database string) *handler {
	t.Helper()
	h := &handler{name: name, program: program, directory: t.TempDir(), settings: []string{
		as + "=1", databaseURL + "=" + database, "FLEETPHOTO_PHOTO_STORE_URL=file://photos", "FLEETPHOTO_VERIFY=structure",
		"FLEETPHOTO_PIN_KEY=" + strings.Repeat("01", 32), apiAddress + "=127.0.0.1:0", adminAddress + "=127.0.0.1:0",
	}}
	key, customers, args := demoKey, manyCustomers, []string{"serve"}
	switch {
	case database == "memory://":
		customers, args = 1, []string{"serve", "--demo"}
	case as == asCommand:
		h.output(t, "", "migrate")
		key = h.output(t, "", "fleet", "add", "689")
		var list strings.Builder
		for i := range customers {
			_, _ = fmt.Fprintf(&list, "%d,%d\n", firstCustomer+i, firstPhone+i)
		}
		h.output(t, list.String(), "customer", "import", "--fleet=689", "-")
	}
	h.serve(t, args...)
	for i := range 2 * customers {
		body := fmt.Sprintf(`{"api_key":%q,"phone_number":%d,"photo_base64":%q}`,
			key, firstPhone+i%customers, base64.StdEncoding.EncodeToString(photos()[i%2]))
		h.requests = append(h.requests, fmt.Appendf(nil, "POST /update_customer_photo.json HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s",
			h.api, len(body), body))
	}
	return h
}

func (h *handler) command(args ...string) *exec.Cmd {
	c := exec.Command(h.program, args...)
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

// photos are two JPEGs of 512 × 512 pixels and about 50 KB.
var photos = sync.OnceValue(func() [2][]byte { return [2][]byte{newPhoto(1), newPhoto(2)} })

func newPhoto(seed uint64) []byte {
	const side, most = 512, 50_000
	picture, random := image.NewRGBA(image.Rect(0, 0, side, side)), rand.New(rand.NewPCG(seed, seed))
	for y := range side {
		for x := range side {
			grain := random.IntN(24)
			picture.Set(x, y, color.RGBA{uint8(x/3 + grain), uint8(y/3 + grain), uint8((x+y)/6 + grain), 255})
		}
	}
	for quality := 90; ; quality-- {
		var out bytes.Buffer
		if err := jpeg.Encode(&out, picture, &jpeg.Options{Quality: quality}); err != nil {
			panic(err) // a buffer takes everything
		}
		if out.Len() <= most {
			return out.Bytes()
		}
	}
}
