package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"path"
	"strings"
	"sync"
	"testing"

	contracttests "github.com/fleetphoto/fleetphoto/contract-tests"
	"github.com/fleetphoto/fleetphoto/ports"
)

func TestPhotoStore(t *testing.T) {
	contracttests.UnversionedPhotoStore(t, func(t *testing.T) ports.PhotoStore {
		store, err := Open(newServer(t))
		if err != nil {
			t.Fatal(err)
		}
		return store
	})
}

// files is a WebDAV server. It wants directories to exist.
type files struct {
	mu    sync.Mutex
	named map[string][]byte // directories end in "/"
}

// newServer starts a server and returns its URL as Open takes it.
func newServer(t *testing.T) string {
	t.Helper()
	server := httptest.NewServer(&files{named: map[string][]byte{"/": nil}})
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http://", "webdav://writer:secret@", 1)
}

func (f *files) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if _, password, _ := r.BasicAuth(); r.Method != http.MethodGet && password != "secret" {
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return // the client is gone
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	_, parent := f.named[strings.TrimSuffix(path.Dir(path.Clean(r.URL.Path)), "/")+"/"]
	file, found := f.named[r.URL.Path]
	switch {
	case r.Method == http.MethodPut && parent, r.Method == "MKCOL" && parent && !found:
		f.named[r.URL.Path] = body
		w.WriteHeader(http.StatusCreated)
	case r.Method == http.MethodPut:
		w.WriteHeader(http.StatusConflict)
	case r.Method == "MKCOL":
		w.WriteHeader(http.StatusMethodNotAllowed)
	case !found:
		w.WriteHeader(http.StatusNotFound)
	case r.Method == http.MethodDelete:
		delete(f.named, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Content-Type", "image/jpeg")
		_, _ = w.Write(file)
	}
}
