// Package gocloud keeps the photos in whatever gocloud.dev/blob reaches: a
// directory (file) or the process's memory (mem).
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
//
// Neither takes query parameters.
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
	default:
		return nil, fmt.Errorf("want file://directory or mem://, got the scheme %q", u.Scheme)
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
