package contracttests_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// doctor runs the command and returns what it prints, and the exit code.
func (p product) doctor(t *testing.T) (out string, code int) {
	t.Helper()
	c := p.command(t, "doctor")
	text, _ := c.CombinedOutput()
	return string(text), c.ProcessState.ExitCode()
}

// behind returns the URL of a photo store whose server is behind what before
// makes of it.
func behind(t *testing.T, rawURL string, before func(w http.ResponseWriter, r *http.Request, pass http.Handler)) string {
	t.Helper()
	upstream := parse(t, parse(t, rawURL).Query().Get("endpoint"))
	pass := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(upstream)
		r.Out.Host = r.In.Host // which is signed
	}}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { before(w, r, pass) }))
	t.Cleanup(front.Close)
	return withParameter(t, rawURL, "endpoint", front.URL)
}

// refuseDeleting is a server that refuses to delete.
func refuseDeleting(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	if r.Method == http.MethodDelete {
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code></Error>"))
		return
	}
	pass.ServeHTTP(w, r)
}

// keepVersions is a server that says that it keeps versions.
func keepVersions(w http.ResponseWriter, r *http.Request, pass http.Handler) {
	if r.Method == http.MethodHead {
		w.Header().Set("X-Amz-Version-Id", "3sL4kqtJlcpXroDTDmJ")
	}
	pass.ServeHTTP(w, r)
}

// TestDoctor on servers that are well, and of which one isn't: one cross, whose
// line says what to change, and no secret.
func TestDoctor(t *testing.T) {
	t.Parallel()
	const connect, connectStore = "✗ connect, and check that the tables are up to date\n", "✗ connect, write, read and delete\n"
	type backends struct{ database, store string }
	for name, test := range map[string]struct {
		spoil func(t *testing.T, b *backends)
		cross string // empty: none
		says  []string
	}{
		"all is well": {func(*testing.T, *backends) {}, "", []string{
			"✓ its version is one that this program is tested with: PostgreSQL ", "✓ its clock agrees with this machine's", "✓ it refuses a deletion that comes too late", "✓ it keeps no deleted photos",
			"✓ fetch it at its address", "✓ the clock at its address", "all 34 steps worked\n",
		}},
		"google": {func(t *testing.T, b *backends) { b.store = servers.GS(t) }, "", []string{
			"! it refuses a deletion that comes too late\n      it doesn't: the version is compared right before the deletion, which may delete a photo that is stored in between\n",
			"✓ refuse a change that comes too late", "✓ it keeps no deleted photos",
		}},
		"azure": {func(t *testing.T, b *backends) { b.store = servers.Azblob(t) }, "", []string{"✓ it refuses a deletion that comes too late", "✓ it keeps no deleted photos"}},
		"a version kept": {func(t *testing.T, b *backends) { b.store = behind(t, b.store, keepVersions) }, "", []string{
			"! it keeps no deleted photos\n      it keeps versions",
		}},
		"signed":       {func(_ *testing.T, b *backends) { b.store += " FLEETPHOTO_PHOTO_URL=signed" }, "", []string{"✓ fetch it at its address"}},
		"no right":     {func(t *testing.T, b *backends) { b.store = behind(t, b.store, refuseDeleting) }, connectStore, []string{"grant s3:DeleteObject to these credentials", "– put a photo: not tried"}},
		"no bucket":    {func(t *testing.T, b *backends) { b.store = elsewhere(t, b.store) }, connectStore, []string{`the bucket "nobody-made-this" does not exist; create it or correct the URL`}},
		"stopped":      {func(t *testing.T, b *backends) { b.database = stopped(t, b.database) }, connect, []string{"connection refused; check that it runs", "– read it: not tried"}},
		"not migrated": {nil, connect, []string{"it has no tables of this program; make them with: fleetphoto migrate"}},
		"nobody may read": {func(t *testing.T, b *backends) {
			b.store += " FLEETPHOTO_PHOTO_BASE_URL=" + serving(t, http.NotFoundHandler())
		}, "✗ fetch it at its address\n", []string{"404 Not Found; make the photos there public", "✓ delete it"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := backends{servers.Postgres(t), servers.S3(t)}
			if test.spoil != nil {
				newProduct(t, "FLEETPHOTO_DATABASE_URL="+b.database).output(t, "migrate")
				test.spoil(t, &b)
			}
			store, also, _ := strings.Cut(b.store, " ")
			out, code := newProduct(t, "FLEETPHOTO_DATABASE_URL="+b.database, "FLEETPHOTO_PHOTO_STORE_URL="+store, also).doctor(t)
			crosses := strings.Count(out, "  ✗ ")
			if test.cross == "" && (crosses > 0 || code != 0) || test.cross != "" && (crosses != 1 || code != 1 || !strings.Contains(out, test.cross)) {
				t.Errorf("got %d\n%s", code, out)
			}
			for _, want := range test.says {
				if !strings.Contains(out, want) {
					t.Errorf("want %q in\n%s", want, out)
				}
			}
			if strings.Contains(out, "only-on-loopback") || strings.Contains(out, "Signature") {
				t.Errorf("it prints a secret:\n%s", out)
			}
		})
	}
}

// elsewhere names a bucket that isn't there.
func elsewhere(t *testing.T, rawURL string) string {
	t.Helper()
	u := parse(t, rawURL)
	u.Host = "nobody-made-this"
	return u.String()
}

// stopped has nobody listen where a database did.
func stopped(t *testing.T, rawURL string) string {
	t.Helper()
	u := parse(t, rawURL)
	u.Host = parse(t, closed(t)).Host
	return u.String()
}

// TestPhotosMove moves photos between the clouds while a server runs, as
// docs/operate.md says.
func TestPhotosMove(t *testing.T) {
	t.Parallel()
	databaseURL, from, to := servers.Postgres(t), servers.S3(t), servers.Azblob(t)
	p := newProduct(t, "FLEETPHOTO_DATABASE_URL="+databaseURL, "FLEETPHOTO_PHOTO_STORE_URL="+from)
	moved := p.with("FLEETPHOTO_PHOTO_STORE_URL=" + to)
	old := p.serve(t)
	form := p.addCustomer(t)
	change := func(s *process, photo string) {
		t.Helper()
		if a, err := s.change(form, photo); err != nil || a.Result != "valid" {
			t.Fatalf("got %+v, %v", a, err)
		}
	}
	copied := func(want string) {
		t.Helper()
		if out := p.output(t, "photos", "copy", "--from", from, "--to", to); !strings.Contains(out, want) {
			t.Errorf("got %s, want %q in it", out, want)
		}
	}
	change(old, photoOf(t, 50))
	copied("1 photos copied")
	copied("1 unchanged")
	change(old, photoOf(t, 60))
	fresh := moved.serve(t)
	copied("1 photos copied")
	change(old, "delete")
	copied("1 deleted")
	change(fresh, photoOf(t, 70))
	copied("1 unchanged")
	if out := moved.output(t, "photos", "verify", "--orphans"); !strings.Contains(out, "1 customers looked at: 0 photos missing") || !strings.Contains(out, "1 photos listed: 0 of") {
		t.Errorf("got %s", out)
	}
	openKept(t, databaseURL, to).agree(t)
}
