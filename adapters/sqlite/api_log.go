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

// selectUnfinished says result = ” in the words of the index api_log_open.
const selectUnfinished = rows.SelectEntry + `WHERE result = '' AND received_at < ? ORDER BY received_at, id LIMIT ?`

// Record implements ports.ApiLog.
func (l *ApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	return l.insert(ctx, "record call", call, outcome)
}

// Open implements ports.ApiLog.
func (l *ApiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return l.insert(ctx, "open entry", call, domain.Outcome{})
}

func (l *ApiLog) insert(ctx context.Context, action string, call domain.ApiCall, outcome domain.Outcome) (id domain.ApiLogID, err error) {
	err = l.db.write(ctx, action, func(tx *sql.Tx) error {
		return tx.QueryRowContext(ctx,
			`INSERT INTO api_log (`+rows.EntryColumns+`) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			rows.EntryValues(call, outcome, call.ReceivedAt.UnixMicro(), micros(outcome.EndedAt), asItIs)...,
		).Scan(&id)
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// Close implements ports.ApiLog.
func (l *ApiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	return l.db.write(ctx, "close entry", func(tx *sql.Tx) error {
		closed, err := changes(tx.ExecContext(ctx, `
			UPDATE api_log SET result = ?, error = ?, detail = ?, ended_at = ?, outcome_details = ? WHERE id = ? AND result = ''`,
			outcome.Result, outcome.Error, outcome.Detail, micros(outcome.EndedAt), rows.OutcomeDetails(outcome.Details), id))
		if err != nil || closed {
			return err
		}
		return ifNone(tx.QueryRowContext(ctx, `SELECT id FROM api_log WHERE id = ?`, id).Scan(&id), rows.NoEntry(id))
	})
}

// Unfinished implements ports.ApiLog.
func (l *ApiLog) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	entries, err := list(ctx, l.db.readers, scanEntry, selectUnfinished, microsUp(before), max(limit, 0))
	return entries, translate("list unfinished entries", err)
}

// Entry implements ports.ApiLogArchive.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	entry, err := scanEntry(l.db.readers.QueryRowContext(ctx, rows.SelectEntry+`WHERE id = ?`, id))
	if err != nil {
		return domain.ApiLogEntry{}, translate("read entry", ifNone(err, rows.NoEntry(id)))
	}
	return entry, nil
}

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	where, args := rows.Where(filter, "?", microsUp)
	entries, err := list(ctx, l.db.readers, scanEntry,
		rows.SelectEntry+where+` ORDER BY received_at DESC, id DESC LIMIT ?`, append(args, max(limit, 0))...)
	return entries, translate("list entries", err)
}

// Prune implements ports.ApiLogArchive.
func (l *ApiLog) Prune(ctx context.Context, before time.Time, limit int) (removed int, err error) {
	err = l.db.write(ctx, "prune entries", func(tx *sql.Tx) error {
		result, err := tx.ExecContext(ctx, `
			DELETE FROM api_log WHERE id IN (
				SELECT id FROM api_log WHERE received_at < ? AND result <> '' ORDER BY received_at, id LIMIT ?)`,
			microsUp(before), max(limit, 0))
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

func scanEntry(row rows.Row) (domain.ApiLogEntry, error) { return rows.ScanEntry(row, asItIs) }

func asItIs(text string) string { return text }
