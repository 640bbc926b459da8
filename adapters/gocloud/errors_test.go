package gocloud

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// answering starts a server that answers everything alike, and returns its address.
func answering(t *testing.T, status int, header http.Header, body string) string {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		for name, values := range header {
			w.Header()[name] = values
		}
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
	}))
	t.Cleanup(server.Close)
	return strings.TrimPrefix(server.URL, "http://")
}

// storeAt returns the URL of a store on the server at address, and sets the
// environment for it.
func storeAt(t *testing.T, scheme, address string, variables map[string]string) string {
	t.Helper()
	environment := map[string]string{"STORAGE_EMULATOR_HOST": address, "AZURE_STORAGE_ACCOUNT": "taxi", "AZURE_STORAGE_KEY": "a2V5"}
	for name, value := range variables {
		environment[name] = value
	}
	withEnvironment(t, environment)
	return map[string]string{
		"s3": "s3://photos?endpoint=http://" + address, "gs": "gs://photos", "azblob": "azblob://photos?protocol=http&domain=" + address,
	}[scheme]
}

// startFails starts the store and checks its one line.
func startFails(t *testing.T, rawURL string, unavailable bool, says ...string) {
	t.Helper()
	store := opened(t, rawURL)
	store.timeout = time.Second // the SDKs repeat what may pass
	err := store.Start(t.Context())
	if err == nil || errors.Is(err, domain.Unavailable) != unavailable || strings.ContainsAny(err.Error(), "\n") || strings.Contains(err.Error(), "s3cret") {
		t.Fatalf("got %v, want one line without a secret, Unavailable: %v", err, unavailable)
	}
	for _, part := range says {
		if !strings.Contains(err.Error(), part) {
			t.Errorf("%q doesn't say %q", err, part)
		}
	}
}

func TestStartSaysWhatTheServerMeans(t *testing.T) {
	amazon := func(code string) string {
		return "<Error><Code>" + code + "</Code><Message>s3cret</Message></Error>"
	}
	azure := func(code string) http.Header { return http.Header{"X-Ms-Error-Code": {code}} }
	const credentials = "are missing or wrong"
	for _, c := range []struct {
		name, scheme string
		status       int
		header       http.Header
		body         string
		unavailable  bool
		says         []string
	}{
		{"no such bucket", "s3", 404, nil, amazon("NoSuchBucket"), false, []string{`the bucket "photos" does not exist`, "(404 NoSuchBucket)"}},
		{"no right", "s3", 403, nil, amazon("AccessDenied"), false, []string{`refuses access; grant s3:PutObject to these credentials`, "(403 AccessDenied)"}},
		{"no such key", "s3", 403, nil, amazon("InvalidAccessKeyId"), false, []string{credentials, "set AWS_ACCESS_KEY_ID"}},
		{"wrong secret", "s3", 403, nil, amazon("SignatureDoesNotMatch"), false, []string{credentials}},
		{"another region", "s3", 301, nil, amazon("PermanentRedirect"), false, []string{"is in another region; name its own with region="}},
		{"another region, signed", "s3", 400, nil, amazon("AuthorizationHeaderMalformed"), false, []string{"is in another region"}},
		{"overloaded", "s3", 503, nil, amazon("SlowDown"), true, nil},
		{"no store", "s3", 200, nil, "<html>Welcome</html>", false, []string{"can't be used; check the URL", "the answer doesn't come from a photo store"}},
		{"no method", "s3", 405, nil, "", false, []string{"can't be used; check the URL"}},

		{"no such bucket", "gs", 404, nil, `{"error":{"code":404,"message":"s3cret"}}`, false, []string{`the bucket "photos" does not exist`}},
		{"no right", "gs", 403, nil, `{"error":{"code":403,"message":"s3cret"}}`, false, []string{"grant storage.objects.create and storage.objects.delete"}},
		{"no token", "gs", 401, nil, `{"error":{"code":401,"message":"s3cret"}}`, false, []string{credentials, "GOOGLE_APPLICATION_CREDENTIALS"}},
		{"overloaded", "gs", 503, nil, "", true, nil},
		{"no store", "gs", 200, nil, "<html>Welcome</html>", false, []string{"can't be used; check the URL"}},

		{"no such container", "azblob", 404, azure("ContainerNotFound"), "", false, []string{`the container "photos" does not exist`}},
		{"no right", "azblob", 403, azure("AuthorizationPermissionMismatch"), "", false, []string{"grant blobs/write (w in a SAS)"}},
		{"wrong key", "azblob", 403, azure("AuthenticationFailed"), "s3cret", false, []string{credentials, "AZURE_STORAGE_KEY"}},
		{"overloaded", "azblob", 503, azure("ServerBusy"), "", true, nil},
		{"no store", "azblob", 200, nil, "<html>Welcome</html>", false, []string{"can't be used; check the URL"}},
	} {
		t.Run(c.scheme+" "+c.name, func(t *testing.T) {
			startFails(t, storeAt(t, c.scheme, answering(t, c.status, c.header, c.body), nil), c.unavailable, c.says...)
		})
	}
}

