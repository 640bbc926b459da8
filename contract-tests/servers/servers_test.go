package servers_test

import (
	"context"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

func TestMain(m *testing.M) { os.Exit(servers.Main(m)) }

// do makes a statement in a database of its own connection.
func do(t *testing.T, rawURL, statement string) error {
	t.Helper()
	connection, err := pgx.Connect(t.Context(), rawURL)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close(context.WithoutCancel(t.Context())) }()
	_, err = connection.Exec(t.Context(), statement)
	return err
}

func TestPostgresIsEmptyAndOfTheTestsOwn(t *testing.T) {
	t.Parallel()
	for range 2 {
		if err := do(t, servers.Postgres(t), "CREATE TABLE fleets (id bigint)"); err != nil {
			t.Errorf("the database isn't empty: %v", err)
		}
	}
}

func TestPostgresEndsWithItsTest(t *testing.T) {
	t.Parallel()
	servers.Name(t, "postgres") // skips this test rather than the inner one
	var ended string
	t.Run("inner", func(t *testing.T) { ended = servers.Postgres(t) })
	if err := do(t, ended, "SELECT 1"); err == nil || !strings.Contains(err.Error(), "does not exist") {
		t.Errorf("got %v, want the database gone", err)
	}
}

func TestPostgresTemplateIsPreparedOnce(t *testing.T) {
	t.Parallel()
	prepare := func(rawURL string) error { return do(t, rawURL, "CREATE TABLE fleets (id bigint)") }
	for range 3 {
		if err := do(t, servers.PostgresTemplate(t, prepare), "DROP TABLE fleets"); err != nil {
			t.Errorf("the database isn't as it was prepared: %v", err)
		}
	}
}

func TestPlacesDiffer(t *testing.T) {
	t.Parallel()
	for scheme, place := range map[string]func(testing.TB) string{"s3": servers.S3, "gs": servers.GS, "azblob": servers.Azblob} {
		t.Run(scheme, func(t *testing.T) {
			t.Parallel()
			first, second := parse(t, place(t)), parse(t, place(t))
			prefix, other := first.Query().Get("prefix"), second.Query().Get("prefix")
			if first.Scheme != scheme || first.Host == "" || first.Host != second.Host {
				t.Errorf("want two places in a bucket, got %v and %v", first, second)
			}
			if prefix == other || !strings.HasSuffix(prefix, "/") || !strings.HasSuffix(other, "/") {
				t.Errorf("want a prefix each, got %q and %q", prefix, other)
			}
		})
	}
}

func parse(t *testing.T, rawURL string) *url.URL {
	t.Helper()
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestNameHasAVersion(t *testing.T) {
	t.Parallel()
	for _, required := range []string{"postgres", "s3", "gcs", "azure"} {
		t.Run(required, func(t *testing.T) {
			t.Parallel()
			if name := servers.Name(t, required); !strings.ContainsAny(name, "0123456789") {
				t.Errorf("got %q", name)
			}
		})
	}
}
