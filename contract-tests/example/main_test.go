package main

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"image"
	"image/jpeg"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

// asCommand has the test binary act as the command, in a process of its own.
const asCommand = "EXAMPLE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		main()
	}
	os.Exit(m.Run())
}

// TestCommand has the command keep a photo on a WebDAV server.
func TestCommand(t *testing.T) {
	t.Parallel()
	program, err := os.Executable()
	must(t, err)
	address, admin, store := freeAddress(t), freeAddress(t), newServer(t)
	directory := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		c := exec.CommandContext(t.Context(), program, args...)
		c.Dir, c.Stderr = directory, t.Output()
		c.Env = append(os.Environ(), asCommand+"=1", "FLEETPHOTO_PHOTO_STORE_URL="+store, "FLEETPHOTO_ADDR="+address, "FLEETPHOTO_ADMIN_ADDR="+admin)
		return c
	}
	must(t, command("migrate").Run())
	key, err := command("fleet", "add", "689").Output()
	must(t, err)
	must(t, command("customer", "add", "--fleet=689", "--id=452733", "--phone=447700900123").Run())
	serve := command("serve")
	must(t, serve.Start())
	t.Cleanup(func() { _ = serve.Process.Kill(); _ = serve.Wait() })
	waitUntilReady(t, "http://"+admin+"/readyz")

	var photo bytes.Buffer
	must(t, jpeg.Encode(&photo, image.NewGray(image.Rect(0, 0, 30, 20)), nil))
	form := url.Values{"api_key": {strings.TrimSpace(string(key))}, "phone_number": {"447700900123"}}
	form.Set("photo_base64", base64.StdEncoding.EncodeToString(photo.Bytes()))
	response, err := http.PostForm("http://"+address+"/update_customer_photo.json", form)
	must(t, err)
	defer func() { _ = response.Body.Close() }()
	var answer struct {
		URL string `json:"url_customer_picture"`
	}
	must(t, json.NewDecoder(response.Body).Decode(&answer))
	want := strings.Replace(store, "webdav://writer:secret@", "http://", 1) + "/fleet-689/customer_photos/452733_photo.jpg"
	if answer.URL != want {
		t.Fatalf("got the address %q, want %q", answer.URL, want)
	}
	served, err := http.Get(answer.URL)
	must(t, err)
	defer func() { _ = served.Body.Close() }()
	stored, err := io.ReadAll(served.Body)
	must(t, err)
	if size, err := jpeg.DecodeConfig(bytes.NewReader(stored)); err != nil || size.Width != 30 || size.Height != 20 {
		t.Errorf("the WebDAV server has no such photo: %+v, %v", size, err)
	}
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

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
