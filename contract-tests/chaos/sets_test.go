//go:build chaos

package chaos_test

import (
	"bufio"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/contract-tests/servers"
)

// sets are the backends that TestRandom runs on, each with the faults that may
// befall it.
var sets = []struct {
	name    string
	clients int // so many that two processors are busy, and starts still quick
	make    func(*testing.T) *backends
}{
	{"SQLite + files", 16, func(t *testing.T) *backends {
		b := newBackends(t)
		b.mountFiles(t)
		b.useSQLite(t)
		return b
	}},
	{"Postgres + files", 8, func(t *testing.T) *backends {
		b := newBackends(t)
		b.mountFiles(t)
		c := b.useCluster(t)
		b.usePgBouncer(t)
		b.causes = append(b.causes, cause{name: "Postgres is restarted", do: func(random *rand.Rand, _ *replica) { c.Restart(between(random, 0, 1000)) }})
		return b
	}},
	{"Postgres + S3", 8, func(t *testing.T) *backends {
		b := newBackends(t)
		c := b.useCluster(t)
		rawURL, restart := servers.OwnS3(t)
		b.useS3(t, rawURL)
		proxy := throughTCP(t, b.store.address)
		b.settings = append(b.settings, "FLEETPHOTO_PHOTO_STORE_URL="+b.store.url(proxy.Listen))
		b.causes = append(append(b.causes, connectionCauses("the store", proxy)...),
			cause{name: "failover", do: func(*rand.Rand, *replica) { c.FailOver() }, after: c.Rejoin},
			cause{name: "S3 is restarted", do: func(random *rand.Rand, _ *replica) { restart(between(random, 0, 1000)) }})
		return b
	}},
}

// useCluster has a Postgres primary and its synchronous standby, each behind a proxy.
func (b *backends) useCluster(t *testing.T) *servers.Cluster {
	t.Helper()
	c := servers.NewCluster(t)
	first, second := throughTCP(t, c.Addresses[0]), throughTCP(t, c.Addresses[1])
	b.settings = append(b.settings, "FLEETPHOTO_DATABASE_URL="+c.URL(first.Listen, second.Listen))
	b.proxied = first.Listen
	b.customers = openDatabase(t, "pgx", c.URL(c.Addresses[:]...))
	b.log = b.customers
	b.causes = append(connectionCauses("Postgres", first, second), cause{name: "Postgres ends all connections", do: func(*rand.Rand, *replica) {
		if _, err := b.customers.Exec("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"); err != nil {
			t.Error(err)
		}
	}})
	return c
}

// usePgBouncer puts PgBouncer, in transaction mode, before the first server of the
// cluster.
func (b *backends) usePgBouncer(t *testing.T) {
	t.Helper()
	program := "/usr/sbin/pgbouncer"
	if path, err := exec.LookPath("pgbouncer"); err == nil {
		program = path
	}
	if _, err := os.Stat(program); err != nil {
		const sentence = "there is no pgbouncer"
		if slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "pgbouncer") {
			t.Fatal(sentence)
		}
		t.Skip(sentence)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(t, err)
	address := listener.Addr().String()
	must(t, listener.Close())
	host, port, _ := net.SplitHostPort(b.proxied)
	_, own, _ := net.SplitHostPort(address)
	config := filepath.Join(t.TempDir(), "pgbouncer.ini")
	must(t, os.WriteFile(config, fmt.Appendf(nil, `
[databases]
photos = host=%s port=%s user=postgres
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = %s
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = 40
max_client_conn = 500
server_login_retry = 0.2
`, host, port, own), 0o600))
	start := func() *exec.Cmd {
		c := exec.Command(program, config)
		if os.Getuid() == 0 {
			c.Args = []string{program, "-u", "nobody", config} // it doesn't run as root
		}
		return c
	}
	pooler := keepRunning(t, start, "process up")
	b.settings = append(b.settings, "FLEETPHOTO_DATABASE_URL=postgres://postgres@"+address+"/photos?sslmode=disable&connect_timeout=5&default_query_exec_mode=cache_describe")
	b.causes = append(b.causes, cause{name: "PgBouncer is restarted", do: func(random *rand.Rand, _ *replica) {
		pooler.stop(between(random, 0, 1000))
	}})
}

