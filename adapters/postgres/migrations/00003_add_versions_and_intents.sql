-- What a photo's record and a log entry say of the photo store, the PINs that were
-- wrong since the last right one, and when an entry was opened, by the server's
-- clock.

-- +goose Up
SET LOCAL idle_in_transaction_session_timeout = '60s';

-- Version 2 of the tables may lack it.
CREATE TABLE IF NOT EXISTS pin_key (
    id          BIGINT NOT NULL PRIMARY KEY CHECK (id = 1),
    fingerprint BYTEA  NOT NULL CHECK (length(fingerprint) = 32)
);

ALTER TABLE customers ADD COLUMN photo_version TEXT NOT NULL DEFAULT '';
ALTER TABLE customers ADD COLUMN photo_store TEXT NOT NULL DEFAULT '';

ALTER TABLE pin_locks ADD COLUMN wrong BIGINT NOT NULL DEFAULT 0;

ALTER TABLE api_log ADD COLUMN intent_sha256 BYTEA CHECK (length(intent_sha256) = 32);
ALTER TABLE api_log ADD COLUMN photo_store TEXT NOT NULL DEFAULT '';
ALTER TABLE api_log ADD COLUMN settled_at TIMESTAMPTZ;
ALTER TABLE api_log ADD COLUMN opened_at TIMESTAMPTZ;
UPDATE api_log SET opened_at = received_at WHERE result = '';
ALTER TABLE api_log ALTER COLUMN opened_at SET DEFAULT clock_timestamp();

-- The open entries, few among millions, as Repair asks for them.
DROP INDEX api_log_open;
CREATE INDEX api_log_open ON api_log (id) WHERE result = '';

-- The oldest version of the tables that a program must know to use these.
CREATE TABLE schema_needs (tables_version BIGINT NOT NULL PRIMARY KEY);
INSERT INTO schema_needs (tables_version) VALUES (3);
