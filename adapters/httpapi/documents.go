package httpapi

import (
	"net/http"
	"path"
	"strings"
	"sync"
)

// serveDocuments serves the OpenAPI documents, each rendered once. Huma's own
// routes render them without a lock, so concurrent first requests would race.
func (s *Server) serveDocuments() {
	document := s.OpenAPI()
	for name, render := range map[string]func() ([]byte, error){
		"/openapi.json": document.MarshalJSON, "/openapi-3.0.json": document.Downgrade,
		"/openapi.yaml": document.YAML, "/openapi-3.0.yaml": document.DowngradeYAML,
	} {
		contentType := "application/openapi+" + strings.TrimPrefix(path.Ext(name), ".")
		text := sync.OnceValues(render)
		s.router.Get(name, func(w http.ResponseWriter, r *http.Request) {
			rendered, err := text()
			if err != nil {
				s.answerFailure(w, r, err)
				return
			}
			w.Header().Set("Content-Type", contentType)
			_, _ = w.Write(rendered) // the client is gone if this fails
		})
	}
}
