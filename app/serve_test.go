package app

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"image"
	_ "image/gif"
	"image/jpeg"
	_ "image/png"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"

	"github.com/gofrs/flock"
)

// newFleet adds fleet 689 and customer 452733 and returns a form for it.
func newFleet(t *testing.T, directory string, settings ...string) url.Values {
	t.Helper()
	key := strings.TrimSpace(output(t, directory, settings, "fleet", "add", "689", "--name", "City", "--create"))
	output(t, directory, settings, "customer", "add", "--fleet", "689", "--id", "452733", "--phone", "+44 7700 900123", "--pin", "1234")
	return url.Values{"api_key": {key}, "phone_number": {"447700900123"}, "customer_pin": {"1234"}}
}

func withPhoto(form url.Values, photo string) url.Values {
	with := url.Values{"photo_base64": {photo}}
	for name, values := range form {
		with[name] = values
	}
	return with
}

// realPhotos returns the photos that come with Go: made by many programs, none of ours.
func realPhotos(t *testing.T) map[string][]byte {
	t.Helper()
	root, err := exec.CommandContext(t.Context(), "go", "env", "GOROOT").Output()
	check(t, err)
	photos := map[string][]byte{}
	for _, pattern := range []string{"*.jpeg", "*.png", "*.gif"} {
		paths, err := filepath.Glob(filepath.Join(strings.TrimSpace(string(root)), "src/image/testdata", pattern))
		check(t, err)
		for _, path := range paths {
			data, err := os.ReadFile(path)
			check(t, err)
			if _, _, err := image.Decode(bytes.NewReader(data)); err == nil {
				photos[filepath.Base(path)] = data
			}
		}
	}
	if len(photos) < 10 {
		t.Fatalf("want the photos of Go's image/testdata, got %d", len(photos))
	}
	return photos
}

// TestServeFromNothing goes the newcomer's way on SQLite and files: add,
// update with real photos, restart, delete.
func TestServeFromNothing(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	server := serve(t, directory)
	form := newFleet(t, directory)
	stored := filepath.Join(directory, "fleetphoto-data/photos/fleet-689/customer_photos/452733_photo.jpg")
	for name, photo := range realPhotos(t) {
		a, err := postForm(server.api, withPhoto(form, base64.StdEncoding.EncodeToString(photo)))
		if err != nil || a.Result != "valid" {
			t.Errorf("%s: got %+v, %v", name, a, err)
			continue
		}
		file, err := os.ReadFile(stored)
		check(t, err)
		if _, err := jpeg.Decode(bytes.NewReader(file)); err != nil {
			t.Errorf("%s: the stored file: %v", name, err)
		}
		if status, served := fetch(t, a.URL); status != 200 || !bytes.Equal(served, file) {
			t.Errorf("%s: got status %d and %d bytes from %s, want the %d of the file", name, status, len(served), a.URL, len(file))
		}
	}
	if status, text := fetch(t, server.admin+"/readyz"); status != 200 {
		t.Errorf("not ready: %d %s", status, text)
	}
	_, before := fetch(t, server.api+"/photos/fleet-689/customer_photos/452733_photo.jpg")
	server.stop(t)

	server = serve(t, directory)
	if status, after := fetch(t, server.api+"/photos/fleet-689/customer_photos/452733_photo.jpg"); status != 200 || !bytes.Equal(before, after) {
		t.Errorf("after a restart: got status %d and %d bytes, want the %d from before", status, len(after), len(before))
	}
	a, err := postForm(server.api, withPhoto(form, "delete"))
	if err != nil || a.Result != "valid" || a.URL != "" {
		t.Errorf("delete: got %+v, %v", a, err)
	}
	if _, err := os.Stat(stored); !os.IsNotExist(err) {
		t.Errorf("the file is still there after the deletion: %v", err)
	}
	if log := server.stop(t); strings.Contains(log, form.Get("api_key")) || strings.Contains(log, "447700900123") {
		t.Errorf("the log has a secret:\n%s", log)
	}
}

