// Package gocloud keeps the photos in whatever gocloud.dev/blob reaches: a
// bucket of S3, Google Cloud Storage or Azure, a directory or the process's
// memory.
//
// App and tests import it; it imports ports and domain.
package gocloud

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"gocloud.dev/blob/memblob"
)

// Open makes the PhotoStore that rawURL names, without touching it:
//
//   - file://relative/directory and file:///absolute/directory: JPEG files
//     below this directory, which Start creates.
//   - mem://: nothing is kept beyond the process.
//   - s3://bucket, gs://bucket and azblob://container, which exist. Credentials
//     come from each SDK's own environment.
//
// The first two take no query parameters. The others take prefix, which the
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
	case "file":
		return openDirectory(u)
	case "mem":
		return openMemory(u)
	case "s3":
		return openCloud(u, newS3, s3Forms())
	case "gs":
		return openCloud(u, newGS, gsForms())
	case "azblob":
		return openCloud(u, newAzblob, azblobForms())
	default:
		return nil, fmt.Errorf("want file://directory, mem://, s3://bucket, gs://bucket or azblob://container, got the scheme %q", u.Scheme)
	}
}

func openDirectory(u *url.URL) (*PhotoStore, error) {
	if err := refuseParameters(u); err != nil {
		return nil, err
	}
	if u.Opaque != "" || u.User != nil || u.Fragment != "" {
		return nil, errors.New("want file://relative/directory or file:///absolute/directory and nothing more; write # as %23 and @ as %40")
	}
	if u.Host == "localhost" {
		return nil, errors.New("file://localhost/ may mean two things: write file:///directory for an absolute one, file://./localhost/directory for a relative one")
	}
	named := u.Path
	if runtime.GOOS == "windows" && u.Host == "" {
		named = strings.TrimPrefix(named, "/") // file:///C:/photos
	}
	named = filepath.Join(u.Host, filepath.FromSlash(named))
	if strings.Trim(named, `/\.`) == "" {
		return nil, errors.New("the URL names no directory; want file://relative/directory or file:///absolute/directory")
	}
	path, err := filepath.Abs(named)
	if err != nil {
		return nil, fmt.Errorf("find the directory that a relative path begins at: %w", err)
	}
	return &PhotoStore{newDirectory(path)}, nil
}

func openMemory(u *url.URL) (*PhotoStore, error) {
	if err := refuseParameters(u); err != nil {
		return nil, err
	}
	if u.Opaque+u.Host+u.Path+u.Fragment != "" || u.User != nil {
		return nil, errors.New("want mem:// and nothing more")
	}
	return &PhotoStore{bucket{memblob.OpenBucket(nil)}}, nil
}

// refuseParameters fails when u has query parameters. It doesn't repeat their
// values, which may be secret.
func refuseParameters(u *url.URL) error {
	if u.RawQuery == "" && !u.ForceQuery {
		return nil
	}
	names := slices.Sorted(maps.Keys(u.Query()))
	return fmt.Errorf("%s:// takes no parameters, got %q after a question mark; remove them, or write a ? in a path as %%3F", u.Scheme, names)
}

// withoutURL takes the URL, which may hold a secret, out of what url.Parse says.
func withoutURL(err error) error {
	var parsing *url.Error
	if errors.As(err, &parsing) {
		return parsing.Err
	}
	return err
}
