package servers

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"path"
	"regexp"
	"strings"
	"testing"

	"gocloud.dev/blob"
	_ "gocloud.dev/blob/azureblob" // for the places on servers that ran before
	_ "gocloud.dev/blob/gcsblob"
	_ "gocloud.dev/blob/s3blob"
)

// bucketName is the bucket, or container, that the tests make on their own servers.
const bucketName = "fleetphoto-test"

// newName makes a name that nobody else has, of small letters and digits.
func newName() string { return "test" + strings.ToLower(rand.Text()) }

// place returns the URL of the server's bucket with a prefix of the test's own.
func (k *kind) place(t testing.TB) string {
	t.Helper()
	s := k.server(t)
	u, err := url.Parse(s.url)
	if err != nil {
		t.Fatalf("the URL of the photo store: %v", err)
	}
	query := u.Query()
	query.Set("prefix", query.Get("prefix")+newName()+"/")
	u.RawQuery = query.Encode()
	if s.given {
		t.Cleanup(func() {
			if err := empty(context.WithoutCancel(t.Context()), u.String()); err != nil {
				t.Logf("some photos stay on the server: %v", err)
			}
		})
	}
	return u.String()
}

// empty deletes the objects of a bucket.
func empty(ctx context.Context, rawURL string) error {
	bucket, err := blob.OpenBucket(ctx, rawURL)
	if err != nil {
		return err
	}
	defer func() { _ = bucket.Close() }()
	for objects := bucket.List(nil); ; {
		object, err := objects.Next(ctx)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err == nil {
			err = bucket.Delete(ctx, object.Key)
		}
		if err != nil {
			return err
		}
	}
}

// nameOf names the server of an image, or else the one that answers at address
// by what it says of itself.
func nameOf(ctx context.Context, image, address string) string {
	said := path.Base(image)
	if image == "" {
		header, _ := request(ctx, http.MethodGet, address, "") // a refusal tells as much
		said = cmp.Or(header.Get("Server"), "a server without a name")
	}
	return versioned.ReplaceAllString(said, "$1 $2")
}

// versioned is a name with a version, for instance "versitygw:v1.8.0" or
// "Azurite-Blob/3.35.0".
var versioned = regexp.MustCompile(`^([^:/]+)[:/]v?(\d+\.\d+).*$`)

// request makes a request and returns the header of the answer, and an error
// unless it is a success.
func request(ctx context.Context, method, address, body string) (http.Header, error) {
	r, err := http.NewRequestWithContext(ctx, method, address, strings.NewReader(body)) //nolint:gosec // to a server of the tests
	if err != nil {
		return nil, err
	}
	response, err := http.DefaultClient.Do(r) //nolint:gosec // as above
	if err != nil {
		return nil, err
	}
	defer func() { _ = response.Body.Close() }()
	text, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode/100 != 2 {
		err = fmt.Errorf("%s %s: %s: %s", method, address, response.Status, text)
	}
	return response.Header, err
}
