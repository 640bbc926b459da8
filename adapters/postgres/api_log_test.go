package postgres

import (
	"strings"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"github.com/fleetphoto/fleetphoto/domain"
)

// fillLog logs 200,000 calls, a second apart until now: one of 50 failed, with an
// error of their own until yesterday, and fleet 999 made none since.
const fillLog = `
	INSERT INTO api_log (received_at, came_from, fleet_id, customer_id, phone, operation, result, error, detail)
	SELECT now() - (200000 - i) * interval '1 second', '', CASE WHEN i < 100000 AND i % 20 = 1 THEN 999 ELSE i % 30 END, i % 4999, '', 'update',
		CASE WHEN i % 40001 = 40000 THEN 'interrupted' WHEN i % 50 = 0 THEN 'error' ELSE 'valid' END,
		CASE WHEN i % 40001 = 40000 OR i % 50 > 0 THEN '' WHEN i < 100000 THEN 'PIN Locked' ELSE 'Invalid PIN' END, ''
	FROM generate_series(1, 200000) AS i`

// TestListsUseTheirIndexes: each list and its next page begins where it is in an
// index, whether it finds many, few that are old, or none.
func TestListsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	run(t, db, fillLog)
	run(t, db, `ANALYZE api_log`)
	for filter, want := range map[domain.ApiLogFilter]string{
		{}:                                    "api_log_received",
		{Result: domain.Valid}:                "api_log_received",
		{Fleet: 1}:                            "api_log_fleet",
		{Fleet: 999}:                          "api_log_fleet",
		{Fleet: 12345}:                        "api_log_fleet",
		{Fleet: 1, Customer: 31}:              "api_log_customer",
		{Fleet: 1, Customer: 5000}:            "api_log_customer",
		{Result: domain.Failed}:               "api_log_result",
		{Result: domain.Interrupted}:          "api_log_result",
		{Error: domain.InvalidPIN}:            "api_log_error",
		{Error: domain.PINLocked}:             "api_log_error",
		{Error: domain.Unavailable}:           "api_log_error",
		{Error: domain.PINLocked, Fleet: 1}:   "api_log_error",
		{Result: domain.Failed, Fleet: 1}:     "api_log_result",
		{Result: domain.Open}:                 "api_log_open",
		{Result: domain.Open, Fleet: 999}:     "api_log_open",
		{Until: time.Now().Add(-time.Hour)}:   "api_log_received",
		{Since: time.Now().Add(-time.Minute)}: "api_log_received",
	} {
		for _, before := range []domain.ApiLogPosition{{}, {ReceivedAt: time.Now().Add(-24 * time.Hour), ID: 100_000}} {
			filter.Before = before
			query, args := listQuery(filter, 50)
			lines, _ := db.pool.Query(t.Context(), "EXPLAIN "+query, args...)
			plan, err := pgx.CollectRows(lines, pgx.RowTo[string])
			got := strings.Join(plan, "\n")
			if err != nil || !strings.Contains(got, " "+want+" ") || strings.Contains(got, "Seq Scan") {
				t.Errorf("%+v: the plan is\n%s, %v, want one that uses %s", filter, got, err, want)
			}
		}
	}
}

// A migration that was cut off between two of its indexes, as it is no
// transaction, is made whole by the next one.
func TestMigrationOfIndexesIsRepeated(t *testing.T) {
	t.Parallel()
	db := opened(t, newURL(t))
	run(t, db, `DELETE FROM `+versionTable+` WHERE version_id >= 4; ALTER TABLE fleets DROP COLUMN require_pin, DROP COLUMN country`)
	run(t, db, `DROP INDEX api_log_result`)
	must(t, migrateAndStart(t.Context(), db))
	var valid int
	must(t, db.pool.QueryRow(t.Context(), `SELECT count(*) FROM pg_index WHERE indrelid = 'api_log'::regclass AND indisvalid`).Scan(&valid))
	if valid != 7 {
		t.Errorf("the log has %d valid indexes, want 7", valid)
	}
}
