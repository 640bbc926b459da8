package sqlite

import (
	"context"
	"database/sql"
	"errors"
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

const selectEntry = `
	SELECT id, received_at, came_from, fleet_id, key_label, customer_id, phone, operation, details,
		result, error, detail, ended_at, outcome_details
	FROM api_log `

// selectUnfinished says result = ” in the words of the index api_log_open.
const selectUnfinished = selectEntry + `WHERE result = '' AND received_at < ? ORDER BY received_at, id LIMIT ?`

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
		return tx.QueryRowContext(ctx, `
			INSERT INTO api_log (received_at, came_from, fleet_id, key_label, customer_id, phone, operation, details,
				result, error, detail, ended_at, outcome_details)
			VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?) RETURNING id`,
			call.ReceivedAt.UnixMicro(), call.From, call.Fleet, call.Key, call.Customer, call.Phone, call.Operation, rows.CallDetails(call.Details),
			outcome.Result, outcome.Error, outcome.Detail, micros(outcome.EndedAt), rows.OutcomeDetails(outcome.Details),
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
		return ifNoEntry(tx.QueryRowContext(ctx, `SELECT id FROM api_log WHERE id = ?`, id).Scan(&id), id)
	})
}

// Unfinished implements ports.ApiLog.
func (l *ApiLog) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	entries, err := list(ctx, l.db.readers, scanEntry, selectUnfinished, microsUp(before), max(limit, 0))
	return entries, translate("list unfinished entries", err)
}

// Entry implements ports.ApiLogArchive.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (domain.ApiLogEntry, error) {
	entry, err := scanEntry(l.db.readers.QueryRowContext(ctx, selectEntry+`WHERE id = ?`, id))
	if err != nil {
		return domain.ApiLogEntry{}, translate("read entry", ifNoEntry(err, id))
	}
	return entry, nil
}

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	where, args := rows.Where(filter, "?", microsUp)
	entries, err := list(ctx, l.db.readers, scanEntry,
		selectEntry+where+` ORDER BY received_at DESC, id DESC LIMIT ?`, append(args, max(limit, 0))...)
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

func scanEntry(row rows.Row) (entry domain.ApiLogEntry, err error) {
	call, outcome := &entry.Call, &entry.Outcome
	err = row.Scan(&entry.ID, (*rows.Time)(&call.ReceivedAt), &call.From, &call.Fleet, &call.Key, &call.Customer, &call.Phone,
		&call.Operation, (*rows.CallDetails)(&call.Details), &outcome.Result, &outcome.Error, &outcome.Detail,
		(*rows.Time)(&outcome.EndedAt), (*rows.OutcomeDetails)(&outcome.Details))
	return entry, err
}

func ifNoEntry(err error, id domain.ApiLogID) error {
	if errors.Is(err, sql.ErrNoRows) {
		return domain.Errorf(domain.NotFound, "there is no log entry %d", id)
	}
	return err
}
