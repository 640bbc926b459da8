package postgres

import (
	"github.com/exaring/otelpgx"
	"github.com/jackc/pgx/v5/pgxpool"
)

// trace has each statement make a span of the call that it belongs to, with its
// text, which holds no values. Outside a traced call it makes none.
func trace(config *pgxpool.Config) {
	config.ConnConfig.Tracer = otelpgx.NewTracer(otelpgx.WithDisableConnectionDetailsInAttributes())
}

// Connections returns how many connections are in use, idle and allowed.
func (db *DB) Connections() (inUse, idle, most int) {
	now := db.pool.Stat()
	return int(now.AcquiredConns()), int(now.IdleConns()), int(now.MaxConns())
}
