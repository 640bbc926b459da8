package contracttests_test

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// provisioned is a server on SQLite and files, and what the HTTP suite wants to
// know of it, flag by flag.
func provisioned(t *testing.T, settings ...string) map[string]string {
	t.Helper()
	p := newProduct(t, "FLEETPHOTO_MAX_PHOTO_BYTES=200000", "FLEETPHOTO_MAX_PIXELS=10000", "FLEETPHOTO_AUTH_FAILURE_RATE=0").with(settings...) // a rate of 0 saves waiting
	flags := map[string]string{
		"-phone": phone, "-pin": "1234", "-lock-phone": "447700900124", "-no-pin-phone": "447700900125", "-other-phone": "447700900999",
		"-max-photo-bytes": "200000", "-max-pixels": "10000",
	}
	p.output(t, "migrate")
	flags["-api-key"] = p.output(t, "fleet", "add", "689")
	flags["-disabled-key"] = p.output(t, "fleet", "add", "690")
	p.output(t, "fleet", "disable", "690")
	p.output(t, "fleet", "add", "691")
	flags["-require-pin-key"] = p.output(t, "fleet", "add", "692")
	p.output(t, "fleet", "set", "692", "--require-pin=on")
	for i, c := range []struct{ fleet, phone, pin string }{
		{"689", flags["-phone"], "1234"}, {"689", flags["-lock-phone"], "1234"}, {"689", flags["-no-pin-phone"], ""}, {"691", flags["-other-phone"], "1234"}, {"692", flags["-phone"], "1234"},
	} {
		p.output(t, "customer", "add", "--fleet="+c.fleet, "--id="+strconv.Itoa(i+1), "--phone="+c.phone, "--pin="+c.pin)
	}
	flags["-base-url"] = p.serve(t).api
	return flags
}

// suite runs TestHTTP in a process of its own as somebody does for a server of
// theirs, and returns the names of the cases that ended so, and what was printed.
func suite(t *testing.T, flags map[string]string, settings ...string) (failed, skipped []string, out string) {
	t.Helper()
	program, err := os.Executable()
	must(t, err)
	args := []string{"-test.run=TestHTTP", "-test.v"}
	for name, value := range flags {
		args = append(args, name, value)
	}
	c := product{program, t.TempDir(), append(settings, "GOCOVERDIR="+t.TempDir())}.command(t, args...)
	text, err := c.CombinedOutput()
	cases := func(outcome string) (names []string) {
		for _, found := range regexp.MustCompile(outcome+`: TestHTTP/(\w+)`).FindAllSubmatch(text, -1) {
			names = append(names, string(found[1]))
		}
		return names
	}
	if (err == nil) != bytes.HasSuffix(bytes.TrimSpace(text), []byte("PASS")) {
		t.Errorf("the suite ended with %v\n%s", err, text)
	}
	return cases("FAIL"), cases("SKIP"), string(text)
}

// without returns flags that lack some.
func without(flags map[string]string, names ...string) map[string]string {
	kept := maps.Clone(flags)
	maps.DeleteFunc(kept, func(name, _ string) bool { return slices.Contains(names, name) })
	return kept
}

// with returns flags of which one is different.
func with(flags map[string]string, name, value string) map[string]string {
	changed := maps.Clone(flags)
	changed[name] = value
	return changed
}

// TestSuiteOnAServer runs the HTTP suite on processes that keep the contract,
// and through a proxy that breaks it.
func TestSuiteOnAServer(t *testing.T) {
	t.Parallel()
	flags := provisioned(t)
	if failed, skipped, out := suite(t, flags); failed != nil || skipped != nil || !strings.HasSuffix(out, "PASS\n") {
		t.Errorf("failed: %v, skipped: %v\n%s", failed, skipped, out)
	}
	t.Run("again", func(t *testing.T) {
		_, _, out := suite(t, flags)
		wantSentence(t, out, "not locked, as an earlier run leaves it: got 429")
	})
	t.Run("broken", func(t *testing.T) {
		failed, _, out := suite(t, with(without(flags, "-lock-phone"), "-base-url", broken(t, flags["-base-url"])))
		if !slices.Equal(failed, []string{"fleet_disabled"}) {
			t.Errorf("failed: %v", failed)
		}
		for _, want := range []string{"The key of a fleet that is switched off gets Fleet Disabled.\n", "exchange 1: want", "got 403", `"error":"Fleet Off"`} {
			if !strings.Contains(out, want) {
				t.Errorf("want %q in\n%s", want, out)
			}
		}
	})
	for name, misuse := range map[string]struct {
		flags    map[string]string
		sentence string
	}{
		"wrong key":     {with(flags, "-api-key", "0000000000000000000000000"), "must succeed: got 401 {\"result\":\"error\",\"error\":\"Invalid Hash ID\""},
		"wrong phone":   {with(flags, "-phone", "447700900126"), "\"error\":\"Customer Not Found\""},
		"wrong PIN":     {with(without(flags, "-lock-phone"), "-pin", "4321"), "\"error\":\"Invalid PIN\""},
		"no URL":        {without(flags, "-base-url"), "the base URL is missing"},
		"a path":        {with(flags, "-base-url", flags["-base-url"]+"/api"), "without a path"},
		"nobody there":  {with(flags, "-base-url", closed(t)), "connection refused"},
		"no key":        {without(flags, "-api-key"), "the API key is missing"},
		"no phone":      {without(flags, "-phone"), "the phone number is missing"},
		"no PIN":        {without(flags, "-pin"), "the PIN is missing"},
		"phone locked":  {with(flags, "-lock-phone", phone), "must be another"},
		"another site":  {with(flags, "-base-url", serving(t, http.NotFoundHandler())), "must succeed: got 404 404 page not found"},
		"a redirection": {with(flags, "-base-url", serving(t, http.RedirectHandler("https://example.com/", http.StatusMovedPermanently))), "redirects to https://example.com/"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failed, _, out := suite(t, misuse.flags)
			if len(failed) > 0 {
				t.Errorf("cases ran: %v", failed)
			}
			wantSentence(t, out, misuse.sentence)
		})
	}
}

