package contracttests_test

import (
	"net/http"
	"net/url"
	"testing"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/rs/zerolog"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// newProxy starts a proxy before a server on this machine.
func newProxy(t *testing.T, upstream string) *toxiproxy.Proxy {
	t.Helper()
	quiet := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	proxy := toxiproxy.NewProxy(quiet, t.Name(), "127.0.0.1:0", upstream)
	must(t, proxy.Start())
	t.Cleanup(proxy.Stop)
	return proxy
}

// parse reads a URL of a server.
func parse(t *testing.T, rawURL string) *url.URL {
	t.Helper()
	u, err := url.Parse(rawURL)
	must(t, err)
	return u
}

// proxiedPostgres returns the URL of a database behind a proxy.
func proxiedPostgres(t *testing.T) (*toxiproxy.Proxy, string) {
	t.Helper()
	u := parse(t, servers.Postgres(t))
	proxy := newProxy(t, u.Host)
	u.Host = proxy.Listen
	return proxy, u.String()
}

// withParameter sets a parameter of a URL.
func withParameter(t *testing.T, rawURL, name, value string) string {
	t.Helper()
	u := parse(t, rawURL)
	query := u.Query()
	query.Set(name, value)
	u.RawQuery = query.Encode()
	return u.String()
}

// proxiedS3 returns the URL of a photo store behind a proxy.
func proxiedS3(t *testing.T) (*toxiproxy.Proxy, string) {
	t.Helper()
	rawURL := servers.S3(t)
	endpoint := parse(t, parse(t, rawURL).Query().Get("endpoint"))
	proxy := newProxy(t, endpoint.Host)
	endpoint.Host = proxy.Listen
	return proxy, withParameter(t, rawURL, "endpoint", endpoint.String())
}

// TestOutage has a server go away while the product serves, and come back.
func TestOutage(t *testing.T) {
	t.Parallel()
	for name, backends := range map[string]func(t *testing.T) (proxy *toxiproxy.Proxy, databaseURL, storeURL string){
		"postgres": func(t *testing.T) (*toxiproxy.Proxy, string, string) {
			proxy, databaseURL := proxiedPostgres(t)
			return proxy, databaseURL, servers.S3(t)
		},
		"s3": func(t *testing.T) (*toxiproxy.Proxy, string, string) {
			proxy, storeURL := proxiedS3(t)
			return proxy, servers.Postgres(t), storeURL
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, databaseURL, storeURL := backends(t)
			p := newProduct(t, "FLEETPHOTO_DATABASE_URL="+databaseURL, "FLEETPHOTO_PHOTO_STORE_URL="+storeURL)
			s := p.serve(t)
			form := p.addCustomer(t)
			works := func() bool {
				a, err := s.change(form, photoOf(t, 100))
				return err == nil && a.Result == "valid" && s.ready(t) == http.StatusOK
			}
			if !works() {
				t.Fatal("it doesn't work before the outage")
			}
			proxy.Stop()
			for _, photo := range []string{photoOf(t, 101), "delete"} {
				a, err := s.change(form, photo)
				if err != nil || a.Status != http.StatusServiceUnavailable || a.Error != "Service Unavailable" || a.Result != "error" || a.RetryAfter == "" || a.Detail == "" {
					t.Errorf("during the outage: got %+v, %v", a, err)
				}
			}
			if status := s.ready(t); status != http.StatusServiceUnavailable {
				t.Errorf("during the outage, readiness is %d", status)
			}
			must(t, proxy.Start())
			eventually(t, "it works again", works)
			openKept(t, databaseURL, storeURL).agree(t)
		})
	}
}

// TestStartWaits starts the product before its servers.
func TestStartWaits(t *testing.T) {
	t.Parallel()
	for name, backends := range map[string]func(t *testing.T) (proxy *toxiproxy.Proxy, settings []string){
		"postgres": func(t *testing.T) (*toxiproxy.Proxy, []string) {
			proxy, databaseURL := proxiedPostgres(t)
			return proxy, []string{"FLEETPHOTO_DATABASE_URL=" + databaseURL}
		},
		"s3": func(t *testing.T) (*toxiproxy.Proxy, []string) {
			proxy, storeURL := proxiedS3(t)
			return proxy, []string{"FLEETPHOTO_PHOTO_STORE_URL=" + storeURL}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			proxy, settings := backends(t)
			proxy.Stop()
			s := newProduct(t, settings...).start(t)
			s.waitFor(t, "waiting for a backend")
			must(t, proxy.Start())
			s.listens(t)
			if status := s.ready(t); status != http.StatusOK {
				t.Errorf("readiness is %d", status)
			}
		})
	}
}
