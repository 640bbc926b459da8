package sqlite

import (
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
)

func TestPath(t *testing.T) {
	t.Parallel()
	for url, want := range map[string]string{
		"sqlite://fleetphoto-data/fleetphoto.db": "fleetphoto-data/fleetphoto.db",
		"sqlite:///var/lib/fleetphoto.db":        "/var/lib/fleetphoto.db",
		"sqlite://f.db":                          "f.db",
		"sqlite://./a//b/../f.db":                "a/f.db",
		"sqlite://../f.db":                       "../f.db",
		"SQLite://f.db":                          "f.db",
		"sqlite://My Data/f.db":                  "My Data/f.db",
		"sqlite://My%20Data/100%25%3F%23.db":     "My Data/100%?#.db",
		"sqlite://a/b@c+d.db":                    "a/b@c+d.db",
		"sqlite://data:1/f.db":                   "data:1/f.db",
	} {
		if runtime.GOOS == "windows" && strings.HasPrefix(want, "/") {
			continue
		}
		got, err := Path(url)
		if want := filepath.FromSlash(want); got != want || err != nil {
			t.Errorf("Path(%q) = %q, %v; want %q", url, got, err, want)
		}
	}
}

func TestPathRefuses(t *testing.T) {
	t.Parallel()
	for url, word := range map[string]string{
		"":                                "sqlite://",
		"f.db":                            "sqlite://",
		"sqlite:f.db":                     "sqlite://",
		"postgres://u:hunter2@h/d":        "sqlite://",
		"sqlite://":                       "got none",
		"sqlite:///":                      "directory",
		"sqlite://data/":                  "directory",
		"sqlite://.":                      "directory",
		"sqlite://data/..":                "directory",
		"sqlite://f.db?mode=ro":           "?mode",
		"sqlite://f.db?":                  "parameters",
		"sqlite://f.db#part":              "#",
		"sqlite://me:hunter2@data/f.db":   "user name",
		"sqlite://me:hunter2@h/f?x=1":     "?x",
		"sqlite://a%zz.db":                "%25",
		"sqlite://a%00.db":                "%25",
		"sqlite://:memory:":               "memory://",
		"sqlite://f.db?password=hunter2x": "?password",
	} {
		got, err := Path(url)
		if err == nil || !strings.Contains(err.Error(), word) {
			t.Errorf("Path(%q) = %q, %v; want an error with %q", url, got, err, word)
		}
		if err != nil && strings.Contains(err.Error(), "hunter2") {
			t.Errorf("Path(%q): the error repeats a secret: %v", url, err)
		}
		if db, err := Open(url); err == nil {
			t.Errorf("Open(%q) = %v, want an error", url, db)
		}
	}
}

func TestOpenTouchesNoFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	db, err := Open("sqlite://" + filepath.ToSlash(dir) + "/new/f.db")
	if err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Error(err)
	}
	if entries, err := os.ReadDir(dir); err != nil || len(entries) > 0 {
		t.Errorf("Open made %v, %v", entries, err)
	}
}

func TestStartAtUnusualPaths(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"100%25 sure%3F%23.db", "a b+c&d=e;f.db", "ü€.db", ":memory:/f.db"} {
		db := started(t, "sqlite://"+filepath.ToSlash(t.TempDir())+"/"+name)
		if info, err := os.Stat(db.Path()); err != nil || info.Size() == 0 {
			t.Errorf("%s: the database is not at its path: %v", name, err)
		}
	}
}

// A relative path is what the default is, and SQLite reads it by other rules.
func TestStartAtRelativePath(t *testing.T) {
	t.Chdir(t.TempDir())
	started(t, "sqlite://fleetphoto-data/fleetphoto.db")
	info, err := os.Stat(filepath.Join("fleetphoto-data", "fleetphoto.db"))
	if err != nil || info.Size() == 0 {
		t.Errorf("the database is not at its path: %v", err)
	}
}
