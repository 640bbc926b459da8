package app

import (
	"cmp"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestWrongSettings starts the command with settings that can't be used as the
// machine is, or that are secret: it ends at once, with one sentence that names
// the variable. What is wrong by itself is in testdata/script/settings.txtar.
func TestWrongSettings(t *testing.T) {
	t.Parallel()
	busy, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	check(t, err)
	t.Cleanup(func() { _ = busy.Close() })
	tests := []struct{ name, setting, want string }{
		{"unknown photo store parameter", "FLEETPHOTO_PHOTO_STORE_URL=file://photos?no_tmp_dir=false", "no_tmp_dir"},
		{"database directory can't be written", "FLEETPHOTO_DATABASE_URL=sqlite://occupied/x/fleetphoto.db", "occupied"},
		{"photo directory can't be written", "FLEETPHOTO_PHOTO_STORE_URL=file://occupied/photos", "occupied"},
		{"not a database", "FLEETPHOTO_DATABASE_URL=sqlite://occupied", "occupied"},
		{"port in use", "FLEETPHOTO_ADDR=" + busy.Addr().String(), "is in use by another process"},
		{"admin port in use", "FLEETPHOTO_ADMIN_ADDR=" + busy.Addr().String(), "is in use by another process"},
		{"a directory as database", "FLEETPHOTO_DATABASE_URL=sqlite://.", "sqlite"},
		{"short PIN key", "FLEETPHOTO_PIN_KEY=00ff", "at least 32 bytes"},
		{"PIN key that is no hex", "FLEETPHOTO_PIN_KEY=correct horse battery staple", "hexadecimal"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			check(t, os.WriteFile(filepath.Join(directory, "occupied"), []byte("a file, no directory and no database"), 0o600))
			check(t, os.WriteFile(filepath.Join(directory, "pin.key"), []byte(strings.Repeat("0f", 32)), 0o600))
			variable, value, _ := strings.Cut(test.setting, "=")
			settings := []string{"FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0", test.setting}
			out, err := command(t, directory, settings, "serve").CombinedOutput()
			complaint := lastLine(string(out))
			if err == nil || !strings.Contains(complaint, variable) || !strings.Contains(complaint, test.want) {
				t.Errorf("got %v %q, want a sentence with %s and %q", err, complaint, variable, test.want)
			}
			if strings.Contains(string(out), "goroutine") || strings.Contains(string(out), ".go:") {
				t.Errorf("a stack trace: %s", out)
			}
			if strings.Contains(variable, "KEY") && !strings.Contains(variable, "FILE") && strings.Contains(complaint, value) {
				t.Errorf("the secret is repeated: %s", complaint)
			}
		})
	}
}

// TestPasswordsAreNotRepeated, not even from what is no URL.
func TestPasswordsAreNotRepeated(t *testing.T) {
	t.Parallel()
	for _, value := range []string{
		"host=db password=hunter2", "postgres:u:hunter2@h/d", "postgres//u:hunter2@h/d", "u:hunter2@h://d",
		"postgres://u:hunter2@h@i/d", "postgres://u:hunter2@127.0.0.1:1/d?sslmode=disable", "acc.blob.example.com/c?sig=hunter2",
	} {
		for _, variable := range []string{"FLEETPHOTO_DATABASE_URL", "FLEETPHOTO_PHOTO_STORE_URL"} {
			out, err := command(t, t.TempDir(), []string{variable + "=" + value}, "photos", "verify").CombinedOutput()
			if err == nil || strings.Contains(string(out), "hunter2") || !strings.Contains(string(out), variable) && !strings.Contains(string(out), "FLEETPHOTO_PIN_KEY") {
				t.Errorf("%s=%s: got %v %s", variable, value, err, out)
			}
		}
	}
}

func lastLine(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	return lines[len(lines)-1]
}

func TestPINKeyIsIrreplaceable(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	newFleet(t, directory)
	key := filepath.Join(directory, "fleetphoto-data/pin.key")
	first, err := os.ReadFile(key)
	check(t, err)
	output(t, directory, nil, "fleet", "add", "690")
	if again, err := os.ReadFile(key); err != nil || string(again) != string(first) {
		t.Errorf("the key changed, %v", err)
	}
	check(t, os.Remove(key))
	out, err := command(t, directory, nil, "fleet", "add", "691").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "FLEETPHOTO_PIN_KEY") || !strings.Contains(string(out), "bring that file back") {
		t.Errorf("without the key file: got %v %s", err, out)
	}
}

// TestPINKeyRotation: the PINs of the old key match beside the new one, and those
// that were used match without the old one.
func TestPINKeyRotation(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	output(t, directory, nil, "customer", "add", "--fleet", "689", "--id", "2", "--phone", "447700900002", "--pin", "1234")
	rare := url.Values{"api_key": form["api_key"], "phone_number": {"447700900002"}, "customer_pin": {"1234"}}
	newKey, oldKey := "FLEETPHOTO_PIN_KEY="+strings.Repeat("5e", 32), "FLEETPHOTO_PIN_KEY_OLD_FILE=fleetphoto-data/pin.key"
	for _, phase := range []struct {
		settings []string
		want     [2]string // of the customer who calls, and of one who doesn't before
	}{
		{nil, [2]string{"valid"}},
		{[]string{newKey, oldKey}, [2]string{"valid"}},
		{[]string{newKey}, [2]string{"valid", "Invalid PIN"}},
		{[]string{newKey, oldKey}, [2]string{"valid", "valid"}},
		{[]string{newKey}, [2]string{"valid", "valid"}},
	} {
		server := serve(t, directory, phase.settings...)
		for i, form := range []url.Values{form, rare} {
			if phase.want[i] == "" {
				continue
			}
			a, err := postForm(server.api, withPhoto(form, "delete"))
			if got := cmp.Or(a.Error, a.Result); err != nil || got != phase.want[i] {
				t.Errorf("%q: got %q, %v, want %q", phase.settings, got, err, phase.want[i])
			}
		}
		server.stop(t)
	}
	out, err := command(t, directory, nil, "fleet", "list").CombinedOutput()
	if err != nil {
		t.Errorf("what needs no PIN works with any key: %v %s", err, out)
	}
	out, err = command(t, directory, nil, "customer", "add", "--fleet", "689", "--id", "3", "--phone", "447700900003").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "FLEETPHOTO_PIN_KEY_OLD") {
		t.Errorf("with the old key alone: got %v %s", err, out)
	}
}

func TestBackendsAreMixedByPort(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	settings := []string{"FLEETPHOTO_API_LOG_URL=sqlite://log/calls.db", "FLEETPHOTO_PHOTO_BASE_URL=https://cdn.example.com/p"}
	form := newFleet(t, directory, settings...)
	server := serve(t, directory, settings...)
	a, err := postForm(server.api, withPhoto(form, "delete"))
	if err != nil || a.Result != "valid" {
		t.Errorf("got %+v, %v", a, err)
	}
	for _, file := range []string{"log/calls.db", "fleetphoto-data/fleetphoto.db"} {
		if _, err := os.Stat(filepath.Join(directory, file)); err != nil {
			t.Error(err)
		}
	}
}
