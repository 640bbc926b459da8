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

const selectEntry = `
	SELECT id, received_at, came_from, fleet_id, key_label, customer_id, phone, operation, details,
		result, error, detail, ended_at, outcome_details
	FROM api_log `

// whereID finds an entry by the primary key.
const whereID = `WHERE id = $1 AND shard = $1 % 16`

// selectUnfinished says result = ” in the words of the index api_log_open.
const selectUnfinished = selectEntry + `WHERE result = '' AND received_at < $1 ORDER BY received_at, id LIMIT $2`

// Record implements ports.ApiLog.
func (l *ApiLog) Record(ctx context.Context, call domain.ApiCall, outcome domain.Outcome) (domain.ApiLogID, error) {
	return l.insert(ctx, "record call", call, outcome)
}

// Open implements ports.ApiLog.
func (l *ApiLog) Open(ctx context.Context, call domain.ApiCall) (domain.ApiLogID, error) {
	return l.insert(ctx, "open entry", call, domain.Outcome{})
}

func (l *ApiLog) insert(ctx context.Context, action string, call domain.ApiCall, outcome domain.Outcome) (id domain.ApiLogID, err error) {
	err = l.db.write(ctx, action, func(tx pgx.Tx) error {
		return tx.QueryRow(ctx, `
			INSERT INTO api_log (received_at, came_from, fleet_id, key_label, customer_id, phone, operation, details,
				result, error, detail, ended_at, outcome_details)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING id`,
			call.ReceivedAt, text(call.From), call.Fleet, text(string(call.Key)), call.Customer, call.Phone, call.Operation, rows.CallDetails(call.Details),
			outcome.Result, outcome.Error, text(outcome.Detail), instant(outcome.EndedAt), rows.OutcomeDetails(outcome.Details),
		).Scan(&id)
	})
	if err != nil {
		return 0, err
	}
	return id, nil
}

// Close implements ports.ApiLog.
func (l *ApiLog) Close(ctx context.Context, id domain.ApiLogID, outcome domain.Outcome) error {
	return l.db.do(ctx, "close entry", func(conn *pgxpool.Conn) error {
		closed, err := conn.Exec(ctx,
			`UPDATE api_log SET result = $2, error = $3, detail = $4, ended_at = $5, outcome_details = $6 `+whereID+` AND result = ''`,
			id, outcome.Result, outcome.Error, text(outcome.Detail), instant(outcome.EndedAt), rows.OutcomeDetails(outcome.Details))
		if err != nil || closed.RowsAffected() > 0 {
			return err
		}
		return ifNone(conn.QueryRow(ctx, `SELECT id FROM api_log `+whereID, id).Scan(&id), noEntry(id))
	})
}

// Unfinished implements ports.ApiLog.
func (l *ApiLog) Unfinished(ctx context.Context, before time.Time, limit int) ([]domain.ApiLogEntry, error) {
	return list(ctx, l.db, "list unfinished entries", scanEntry, selectUnfinished, instantUp(before), max(limit, 0))
}

// Entry implements ports.ApiLogArchive.
func (l *ApiLog) Entry(ctx context.Context, id domain.ApiLogID) (entry domain.ApiLogEntry, err error) {
	err = l.db.do(ctx, "read entry", func(conn *pgxpool.Conn) error {
		entry, err = scanEntry(conn.QueryRow(ctx, selectEntry+whereID, id))
		return ifNone(err, noEntry(id))
	})
	if err != nil {
		return domain.ApiLogEntry{}, err
	}
	return entry, nil
}

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	where, args := rows.Where(filter, "$", instantUp)
	args = append(args, max(limit, 0))
	query := fmt.Sprintf("%s%s ORDER BY received_at DESC, id DESC LIMIT $%d", selectEntry, where, len(args))
	return list(ctx, l.db, "list entries", scanEntry, query, args...)
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

func scanEntry(row rows.Row) (entry domain.ApiLogEntry, err error) {
	call, outcome := &entry.Call, &entry.Outcome
	err = row.Scan(&entry.ID, (*rows.Time)(&call.ReceivedAt), textColumn{&call.From}, &call.Fleet, textColumn{(*string)(&call.Key)},
		&call.Customer, &call.Phone, &call.Operation, (*rows.CallDetails)(&call.Details), &outcome.Result, &outcome.Error,
		textColumn{&outcome.Detail}, (*rows.Time)(&outcome.EndedAt), (*rows.OutcomeDetails)(&outcome.Details))
	return entry, err
}

func noEntry(id domain.ApiLogID) *domain.Error {
	return domain.Errorf(domain.NotFound, "there is no log entry %d", id)
}
