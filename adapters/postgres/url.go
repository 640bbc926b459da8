package postgres

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5/pgconn"
	"github.com/jackc/pgx/v5/pgxpool"
)

// What holds unless a URL says otherwise.
const (
	maxConns       = 20
	connectTimeout = 5 * time.Second // of each host, so that the next one gets its turn
	pingTimeout    = 2 * time.Second // of a connection that was idle, whose server may be gone without a word
)

// serverSettings are the settings that a URL may set for each session, besides the
// parameters of pgx and its pool. Any other name is a typo: the server would refuse
// it, or a pooler ignore it.
var serverSettings = []string{"application_name", "options", "search_path", "statement_timeout", "timezone"}

// parseURL reads a URL as pgxpool does, and fails with a sentence that repeats
// nothing of it that may be secret.
func parseURL(rawURL string) (*pgxpool.Config, error) {
	scheme, rest, _ := strings.Cut(rawURL, "://")
	if scheme != "postgres" && scheme != "postgresql" {
		return nil, errors.New("want postgres://user@host/database, got a URL that doesn't begin with postgres:// or postgresql://")
	}
	if i := strings.IndexAny(rest, "@/"); i >= 0 && rest[i] == '@' {
		rest = rest[i+1:]
	}
	if rest, _, _ = strings.Cut(rest, "?"); strings.Contains(rest, "@") { // pgx would take half a password for a host or a database
		return nil, errors.New("a postgres:// URL has one @, before the host; write %40 for any other, and %2F for a / in the user's name and password")
	}
	config, err := pgxpool.ParseConfig(rawURL)
	if err != nil {
		return nil, whyNot(rawURL, err)
	}
	settings := config.ConnConfig.RuntimeParams
	for name := range settings {
		if !slices.Contains(serverSettings, name) {
			return nil, fmt.Errorf("a postgres:// URL takes no parameter %q; it takes those of libpq (sslmode, target_session_attrs, connect_timeout, …) "+
				"and of pgx (pool_max_conns, default_query_exec_mode, …), and the server's settings %s", name, strings.Join(serverSettings, ", "))
		}
	}
	if settings["application_name"] == "" {
		settings["application_name"] = "fleetphoto"
	}
	return config, complete(config, rawURL)
}

// whyNot is pgx's reason without the URL. For a URL that it can't parse, pgx quotes
// a part that may be a password, so that reason is replaced.
func whyNot(rawURL string, err error) error {
	reason, found := strings.CutPrefix(err.Error(), pgconn.NewParseConfigError(rawURL, "", nil).Error())
	if !found || strings.HasPrefix(reason, "failed to parse as URL") {
		reason = "its parts can't be told apart; want postgres://user:password@host:port/database?name=value&name=value, " +
			"with %25 for a % in any part, %2F for /, %3A for :, %40 for @, %3D for = and %26 for &"
	}
	return errors.New("this postgres:// URL can't be used: " + reason)
}

// complete sets what the URL leaves open.
func complete(config *pgxpool.Config, rawURL string) error {
	if !strings.Contains(rawURL, "pool_max_conns=") {
		config.MaxConns = maxConns
	}
	if config.ConnConfig.ConnectTimeout == 0 {
		config.ConnConfig.ConnectTimeout = connectTimeout
	}
	if config.PingTimeout == 0 {
		config.PingTimeout = pingTimeout
	}
	if config.MaxConns < 2 {
		return errors.New("pool_max_conns in a postgres:// URL must be at least 2: a photo's change holds one connection, and others wait for nothing")
	}
	return nil
}
