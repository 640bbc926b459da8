// Package gocloud keeps the photos in a bucket of S3, Google Cloud Storage or
// Azure, or in the process's memory, by gocloud.dev/blob.
//
// App and tests import it; it imports ports and domain.
package gocloud

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"slices"

	"gocloud.dev/blob/memblob"
)

// Open makes the PhotoStore that rawURL names, without touching it:
//
//   - mem://: nothing is kept beyond the process.
//   - s3://bucket, gs://bucket and azblob://container, which exist. Credentials
//     come from each SDK's own environment.
//
// The first takes no query parameters. The others take prefix, which the
// names of their objects begin with, and cache_control, which is no-cache
// where it is left out: a cache asks each time, so that nobody sees a photo
// that was replaced. The rest is the provider's: s3Forms, gsForms and
// azblobForms list it.
func Open(rawURL string) (*PhotoStore, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		return nil, fmt.Errorf("this is not a URL: %w; write characters other than letters, digits and -._~/ as %%XX", withoutURL(err))
	}
	switch u.Scheme {
	case "mem":
		return openMemory(u)
	case "s3":
		return openCloud(u, newS3, s3Forms())
	case "gs":
		return openCloud(u, newGS, gsForms())
	case "azblob":
		return openCloud(u, newAzblob, azblobForms())
	default:
		return nil, fmt.Errorf("want mem://, s3://bucket, gs://bucket or azblob://container, got the scheme %q", u.Scheme)
	}
}

func openMemory(u *url.URL) (*PhotoStore, error) {
	if u.RawQuery != "" || u.ForceQuery {
		names := slices.Sorted(maps.Keys(u.Query())) // values may be secret
		return nil, fmt.Errorf("mem:// takes no parameters, got %q after a question mark; remove them", names)
	}
	if u.Opaque+u.Host+u.Path+u.Fragment != "" || u.User != nil {
		return nil, errors.New("want mem:// and nothing more")
	}
	return &PhotoStore{bucket{memblob.OpenBucket(nil)}}, nil
}

// withoutURL takes the URL, which may hold a secret, out of what url.Parse says.
func withoutURL(err error) error {
	var parsing *url.Error
	if errors.As(err, &parsing) {
		return parsing.Err
	}
	return err
}
