package sqlite

import (
	"context"
	"database/sql"
	"strings"
	"time"

	"github.com/fleetphoto/fleetphoto/domain"
)

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	where, args := conditions(filter)
	entries, err := list(ctx, l.db.readers, scanEntry,
		selectEntry+where+` ORDER BY received_at DESC, id DESC LIMIT ?`, append(args, max(limit, 0))...)
	return entries, translate("list entries", err)
}

// conditions is domain.ApiLogFilter.Matches in SQL.
func conditions(f domain.ApiLogFilter) (string, []any) {
	var all []string
	var args []any
	when := func(wanted bool, condition string, values ...any) {
		if wanted {
			all, args = append(all, condition), append(args, values...)
		}
	}
	when(f.Fleet != 0, "fleet_id = ?", f.Fleet)
	when(f.Customer != 0, "customer_id = ?", f.Customer)
	when(f.Result == domain.Open, "result = ''")
	when(f.Result != "" && f.Result != domain.Open, "result = ?", f.Result)
	when(f.Error != "", "error = ?", f.Error)
	when(!f.Since.IsZero(), "received_at >= ?", microsUp(f.Since))
	when(!f.Until.IsZero(), "received_at < ?", microsUp(f.Until))
	if at := f.Before; at != (domain.ApiLogPosition{}) {
		when(true, "(received_at, id) < (?, ?)", at.ReceivedAt.UnixMicro(), at.ID)
	}
	if len(all) == 0 {
		return "", nil
	}
	return "WHERE " + strings.Join(all, " AND "), args
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
