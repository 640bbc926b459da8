package servers

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"net"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/testcontainers/testcontainers-go"
	"github.com/testcontainers/testcontainers-go/exec"
	"github.com/testcontainers/testcontainers-go/wait"
)

// Cluster is a Postgres primary with a synchronous standby, in a container of the
// test's own. Its methods fail the test where they fail.
type Cluster struct {
	Addresses [2]string // of both servers, host:port

	t       testing.TB
	running testcontainers.Container
	primary int // index of Addresses
}

// NewCluster starts a cluster with an empty database.
func NewCluster(t testing.TB) *Cluster {
	t.Helper()
	skipOrFail(t, engine(), "postgres")
	c := &Cluster{t: t, running: runOwn(t, container{
		image: cmp.Or(os.Getenv("FLEETPHOTO_TEST_POSTGRES_IMAGE"), postgresImage), entrypoint: []string{"sleep", "infinity"},
		ports: []string{"5432/tcp", "5433/tcp"}, ready: wait.ForExec([]string{"true"}),
	})}
	for i := range c.Addresses {
		port, err := c.running.MappedPort(t.Context(), fmt.Sprintf("%d/tcp", 5432+i))
		if err != nil {
			t.Fatal(err)
		}
		c.Addresses[i] = "127.0.0.1:" + port.Port()
	}
	c.run(`mkdir /tmp/pg; cd /tmp/pg; initdb -D 0 -U postgres -A trust -E UTF8 --no-sync
		printf 'host all all all trust\nhost replication all all trust\n' >>0/pg_hba.conf
		printf "%s\n" "listen_addresses = '*'" "fsync = off" "full_page_writes = off" "max_connections = 200" "wal_retrieve_retry_interval = '200ms'" "unix_socket_directories = '/tmp'" >>0/postgresql.conf
		` + start(0))
	c.execute("postgres", "CREATE DATABASE photos TEMPLATE template0")
	c.Rejoin()
	return c
}

// URL is that of the database, on whichever of these hosts is the primary.
func (c *Cluster) URL(hosts ...string) string {
	return "postgres://postgres@" + strings.Join(hosts, ",") + "/photos?sslmode=disable&connect_timeout=5&target_session_attrs=read-write"
}

func start(server int) string {
	return fmt.Sprintf("pg_ctl -D /tmp/pg/%d -o '-p %d' -l /tmp/pg/%d.log -w start\n", server, 5432+server, server)
}

// Restart stops the primary without warning and starts it again after so long.
func (c *Cluster) Restart(after time.Duration) {
	c.run(fmt.Sprintf("pg_ctl -D /tmp/pg/%d -m immediate stop; sleep %.1f; %s", c.primary, after.Seconds(), start(c.primary)))
}

// FailOver stops the primary without warning and makes the standby the primary,
// which goes on without a standby until Rejoin.
func (c *Cluster) FailOver() {
	c.run(fmt.Sprintf("pg_ctl -D /tmp/pg/%d -m immediate stop; pg_ctl -D /tmp/pg/%d -w promote", c.primary, 1-c.primary))
	c.primary = 1 - c.primary
}

// Rejoin makes the other server a synchronous standby.
func (c *Cluster) Rejoin() {
	standby := 1 - c.primary
	c.run(fmt.Sprintf("rm -rf /tmp/pg/%d; pg_basebackup -h /tmp -p %d -U postgres -D /tmp/pg/%d -R -c fast --no-sync\n%s",
		standby, 5432+c.primary, standby, start(standby)))
	c.execute("photos", `DO $$ BEGIN
		FOR i IN 1..600 LOOP
			PERFORM pg_stat_clear_snapshot();
			IF EXISTS (SELECT FROM pg_stat_replication WHERE state = 'streaming') THEN RETURN; END IF;
			PERFORM pg_sleep(0.05);
		END LOOP;
		RAISE 'the standby does not come';
	END $$`)
	// The setting isn't copied to a standby, which is to go on alone.
	c.execute("photos", "ALTER SYSTEM SET synchronous_standby_names = '*'")
	c.execute("photos", "SELECT pg_reload_conf()")
}

func (c *Cluster) execute(database, statement string) {
	c.t.Helper()
	if err := execute("postgres://postgres@"+c.Addresses[c.primary]+"/"+database+"?sslmode=disable", statement); err != nil {
		c.t.Error(err)
	}
}

func (c *Cluster) run(script string) {
	c.t.Helper()
	code, output, err := c.running.Exec(context.Background(), []string{"sh", "-ec", script}, exec.WithUser("postgres"), exec.Multiplexed())
	if err != nil || code != 0 {
		var text []byte
		if output != nil {
			text, _ = io.ReadAll(output)
		}
		c.t.Errorf("%s: %d, %v: %s", script, code, err, text)
	}
}

// OwnS3 starts an S3 server of the test's own and returns the URL of a photo store
// on it, and what stops the server, and starts it again after so long.
func OwnS3(t testing.TB) (rawURL string, restart func(after time.Duration)) {
	t.Helper()
	skipOrFail(t, engine(), "s3")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	c := s3Container(cmp.Or(os.Getenv("FLEETPHOTO_TEST_S3_IMAGE"), s3Image))
	_, c.hostPort, _ = net.SplitHostPort(listener.Addr().String()) // which it keeps
	_ = listener.Close()
	running := runOwn(t, c)
	rawURL, err = prepareS3(t.Context(), "127.0.0.1:"+c.hostPort)
	if err != nil {
		t.Fatal(err)
	}
	u, err := url.Parse(rawURL)
	if err != nil {
		t.Fatal(err)
	}
	query := u.Query()
	query.Set("prefix", "own/")
	u.RawQuery = query.Encode()
	return u.String(), func(after time.Duration) {
		patience := time.Second
		err := running.Stop(context.Background(), &patience)
		time.Sleep(after)
		if err == nil {
			err = running.Start(context.Background())
		}
		if err != nil {
			t.Error(err)
		}
	}
}

func runOwn(t testing.TB, c container) testcontainers.Container {
	t.Helper()
	running, err := c.run(t.Context())
	t.Cleanup(func() {
		if err := testcontainers.TerminateContainer(running, testcontainers.StopTimeout(0)); err != nil {
			t.Error(err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	return running
}
