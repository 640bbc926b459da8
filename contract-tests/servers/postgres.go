package servers

import (
	"context"
	"fmt"
	"net"
	"net/url"
	"regexp"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	_ "github.com/jackc/pgx/v5/stdlib" // the driver of wait.ForSQL
	"github.com/moby/moby/api/types/network"
	"github.com/testcontainers/testcontainers-go/wait"
)

// Postgres returns the URL of an empty database of the test's own.
func Postgres(t testing.TB) string {
	t.Helper()
	return newDatabase(t, postgresKind.server(t).url, "template0")
}

// PostgresTemplate returns the URL of a database of the test's own that is as
// prepare made one. prepare is called once a process: the others are copies,
// which is fast. When it returns, nothing is connected to its database.
func PostgresTemplate(t testing.TB, prepare func(url string) error) string {
	t.Helper()
	server := postgresKind.server(t)
	template.once.Do(func() {
		name := newName()
		if template.err = execute(server.url, "CREATE DATABASE "+name+" TEMPLATE template0"); template.err != nil {
			return
		}
		atEnd.add(func() error { return dropDatabase(server.url, name) })
		template.name, template.err = name, prepare(inDatabase(t, server.url, name))
	})
	if template.err != nil {
		t.Fatalf("prepare the database that others are copies of: %v", template.err)
	}
	return newDatabase(t, server.url, template.name)
}

var template struct {
	once sync.Once
	name string
	err  error
}

func startPostgres(ctx context.Context, image string) (string, error) {
	// A machine that builds and tests at once may take long to let a hundred in.
	const user, password, parameters = "postgres", "only-on-loopback", "?sslmode=disable&connect_timeout=20"
	addressed := func(address string) string {
		return "postgres://" + user + ":" + password + "@" + address + "/" + user + parameters
	}
	c := container{
		image: image, ports: []string{"5432/tcp"},
		env: map[string]string{"POSTGRES_USER": user, "POSTGRES_PASSWORD": password, "POSTGRES_DB": user},
		cmd: []string{"postgres", "-c", "fsync=off", "-c", "full_page_writes=off", "-c", "max_connections=300"},
		ready: wait.ForSQL("5432/tcp", "pgx", func(host string, port network.Port) string {
			return addressed(net.JoinHostPort(host, port.Port()))
		}),
	}
	address, err := c.start(ctx)
	return addressed(address), err
}

var (
	postgresVersion = regexp.MustCompile(`^PostgreSQL (\d+)`)
	otherVersion    = regexp.MustCompile(`^(\w+)\D*(\d+\.\d+)`)
)

// namePostgres names what speaks Postgres's protocol, which may be another database.
func namePostgres(ctx context.Context, url, _ string) (string, error) {
	version, err := versionOf(ctx, url)
	if found := postgresVersion.FindStringSubmatch(version); found != nil {
		return "Postgres " + found[1], nil
	}
	if found := otherVersion.FindStringSubmatch(version); found != nil {
		return found[1] + " " + found[2], nil
	}
	return version, err
}

func versionOf(ctx context.Context, url string) (version string, err error) {
	connection, err := pgx.Connect(ctx, url)
	if err != nil {
		return "", err
	}
	defer func() { _ = connection.Close(ctx) }()
	return version, connection.QueryRow(ctx, "SELECT version()").Scan(&version)
}

func newDatabase(t testing.TB, server, template string) string {
	t.Helper()
	name := newName()
	if err := execute(server, "CREATE DATABASE "+name+" TEMPLATE "+template); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := dropDatabase(server, name); err != nil {
			t.Error(err)
		}
	})
	return inDatabase(t, server, name)
}

func dropDatabase(server, name string) error {
	return execute(server, "DROP DATABASE IF EXISTS "+name+" WITH (FORCE)")
}

func execute(server, statement string) error {
	const most = time.Minute
	ctx, cancel := context.WithTimeout(context.Background(), most)
	defer cancel()
	connection, err := pgx.Connect(ctx, server)
	if err != nil {
		return err
	}
	defer func() { _ = connection.Close(ctx) }()
	if _, err := connection.Exec(ctx, statement); err != nil {
		return fmt.Errorf("%s: %w", statement, err)
	}
	return nil
}

// inDatabase returns the URL of another database of the server.
func inDatabase(t testing.TB, server, name string) string {
	t.Helper()
	u, err := url.Parse(server)
	if err != nil {
		t.Fatalf("want one URL of one host: %v", err)
	}
	u.Path = "/" + name
	return u.String()
}
