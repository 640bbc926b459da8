-- For lists of the log by fleet and by what went wrong; a call that is valid is
-- in the first of these indexes alone. They end with what else a list may ask
-- for. Calls are logged while they are built. One whose building was cut off is
-- of no use, and is built again.

-- +goose NO TRANSACTION
-- +goose Up
DROP INDEX CONCURRENTLY IF EXISTS api_log_fleet;
CREATE INDEX CONCURRENTLY api_log_fleet ON api_log (fleet_id, received_at, id);
DROP INDEX CONCURRENTLY IF EXISTS api_log_error;
CREATE INDEX CONCURRENTLY api_log_error ON api_log (error, received_at, id, fleet_id) WHERE error <> '';
DROP INDEX CONCURRENTLY IF EXISTS api_log_result;
CREATE INDEX CONCURRENTLY api_log_result ON api_log (result, received_at, id, fleet_id) WHERE result IN ('error', 'interrupted');

-- When pruning was claimed last: one row.
CREATE TABLE IF NOT EXISTS api_log_pruning (
    id         BIGINT      NOT NULL PRIMARY KEY CHECK (id = 1),
    claimed_at TIMESTAMPTZ NOT NULL
);
