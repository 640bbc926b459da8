package postgres

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"testing"
)

func TestIsTested(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"PostgreSQL 13.22": false, "PostgreSQL 14.0": true, "PostgreSQL 18.1": true, "PostgreSQL 19beta2": false, "PostgreSQL 9.6": false,
		"PostgreSQL 15.2-YB-2.25": false, "CockroachDB CCL": false, "PostgreSQL": false, "": false,
	} {
		if got := isTested(name); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
}

// TestTestedVersions are those of the matrix in docs/backends.md.
func TestTestedVersions(t *testing.T) {
	t.Parallel()
	document, err := os.ReadFile("../../docs/backends.md")
	if err != nil {
		t.Fatal(err)
	}
	var rows, want []string
	for _, row := range regexp.MustCompile(`(?m)^\| postgres:// +\| Postgres (\d+) `).FindAllSubmatch(document, -1) {
		rows = append(rows, string(row[1]))
	}
	for major := oldestTested; major <= newestTested; major++ {
		want = append(want, fmt.Sprint(major))
	}
	if !slices.Equal(rows, want) {
		t.Errorf("the matrix has %q, the program says %q", rows, want)
	}
}

func TestServer(t *testing.T) {
	t.Parallel()
	name, tested, err := opened(t, newURL(t)).Server(t.Context())
	if err != nil || !tested || !regexp.MustCompile(`^PostgreSQL \d+(\.\d+)?$`).MatchString(name) {
		t.Errorf("got %q, %v, %v", name, tested, err)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	rawURL := newURL(t)
	identity := func(rawURL string) string {
		id, err := opened(t, rawURL).Identity(t.Context())
		must(t, err)
		return id
	}
	id := identity(rawURL)
	if same := identity(with(t, rawURL, "timezone", "Asia/Tokyo")); same != id {
		t.Errorf("got %q and %q", id, same)
	}
	if other := identity(newURL(t)); other == id {
		t.Errorf("another database has %q as well", other)
	}
}
