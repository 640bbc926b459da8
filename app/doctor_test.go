package app

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

const healthy = `configuration
  ✓ the settings can be used
  ✓ the callers' addresses are known: from the connection; if a proxy is in front of this server, name it in FLEETPHOTO_TRUSTED_PROXIES
  ✓ the databases' URLs can be used
  ✓ there is a key for the PINs: %s
  ✓ the photo store's URL can be used
  ✓ it is known who can see photos: anyone who guesses a fleet's and a customer's number; FLEETPHOTO_PHOTO_URL=signed prevents that
  ! calls are encrypted
      not by this server, and no proxy is configured: unless one terminates TLS in front of :8080, keys, PINs and photos travel in the clear; name it in FLEETPHOTO_TRUSTED_PROXIES, or set FLEETPHOTO_TLS_CERT
%s
  ✓ connect, and check that the tables are up to date%s
  ✓ its PINs were hashed with this key
  ✓ look up an API key
  ✓ add a customer
  ✓ find a customer by phone
  ✓ try a wrong PIN
  ✓ unlock a PIN
  ✓ write a photo's record under the customer's lock
  ✓ overwrite it
  ✓ remove a customer
  ✓ check that calls could have the phone numbers: all of 0 customers
  ✓ open an entry of the API log, which stays there as a probe
  ✓ close it
  ✓ read it
%s
  ✓ connect, write, read and delete%s
  ✓ put a photo
  ✓ read it
  ✓ overwrite it
  ✓ refuse a change that comes too late
  ✓ delete it
  ✓ find none
clean up
  ✓ remove what was only there to try
all %d steps worked; the line below each ! is worth knowing
`

func TestDoctorInMemory(t *testing.T) {
	s := newShared(t)
	s.expect(0, fmt.Sprintf(healthy, "by flag", "FLEETPHOTO_DATABASE_URL shared://", "", "FLEETPHOTO_PHOTO_STORE_URL old://", "", 29), "", "doctor")
	s.expectNoProbes()
}

// expectNoProbes makes sure that nothing is left.
func (s *shared) expectNoProbes() {
	s.t.Helper()
	customers, err := s.database.CustomerRepo.Customers(s.t.Context(), domain.CustomerRef{}, 10)
	if err != nil || len(customers) > 0 {
		s.t.Errorf("left are %+v, %v", customers, err)
	}
	for photo, err := range s.old.List(s.t.Context()) {
		s.t.Errorf("left is %s, %v", photo.Key, err)
	}
}

// TestDoctorOnSQLiteAndFiles before and after the migration. It makes neither a
// database nor a key.
func TestDoctorOnSQLiteAndFiles(t *testing.T) {
	t.Parallel()
	directory := t.TempDir()
	out, err := command(t, directory, nil, "doctor").CombinedOutput()
	for _, want := range []string{
		"\n  ✗ there is a key for the PINs\n      there is none yet in " + directory + "/fleetphoto-data/pin.key; to create it and the database, run: fleetphoto migrate\n",
		"\n  ✗ connect, and check that the tables are up to date\n      there is no database at " + directory + "/fleetphoto-data/fleetphoto.db; is this the server's directory? make one with: fleetphoto migrate\n  – look up an API key: not tried\n",
		"\n  ✓ delete it\n", "\nfleetphoto: 2 of 17 steps failed; the line below each ✗ says what to change\n",
	} {
		if err == nil || !strings.Contains(string(out), want) {
			t.Errorf("before the migration: %v, want %q in\n%s", err, want, out)
		}
	}
	for _, name := range []string{"pin.key", "fleetphoto.db"} {
		if exists(filepath.Join(directory, "fleetphoto-data", name)) {
			t.Errorf("there is a %s", name)
		}
	}
	output(t, directory, nil, "migrate")
	var sizes []string
	lines := strings.Split(output(t, directory, nil, "doctor"), "\n")
	for i := range lines {
		if name, free, found := strings.Cut(lines[i], "its disk has room: "); found {
			sizes = append(sizes, free)
			lines[i] = name + "its disk has room"
		}
	}
	const room = "\n  ✓ its disk has room"
	want := fmt.Sprintf(healthy, "in "+directory+"/fleetphoto-data/pin.key", "FLEETPHOTO_DATABASE_URL sqlite://fleetphoto-data/fleetphoto.db", room, "FLEETPHOTO_PHOTO_STORE_URL file://fleetphoto-data/photos", room, 31)
	if got := strings.Join(lines, "\n"); got != want || len(sizes) != 2 || !strings.HasSuffix(sizes[0], " are free") {
		t.Errorf("after the migration: got\n%s\nwant\n%s", got, want)
	}
	check(t, os.Remove(filepath.Join(directory, "fleetphoto-data/pin.key")))
	out, err = command(t, directory, nil, "doctor").CombinedOutput()
	if err == nil || !strings.Contains(string(out), "✗ there is a key for the PINs\n      FLEETPHOTO_PIN_KEY: the database "+directory+"/fleetphoto-data/fleetphoto.db exists, but the PIN key beside it") {
		t.Errorf("without the key: %v\n%s", err, out)
	}
}

