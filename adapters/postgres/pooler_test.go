package postgres

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A pooler that gives each transaction another of its connections, and that
// keeps no prepared statements, as PgBouncer does before its version 1.21.
func TestThroughPgBouncer(t *testing.T) {
	t.Parallel()
	program := pgBouncer(t)
	for _, mode := range []string{"cache_describe", "exec"} {
		t.Run(mode, func(t *testing.T) {
			t.Parallel()
			rawURL, direct := peopled(t)
			setPIN(t, direct)
			host, port := startPgBouncer(t, program, direct)
			rawURL = with(t, with(t, with(t, rawURL, "host", host), "port", port), "sslmode", "disable")
			db := started(t, with(t, rawURL, "default_query_exec_mode", mode))
			for name, call := range calls(db) {
				if err := call(t.Context()); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
			before := size(t, db, alice)
			const callers, each = 8, 5
			var all sync.WaitGroup
			for range callers {
				all.Go(func() {
					for range each {
						if err := wholeCall(t.Context(), db, &right); err != nil {
							t.Error(err)
						}
					}
				})
			}
			all.Wait()
			if got := size(t, db, alice); got != before+callers*each {
				t.Errorf("size = %d, want %d", got, before+callers*each)
			}
		})
	}
}

// pgBouncer is the path of the program; without one, the test is skipped, or
// fails where FLEETPHOTO_REQUIRE lists pgbouncer.
func pgBouncer(t *testing.T) string {
	t.Helper()
	for _, name := range []string{"pgbouncer", "/usr/sbin/pgbouncer"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	const sentence = "there is no pgbouncer, so nothing is tested through it"
	if slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "pgbouncer") {
		t.Fatal(sentence)
	}
	t.Skip(sentence)
	return ""
}

// startPgBouncer starts one before the server of direct.
func startPgBouncer(t *testing.T, program string, direct *DB) (host, port string) {
	t.Helper()
	free, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	host, port, err = net.SplitHostPort(free.Addr().String())
	must(t, err)
	must(t, free.Close())
	to := direct.pool.Config().ConnConfig
	config := filepath.Join(t.TempDir(), "pgbouncer.ini")
	must(t, os.WriteFile(config, fmt.Appendf(nil, `
[databases]
* = host=%s port=%d user=%s password=%s
[pgbouncer]
listen_addr = %s
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 3
`, to.Host, to.Port, to.User, to.Password, host, port), 0o600))
	pooler := exec.CommandContext(t.Context(), program, config)
	if os.Getuid() == 0 {
		pooler.Args = append(pooler.Args[:1], "-u", "nobody", config) // it doesn't run as root
	}
	said, err := pooler.StderrPipe()
	must(t, err)
	must(t, pooler.Start())
	t.Cleanup(func() { _ = pooler.Wait() }) // killed by the end of t.Context
	var all strings.Builder
	for lines := bufio.NewScanner(said); lines.Scan(); fmt.Fprintln(&all, lines.Text()) {
		if strings.Contains(lines.Text(), "process up") {
			go func() { _, _ = bufio.NewReader(said).WriteTo(&all) }()
			return host, port
		}
	}
	t.Fatalf("PgBouncer didn't start: %s", &all)
	return "", ""
}
