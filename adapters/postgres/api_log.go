package postgres

import (
	"context"
	"fmt"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/jackc/pgx/v5/pgxpool"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ApiLog is a ports.ApiLog in a PostgreSQL database.
type ApiLog struct{ db *DB }

var (
	_ ports.ApiLog        = (*ApiLog)(nil)
	_ ports.ApiLogArchive = (*ApiLog)(nil)
)

// whereID finds an entry by the primary key.
const whereID = `WHERE id = $1 AND shard = $1 % 16`

// selectUnfinished says result = ” in the words of the index api_log_open.
const selectUnfinished = rows.SelectEntry + `
	WHERE result = '' AND id > $1 AND opened_at < clock_timestamp() - $2::bigint * interval '1 microsecond' ORDER BY id LIMIT $3`

// Record implements ports.ApiLog.
func (l *ApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	return l.insert(ctx, "record call", call, outcome)
}

// Open implements ports.ApiLog.
func (l *ApiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return l.insert(ctx, "open entry", call, domain.Outcome{})
}

func (l *ApiLog) insert(ctx context.Context, action string, call domain.ApiCall, outcome domain.Outcome) (id domain.ApiLogID, err error) {
	err = l.db.autocommit(ctx, action, []any{&id},
		`INSERT INTO api_log (`+rows.EntryColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id`,
		dialect.EntryValues(call, outcome)...)
	if err != nil {
		return 0, err
	}
	return id, nil
}

// Close implements ports.ApiLog.
func (l *ApiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	return l.db.do(ctx, "close entry", func(conn *pgxpool.Conn) error {
		closed, err := conn.Exec(ctx, closeEntry, closeValues(id, outcome)...)
		if err != nil || closed.RowsAffected() > 0 {
			return err
		}
		return rows.IfNone(conn.QueryRow(ctx, `SELECT id FROM api_log `+whereID, id).Scan(&id), rows.NoEntry(id))
	})
}

// closeEntry gives an entry an outcome, unless it keeps the one that it has.
const closeEntry = `UPDATE api_log SET (` + rows.OutcomeColumns + `) = ($2, $3, $4, $5, $6, $7) ` +
	whereID + ` AND (result = '' OR result = 'interrupted' AND $2 = 'valid')`

// closeValues are those of closeEntry.
func closeValues(id domain.ApiLogID, outcome domain.Outcome) []any {
	return append([]any{id}, dialect.OutcomeValues(outcome)...)
}

// Unfinished implements ports.ApiLog.
func (l *ApiLog) Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	return list(ctx, l.db, "list unfinished entries", dialect.ScanEntry, selectUnfinished, after, olderThan.Microseconds(), max(limit, 0))
}

// Entry implements ports.ApiLogArchive.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (entry domain.ApiLogEntry, err error) {
	err = l.db.do(ctx, "read entry", func(conn *pgxpool.Conn) error {
		entry, err = dialect.ScanEntry(conn.QueryRow(ctx, rows.SelectEntry+whereID, id))
		return rows.IfNone(err, rows.NoEntry(id))
	})
	if err != nil {
		return domain.ApiLogEntry{}, err
	}
	return entry, nil
}

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	query, args := listQuery(filter, limit)
	return list(ctx, l.db, "list entries", dialect.ScanEntry, query, args...)
}

func listQuery(filter domain.ApiLogFilter, limit int) (query string, args []any) {
	where, args := rows.Where(filter, instantUp)
	args = append(args, max(limit, 0))
	return fmt.Sprintf("%s%s ORDER BY received_at DESC, id DESC LIMIT $%d", rows.SelectEntry, where, len(args)), args
}

// Prune implements ports.ApiLogArchive. The rows are looked up before they are
// deleted, by their primary key, so that no lock is held while it searches.
func (l *ApiLog) Prune(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = l.db.write(ctx, "prune entries", func(tx pgx.Tx) error {
		deleted, err := tx.Exec(ctx, `
			DELETE FROM api_log WHERE (shard, id) IN (
				SELECT shard, id FROM api_log WHERE received_at < $1 AND result <> '' ORDER BY received_at, id LIMIT $2)`,
			instantUp(before), max(limit, 0))
		removed = int(deleted.RowsAffected())
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// ClaimPruning implements ports.ApiLogArchive.
func (l *ApiLog) ClaimPruning(ctx context.Context, every time.Duration) (granted bool, err error) {
	err = l.db.do(ctx, "claim pruning", func(conn *pgxpool.Conn) error {
		claimed, err := conn.Exec(ctx, `
			INSERT INTO api_log_pruning AS last (id, claimed_at) VALUES (1, clock_timestamp())
			ON CONFLICT (id) DO UPDATE SET claimed_at = excluded.claimed_at
			WHERE last.claimed_at <= excluded.claimed_at - $1::bigint * interval '1 microsecond'`, every.Microseconds())
		granted = claimed.RowsAffected() > 0
		return err
	})
	return granted && err == nil, err
}
