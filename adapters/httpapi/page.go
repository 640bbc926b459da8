package httpapi

import (
	"bytes"
	"embed"
	"html/template"
	"net/http"
	"net/url"
	"strings"

	"github.com/danielgtaylor/huma/v2/negotiation"
	"github.com/dustin/go-humanize"
	"github.com/swaggest/swgui/v5emb"

	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/domain/photo"
	"github.com/fleetphoto/fleetphoto/domain/usecase"
)

// The paths of the pages for people. What the pages load is below assetsPath.
const (
	PagePath   = "/"
	DocsPath   = "/docs"
	assetsPath = "/assets/"
	typeHTML   = "text/html"
)

// Prefill has the initial values of the fields of PagePath.
type Prefill struct{ APIKey, Phone, PIN string }

//go:embed page
var pageFiles embed.FS

var pages = template.Must(template.ParseFS(pageFiles, "page/*.html"))

// assets are the files that the pages load, and their types.
var assets = map[string]string{
	"page.css": "text/css; charset=utf-8",
	"page.js":  "text/javascript; charset=utf-8",
	"words.js": "text/javascript; charset=utf-8",
	"docs.css": "text/css; charset=utf-8",
	"docs.js":  "text/javascript; charset=utf-8",
	"icon.svg": "image/svg+xml",
}

// The pages' Content-Security-Policy. Nothing is inline, and only stored photos
// come from another origin, which is added to img-src. Swagger UI's style sheet has
// its icons in data: URLs.
const (
	pagePolicy = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; " +
		"form-action 'none'; frame-ancestors 'none'; base-uri 'none'; img-src 'self' "
	photoSources = "blob:"
	docsSources  = "data:"
)

// registerPages serves the pages and each asset by its name. Other paths below
// assetsPath are not found.
func (s *Server) registerPages() {
	s.router.Get(PagePath, func(w http.ResponseWriter, r *http.Request) {
		origin, err := s.photoOrigin(r)
		if err != nil {
			s.answerFailure(w, r, err)
			return
		}
		s.servePage(w, r, http.StatusOK, "index.html", pagePolicy+photoSources+origin, map[string]any{
			"Prefill": s.Prefill, "Path": UpdatePath, "Formats": photo.Accepted(),
			"MaxPhoto": s.maxPhoto, "MaxBytes": humanize.IBytes(uint64(s.maxPhoto)),
		})
	})
	s.router.Get(DocsPath, func(w http.ResponseWriter, r *http.Request) {
		s.servePage(w, r, http.StatusOK, "docs.html", pagePolicy+docsSources, examples())
	})
	for name, contentType := range assets {
		s.router.Get(assetsPath+name, serveAsset(name, contentType))
	}
	viewer := v5emb.New("", "", assetsPath)
	for _, name := range []string{"swagger-ui.css", "swagger-ui-bundle.js"} {
		s.router.Get(assetsPath+name, viewer.ServeHTTP)
	}
}

// notFound answers an unknown path, with a page if a browser asks and with the
// envelope otherwise.
func (s *Server) notFound(w http.ResponseWriter, r *http.Request) {
	w.Header().Add("Vary", "Accept")
	reads := r.Method == http.MethodGet || r.Method == http.MethodHead
	if !reads || negotiation.SelectQValue(r.Header.Get("Accept"), []string{typeJSON, typeHTML}) != typeHTML {
		s.answerFailure(w, r, errPath())
		return
	}
	note(r, usecase.Answer{}, errPath())
	// relative, as a proxy may serve everything below a path
	root := "./" + strings.Repeat("../", strings.Count(strings.TrimPrefix(r.URL.EscapedPath(), "/"), "/"))
	s.servePage(w, r, http.StatusNotFound, "missing.html", pagePolicy, map[string]any{"Pages": s.Pages, "Root": root, "Path": UpdatePath})
}

func (s *Server) servePage(w http.ResponseWriter, r *http.Request, status int, page, policy string, data any) {
	var html bytes.Buffer
	if err := pages.ExecuteTemplate(&html, page, data); err != nil {
		s.answerFailure(w, r, err)
		return
	}
	header := w.Header()
	header.Set("Content-Type", typeHTML+"; charset=utf-8")
	header.Set("Content-Security-Policy", policy)
	header.Set("Referrer-Policy", "no-referrer")
	header.Set("Cache-Control", "no-cache")
	w.WriteHeader(status)
	_, _ = w.Write(html.Bytes()) // the client is gone if this fails
}

func serveAsset(name, contentType string) http.HandlerFunc {
	return func(w http.ResponseWriter, _ *http.Request) {
		data, _ := pageFiles.ReadFile("page/" + name) // a test reads each
		w.Header().Set("Content-Type", contentType)
		w.Header().Set("Cache-Control", "no-cache")
		_, _ = w.Write(data) // the client is gone if this fails
	}
}

// photoOrigin returns the origin of the stored photos' addresses after a space, or
// an empty string if this server serves the photos.
func (s *Server) photoOrigin(r *http.Request) (string, error) {
	if s.Update.Address == nil {
		return "", nil
	}
	address, err := s.Update.Address(r.Context(), domain.CustomerRef{}.PhotoKey())
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil || u.Host == "" {
		return "", err
	}
	return " " + u.Scheme + "://" + u.Host, nil
}

// shownBase and shownKey are the examples' placeholders for the server's address,
// which the page replaces, and the caller's key.
const (
	shownBase = "http://localhost:8080"
	shownKey  = "THE_KEY"
)

// example is a complete program that changes a photo. Tests run each of them.
type example struct{ Language, File, Code string }

// examples returns the programs that the documentation shows.
func examples() []example {
	shown := []example{
		{Language: "curl", File: "update.sh"},
		{Language: "Go", File: "update.go.txt"},
		{Language: "TypeScript", File: "update.ts"},
		{Language: "PHP", File: "update.php"},
		{Language: "Python", File: "update.py"},
	}
	for i := range shown {
		code, _ := pageFiles.ReadFile("page/examples/" + shown[i].File) // a test reads each
		shown[i].Code = strings.TrimSpace(string(code))
	}
	return shown
}
