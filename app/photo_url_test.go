package app

import (
	"bytes"
	"encoding/base64"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// changed gives the customer a photo and returns its address.
func changed(t *testing.T, server *running, form url.Values) string {
	t.Helper()
	a, err := postForm(server.api, withPhoto(form, base64.StdEncoding.EncodeToString(demoPhoto)))
	if err != nil || a.Result != "valid" {
		t.Fatalf("got %+v, %v", a, err)
	}
	return a.URL
}

// isServed tells whether the photo is at the address.
func isServed(t *testing.T, address string) bool {
	t.Helper()
	status, body := fetch(t, address)
	if served := bytes.Equal(body, demoPhoto); served != (status == 200) || !served && status != 404 {
		t.Errorf("%s: got %d and %d bytes", address, status, len(body))
	}
	return status == 200
}

// TestSignedPhotos: addresses work after a restart and at each server that has
// the key, and nobody sees a photo without one.
func TestSignedPhotos(t *testing.T) {
	t.Parallel()
	directory, key := t.TempDir(), "FLEETPHOTO_PHOTO_URL_KEY="+strings.Repeat("5e", 32)
	const signed = "FLEETPHOTO_PHOTO_URL=signed"
	form := newFleet(t, directory)
	show := []string{"customer", "show", "--fleet=689", "--id=452733"}
	out, err := command(t, directory, []string{signed}, show...).CombinedOutput()
	if want := "FLEETPHOTO_PHOTO_URL_KEY: there is no key in " + directory + "/fleetphoto-data/photo-url.key yet; a server"; err == nil || !strings.Contains(string(out), want) {
		t.Errorf("before the first start: got %v %s, want %s", err, out, want)
	}
	first := serve(t, directory, signed)
	address := changed(t, first, form)
	path, query, found := strings.Cut(strings.TrimPrefix(address, first.api), "?")
	if !found || !isServed(t, address) || isServed(t, first.api+path) {
		t.Errorf("%s: want a query without which there is no photo", address)
	}
	if log := first.logged + first.stop(t); strings.Contains(log, "photos are public") || strings.Contains(log, query) {
		t.Errorf("the log says\n%s", log)
	}
	if info, err := os.Stat(filepath.Join(directory, "fleetphoto-data/photo-url.key")); err != nil || info.Mode() != 0o600 {
		t.Errorf("the key: %v %v", info, err)
	}
	if out := output(t, directory, []string{signed}, show...); !strings.Contains(out, "photo:    at a server of this program, "+path+"?expires=") {
		t.Errorf("customer show: %s", out)
	}

	again, other, public := serve(t, directory, signed), serve(t, directory, signed, key), serve(t, directory)
	shared := changed(t, other, form)
	for _, test := range []struct {
		name, address string
		want          bool
	}{
		{"after a restart", again.api + path + "?" + query, true},
		{"under another key", other.api + path + "?" + query, false},
		{"another server with that key", serve(t, directory, signed, key).api + strings.TrimPrefix(shared, other.api), true},
		{"public", changed(t, public, form), true},
		{"public, with an old signature", public.api + path + "?" + query, true},
	} {
		if got := isServed(t, test.address); got != test.want {
			t.Errorf("%s: served %v, want %v", test.name, got, test.want)
		}
	}
	if !strings.Contains(public.logged, "photos are public: anyone who guesses a fleet's and a customer's number can see one") {
		t.Errorf("the log says\n%s", public.logged)
	}
}

// TestSignedPhotosElsewhere: a CDN's address has the query of the server's own.
func TestSignedPhotosElsewhere(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	form := newFleet(t, directory)
	server := serve(t, directory, "FLEETPHOTO_PHOTO_URL=signed", "FLEETPHOTO_PHOTO_BASE_URL=https://cdn.example.com/p")
	rest, found := strings.CutPrefix(changed(t, server, form), "https://cdn.example.com/p/")
	if !found || !isServed(t, server.api+"/photos/"+rest) {
		t.Errorf("got ….com/p/%s", rest)
	}
}

// TestPhotoURLKey: what can't be used stops the start; a check and doctor say it
// too, and make nothing.
func TestPhotoURLKey(t *testing.T) {
	t.Parallel()
	const embedded = "sqlite://data/fleetphoto.db"
	pinKey := "FLEETPHOTO_PIN_KEY=" + strings.Repeat("5e", 32)
	for _, test := range []struct{ name, database, setting, file, want string }{
		{"short", embedded, "FLEETPHOTO_PHOTO_URL_KEY=00ff", "", "FLEETPHOTO_PHOTO_URL_KEY: want a key of at least 32 bytes, got 2"},
		{"no hex", embedded, "FLEETPHOTO_PHOTO_URL_KEY=S3CRET", "", "FLEETPHOTO_PHOTO_URL_KEY: want an even number of hexadecimal digits"},
		{"broken file", embedded, "", "S3CRET", "/data/photo-url.key: want an even number of hexadecimal digits"},
		{"empty file", embedded, "", "\n", "/data/photo-url.key: want a key of at least 32 bytes, got 0"},
		{"a database elsewhere", "postgres://127.0.0.1:1/x", "", "", "FLEETPHOTO_PHOTO_URL_KEY: it is missing, and with this database the signed addresses of this server's /photos/ need it; make one for all servers with: openssl rand -hex 32"},
		{"the store's own addresses", embedded, "FLEETPHOTO_PHOTO_STORE_URL=s3://photos?region=eu-west-1&endpoint=http://127.0.0.1:1 FLEETPHOTO_PHOTO_BASE_URL=https://cdn.example.com/", "", "FLEETPHOTO_PHOTO_BASE_URL: a signed address is the photo store's own; leave this out"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			directory := t.TempDir()
			file := filepath.Join(directory, "data/photo-url.key")
			if test.file != "" {
				check(t, os.Mkdir(filepath.Dir(file), 0o700))
				check(t, os.WriteFile(file, []byte(test.file), 0o600))
			}
			settings := append(strings.Fields(test.setting), "FLEETPHOTO_ADDR=127.0.0.1:0", "FLEETPHOTO_ADMIN_ADDR=127.0.0.1:0", pinKey, "FLEETPHOTO_DATABASE_URL="+test.database, "FLEETPHOTO_PHOTO_URL=signed")
			for _, args := range [][]string{{"serve"}, {"serve", "--print-config"}, {"doctor"}} {
				out, err := command(t, directory, settings, args...).CombinedOutput()
				if text := string(out); err == nil || !strings.Contains(text, test.want) || strings.Contains(text, "S3CRET") {
					t.Errorf("%q: got %v %s, want %q", args, err, text, test.want)
				}
			}
			if test.file == "" && exists(file) {
				t.Error("a key was made")
			}
		})
	}
}

func TestDoctorSaysWhoSeesPhotos(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	output(t, directory, nil, "migrate")
	const name = "✓ it is known who can see photos: "
	for want, setting := range map[string]string{
		name + "anyone who guesses a fleet's and a customer's number; FLEETPHOTO_PHOTO_URL=signed prevents that\n": "FLEETPHOTO_PHOTO_URL=public",
		name + "anyone with a signed address; the next start of a server creates the key\n":                        "FLEETPHOTO_PHOTO_URL=signed",
	} {
		if out := output(t, directory, []string{setting}, "doctor"); !strings.Contains(out, want) {
			t.Errorf("want %q in\n%s", want, out)
		}
	}
	if exists(filepath.Join(directory, "fleetphoto-data/photo-url.key")) {
		t.Error("a key was made")
	}
	key := "FLEETPHOTO_PHOTO_URL_KEY=" + strings.Repeat("5e", 32)
	if out := output(t, directory, []string{"FLEETPHOTO_PHOTO_URL=signed", key}, "doctor"); !strings.Contains(out, name+"anyone with an address signed with the key of FLEETPHOTO_PHOTO_URL_KEY\n") {
		t.Errorf("got\n%s", out)
	}
}
