package sqlite

import (
	"errors"
	"fmt"
	"net/url"
	"path/filepath"
	"runtime"
	"strings"
)

// Path returns the path of the file that a URL as Open takes it names. Between
// sqlite:// and the end everything is the path, with %-escapes where needed:
// there is no host and no parameter.
func Path(rawURL string) (string, error) {
	scheme, rest, found := strings.Cut(rawURL, "://")
	if !found || !strings.EqualFold(scheme, "sqlite") {
		return "", errors.New("want sqlite://relative/path.db or sqlite:///absolute/path.db, got a URL that doesn't begin with sqlite://")
	}
	if _, parameters, found := strings.Cut(rest, "?"); found {
		name, _, _ := strings.Cut(parameters, "=")
		return "", fmt.Errorf("a sqlite:// URL takes no parameters; remove ?%s and what follows, or write %%3F if the path has a question mark", name)
	}
	if strings.Contains(rest, "#") {
		return "", errors.New("a sqlite:// URL takes nothing after a #; remove it, or write %23 if the path has one")
	}
	if first, _, _ := strings.Cut(rest, "/"); strings.Contains(first, "@") {
		return "", errors.New("a sqlite:// URL takes no user name; remove all up to the @, or write %40 if the path has one")
	}
	path, err := url.PathUnescape(rest)
	if err != nil || strings.ContainsRune(path, 0) {
		return "", errors.New("the path in a sqlite:// URL has a % that is no escape of a character; write %25 for the sign itself")
	}
	return filePath(path)
}

func filePath(path string) (string, error) {
	if runtime.GOOS == "windows" && len(path) > 2 && path[0] == '/' && path[2] == ':' {
		path = path[1:] // sqlite:///C:/data.db
	}
	clean := filepath.Clean(filepath.FromSlash(path))
	switch {
	case path == "":
		return "", errors.New("a sqlite:// URL needs the path of a file, as in sqlite://relative/path.db or sqlite:///absolute/path.db; got none")
	case strings.HasSuffix(path, "/") || filepath.Base(clean) == "." || filepath.Base(clean) == "..":
		return "", fmt.Errorf("a sqlite:// URL needs the path of a file, got the directory %s; add a file name, as in fleetphoto.db", path)
	case clean == ":memory:":
		return "", errors.New("sqlite:// keeps its data in a file; use memory:// for what may be lost")
	}
	return clean, nil
}