// server is a program that is started again whenever it ends.
type server struct {
	kill  chan time.Duration // kills it; it starts again after so long
	ready chan struct{}      // it runs
}

// keepRunning starts a program, which prints up once it runs, and keeps it running
// until the test ends.
func keepRunning(t *testing.T, command func() *exec.Cmd, up string) server {
	t.Helper()
	s := server{make(chan time.Duration), make(chan struct{}, 1)}
	ended, done := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(done)
		for {
			c := command()
			said, err := c.StderrPipe()
			if err == nil {
				err = c.Start()
			}
			if err != nil {
				t.Error(err)
				return
			}
			died := make(chan string)
			go func() {
				last := ""
				for lines := bufio.NewScanner(said); lines.Scan(); last = lines.Text() {
					if strings.Contains(lines.Text(), up) {
						select {
						case s.ready <- struct{}{}:
						default: // nobody has asked since it ended by itself
						}
					}
				}
				_ = c.Wait()
				died <- last
			}()
			select {
			case last := <-died:
				t.Logf("%s ended by itself: %s", c.Path, last)
				time.Sleep(100 * time.Millisecond)
			case after := <-s.kill:
				_ = c.Process.Kill()
				<-died
				time.Sleep(after)
			case <-ended:
				_ = c.Process.Kill()
				<-died
				return
			}
		}
	}()
	t.Cleanup(func() { close(ended); <-done })
	<-s.ready
	return s
}

// stop kills it, and waits until it runs again, after so long.
func (s server) stop(after time.Duration) {
	select {
	case <-s.ready: // since it ended by itself
	default:
	}
	s.kill <- after
	<-s.ready
}

// mountFiles keeps photos, and SQLite's database, on a small disk of their own,
// which can be full and whose photos can be read-only. That takes root.
func (b *backends) mountFiles(t *testing.T) {
	t.Helper()
	data := filepath.Join(b.directory, "fleetphoto-data")
	photos := filepath.Join(data, "photos")
	const size = "512m"
	must(t, os.MkdirAll(data, 0o700))
	err := syscall.Mount("tmpfs", data, "tmpfs", 0, "size="+size+",mode=0700")
	if errors.Is(err, syscall.EPERM) && !slices.Contains(strings.Split(os.Getenv("FLEETPHOTO_REQUIRE"), ","), "mount") {
		t.Log("no disk is full and no directory is read-only, as that takes root")
		b.useFiles()
		return
	}
	must(t, err)
	t.Cleanup(func() { _ = syscall.Unmount(data, syscall.MNT_DETACH) })
	must(t, os.MkdirAll(photos, 0o700))
	must(t, syscall.Mount(photos, photos, "", syscall.MS_BIND, ""))
	t.Cleanup(func() { _ = syscall.Unmount(photos, syscall.MNT_DETACH) })
	b.useFiles()
	b.causes = append(b.causes, cause{name: "the disk is full", do: func(random *rand.Rand, _ *replica) {
		filler, err := os.Create(filepath.Join(data, "filler"))
		if err != nil {
			t.Error(err)
			return
		}
		var filled int64
		for step := int64(256 << 20); step >= 4096; {
			if syscall.Fallocate(int(filler.Fd()), 0, filled, step) != nil {
				step /= 2
				continue
			}
			filled += step
		}
		time.Sleep(between(random, 200, 2000))
		if err := errors.Join(filler.Close(), os.Remove(filler.Name())); err != nil {
			t.Error(err)
		}
	}}, cause{name: "the photos are read-only", do: func(random *rand.Rand, _ *replica) {
		const remount = syscall.MS_REMOUNT | syscall.MS_BIND
		for end := time.Now().Add(time.Second); syscall.Mount("", photos, "", remount|syscall.MS_RDONLY, "") != nil; { // a photo is being written
			if time.Now().After(end) {
				return
			}
		}
		time.Sleep(between(random, 200, 2000))
		if err := syscall.Mount("", photos, "", remount, ""); err != nil {
			t.Error(err)
		}
	}})
}

// url is that of the photo store, with another address before it.
func (p *storeProxy) url(address string) string {
	return strings.Replace(p.photoStoreURL, url.QueryEscape(p.address), url.QueryEscape(address), 1)
}
