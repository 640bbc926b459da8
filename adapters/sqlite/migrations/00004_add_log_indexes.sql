-- For lists of the log by fleet and by what went wrong; a call that is valid is
-- in the first of these indexes alone. They end with what else a list may ask for.

-- +goose Up
CREATE INDEX api_log_fleet ON api_log (fleet_id, received_at, id);
CREATE INDEX api_log_error ON api_log (error, received_at, id, fleet_id) WHERE error <> '';
CREATE INDEX api_log_result ON api_log (result, received_at, id, fleet_id) WHERE result IN ('error', 'interrupted');

-- When pruning was claimed last: one row.
CREATE TABLE api_log_pruning (
    id         INTEGER PRIMARY KEY CHECK (id = 1),
    claimed_at INTEGER NOT NULL
) STRICT;
