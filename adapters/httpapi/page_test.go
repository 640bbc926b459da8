package httpapi

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
)

func withPages(o *Options) { o.Pages = true }

func get(f *fixture, method, path string) *httptest.ResponseRecorder {
	recorder := httptest.NewRecorder()
	f.ServeHTTP(recorder, httptest.NewRequest(method, path, nil))
	return recorder
}

// pagePaths returns the paths of the pages and of the files that their HTML names.
func pagePaths(t *testing.T) []string {
	t.Helper()
	paths := []string{PagePath, DocsPath}
	for _, page := range []string{"index.html", "docs.html"} { // missing.html loads the same files
		html, err := pageFiles.ReadFile("page/" + page)
		check(t, err)
		for _, name := range regexp.MustCompile(`"(assets/[^"]+)"`).FindAllSubmatch(html, -1) {
			paths = append(paths, "/"+string(name[1]))
		}
	}
	return paths
}

func TestPagesAreServed(t *testing.T) {
	f := newFixture(t, withPages)
	for _, path := range pagePaths(t) {
		answer := get(f, http.MethodGet, path)
		contentType, _, err := mime.ParseMediaType(answer.Header().Get("Content-Type"))
		want := map[string]string{".css": "text/css", ".svg": "image/svg+xml", "": "text/html"}[filepath.Ext(path)]
		if filepath.Ext(path) == ".js" && strings.HasSuffix(contentType, "/javascript") {
			want = contentType
		}
		if err != nil || answer.Code != http.StatusOK || answer.Body.Len() < 100 || contentType != want || answer.Header().Get("X-Content-Type-Options") != "nosniff" {
			t.Errorf("%s: got %d %v and %d bytes, want %s", path, answer.Code, answer.Header(), answer.Body.Len(), want)
		}
		if head := get(f, http.MethodHead, path); head.Code != http.StatusOK {
			t.Errorf("HEAD %s: got %d", path, head.Code)
		}
	}
}

// TestPagesKeepTheEnvelope: other paths, and all pages if they are switched off, answer
// with the envelope.
func TestPagesKeepTheEnvelope(t *testing.T) {
	on, off := newFixture(t, withPages), newFixture(t)
	for _, test := range []struct {
		f            *fixture
		method, path string
		want         int
	}{
		{on, "GET", "/assets/", 404}, {on, "GET", "/assets/index.html", 404}, {on, "GET", "/assets/examples/update.sh", 404},
		{on, "GET", "/assets/oauth2-redirect.html", 404}, {on, "GET", "/docs/x", 404}, {on, "GET", "/index.html", 404},
		{on, "POST", PagePath, 405}, {on, "DELETE", DocsPath, 405}, {on, "OPTIONS", "/assets/page.js", 405},
		{off, "GET", PagePath, 404}, {off, "POST", PagePath, 404}, {off, "GET", DocsPath, 404}, {off, "GET", "/assets/page.js", 404},
		{off, "GET", "/assets/swagger-ui-bundle.js", 404},
	} {
		answer := get(test.f, test.method, test.path)
		if answer.Code != test.want || answer.Header().Get("Content-Type") != typeJSON || !strings.HasPrefix(answer.Body.String(), `{"result":"error"`) {
			t.Errorf("%s %s: got %d %s, want %d and the envelope", test.method, test.path, answer.Code, answer.Body, test.want)
		}
	}
}

// TestUnknownPathsForPeople: a browser gets a page and a program the envelope. The
// log line is the same.
func TestUnknownPathsForPeople(t *testing.T) {
	crossed := func(o *Options) { o.CORSOrigins = []string{"https://app.example.com"} }
	on, off := newFixture(t, withPages, crossed), newFixture(t, crossed)
	const chromium = "text/html,application/xhtml+xml,application/xml;q=0.9,image/webp,*/*;q=0.8"
	for _, test := range []struct {
		f                    *fixture
		method, path, accept string
		wantStatus           int
		wantPage             bool
	}{
		{on, "GET", "/nothing", chromium, 404, true}, {on, "HEAD", "/nothing", chromium, 404, true}, {on, "GET", "/assets/", "text/html", 404, true},
		{off, "GET", PagePath, chromium, 404, true}, {off, "GET", DocsPath, chromium, 404, true},
		{off, "GET", "http://photos.example.com", chromium, 404, true}, {on, "GET", "*", chromium, 404, true}, // without a slash
		{on, "GET", "/nothing", "", 404, false}, {on, "GET", "/nothing", "*/*", 404, false}, {on, "GET", "/nothing", "application/json, text/html", 404, false},
		{on, "GET", "/nothing", "text/html;q=0", 404, false}, {on, "POST", "/nothing", chromium, 404, false},
		{on, "GET", UpdatePath, chromium, 405, false}, {on, "GET", UpdatePath + "/", chromium, 404, true},
	} {
		request := httptest.NewRequest(test.method, test.path, nil)
		request.Header.Set("Accept", test.accept)
		answer := httptest.NewRecorder()
		test.f.log.Reset()
		test.f.ServeHTTP(answer, request)
		contentType := typeJSON
		if test.wantPage {
			contentType = "text/html; charset=utf-8"
		}
		html := answer.Body.String()
		if answer.Code != test.wantStatus || answer.Header().Get("Content-Type") != contentType {
			t.Errorf("%s %s %s: got %d %v", test.method, test.path, test.accept, answer.Code, answer.Header())
		}
		if answer.Code == http.StatusNotFound && (strings.Join(answer.Header()["Vary"], ", ") != "Origin, Accept" || !strings.Contains(test.f.log.String(), `"error":"Not Found"`)) {
			t.Errorf("%s %s %s: got %v and %s", test.method, test.path, test.accept, answer.Header(), test.f.log)
		}
		if test.wantPage && strings.Contains(html, "href=") != (test.f == on) {
			t.Errorf("%s %s: got %s", test.method, test.path, html)
		}
	}
}