// TestSignalDuringStart: a server that is asked to stop before it serves, here
// while another process migrates, stops.
func TestSignalDuringStart(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	locks := filepath.Join(directory, "fleetphoto-data/fleetphoto.db-locks")
	check(t, os.MkdirAll(locks, 0o750))
	migrating := flock.New(filepath.Join(locks, "start"))
	check(t, migrating.Lock())
	t.Cleanup(func() { _ = migrating.Unlock() })
	c := command(t, directory, []string{"FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0"}, "serve")
	check(t, c.Start())
	for !exists(filepath.Join(directory, "fleetphoto-data/pin.key")) { // made by the start, which then waits
		runtime.Gosched()
	}
	check(t, c.Process.Signal(syscall.SIGTERM))
	if err := c.Wait(); err == nil || c.ProcessState.ExitCode() != 1 {
		t.Errorf("got %v, want it to end because it did not start", err)
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// TestServeSaysWhatItServes in its first lines, each fact once.
func TestServeSaysWhatItServes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		settings     []string
		also, advice string
		page         string
	}{
		"defaults": {nil, "", "photos are public: anyone who guesses a fleet's and a customer's number can see one; FLEETPHOTO_PHOTO_URL=signed prevents that\n" +
			"there is no fleet yet, so every call is refused; add one with: fleetphoto fleet add 689\n", "/"},
		"elsewhere": {[]string{"FLEETPHOTO_ADDR=:0", "FLEETPHOTO_API_LOG_URL=memory://", "FLEETPHOTO_PHOTO_STORE_URL=memory://", "FLEETPHOTO_PAGES=off"}, " api_log=memory://",
			"there is no fleet yet, so every call is refused; add one with: fleetphoto fleet add 689\n" +
				"calls come without TLS: have a proxy terminate it in front of this server, or set FLEETPHOTO_TLS_CERT\n", "/update_customer_photo.json"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			server := serve(t, directory, test.settings...)
			var got strings.Builder
			for line := range strings.Lines(server.logged) {
				var e struct{ Msg, Database, Fleets, Api_log, Photo_store, Url, Address, Setting string }
				check(t, json.Unmarshal([]byte(line), &e))
				got.WriteString(e.Msg)
				for _, fact := range [][2]string{{"database", e.Database}, {"fleets", e.Fleets}, {"api_log", e.Api_log}, {"photo_store", e.Photo_store}, {"url", e.Url}, {"address", e.Address}, {"setting", e.Setting}} {
					if fact[1] != "" {
						got.WriteString(" " + fact[0] + "=" + fact[1])
					}
				}
				got.WriteString("\n")
			}
			data := directory + "/fleetphoto-data/"
			photos, host := "file://"+data+"photos", "127.0.0.1"
			if test.settings != nil {
				photos, host = "memory://", "localhost"
			}
			api, admin := strings.TrimPrefix(server.api, "http://"), strings.TrimPrefix(server.admin, "http://")
			_, port, _ := net.SplitHostPort(api)
			want := "fleetphoto starts database=sqlite://" + data + "fleetphoto.db" + test.also + " photo_store=" + photos + "\n" + test.advice +
				"the API is served url=http://" + host + ":" + port + test.page + " address=" + api + " setting=FLEETPHOTO_ADDR\n" +
				"health and metrics are served url=http://" + admin + "/readyz address=" + admin + " setting=FLEETPHOTO_ADMIN_ADDR\n"
			if got.String() != want {
				t.Errorf("got\n%s\nwant\n%s", &got, want)
			}
		})
	}
}

// TestDemo posts what the printed lines post, the short one first.
func TestDemo(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	addr, admin := freeAddress(t), freeAddress(t)
	c := command(t, directory, []string{"FLEETPHOTO_ADDR=" + addr, "FLEETPHOTO_ADMIN_ADDR=" + admin, "FLEETPHOTO_DATABASE_URL=postgres://ignored", "FLEETPHOTO_PHOTO_URL=signed"}, "serve", "--demo")
	var log bytes.Buffer
	c.Stderr = &log
	out, err := c.StdoutPipe()
	check(t, err)
	check(t, c.Start())
	t.Cleanup(func() { _ = c.Process.Kill(); _ = c.Wait() })
	var lines []string
	var page, address string
	for address == "" {
		var text string
		text, err = readLine(out)
		if err != nil {
			t.Fatalf("%v, %v\n%s", err, c.Wait(), &log)
		}
		if strings.HasPrefix(text, "curl ") {
			lines = append(lines, text)
		}
		if rest, found := strings.CutPrefix(text, "Then open "); found {
			address = rest
		}
		if rest, found := strings.CutPrefix(text, "Try it in a browser: "); found {
			page = rest
		}
	}
	if status, html := fetch(t, page); status != 200 || !strings.Contains(string(html), `value="`+demoKey+`"`) {
		t.Errorf("%s: got status %d and %s", page, status, html)
	}
	portrait := filepath.Join(t.TempDir(), "portrait.jpg")
	check(t, os.WriteFile(portrait, demoPhoto, 0o600))
	if len(lines) != 2 || !strings.HasSuffix(lines[0], " -F photo_base64=@FILE") {
		t.Fatalf("got the lines %q", lines)
	}
	for i, line := range lines {
		pasted, err := exec.CommandContext(t.Context(), "sh", "-c", strings.Replace(line, "@FILE", "@"+portrait, 1)).CombinedOutput()
		want := fmt.Sprintf(`{"result":"valid","url_customer_picture":%q,"api_log_id":%d}`+"\n", address, i+1)
		if err != nil || string(pasted) != want {
			t.Errorf("%s gives %s, %v; want %s", line, pasted, err, want)
		}
	}
	if status, photo := fetch(t, address); status != 200 || !bytes.Equal(photo, demoPhoto) {
		t.Errorf("%s: got status %d and %d bytes", address, status, len(photo))
	}
	if entries, err := os.ReadDir(directory); err != nil || len(entries) != 0 {
		t.Errorf("the demo left %v on disk, %v", entries, err)
	}
}

// TestPagesAndOrigins: the settings reach the server.
func TestPagesAndOrigins(t *testing.T) {
	t.Parallel()
	on, off := serve(t, t.TempDir(), "FLEETPHOTO_CORS_ORIGINS=https://app.example.com"), serve(t, t.TempDir(), "FLEETPHOTO_PAGES=off")
	for address, want := range map[string]int{on.api + "/": 200, on.api + "/docs": 200, off.api + "/": 404, off.api + "/docs": 404} {
		if status, body := fetch(t, address); status != want || strings.Contains(string(body), demoKey) {
			t.Errorf("%s: got status %d and %s, want %d", address, status, body, want)
		}
	}
	for server, want := range map[*running]string{on: "https://app.example.com", off: ""} {
		request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, server.api+"/openapi.json", nil)
		check(t, err)
		request.Header.Set("Origin", "https://app.example.com")
		response, err := http.DefaultClient.Do(request)
		check(t, err)
		check(t, response.Body.Close())
		if got := response.Header.Get("Access-Control-Allow-Origin"); got != want {
			t.Errorf("got the origin %q, want %q", got, want)
		}
	}
}
