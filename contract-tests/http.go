package contracttests

import (
	"embed"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"testing"

	httpsuite "github.com/fleetphoto/fleetphoto/contract-tests/http"
)

//go:embed http/*.txtar
var httpCases embed.FS

// Target is a server of the contract and, on it, a customer whose photo the
// suite changes and deletes.
type Target = httpsuite.Target

// HTTP runs the contract's cases against a server, one after the other. Before
// each, the customer has a known photo, and a call that fails must leave it. None
// runs unless the server knows the key, the customer and the PIN.
func HTTP(t *testing.T, target Target) {
	t.Helper()
	httpsuite.Run(t, httpCases, target)
}

// HTTPHandler runs the contract's cases against a handler. target needs no BaseURL.
func HTTPHandler(t *testing.T, handler http.Handler, target Target) {
	t.Helper()
	server := httptest.NewServer(handler)
	t.Cleanup(server.Close)
	target.BaseURL = server.URL
	HTTP(t, target)
}

// HTTPCases runs the cases in the http/*.txtar files of fsys, which docs of this
// package describe, against a server.
func HTTPCases(t *testing.T, fsys fs.FS, target Target) {
	t.Helper()
	httpsuite.Run(t, fsys, target)
}
