-- Each fleet had one key so far: its label is "first", and when it was added
-- isn't known. What the log has in details is JSON.

-- +goose Up
ALTER TABLE api_keys ADD COLUMN label TEXT NOT NULL DEFAULT 'first';
ALTER TABLE api_keys ADD COLUMN added_at INTEGER;
CREATE UNIQUE INDEX api_keys_label ON api_keys (fleet_id, label);

ALTER TABLE api_log ADD COLUMN key_label TEXT NOT NULL DEFAULT '';
ALTER TABLE api_log ADD COLUMN details TEXT NOT NULL DEFAULT '{}';
ALTER TABLE api_log ADD COLUMN outcome_details TEXT NOT NULL DEFAULT '{}';

-- For lists and pruning by time, and for what happened to a customer.
CREATE INDEX api_log_received ON api_log (received_at, id);
CREATE INDEX api_log_customer ON api_log (fleet_id, customer_id, received_at, id);

-- Which key the PINs are hashed under: its fingerprint.
CREATE TABLE pin_key (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    fingerprint BLOB    NOT NULL CHECK (length(fingerprint) = 32)
) STRICT;
