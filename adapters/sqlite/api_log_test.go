package sqlite

import (
	"strings"
	"testing"
	"time"

	"github.com/fleetphoto/fleetphoto/adapters/rows"
	"github.com/fleetphoto/fleetphoto/domain"
)

// TestListsUseTheirIndexes: each list, its next page and a part of it in time begin
// where they are in an index, and no list sorts, but for that of the open entries.
func TestListsUseTheirIndexes(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	for filter, want := range map[domain.ApiLogFilter]string{
		{}:                                     "api_log_received (",
		{Result: domain.Valid}:                 "api_log_received (",
		{Fleet: 1}:                             "api_log_fleet (fleet_id=? AND ",
		{Fleet: 1, Result: domain.Valid}:       "api_log_fleet (fleet_id=? AND ",
		{Fleet: 1, Customer: 2}:                "api_log_customer (fleet_id=? AND customer_id=? AND ",
		{Result: domain.Failed}:                "api_log_result (result=? AND ",
		{Result: domain.Interrupted, Fleet: 1}: "api_log_result (result=? AND ",
		{Error: domain.InvalidPIN}:             "api_log_error (error=? AND ",
		{Error: domain.InvalidPIN, Fleet: 1}:   "api_log_error (error=? AND ",
		{Result: domain.Open, Fleet: 1}:        "api_log_open",
		{Error: domain.InvalidPIN, Fleet: 1, Customer: 2, Result: domain.Failed}: "api_log_customer (fleet_id=? AND customer_id=? AND ",
	} {
		page, part := filter, filter
		page.Before = domain.ApiLogPosition{ReceivedAt: time.Now(), ID: 7}
		part.Since, part.Until = time.Now().Add(-time.Hour), time.Now()
		for filter, want := range map[domain.ApiLogFilter]string{
			filter: strings.TrimSuffix(strings.TrimSuffix(want, " ("), " AND "), page: want + "received_at<?", part: want + "received_at>? AND received_at<?",
		} {
			if filter.Result == domain.Open {
				want = "api_log_open\nUSE TEMP B-TREE FOR ORDER BY"
			}
			query, args := listQuery(filter, 50)
			plan, err := list(t.Context(), db.readers, readStep, "EXPLAIN QUERY PLAN "+query, args...)
			got := strings.Join(plan, "\n")
			if err != nil || !strings.Contains(got, " api_log USING INDEX "+want) || strings.Contains(got, "TEMP") != strings.Contains(want, "TEMP") {
				t.Errorf("%+v: the plan is %q, %v, want %s", filter, got, err, want)
			}
		}
	}
}

// readStep reads a step of a plan.
func readStep(row rows.Row) (step string, err error) {
	var number int
	err = row.Scan(&number, &number, &number, &step)
	return step, err
}

// TestPruneHoldsTheWriteLockBriefly: a Prune of many entries is many transactions.
func TestPruneHoldsTheWriteLockBriefly(t *testing.T) {
	t.Parallel()
	db := started(t, newURL(t))
	run(t, db, `INSERT INTO api_log (received_at, came_from, fleet_id, customer_id, phone, operation, result, error, detail)
		WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250)
		SELECT i, '', 0, 0, '', '', 'error', '', '' FROM n`,
		`CREATE TRIGGER fails BEFORE DELETE ON api_log WHEN old.received_at = 150 BEGIN SELECT RAISE(ABORT, 'enough'); END`)
	if removed, err := db.ApiLog().Prune(t.Context(), time.Now(), 1000); removed != pruneAtOnce || err == nil {
		t.Errorf("Prune = %d, %v; want %d and the failure of the next ones", removed, err, pruneAtOnce)
	}
	run(t, db, `DROP TRIGGER fails`)
	if removed, err := db.ApiLog().Prune(t.Context(), time.Now(), 1000); removed != 250-pruneAtOnce || err != nil {
		t.Errorf("Prune = %d, %v; want the other %d", removed, err, 250-pruneAtOnce)
	}
}
