package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestOpenFindsTheDirectory(t *testing.T) {
	t.Parallel()
	working, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ url, want string }{
		{"file://fleetphoto-data/photos", filepath.Join(working, "fleetphoto-data", "photos")},
		{"file://photos", filepath.Join(working, "photos")},
		{"file://Photos/", filepath.Join(working, "Photos")},
		{"file://./photos", filepath.Join(working, "photos")},
		{"file://.photos", filepath.Join(working, ".photos")},
		{"file://../photos", filepath.Join(filepath.Dir(working), "photos")},
		{"file://data/my%20photos%3F%23", filepath.Join(working, "data", "my photos?#")},
		{"file:///srv/photos", filepath.FromSlash("/srv/photos")},
		{"file:/srv/photos", filepath.FromSlash("/srv/photos")},
		{"file:///srv/./photos/", filepath.FromSlash("/srv/photos")},
	} {
		store, err := Open(c.url)
		if err != nil {
			t.Errorf("Open(%q): %v", c.url, err)
			continue
		}
		want, err := filepath.Abs(c.want)
		if err != nil {
			t.Fatal(err)
		}
		if got := store.path; got != want {
			t.Errorf("Open(%q) takes %s, want %s", c.url, got, want)
		}
	}
	if _, err := os.Stat("fleetphoto-data"); err == nil {
		t.Error("Open created a directory")
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ url, says string }{
		{"", "scheme"},
		{"photos", "scheme"},
		{"file:", "names no directory"},
		{"file://", "names no directory"},
		{"file:///", "names no directory"},
		{"file://./", "names no directory"},
		{"file:photos", "and nothing more"},
		{"file://photos#1", "%23"},
		{"file://me@photos/x", "%40"},
		{"file://localhost/srv/photos", "file:///"},
		{"file://photos?create_dir=s3cret", `["create_dir"]`},
		{"file://photos?a=1&b=2", `["a" "b"]`},
		{"file://photos?", "takes no parameters"},
		{"file://photos?%zz=s3cret", "takes no parameters"},
		{"file://photos/%zzs3cret", "not a URL"},
	} {
		store, err := Open(c.url)
		switch {
		case err == nil:
			t.Errorf("Open(%q) = %v, want an error", c.url, store)
		case !strings.Contains(err.Error(), c.says):
			t.Errorf("Open(%q): %q doesn't say %q", c.url, err, c.says)
		case strings.Contains(err.Error(), "s3cret"):
			t.Errorf("Open(%q): %q repeats a value", c.url, err)
		}
	}
}
