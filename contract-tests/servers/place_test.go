package servers

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

func TestNameOf(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ image, says, want string }{
		{"versity/versitygw:v1.8.0", "", "versitygw 1.8"},
		{"registry.example.com:5000/azure-storage/azurite:3.35.0", "", "azurite 3.35"},
		{"example.com/postgres:17-alpine", "", "postgres:17-alpine"},
		{"example.com/store", "", "store"},
		{"", "Azurite-Blob/3.35.0", "Azurite-Blob 3.35"},
		{"", "Windows-Azure-Blob/1.0 Microsoft-HTTPAPI/2.0", "Windows-Azure-Blob 1.0"},
		{"", "AmazonS3", "AmazonS3"},
		{"", "", "a server without a name"},
	} {
		given := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Server", test.says)
			w.WriteHeader(http.StatusForbidden)
		}))
		if got := nameOf(t.Context(), test.image, given.URL); got != test.want {
			t.Errorf("image %q, server %q: got %q, want %q", test.image, test.says, got, test.want)
		}
		given.Close()
	}
}
