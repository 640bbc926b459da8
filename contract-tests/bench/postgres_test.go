package bench

import (
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5/pgxpool"
)

// postgres is a server whose commits reach the disk, unlike those that other
// tests start, and whose processor time can be read.
type postgres struct {
	programs, port        string
	control               *pgxpool.Pool
	postmaster, databases int
}

func startPostgres(b *testing.B) *postgres {
	b.Helper()
	found, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // Debian's, which isn't in PATH
	if path, err := exec.LookPath("initdb"); err == nil {
		found = append(found, filepath.Dir(path))
	}
	if len(found) == 0 {
		b.Skip("Postgres isn't installed: there is no initdb in PATH, nor in /usr/lib/postgresql")
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	must(b, err)
	_, port, err := net.SplitHostPort(listener.Addr().String())
	must(b, errors.Join(err, listener.Close()))
	directory := run(b, "mktemp", "--directory") // b.TempDir lies in one that another user can't read
	b.Cleanup(func() { _ = os.RemoveAll(directory) })
	p, data := &postgres{programs: found[0], port: port}, filepath.Join(directory, "data")
	p.run(b, "initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--no-locale", data)
	// A process that vacuums ends within a turn, and its time would be lost.
	p.run(b, "pg_ctl", "start", "--wait", "--pgdata="+data, "--log="+filepath.Join(directory, "log"),
		"--options=-c listen_addresses=127.0.0.1 -c port="+port+" -c unix_socket_directories="+directory+" -c autovacuum=off")
	b.Cleanup(func() { p.run(b, "pg_ctl", "stop", "--mode=immediate", "--pgdata="+data) })
	text, err := os.ReadFile(filepath.Join(data, "postmaster.pid"))
	must(b, err)
	pid, _, _ := strings.Cut(string(text), "\n")
	p.postmaster, err = strconv.Atoi(pid)
	must(b, err)
	p.control, err = pgxpool.New(b.Context(), p.url("postgres"))
	must(b, err)
	b.Cleanup(p.control.Close)
	return p
}

func (p *postgres) run(b *testing.B, program string, args ...string) {
	b.Helper()
	run(b, filepath.Join(p.programs, program), args...)
}

// run runs a program, for root as the user postgres, as Postgres refuses to be root.
func run(b *testing.B, program string, args ...string) string {
	b.Helper()
	if os.Geteuid() == 0 {
		program, args = "runuser", append([]string{"-u", "postgres", "--", program}, args...)
	}
	c := exec.Command(program, args...)
	c.Dir = "/" // this one may be closed to the other user
	out, err := c.CombinedOutput()
	if err != nil {
		b.Fatalf("%v: %v\n%s", c, err, out)
	}
	return strings.TrimSpace(string(out))
}

func (p *postgres) newDatabase(b *testing.B) (url string) {
	b.Helper()
	p.databases++
	name := fmt.Sprintf("handler%d", p.databases)
	p.run(b, "createdb", "--host=127.0.0.1", "--port="+p.port, "--username=postgres", name)
	return p.url(name)
}

const urlEnd = "?sslmode=disable"

func (p *postgres) url(database string) string {
	return "postgres://postgres@127.0.0.1:" + p.port + "/" + database + urlEnd
}

// usage is what the calls of a database have taken so far.
type usage struct {
	cpu               time.Duration
	transactions, wal float64 // the latter in bytes
}

// usage returns zeros where there is no server.
func (p *postgres) usage(b *testing.B, database string) (u usage) {
	b.Helper()
	if p == nil {
		return u
	}
	_, name, _ := strings.Cut(strings.TrimSuffix(database, urlEnd), "127.0.0.1:"+p.port+"/")
	must(b, p.control.QueryRow(b.Context(), `SELECT xact_commit::float8, (pg_current_wal_lsn() - '0/0'::pg_lsn)::float8
		FROM pg_stat_database WHERE datname = $1`, name).Scan(&u.transactions, &u.wal))
	children, err := os.ReadFile(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", p.postmaster))
	must(b, err)
	u.cpu = processorTime(p.postmaster)
	for child := range strings.FieldsSeq(string(children)) {
		pid, err := strconv.Atoi(child)
		must(b, err)
		u.cpu += processorTime(pid)
	}
	return u
}

// settle has the server do now what an import has left to do.
func (p *postgres) settle(b *testing.B) {
	b.Helper()
	_, err := p.control.Exec(b.Context(), "CHECKPOINT")
	must(b, err)
}
