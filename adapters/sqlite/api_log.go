package sqlite

import (
	"context"
	"database/sql"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
	"github.com/fleetphoto/fleetphoto/ports"
)

// ApiLog is a ports.ApiLog in a SQLite file.
type ApiLog struct{ db *DB }

var (
	_ ports.ApiLog        = (*ApiLog)(nil)
	_ ports.ApiLogArchive = (*ApiLog)(nil)
)

// now is the time by the database's clock, as times are stored. It counts
// milliseconds.
const now = `CAST(round(unixepoch('now', 'subsec') * 1000) AS INTEGER) * 1000`

// selectUnfinished names the index of the open entries, as SQLite would go
// through the whole log in the order of ids.
const selectUnfinished = rows.SelectEntry + `INDEXED BY api_log_open
	WHERE result = '' AND id > ? AND coalesce(opened_at, received_at) < ` + now + ` - ? ORDER BY id LIMIT ?`

// Record implements ports.ApiLog.
func (l *ApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	return l.insert(ctx, "record call", call, outcome)
}

// Open implements ports.ApiLog.
func (l *ApiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return l.insert(ctx, "open entry", call, domain.Outcome{})
}

func (l *ApiLog) insert(ctx context.Context, action string, call domain.ApiCall, outcome domain.Outcome) (id domain.ApiLogID, err error) {
	values := dialect.EntryValues(call, outcome)
	values[0] = call.ReceivedAt.UnixMicro() // the zero time too: the column has no NULL
	err = l.db.write(ctx, action, func(ctx context.Context, tx *sql.Tx) error {
		return tx.QueryRowContext(ctx, `
			INSERT INTO api_log (`+rows.EntryColumns+`, opened_at)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, `+now+`) RETURNING id`, values...).Scan(&id)
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// Close implements ports.ApiLog.
func (l *ApiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	return l.db.write(ctx, "close entry", func(ctx context.Context, tx *sql.Tx) error {
		closed, err := closeEntry(ctx, tx, id, outcome)
		if err != nil || closed {
			return err
		}
		return rows.IfNone(tx.QueryRowContext(ctx, `SELECT id FROM api_log WHERE id = ?`, id).Scan(&id), rows.NoEntry(id))
	})
}

// closeEntry reports whether it closed an entry: one that is open, or interrupted
// and turns out to be valid.
func closeEntry(ctx context.Context, tx *sql.Tx, id domain.ApiLogID, outcome domain.Outcome) (bool, error) {
	return changes(tx.ExecContext(ctx, `
		UPDATE api_log SET (`+rows.OutcomeColumns+`) = (?, ?, ?, ?, ?, ?)
		WHERE id = ? AND (result = '' OR result = ? AND ?)`,
		append(dialect.OutcomeValues(outcome), id, domain.Interrupted, outcome.Result == domain.Valid)...))
}

// Unfinished implements ports.ApiLog.
func (l *ApiLog) Unfinished(ctx context.Context, olderThan time.Duration, after domain.ApiLogID, limit int) ([]domain.ApiLogEntry, error) {
	entries, err := list(ctx, l.db.readers, dialect.ScanEntry, selectUnfinished, after, olderThan.Microseconds(), max(limit, 0))
	return entries, translate("list unfinished entries", err)
}

// Entry implements ports.ApiLogArchive.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	entry, err := dialect.ScanEntry(l.db.readers.QueryRowContext(ctx, rows.SelectEntry+`WHERE id = ?`, id))
	if err != nil {
		return domain.ApiLogEntry{}, translate("read entry", rows.IfNone(err, rows.NoEntry(id)))
	}
	return entry, nil
}

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	query, args := listQuery(filter, limit)
	entries, err := list(ctx, l.db.readers, dialect.ScanEntry, query, args...)
	return entries, translate("list entries", err)
}

func listQuery(filter domain.ApiLogFilter, limit int) (query string, args []any) {
	where, args := rows.Where(filter, microsUp)
	index, its := indexFor(filter)
	return rows.SelectEntry + "INDEXED BY " + index + " " + where + its + " ORDER BY received_at DESC, id DESC LIMIT ?", append(args, max(limit, 0))
}

// indexFor returns the index that leaves the fewest entries to look at, as SQLite
// has no statistics, and the condition of a partial index, which SQLite doesn't infer.
func indexFor(filter domain.ApiLogFilter) (index, its string) {
	switch {
	case filter.Customer != 0:
		return "api_log_customer", ""
	case filter.Result == domain.Open:
		return "api_log_open", ""
	case filter.Error != "":
		return "api_log_error", " AND error <> ''"
	case filter.Result == domain.Failed || filter.Result == domain.Interrupted:
		return "api_log_result", " AND result IN ('error', 'interrupted')"
	case filter.Fleet != 0:
		return "api_log_fleet", ""
	}
	return "api_log_received", ""
}

// pruneAtOnce is how many entries one transaction removes. Other writes wait for it;
// with a million entries it takes a few milliseconds.
const pruneAtOnce = 100

// Prune implements ports.ApiLogArchive.
func (l *ApiLog) Prune(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	for {
		wanted := max(0, min(limit-removed, pruneAtOnce))
		count, err := l.pruneSome(ctx, before, wanted)
		removed += count
		if err != nil || count < wanted || removed >= limit {
			return removed, err
		}
	}
}

func (l *ApiLog) pruneSome(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = l.db.writeAlone(ctx, "prune entries", func(ctx context.Context, tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			DELETE FROM api_log WHERE id IN (
				SELECT id FROM api_log WHERE received_at < ? AND result <> '' ORDER BY received_at, id LIMIT ?)`,
			microsUp(before), limit)
		if err != nil {
			return err
		}
		count, err := result.RowsAffected()
		removed = int(count)
		return err
	})
	if err != nil {
		return 0, err
	}
	return removed, nil
}

// ClaimPruning implements ports.ApiLogArchive.
func (l *ApiLog) ClaimPruning(ctx context.Context, every time.Duration) (granted bool, err error) {
	err = l.db.write(ctx, "claim pruning", func(ctx context.Context, tx *sql.Tx) error {
		granted, err = changes(tx.ExecContext(ctx, `
			INSERT INTO api_log_pruning (id, claimed_at) VALUES (1, `+now+`)
			ON CONFLICT (id) DO UPDATE SET claimed_at = excluded.claimed_at WHERE claimed_at <= excluded.claimed_at - ?`,
			every.Microseconds()))
		return err
	})
	return granted && err == nil, err
}
