// Package files stores the photos in a directory, synced to disk.
//
// App and tests import it; it imports usecase, ports, domain and locks.
package files

import (
	"errors"
	"fmt"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/fleetphoto/fleetphoto/adapters/locks"
)

// Open returns the PhotoStore for file://relative/directory or
// file:///absolute/directory: JPEG files below this directory. It doesn't touch
// the directory; Start creates it.
func Open(rawURL string) (*PhotoStore, error) {
	u, err := url.Parse(rawURL)
	if err != nil {
		if parsing := new(url.Error); errors.As(err, &parsing) {
			err = parsing.Err // without the URL, which may hold a secret
		}
		return nil, fmt.Errorf("this is not a URL: %w; write characters other than letters, digits and -._~/ as %%XX", err)
	}
	path, err := directoryOf(u)
	if err != nil {
		return nil, err
	}
	return &PhotoStore{path: path, sync: (*os.File).Sync, locks: locks.NewFiles(filepath.Join(path, locksDir))}, nil
}

func directoryOf(u *url.URL) (string, error) {
	switch {
	case u.Scheme != "file":
		return "", fmt.Errorf("want file://directory, got the scheme %q", u.Scheme)
	case u.RawQuery != "" || u.ForceQuery:
		names := slices.Sorted(maps.Keys(u.Query())) // values may be secret
		return "", fmt.Errorf("file:// takes no parameters, got %q after a question mark; remove them, or write a ? in a path as %%3F", names)
	case u.Opaque != "" || u.User != nil || u.Fragment != "":
		return "", errors.New("want file://relative/directory or file:///absolute/directory and nothing more; write # as %23 and @ as %40")
	case u.Host == "localhost":
		return "", errors.New("file://localhost/ is ambiguous: write file:///directory for an absolute path, file://./localhost/directory for a relative one")
	}
	named := u.Path
	if runtime.GOOS == "windows" && u.Host == "" {
		named = strings.TrimPrefix(named, "/") // file:///C:/photos
	}
	named = filepath.Join(u.Host, filepath.FromSlash(named))
	if strings.Trim(named, `/\.`) == "" {
		return "", errors.New("the URL names no directory; want file://relative/directory or file:///absolute/directory")
	}
	path, err := filepath.Abs(named)
	if err != nil {
		return "", fmt.Errorf("resolve the relative path: %w", err)
	}
	return path, nil
}