// A start that may not read makes nothing that it would have to delete, however
// often it is tried.
func TestStartThatMayNotReadLeavesNoProbe(t *testing.T) {
	var written []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodPut {
			written = append(written, r.URL.Path)
			w.Header().Set("ETag", `"1"`)
			return
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte("<Error><Code>AccessDenied</Code></Error>"))
	}))
	defer server.Close()
	startFails(t, storeAt(t, "s3", strings.TrimPrefix(server.URL, "http://"), nil), false, "grant s3:GetObject to these credentials")
	if want := []string{"/photos/" + markerName}; !slices.Equal(written, want) {
		t.Errorf("it wrote %q, want %q", written, want)
	}
}

func TestStartNeedsCredentials(t *testing.T) {
	nobody := answering(t, http.StatusNotFound, nil, "")
	for _, c := range []struct {
		name, scheme string
		environment  map[string]string
		says         string
	}{
		{"none", "s3", map[string]string{"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""}, "AWS_ACCESS_KEY_ID"},
		{"no role", "s3", map[string]string{
			"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": "", "AWS_EC2_METADATA_DISABLED": "", "AWS_EC2_METADATA_SERVICE_ENDPOINT": "http://" + nobody,
		}, "AWS_ACCESS_KEY_ID"},
		{"no file", "gs", map[string]string{"STORAGE_EMULATOR_HOST": "", "GOOGLE_APPLICATION_CREDENTIALS": "nowhere.json"}, "nowhere.json"},
		{"no identity", "gs", map[string]string{"STORAGE_EMULATOR_HOST": "", "GCE_METADATA_HOST": nobody}, "cannot fetch token"},
		{"no key", "azblob", map[string]string{"AZURE_STORAGE_KEY": ""}, "AZURE_STORAGE_KEY"},
		{"no Base64", "azblob", map[string]string{"AZURE_STORAGE_KEY": "!s3cret"}, "AZURE_STORAGE_KEY"},
	} {
		t.Run(c.scheme+" "+c.name, func(t *testing.T) {
			t.Setenv("HOME", t.TempDir())
			startFails(t, storeAt(t, c.scheme, nobody, c.environment), false, "credentials", c.says)
		})
	}
}

func TestStartWithWrongSecret(t *testing.T) {
	for _, c := range []struct {
		bucket          int
		variable, value string
		says            string
	}{
		{0, "AWS_SECRET_ACCESS_KEY", "s3cret", "are missing or wrong; set AWS_ACCESS_KEY_ID"},
		{0, "AWS_ACCESS_KEY_ID", "s3cret", "are missing or wrong; set AWS_ACCESS_KEY_ID"},
		{2, "AZURE_STORAGE_KEY", "czNjcmV0", "AZURE_STORAGE_KEY"},
	} {
		t.Run(c.variable, func(t *testing.T) {
			rawURL := buckets[c.bucket].place(t)
			t.Setenv(c.variable, c.value)
			startFails(t, rawURL, false, c.says)
		})
	}
}

func TestStartWhereNobodyListens(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if err := listener.Close(); err != nil {
		t.Fatal(err)
	}
	for _, b := range buckets {
		t.Run(b.scheme, func(t *testing.T) {
			startFails(t, storeAt(t, b.scheme, listener.Addr().String(), nil), true)
		})
	}
}

func TestBriefHidesAddresses(t *testing.T) {
	t.Parallel()
	dial := &net.OpError{Op: "dial", Net: "tcp", Err: errors.New("connection\nrefused")}
	failed := fmt.Errorf("upload: %w", &url.Error{Op: "Put", URL: "https://taxi.blob.core.windows.net/photos?sig=s3cret", Err: dial})
	if got, want := brief(failed), "dial tcp: connection refused"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

func TestStartReadsThePrivateKey(t *testing.T) {
	missing := filepath.Join(t.TempDir(), "key.pem")
	rawURL := storeAt(t, "gs", "127.0.0.1:1", nil) + "?private_key_path=" + missing
	startFails(t, rawURL, false, "private_key_path: open "+missing)
	if err := os.WriteFile(missing, []byte("s3cret"), 0o600); err != nil {
		t.Fatal(err)
	}
	store := opened(t, rawURL+"&access_id=me")
	var err error
	if store.connection, err = store.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if address, err := store.SignedURL(t.Context(), key, time.Hour); err == nil || address != "" || strings.Contains(err.Error(), "s3cret") {
		t.Errorf("with a key that is none: %q and %v", address, err)
	}
}

func TestAzureSignsWithTheKeyAlone(t *testing.T) {
	store := opened(t, storeAt(t, "azblob", "127.0.0.1:1", map[string]string{"AZURE_STORAGE_KEY": "", "AZURE_STORAGE_SAS_TOKEN": "sv=2026-06-06&sig=s3cret"}))
	var err error
	if store.connection, err = store.connect(t.Context()); err != nil {
		t.Fatal(err)
	}
	if address, err := store.SignedURL(t.Context(), key, time.Hour); err == nil || address != "" || !strings.Contains(err.Error(), "only the account's key can sign") {
		t.Errorf("with a SAS: %q and %v", address, err)
	}
}

func TestWithinStopsWaiting(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancel(t.Context())
	release := make(chan struct{})
	defer close(release)
	_, err := within(ctx, func() (string, error) {
		cancel()
		<-release
		return "late", nil
	})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want it canceled", err)
	}
}