// TestDoctorOnOtherSettings: each cross says what to change, and what can be
// tried without it, is.
func TestDoctorOnOtherSettings(t *testing.T) {
	s := newShared(t)
	for _, test := range []struct{ flag, cross, tick string }{
		{"--max-pixels=0", "✗ the settings can be used\n      FLEETPHOTO_MAX_PIXELS: want at least 1, got 0\n", "configuration"},
		{"--trusted-proxies=proxy", "✗ the settings can be used\n      FLEETPHOTO_TRUSTED_PROXIES: want addresses or CIDRs", "configuration"},
		{"--api-log-url=tape://", "✗ the databases' URLs can be used\n      FLEETPHOTO_API_LOG_URL: want a URL that begins with memory://, shared://, got \"tape\"\n", "✓ delete it"},
		{"--photo-store-url=tape://", "✗ the photo store's URL can be used\n      FLEETPHOTO_PHOTO_STORE_URL: want a URL", "✓ remove a customer"},
		{"--photo-url=signed", "✗ it is known who can see photos\n      FLEETPHOTO_PHOTO_URL_KEY: it is missing", "✓ remove a customer"},
		{"--pin-key=", "✗ there is a key for the PINs\n      FLEETPHOTO_PIN_KEY: it is missing, and this database needs it", "✓ remove a customer"},
	} {
		code, out, failure := s.run(t.Context(), "doctor", test.flag)
		if code != 1 || !strings.Contains(out, test.cross) || strings.Count(out, "✗") != 1 || !strings.Contains(out, test.tick) || !strings.Contains(failure, "fleetphoto: 1 of ") {
			t.Errorf("%s: got %d\n%s%s\nwant %q and %q", test.flag, code, out, failure, test.cross, test.tick)
		}
	}
	code, out, failure := s.run(t.Context(), "doctor", "--api-log-url=memory://")
	if code != 0 || !strings.Contains(out, "✓ check that calls could have the phone numbers: all of 0 customers\nFLEETPHOTO_API_LOG_URL memory://\n  ✓ connect, and check that the tables are up to date\n  ✓ open an entry") {
		t.Errorf("with a log of its own: got %d\n%s%s", code, out, failure)
	}
}

// refusing is a store that refuses to delete, in an operator's words.
type refusing struct{ ports.PhotoStore }

func (refusing) Delete(context.Context, domain.PhotoKey, domain.PhotoVersion) error {
	return domain.Errorf(domain.Unavailable, "the photo store doesn't answer as it should").WithCause(errors.New("grant DeleteObject\nto s3cret"))
}

func TestDoctorSaysWhatOperatorsNeed(t *testing.T) {
	s := newShared(t)
	s.stores["old"] = refusing{s.old}
	code, out, _ := s.run(t.Context(), "doctor")
	want := "  ✗ delete it\n      grant DeleteObject; to s3cret\n  – find none: not tried\nclean up\n  ✗ remove what was only there to try\n      customer "
	if code != 1 || !strings.Contains(out, want) || !strings.HasSuffix(out, "_photo.jpg may be left: grant DeleteObject; to s3cret\n") {
		t.Errorf("got %d\n%s\nwant %q", code, out, want)
	}
}

