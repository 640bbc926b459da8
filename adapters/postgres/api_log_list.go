package postgres

import (
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/domain"
)

// List implements ports.ApiLogArchive.
func (l *ApiLog) List(ctx context.Context, filter domain.ApiLogFilter, limit int) ([]domain.ApiLogEntry, error) {
	where, args := conditions(filter)
	args = append(args, max(limit, 0))
	query := fmt.Sprintf("%s%s ORDER BY received_at DESC, id DESC LIMIT $%d", selectEntry, where, len(args))
	return list(ctx, l.db, "list entries", scanEntry, query, args...)
}

// conditions is domain.ApiLogFilter.Matches in SQL.
func conditions(f domain.ApiLogFilter) (string, []any) {
	var all []string
	var args []any
	when := func(wanted bool, condition string, values ...any) {
		if !wanted {
			return
		}
		for _, value := range values {
			args = append(args, value)
			condition = strings.Replace(condition, "?", fmt.Sprint("$", len(args)), 1)
		}
		all = append(all, condition)
	}
	when(f.Fleet != 0, "fleet_id = ?", f.Fleet)
	when(f.Customer != 0, "customer_id = ?", f.Customer)
	when(f.Result == domain.Open, "result = ''")
	when(f.Result != "" && f.Result != domain.Open, "result = ?", f.Result)
	when(f.Error != "", "error = ?", f.Error)
	when(!f.Since.IsZero(), "received_at >= ?", instantUp(f.Since))
	when(!f.Until.IsZero(), "received_at < ?", instantUp(f.Until))
	when(f.Before != domain.ApiLogPosition{}, "(received_at, id) < (?, ?)", f.Before.ReceivedAt, f.Before.ID)
	if len(all) == 0 {
		return "", nil
	}
	return "WHERE " + strings.Join(all, " AND "), args
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
