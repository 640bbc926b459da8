package gocloud

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"
)

type answered struct {
	status                    int
	contentType, cacheControl string
	body                      []byte
}

func get(t *testing.T, address string) answered {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, address, nil)
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = response.Body.Close() }()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answered{response.StatusCode, response.Header.Get("Content-Type"), response.Header.Get("Cache-Control"), body}
}

func signed(t *testing.T, store *PhotoStore, lifetime time.Duration) string {
	t.Helper()
	address, err := store.SignedURL(t.Context(), key, lifetime)
	if err != nil {
		t.Fatal(err)
	}
	return address
}

func TestObjectsCarryTheirHeaders(t *testing.T) {
	t.Parallel()
	for _, b := range buckets {
		for parameter, want := range map[string]string{"": "no-cache", "public, max-age=60": "public, max-age=60"} {
			t.Run(b.scheme+" "+want, func(t *testing.T) {
				t.Parallel()
				rawURL := b.place(t)
				if parameter != "" {
					rawURL = with(t, rawURL, map[string]string{"cache_control": parameter})
				}
				store := started(t, rawURL)
				photo := newPhoto(t, 20, 1)
				mustPut(t, store, photo)
				got := get(t, signed(t, store, time.Minute))
				if got.status != http.StatusOK || got.contentType != "image/jpeg" || got.cacheControl != want || !bytes.Equal(got.body, photo.JPEG()) {
					t.Errorf("got %d, %s, Cache-Control %q, %d bytes", got.status, got.contentType, got.cacheControl, len(got.body))
				}
			})
		}
	}
}

// The tests' own buckets let anyone read.
func TestPublicAddressOpens(t *testing.T) {
	t.Parallel()
	for _, b := range buckets {
		t.Run(b.scheme, func(t *testing.T) {
			t.Parallel()
			store := started(t, b.place(t))
			photo := newPhoto(t, 20, 1)
			mustPut(t, store, photo)
			address := store.URL(key)
			if u, err := url.Parse(address); err != nil || u.Scheme != "http" {
				t.Skip("whether anyone reads a bucket of a provider's own is its owner's choice")
			}
			if got := get(t, address); got.status != http.StatusOK || !bytes.Equal(got.body, photo.JPEG()) {
				t.Errorf("GET %s: %d %s", address, got.status, got.body)
			}
		})
	}
}

func TestSignedAddressExpires(t *testing.T) {
	t.Parallel()
	for _, b := range buckets {
		if b.scheme == "gs" { // its server checks no signature
			continue
		}
		t.Run(b.scheme, func(t *testing.T) {
			t.Parallel()
			store := openedAlone(t, b.place(t))
			_ = store.Start(t.Context()) // connects, and fails
			_ = makeBucket(t, store)
			if err := store.Start(t.Context()); err != nil {
				t.Fatal(err)
			}
			mustPut(t, store, newPhoto(t, 20, 1))
			lasting := signed(t, store, time.Minute)
			brief := signed(t, store, time.Second)
			bare, _, _ := strings.Cut(lasting, "?")
			for _, address := range []string{bare, strings.Replace(lasting, string(key), string(otherKey), 1)} {
				if got := get(t, address); got.status < 400 {
					t.Errorf("what wasn't signed, %s, got %d", address, got.status)
				}
			}
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			for get(t, brief).status != http.StatusForbidden {
				if ctx.Err() != nil {
					t.Fatal("an address that was signed for a second still opens")
				}
			}
			if got := get(t, lasting); got.status != http.StatusOK {
				t.Errorf("an address that was signed for a minute got %d", got.status)
			}
		})
	}
}

func TestGoogleAddressIsSigned(t *testing.T) {
	t.Parallel()
	store := started(t, with(t, buckets[1].place(t), map[string]string{"access_id": "signer@example.com"}))
	u, err := url.Parse(signed(t, store, time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	public := store.URL(key)
	query := u.Query()
	if query.Get("X-Goog-Algorithm") != "GOOG4-RSA-SHA256" || query.Get("X-Goog-Expires") != "3599" && query.Get("X-Goog-Expires") != "3600" ||
		!strings.HasPrefix(query.Get("X-Goog-Credential"), "signer@example.com/") || len(query.Get("X-Goog-Signature")) != 512 ||
		u.Scheme+"://"+u.Host+u.Path != public {
		t.Errorf("got %s, want an address of %s signed by V4 for an hour", u, public)
	}
}

func TestSignedURLRefuses(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		url      string
		ctx      context.Context
		lifetime time.Duration
		says     string
	}{
		{"mem://", t.Context(), time.Hour, "no address"},
		{"s3://bucket", t.Context(), 0, "(7 days), not for 0s"},
		{"s3://bucket", t.Context(), 999 * time.Millisecond, "1s to"},
		{"gs://bucket", t.Context(), 168*time.Hour + 1, "168h0m0s"},
		{"s3://bucket", ended, time.Hour, "given up"},
	} {
		store, err := Open(c.url)
		if err != nil {
			t.Fatal(err)
		}
		if address, err := store.SignedURL(c.ctx, key, c.lifetime); address != "" || err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s for %s: got %q and %v, want %q", c.url, c.lifetime, address, err, c.says)
		}
		if err := store.Close(); err != nil {
			t.Error(err)
		}
	}
}
