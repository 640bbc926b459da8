package postgres

import (
	"fmt"
	"strings"
	"testing"
)

func TestOpen(t *testing.T) {
	t.Parallel()
	type facts struct {
		hosts, user, password, database, mode, settings string
		size, changes                                   int
		connect                                         string
	}
	plain := facts{"h:5432", "u", "p", "d", "cache statement", "map[application_name:fleetphoto]", 20, 15, "5s"}
	for rawURL, want := range map[string]func(*facts){
		"postgres://u:p@h/d":                                        func(*facts) {},
		"postgresql://u:p@h:5432/d":                                 func(*facts) {},
		"postgres://u:p@h:15432/d":                                  func(f *facts) { f.hosts = "h:15432" },
		"postgres://h/d?user=u&password=p":                          func(*facts) {},
		"postgres://u:100%25%2F%40%3A@h/d":                          func(f *facts) { f.password = "100%/@:" },
		"postgres://u:p@a,b:5433/d?target_session_attrs=read-write": func(f *facts) { f.hosts = "a:5432 b:5433" },
		"postgres://u:p@[::1]/d":                                    func(f *facts) { f.hosts = "::1:5432" },
		"postgres://u:p@/d?host=/var/run/postgresql":                func(f *facts) { f.hosts = "/var/run/postgresql:5432" },
		"postgres://u:p@h/d?connect_timeout=2":                      func(f *facts) { f.connect = "2s" },
		"postgres://u:p@h/d?pool_max_conns=2":                       func(f *facts) { f.size, f.changes = 2, 1 },
		"postgres://u:p@h/d?pool_max_conns=4":                       func(f *facts) { f.size, f.changes = 4, 3 },
		"postgres://u:p@h/d?pool_max_conns=100":                     func(f *facts) { f.size, f.changes = 100, 75 },
		"postgres://u:p@h/d?default_query_exec_mode=cache_describe": func(f *facts) { f.mode = "cache describe" },
		"postgres://u:p@h/d?default_query_exec_mode=exec":           func(f *facts) { f.mode = "exec" },
		"postgres://u:p@h/d?application_name=x&search_path=a,b&statement_timeout=5s": func(f *facts) {
			f.settings = "map[application_name:x search_path:a,b statement_timeout:5s]"
		},
	} {
		db, err := Open(rawURL + map[bool]string{true: "&", false: "?"}[strings.Contains(rawURL, "?")] + "sslmode=disable")
		if err != nil {
			t.Errorf("Open(%q): %v", rawURL, err)
			continue
		}
		config := db.pool.Config()
		conn := config.ConnConfig
		hosts := fmt.Sprintf("%s:%d", conn.Host, conn.Port)
		for _, other := range conn.Fallbacks {
			hosts += fmt.Sprintf(" %s:%d", other.Host, other.Port)
		}
		got := facts{
			hosts, conn.User, conn.Password, conn.Database, conn.DefaultQueryExecMode.String(), fmt.Sprint(conn.RuntimeParams),
			int(config.MaxConns), cap(db.slots), conn.ConnectTimeout.String(),
		}
		expected := plain
		want(&expected)
		if got != expected {
			t.Errorf("Open(%q) = %+v, want %+v", rawURL, got, expected)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestOpenRefuses(t *testing.T) {
	t.Parallel()
	refused := map[string]string{
		"":                                 "postgres://",
		"host=h password=hunter2":          "postgres://",
		"sqlite://u:hunter2@h":             "postgres://",
		"postgres:u:hunter2@h/d":           "postgres://",
		"POSTGRES://u:hunter2@h/d":         "postgres://",
		"postgres://u:hunter2@h:port/d":    "invalid port",
		"postgres://u:hunter2%zz@h/d":      "%25",
		"postgres://u:hunter2/x@h/d":       "%2F",
		"postgres://u:1/hunter2@h/d":       "%2F",
		"postgres://u:x@hunter2@h/d":       "%40",
		"postgres://u:1?s/hunter2@h/d":     "%40",
		"postgres://u:hunter2@[::1/d":      "can't be told apart",
		"postgres://u:hunter2@h/d?sslmode": "%3D",
		"postgres://u:hunter2@h/d\x00":     "can't be told apart",
	}
	parameters := map[string]string{
		"sslmode=on":                            "sslmode",
		"sslrootcert=/nowhere/ca.pem":           "/nowhere/ca.pem",
		"connect_timeout=soon":                  "connect_timeout",
		"target_session_attrs=leader":           "target_session_attrs",
		"default_query_exec_mode=fast":          "default_query_exec_mode",
		"pool_max_conns=1":                      "at least 2",
		"pool_max_conns=0":                      "pool_max_conns",
		"pool_max_conns=many":                   "pool_max_conns",
		"pool_min_conns=x":                      "pool_min_conns",
		"statement_timout=5s":                   `no parameter "statement_timout"`,
		"work_mem=1GB":                          `no parameter "work_mem"`,
		"default_transaction_read_only=on":      `no parameter "default_transaction_read_only"`,
		"sslmode=disable&hunter=2&pool_max=3":   "no parameter",
		"password=hunter2&sslmode=very":         "sslmode",
		"host=other,third&port=1,2,3":           "port",
		"sslcert=/nowhere/client.pem":           "sslkey",
		"pool_max_conn_lifetime=1":              "pool_max_conn_lifetime",
		"idle_in_transaction_session_timeout=1": "no parameter",
	}
	for parameter, word := range parameters {
		refused["postgres://u:hunter2@h/d?"+parameter] = word
	}
	for rawURL, word := range refused {
		db, err := Open(rawURL)
		if err == nil {
			_ = db.Close()
			t.Errorf("Open(%q): no error, want one with %q", rawURL, word)
			continue
		}
		if !strings.Contains(err.Error(), word) || strings.Contains(err.Error(), "hunter2") || strings.Contains(err.Error(), "\n") {
			t.Errorf("Open(%q) = %v; want one line with %q and without the password", rawURL, err, word)
		}
	}
}