// located makes this the address of all photos, or makes their addresses fail with err.
func located(address string, err error) func(*Options) {
	return func(o *Options) {
		if address != "" || err != nil {
			o.Update.Address = func(context.Context, domain.PhotoKey) (string, error) { return address, err }
		}
	}
}

func TestPagePolicy(t *testing.T) {
	const page = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'; img-src 'self' "
	for _, test := range []struct{ path, address, want string }{
		{PagePath, "", page + "blob:"},
		{PagePath, "https://iwebcab.s3.amazonaws.com/fleet-689/customer_photos/452733_photo.jpg", page + "blob: https://iwebcab.s3.amazonaws.com"},
		{PagePath, "http://127.0.0.1:7070/b/x.jpg?X-Amz-Signature=00ff", page + "blob: http://127.0.0.1:7070"},
		{DocsPath, "https://iwebcab.s3.amazonaws.com/x.jpg", page + "data:"},
	} {
		f := newFixture(t, withPages, located(test.address, nil))
		answer := get(f, http.MethodGet, test.path)
		got := fmt.Sprint(answer.Code, " ", answer.Header()["Content-Security-Policy"], answer.Header()["Referrer-Policy"])
		if want := "200 [" + test.want + "] [no-referrer]"; got != want {
			t.Errorf("%s %s: got  %s\nwant %s", test.path, test.address, got, want)
		}
	}
	f := newFixture(t, withPages, located("", domain.Errorf(domain.Unavailable, "the store is down").WithCause(errors.New("hunter2"))))
	if answer := get(f, http.MethodGet, PagePath); answer.Code != http.StatusServiceUnavailable || strings.Contains(answer.Body.String(), "hunter2") {
		t.Errorf("a store without addresses: got %d %s", answer.Code, answer.Body)
	}
}

// TestPageIsFilledInForDemosAlone also checks that values are escaped in attributes.
func TestPageIsFilledInForDemosAlone(t *testing.T) {
	if html := get(newFixture(t, withPages), http.MethodGet, PagePath).Body.String(); strings.Count(html, ` value=""`) != 3 || strings.Contains(html, "demo") {
		t.Errorf("got %s", html)
	}
	f := newFixture(t, withPages, func(o *Options) { o.Prefill = Prefill{`"><script>`, testPhone, testPIN} })
	html := get(f, http.MethodGet, PagePath).Body.String()
	for _, want := range []string{`value="&#34;&gt;&lt;script&gt;"`, `value="` + testPhone + `"`, `value="` + testPIN + `"`, "This is a demo"} {
		if !strings.Contains(html, want) {
			t.Errorf("want %s in %s", want, html)
		}
	}
}

// TestPageOffersTheAcceptedFormats: the page names the formats that the decoder accepts.
func TestPageOffersTheAcceptedFormats(t *testing.T) {
	var types []string
	for format := range strings.SplitSeq(strings.ReplaceAll(photo.Accepted(), " or ", ", "), ", ") {
		types = append(types, "image/"+strings.ToLower(format))
	}
	html := get(newFixture(t, withPages), http.MethodGet, PagePath).Body.String()
	for _, want := range []string{`accept="` + strings.Join(types, ",") + `"`, photo.Accepted() + ", up to 1.0 MiB"} {
		if !strings.Contains(html, want) {
			t.Errorf("want %s in %s", want, html)
		}
	}
}

// TestPagesAreFree: the pages have nothing inline, store nothing and fetch nothing from
// other origins.
func TestPagesAreFree(t *testing.T) {
	inline := regexp.MustCompile(`<style|<script>|\son[a-z]+=|\sstyle=|javascript:|localStorage|sessionStorage|indexedDB|document\.cookie|\beval\b|innerHTML|https?://`)
	paths, err := filepath.Glob("page/*.*")
	check(t, err)
	if len(paths) < 7 {
		t.Fatalf("only %d files were checked", len(paths))
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		check(t, err)
		own := strings.NewReplacer("http://www.w3.org/2000/svg", "", shownBase, "").Replace(string(text))
		if found := inline.FindAllString(own, -1); found != nil {
			t.Errorf("%s has %q", path, found)
		}
	}
}