// TestDoctorIsInterrupted: it tries nothing more, and leaves nothing.
func TestDoctorIsInterrupted(t *testing.T) {
	s := newShared(t)
	ctx, cancel := context.WithCancel(t.Context())
	s.stores["old"] = interrupting{s.old, cancel}
	code, out, failure := s.run(ctx, "doctor")
	want := "  – overwrite it: not tried\n  – refuse a change that comes too late: not tried\n  – delete it: not tried\n  – find none: not tried\nclean up\n  ✓ remove what was only there to try\n"
	if code != 1 || !strings.HasSuffix(out, want) || !strings.Contains(failure, "steps failed") && !strings.Contains(failure, "interrupted after") {
		t.Errorf("got %d\n%s%s", code, out, failure)
	}
	s.expectNoProbes()
}

// withAddress is a store whose photos a web server has.
type withAddress struct {
	ports.PhotoStore
	base string
}

func (s withAddress) URL(key domain.PhotoKey) string {
	return s.base + string(key) + "?signature=s3cret"
}

func (s withAddress) SignedURL(context.Context, domain.PhotoKey, time.Duration) (string, error) {
	return "", domain.Errorf(domain.Unavailable, "it signs nothing")
}

func TestDoctorFetches(t *testing.T) {
	s := newShared(t)
	var status int
	var date time.Time
	var body []byte
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Date", date.UTC().Format(http.TimeFormat))
		w.WriteHeader(status)
		if body != nil {
			_, _ = w.Write(body)
			return
		}
		content, _, err := s.old.Open(r.Context(), domain.PhotoKey(strings.TrimPrefix(r.URL.Path, "/")))
		check(t, err)
		defer func() { _ = content.Close() }()
		http.ServeContent(w, r, "", time.Time{}, content)
	}))
	defer server.Close()
	s.stores["old"] = withAddress{s.old, server.URL + "/"}
	const clock = "the clock at its address agrees with this machine's"
	for _, test := range []struct {
		name   string
		status int
		skew   time.Duration
		body   []byte
		want   string
		ticks  int
	}{
		{"well", 200, 0, nil, "  ✓ fetch it at its address\n  ✓ delete it\n  ✓ find none\n  ✓ " + clock + "\n", 29},
		{"refused", 403, 0, []byte("no"), "  ✗ fetch it at its address\n      GET " + server.URL + "/fleet-0/customer_photos/", 28},
		{"another page", 200, 0, []byte("Welcome"), "  ✗ fetch it at its address\n      its address has something else, of 7 bytes", 28},
		{"another time", 200, 10 * time.Minute, nil, "  ✗ " + clock + "\n      it differs from this machine's by ", 28},
	} {
		status, date, body = test.status, time.Now().Add(test.skew), test.body
		_, out, _ := s.run(t.Context(), "doctor")
		if !strings.Contains(out, test.want) || strings.Count(out, "✓") != test.ticks || strings.Contains(out, "s3cret") {
			t.Errorf("%s: got\n%s\nwant %q and %d ticks", test.name, out, test.want, test.ticks)
		}
		s.expectNoProbes()
	}
	status, body = 403, []byte("no")
	if _, out, _ := s.run(t.Context(), "doctor"); !strings.Contains(out, "_photo.jpg: 403 Forbidden; make the photos there public, set FLEETPHOTO_PHOTO_URL=signed") {
		t.Errorf("got\n%s", out)
	}
	server.Close()
	if _, out, _ := s.run(t.Context(), "doctor"); !strings.Contains(out, "connection refused; make the photos there public") || strings.Contains(out, "s3cret") || strings.Contains(out, clock) {
		t.Errorf("got\n%s", out)
	}
}

func TestDoctorComparesClocks(t *testing.T) {
	t.Parallel()
	for skew, wrong := range map[time.Duration]bool{0: false, 4 * time.Minute: false, -4 * time.Minute: false, 6 * time.Minute: true, -6 * time.Minute: true} {
		if _, err := compareClocks(time.Now().Add(skew), nil); (err != nil) != wrong {
			t.Errorf("%v: got %v", skew, err)
		}
	}
	if _, err := compareClocks(time.Now(), errors.New("no answer")); err == nil {
		t.Error("without an answer: no error")
	}
}

func TestDoctorMeasuresTheDisk(t *testing.T) {
	t.Parallel()
	if found, err := freeSpace(t.Context(), t.TempDir()); (err == nil) != strings.HasSuffix(found, " are free") || err != nil && !strings.Contains(err.Error(), "make room") {
		t.Errorf("got %q, %v", found, err)
	}
	if found, err := freeSpace(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Errorf("of no directory: got %q", found)
	}
}