// TestSuiteOnTheDemo skips what the demo has no customers for, and says so. Where
// the demo's rate limit, which is the default, refuses a call, it waits.
func TestSuiteOnTheDemo(t *testing.T) {
	t.Parallel()
	demo := newProduct(t).start(t, "--demo")
	demo.listens(t)
	failed, skipped, out := suite(t, map[string]string{"-base-url": demo.api, "-api-key": "DEMO0DEMO0DEMO0DEMO0DEMO0", "-phone": phone, "-pin": "1234"})
	want := []string{
		"customer_not_found_other_fleet", "fleet_disabled", "invalid_pin_none_set", "photo_too_large_body", "photo_too_large_bytes", "photo_too_large_pixels", "pin_locked", "pin_required",
	}
	if failed != nil || !slices.Equal(skipped, want) || !strings.Contains(out, "this target has no LockPhone") {
		t.Errorf("failed: %v, skipped: %v\n%s", failed, skipped, out)
	}
}

// TestSuiteByTLS runs it on a server that ends TLS, and through a proxy that does:
// both speak HTTP/2.
func TestSuiteByTLS(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		t.Skip("only on Linux can a variable name the certificates that Go trusts")
	}
	behind := provisioned(t)
	front := httptest.NewUnstartedServer(proxy(t, behind["-base-url"]))
	front.EnableHTTP2 = true
	front.StartTLS()
	t.Cleanup(front.Close)
	behind["-base-url"] = front.URL

	cert, key := filepath.Join(t.TempDir(), "cert.pem"), filepath.Join(t.TempDir(), "key.pem")
	secret, err := x509.MarshalPKCS8PrivateKey(front.TLS.Certificates[0].PrivateKey)
	must(t, err)
	must(t, os.WriteFile(cert, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: front.Certificate().Raw}), 0o600))
	must(t, os.WriteFile(key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600))
	itself := provisioned(t, "FLEETPHOTO_TLS_CERT="+cert, "FLEETPHOTO_TLS_KEY="+key)
	itself["-base-url"] = strings.Replace(itself["-base-url"], "http://", "https://", 1)

	for name, flags := range map[string]map[string]string{"a proxy": behind, "itself": itself} {
		if failed, skipped, out := suite(t, flags, "SSL_CERT_FILE="+cert); failed != nil || skipped != nil || !strings.HasSuffix(out, "PASS\n") {
			t.Errorf("%s: failed: %v, skipped: %v\n%s", name, failed, skipped, out)
		}
		_, _, out := suite(t, flags)
		wantSentence(t, out, "certificate")
	}
}

// wantSentence wants the suite to have said why it ran nothing, in one line.
func wantSentence(t *testing.T, out, sentence string) {
	t.Helper()
	_, said, found := strings.Cut(out, "nothing was tested: ")
	line, rest, _ := strings.Cut(said, "\n")
	if !found || !strings.Contains(line, sentence) || !strings.Contains(rest, "--- FAIL: TestHTTP ") {
		t.Errorf("want one line with %q in\n%s", sentence, out)
	}
}

func serving(t *testing.T, handler http.Handler) string {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	return server.URL
}

// closed returns a URL where nobody listens.
func closed(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(http.NotFoundHandler())
	server.Close()
	return server.URL
}

// proxy passes calls on to a server.
func proxy(t *testing.T, base string) *httputil.ReverseProxy {
	t.Helper()
	behind, err := url.Parse(base)
	must(t, err)
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) { r.SetURL(behind) }}
}

// broken stands before a server and says one error in other words.
func broken(t *testing.T, base string) string {
	t.Helper()
	p := proxy(t, base)
	p.ModifyResponse = func(response *http.Response) error {
		body, err := io.ReadAll(response.Body)
		body = bytes.ReplaceAll(body, []byte(`"Fleet Disabled"`), []byte(`"Fleet Off"`))
		response.Body, response.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
		response.Header.Set("Content-Length", strconv.Itoa(len(body)))
		return err
	}
	return serving(t, p)
}
