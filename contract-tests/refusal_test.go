package contracttests_test

import (
	"bytes"
	"net/url"
	"strings"
	"testing"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// TestStartIsRefused has settings that no waiting mends: the start ends with one
// sentence that names the variable and what is wrong, and no secret.
func TestStartIsRefused(t *testing.T) {
	t.Parallel()
	const database, store = "FLEETPHOTO_DATABASE_URL", "FLEETPHOTO_PHOTO_STORE_URL"
	elsewhere := func(rawURL string) string {
		u := parse(t, rawURL)
		u.Host = "nobody-made-this"
		return u.String()
	}
	for name, test := range map[string]struct {
		setting string
		url     func(t *testing.T) string
		also    string // another setting
		want    []string
	}{
		"no such bucket":           {store, func(t *testing.T) string { return elsewhere(servers.S3(t)) }, "", []string{"nobody-made-this"}},
		"no such container":        {store, func(t *testing.T) string { return elsewhere(servers.Azblob(t)) }, "", []string{"nobody-made-this"}},
		"no such bucket of Google": {store, func(t *testing.T) string { return elsewhere(servers.GS(t)) }, "", []string{"nobody-made-this"}},
		"S3 refuses the secret":    {store, func(t *testing.T) string { return servers.S3(t) }, "AWS_SECRET_ACCESS_KEY=wrong-secret", []string{"AWS_SECRET_ACCESS_KEY"}},
		"Azure refuses the key":    {store, func(t *testing.T) string { return servers.Azblob(t) }, "AZURE_STORAGE_KEY=d3Jvbmctc2VjcmV0", []string{"AZURE_STORAGE_KEY"}},
		"no such database": {database, func(t *testing.T) string {
			u := parse(t, servers.Postgres(t))
			u.Path = "/nobody-made-this"
			return u.String()
		}, "", []string{"nobody-made-this"}},
		"Postgres refuses the password": {database, func(t *testing.T) string {
			u := parse(t, servers.Postgres(t))
			u.User = url.UserPassword(u.User.Username(), "wrong-secret")
			return u.String()
		}, "", []string{"password"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newProduct(t, test.setting+"="+test.url(t), test.also).command(t, "serve")
			var errOut bytes.Buffer
			c.Stderr = &errOut
			err := c.Run()
			sentence := errOut.String()
			t.Log(sentence)
			if err == nil || strings.Count(sentence, "\n") != 1 || !strings.Contains(sentence, test.setting+": ") {
				t.Errorf("got %v and %q, want one sentence about %s", err, sentence, test.setting)
			}
			for _, word := range test.want {
				if !strings.Contains(sentence, word) {
					t.Errorf("got %q, want %q in it", sentence, word)
				}
			}
			for _, secret := range []string{"wrong-secret", "d3Jvbmctc2VjcmV0"} {
				if strings.Contains(sentence, secret) {
					t.Errorf("the sentence has a secret: %q", sentence)
				}
			}
		})
	}
}
