package main

import (
	"context"
	"encoding/hex"
	"net"
	"net/http"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/domain"
)

// TestHTTP has the command keep the contract with their customers, and fleets, log
// and photos where they are by default.
func TestHTTP(t *testing.T) {
	t.Parallel()
	their, secret := newDispatch(t), make([]byte, domain.MinPINKeyBytes)
	program, err := os.Executable()
	must(t, err)
	address, admin, directory := freeAddress(t), freeAddress(t), t.TempDir()
	command := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), program, args...)
		c.Dir, c.Stderr = directory, t.Output()
		c.Env = append(os.Environ(), asCommand+"=1", "FLEETPHOTO_CUSTOMER_REPO_URL="+their.url+"&country=44", "FLEETPHOTO_PIN_KEY="+hex.EncodeToString(secret),
			"FLEETPHOTO_ADDR="+address, "FLEETPHOTO_ADMIN_ADDR="+admin, "FLEETPHOTO_MAX_PHOTO_BYTES=200000", "FLEETPHOTO_MAX_PIXELS=10000", "FLEETPHOTO_AUTH_FAILURE_RATE=0")
		return c
	}
	output := func(args ...string) string {
		out, err := command(args...).Output()
		must(t, err)
		return strings.TrimSpace(string(out))
	}
	output("migrate")
	target := contracttests.Target{
		BaseURL: "http://" + address, APIKey: output("fleet", "add", "689"), DisabledKey: output("fleet", "add", "690"), RequirePINKey: output("fleet", "add", "692"),
		Phone: "447700900123", PIN: "1234", LockPhone: "447700900124", NoPINPhone: "447700900125", OtherPhone: "447700900999", MaxPhotoBytes: 200_000, MaxPixels: 10_000,
	}
	output("fleet", "disable", "690")
	output("fleet", "set", "692", "--require-pin=on")
	key, err := domain.NewPINKey(secret)
	must(t, err)
	pin, err := domain.ParsePIN(target.PIN)
	must(t, err)
	for _, c := range []struct {
		ref    domain.CustomerRef
		mobile string
		pin    domain.PIN
	}{
		{domain.CustomerRef{Fleet: 689, Customer: 1}, "07700 900123", pin},
		{domain.CustomerRef{Fleet: 689, Customer: 2}, "+44 (0)7700 900124", pin},
		{domain.CustomerRef{Fleet: 689, Customer: 3}, "0044 7700-900125", domain.PIN{}},
		{domain.CustomerRef{Fleet: 691, Customer: 1}, "447700900999", pin},
		{domain.CustomerRef{Fleet: 692, Customer: 1}, "+44 7700 900123", pin},
	} {
		their.has(t, domain.Customer{Ref: c.ref, PIN: key.Hash(c.ref, c.pin)}, c.mobile)
	}
	serve := command("serve")
	must(t, serve.Start())
	t.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait() })
	waitUntilReady(t, "http://"+admin+"/readyz")
	contracttests.HTTP(t, target)
}

func waitUntilReady(t *testing.T, address string) {
	t.Helper()
	const patience, interval = time.Minute, 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), patience)
	defer cancel()
	for ticker := time.Tick(interval); ; {
		if response, err := http.Get(address); err == nil {
			_ = response.Body.Close()
			if response.StatusCode == http.StatusOK {
				return
			}
		}
		select {
		case <-ticker:
		case <-ctx.Done():
			t.Fatal("the server doesn't get ready")
		}
	}
}

// freeAddress returns an address that nothing listens on.
func freeAddress(t *testing.T) string {
	t.Helper()
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	must(t, err)
	defer func() { _ = listener.Close() }()
	return listener.Addr().String()
}

// TestDocumentShowsTheExample holds docs/backends.md to the code that is tested.
func TestDocumentShowsTheExample(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../../docs/backends.md")
	must(t, err)
	for _, name := range []string{"main.go", "customers.go"} {
		code, err := os.ReadFile(name)
		must(t, err)
		if !strings.Contains(string(document), "`"+name+"`:\n\n```go\n"+string(code)+"```\n") {
			t.Errorf("docs/backends.md doesn't show %s as it is", name)
		}
	}
}
